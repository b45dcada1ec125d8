// SPDX-License-Identifier: MIT
//
// timeline.jsx - the lives of a run's clients as bars over its time: how each ended, and how
// long it took until the next one began.
import { between, clock, duration, useZone } from "./format.js";
import { link } from "./route.js";

const SHOWN_MAX = 200; /* attempts; the newest */
const GAP_MS = 1000; /* from here on a wait is worth a mark */

export function logLink(attempt, dag, run) {
  return link(["runs", dag, run, "logs"], { node: attempt.node, client: attempt.client, attempt: attempt.attempt });
}

const SIGNALS = { 1: " (HUP)", 2: " (INT)", 3: " (QUIT)", 4: " (ILL)", 6: " (ABRT)", 7: " (BUS)", 8: " (FPE)", 9: " (KILL)", 11: " (SEGV)", 13: " (PIPE)", 15: " (TERM)" };

export function howItEnded(attempt) {
  if (!attempt.ended) return "runs";
  if (attempt.signal) return `signal ${attempt.signal}${SIGNALS[attempt.signal] || ""}`;
  return `exit ${attempt.exit_code == null ? "unknown" : attempt.exit_code}`;
}

export function isBad(attempt) {
  return Boolean(attempt.signal) || (attempt.exit_code != null && attempt.exit_code !== 0);
}

/* The attempts of each client, oldest first, each with how long it was waited for it. */
function rowsOf(run) {
  const rows = new Map();
  for (const attempt of run.attempts.slice(-SHOWN_MAX)) {
    const name = `${attempt.node}.${attempt.client}`;
    const row = rows.get(name) || [];
    const before = row[row.length - 1];
    const gap = before && before.ended ? Date.parse(attempt.started) - Date.parse(before.ended) : 0;
    rows.set(name, [...row, { ...attempt, gap }]);
  }
  return [...rows];
}

export function Timeline({ run }) {
  useZone();
  const begin = Date.parse(run.started);
  const end = run.ended ? Date.parse(run.ended) : Date.now();
  const span = Math.max(end - begin, 1);
  const share = (ms) => `${Math.max(0, (ms / span) * 100)}%`;
  const place = (attempt) => {
    const from = Math.max(0, Date.parse(attempt.started) - begin);
    const to = (attempt.ended ? Date.parse(attempt.ended) : end) - begin;
    return { left: share(from), width: `max(${share(to - from)}, .6%)` };
  };
  const at = (ms) => clock(new Date(ms).toISOString(), span > 86400e3);
  return (
    <>
      <ul class="timeline">
        {rowsOf(run).map(([name, attempts]) => (
          <li key={name}>
            <span class="who">{name}</span>
            <span class="bars">
              {attempts.filter((attempt) => attempt.gap >= GAP_MS).map((attempt) => (
                <span
                  key={`gap ${attempt.attempt}`}
                  class="gap"
                  title={`waited ${duration(attempt.gap)} before attempt ${attempt.attempt}`}
                  style={{ left: share(Date.parse(attempt.started) - attempt.gap - begin), width: share(attempt.gap) }}
                />
              ))}
              {attempts.map((attempt) => (
                <a
                  key={attempt.attempt}
                  class={isBad(attempt) ? "bad" : attempt.ended ? "over" : "good"}
                  style={place(attempt)}
                  href={logLink(attempt, run.dag, run.run)}
                  title={`attempt ${attempt.attempt}: ${howItEnded(attempt)}, ${between(attempt.started, attempt.ended)}${attempt.gap >= GAP_MS ? `, after ${duration(attempt.gap)} of waiting` : ""}`}
                >
                  <span class="unseen">{`${name} attempt `}</span>{`${attempt.attempt}: ${howItEnded(attempt)}`}
                </a>
              ))}
            </span>
          </li>
        ))}
      </ul>
      <p class="dim ends"><span /><span>{at(begin)}</span><span>{at(end)}</span></p>
    </>
  );
}
