// SPDX-License-Identifier: MIT
//
// format.js - numbers, times and states as text.
import { tell, useHeard } from "./heard.js";

export function count(n) {
  if (n == null) return "–";
  if (n >= 1e6) return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)}M`;
  if (n >= 1e5) return `${Math.round(n / 1e3)}k`;
  return n.toLocaleString("en");
}

export function rate(n) {
  if (n == null) return "–";
  if (n > 0 && n < 0.01) return "< 0.01/s";
  return `${n >= 9.5 || n === 0 ? count(Math.round(n)) : n.toPrecision(2)}/s`;
}

export function bytes(n) {
  if (n == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (n >= 1024 && unit < 3) {
    n /= 1024;
    unit++;
  }
  return `${unit && n < 10 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

export function duration(ms) {
  if (ms == null || ms < 0) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function between(started, ended) {
  return duration((ended ? Date.parse(ended) : Date.now()) - Date.parse(started));
}

/** How long a backlog lasts at the rate it is worked off; "" when nobody can say. */
export function backlogSeconds(edge) {
  if (!edge.backlog || !edge.out_per_s) return "";
  return `≈ ${duration((edge.backlog / edge.out_per_s) * 1000)}`;
}

let utc = localStorage.getItem("dagrun.utc") === "1";
const zoneListeners = new Set();

export function useZone() {
  useHeard(zoneListeners);
  return utc ? "UTC" : "local";
}

export function toggleZone() {
  utc = !utc;
  localStorage.setItem("dagrun.utc", utc ? "1" : "0");
  tell(zoneListeners);
}

const two = (n) => String(n).padStart(2, "0");

/** exact: to the millisecond. */
export function clock(text, withDay = true, exact = false) {
  if (!text) return "–";
  const d = new Date(text);
  const at = utc
    ? [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()]
    : [d.getFullYear(), d.getMonth(), d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds()];
  const day = `${at[0]}-${two(at[1] + 1)}-${two(at[2])} `;
  const part = exact ? `.${String(d.getUTCMilliseconds()).padStart(3, "0")}` : "";
  return `${withDay ? day : ""}${two(at[3])}:${two(at[4])}:${two(at[5])}${part}${utc ? "Z" : ""}`;
}

export function ago(text) {
  const ms = Date.now() - Date.parse(text);
  return ms < 5000 ? "just now" : `${duration(ms).split(" ").slice(0, 2).join(" ")} ago`;
}

const STATES = {
  starting: ["busy", "◌"],
  waiting: ["busy", "◌"],
  running: ["good", "●"],
  restarting: ["busy", "↻"],
  draining: ["busy", "▽"],
  paused: ["warn", "‖"],
  backoff: ["warn", "▲"],
  degraded: ["warn", "▲"],
  stopped: ["warn", "■"],
  done: ["good", "✓"],
  succeeded: ["good", "✓"],
  failed: ["bad", "✕"],
  interrupted: ["bad", "✕"],
  open: ["warn", "▲"],
  sending: ["busy", "◌"],
  replayed: ["good", "✓"],
  dropped: ["busy", "■"],
};

export const RUN_STATES = [
  "starting", "running", "draining", "succeeded", "degraded", "failed", "stopped", "interrupted",
];

/** good, busy, warn or bad; an unknown state is shown by its word. */
export function tone(state) {
  return (STATES[state] || ["busy"])[0];
}

export function symbol(state) {
  return (STATES[state] || ["", "?"])[1];
}

/** Text as text: control characters and those that turn the direction are made visible. */
export function visible(text) {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Text of a log: its colours are left out, other control characters made visible. */
export function printable(line) {
  return visible(line.replace(/\u001b\[[0-9;:?]*[ -/]*[@-~]/g, "").replace(/\r$/, ""));
}
