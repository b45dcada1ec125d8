// SPDX-License-Identifier: MIT
//
// stream.js - the one stream of a tab (/api/v1/events): the status of what lives as the
// server tells of it, and a word when something else is likely to have changed. live.js asks
// whenever there is no stream; nothing here asks.
//
// Browsers have six connections to a server for all their tabs, so only a tab that is seen
// has a stream. It goes on where the last one ended, unless it is to tell of other dags.

const HIDDEN_MS = 5000; /* a tab that is hidden for longer closes its stream */
const REFUSED_MS = 30000; /* until one that was refused is tried again */
const SETTLE_MS = 150; /* in which a new stream tells what it knows */
const SILENT_MS = 6000; /* runs that live are told of twice a second */
const CHANGE_MS = 50; /* pages come and go together */

const wants = new Map(); // a dag, or "" for all → how many want it
const statuses = new Map(); // dag → status
const listeners = new Set();
let source = null;
let only = ""; // the dag that the stream is of; "": all
let lastId = "";
let isUp = false;
let gone = new Set(); // dags that were known before a reset and not told of since
const shapes = new Map(); // dag → what the history knows of, too
const timers = {};

function later(name, fn, ms) {
  clearTimeout(timers[name]);
  timers[name] = setTimeout(fn, ms);
}

function tell(isNews) {
  for (const fn of listeners) fn(isNews);
}

function set(up) {
  if (isUp === up) return;
  isUp = up;
  tell(false);
}

/** Is there a stream that tells of everything that is wanted? */
export function streams() {
  return isUp;
}

/** The status of a dag that lives, as it was told last. */
export function told(dag) {
  return statuses.get(dag);
}

/** fn(isNews) at every change; isNews: the history is likely to have changed, too. */
export function listen(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

/** Have a dag told of, "" for all; returns what ends it. */
export function want(dag) {
  wants.set(dag, (wants.get(dag) || 0) + 1);
  later("change", change, CHANGE_MS);
  return () => {
    const left = wants.get(dag) - 1;
    if (left) wants.set(dag, left);
    else wants.delete(dag);
    later("change", change, CHANGE_MS);
  };
}

/* What changes in it is written to the history: states, attempts, dead letters. */
function shape(status) {
  const nodes = status.nodes.map((node) => [
    node.state,
    node.dead,
    ...(node.clients || []).map((client) => `${client.state} ${client.attempt}`),
  ]);
  return JSON.stringify([status.run, status.state, nodes]);
}

function heard(event) {
  lastId = event.lastEventId;
  later("silence", () => statuses.size && set(false), SILENT_MS);
  if (!timers.settle) set(true);
  return JSON.parse(event.data);
}

function settle() {
  timers.settle = 0;
  for (const dag of gone) statuses.delete(dag);
  gone = new Set();
  set(true);
  tell(false);
}

function onReset(event) {
  heard(event);
  gone = new Set(statuses.keys());
}

function onStatus(event) {
  const status = heard(event);
  const now = shape(status);
  const isNews = shapes.has(status.dag) ? shapes.get(status.dag) !== now : isUp;
  gone.delete(status.dag);
  statuses.set(status.dag, status);
  shapes.set(status.dag, now);
  tell(isNews);
}

function onEnded(event) {
  const end = heard(event);
  if (statuses.get(end.dag)?.run === end.run) statuses.delete(end.dag);
  shapes.delete(end.dag);
  tell(true);
}

function close() {
  if (source) source.close();
  source = null;
  for (const name of ["silence", "settle", "refused"]) {
    clearTimeout(timers[name]);
    timers[name] = 0;
  }
  set(false);
}

/* The browser tries again by itself, but for an answer that is no stream. */
function onError() {
  const isRefused = source.readyState === EventSource.CLOSED;
  set(false);
  if (!isRefused) return;
  close();
  later("refused", change, REFUSED_MS);
}

function open(dag) {
  const query = new URLSearchParams();
  if (dag) query.set("dag", dag);
  if (dag !== only) lastId = "";
  if (lastId) query.set("last_event_id", lastId);
  only = dag;
  source = new EventSource(`/api/v1/events?${query}`);
  source.onopen = () => later("settle", settle, SETTLE_MS);
  source.onerror = onError;
  source.addEventListener("reset", onReset);
  source.addEventListener("status", onStatus);
  source.addEventListener("ended", onEnded);
}

/* Have the stream that is wanted now, or none. */
function change() {
  const dag = wants.size === 1 ? [...wants.keys()][0] : "";
  const isWanted = wants.size > 0 && !document.hidden;
  if (isWanted && source && only === dag) return;
  close();
  if (isWanted) open(dag);
}

document.addEventListener("visibilitychange", () => later("change", change, document.hidden ? HIDDEN_MS : 0));
