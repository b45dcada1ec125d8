// SPDX-License-Identifier: MIT
//
// problems.js - what is wrong with a run, from its status object: the worst first.
import { clock, count, duration, visible } from "./format.js";
import { series } from "./live.js";

const GROWING_SAMPLES = 8;
const GROWING_MIN = 100;
const STANDS_SAMPLES = 10;
const UNREADY_MS = 10000; /* as in 'dagrun status' */

function isGrowing(status, node) {
  const values = series(status.dag, status.run, `${node.node} backlog`);
  if (values.length < GROWING_SAMPLES) return false;
  const before = values[values.length - GROWING_SAMPLES];
  return node.backlog > before + GROWING_MIN && node.backlog > before * 1.2;
}

/* Records wait, and for several answers none was taken. */
function standsStill(status, node) {
  const last = (what) => series(status.dag, status.run, `${node.node} ${what}`).slice(-STANDS_SAMPLES);
  return node.state === "running" && last("in").length === STANDS_SAMPLES && last("in").every((n) => n === 0) && last("backlog").every((n) => n > 0);
}

function ofNode(status, node) {
  const list = [];
  const say = (weight, text, more) => list.push({ weight, node: node.node, text: visible(text), ...more });
  const over = ["done", "failed", "stopped"].includes(node.state);
  const limited = (node.clients || []).filter((client) => client.start_limit).length;

  if (node.state === "failed") say(0, `has failed${node.last_error ? `: ${node.last_error}` : ""}`);
  else if (limited) say(1, `is started again and again in vain (${limited} of ${node.want} clients)`);
  else if (!over && node.up < node.want && node.restarts > 0) say(2, `has ${node.up} of ${node.want} clients up`);
  for (const client of node.clients || []) {
    if (client.state === "starting" && client.uptime_ms >= UNREADY_MS) say(2, `has not said for ${duration(client.uptime_ms)} that its client ${client.client} is ready: its log may tell why`);
  }
  if (node.dead > 0) say(3, `could not handle ${node.dead === 1 ? "1 record of this run: it became a dead letter" : `${count(node.dead)} records of this run: they became dead letters`}`, { dead: true });
  if (standsStill(status, node)) say(2, `stands still: ${count(node.backlog)} records wait and none is taken`);
  if (isGrowing(status, node)) say(4, `falls behind: ${count(node.backlog)} records wait`);
  return list;
}

export function problemsOf(status) {
  const list = status.nodes.flatMap((node) => ofNode(status, node));
  if (status.stale_since_ms) {
    list.push({ weight: -2, text: `Its runner has said nothing since ${clock(new Date(status.stale_since_ms).toISOString())}: what is shown is as it was then` });
  }
  if (status.live && status.broker && status.broker.up === false) {
    list.push({ weight: -1, text: visible(`The broker ${status.broker.address} does not answer: ${status.broker.error || "no reason given"}`) });
  }
  if (status.history_degraded) {
    list.push({ weight: 5, text: visible(`The history is not written: ${status.history_degraded}`) });
  }
  return list.sort((a, b) => a.weight - b.weight);
}
