// SPDX-License-Identifier: MIT
//
// live.js - answers that stay fresh while the page is seen, and what is known about the
// connection. While there is a stream (stream.js) it says when to ask, and the rest is asked
// now and then; without one everything is asked again and again. Nothing is asked while the
// tab is hidden.
import { useEffect, useState } from "preact/hooks";
import { get } from "./api.js";
import { tell, useHeard } from "./heard.js";
import { listen, streams, told, want } from "./stream.js";

const RETRY_MAX_MS = 10000;
const STREAMED_MS = 15000; /* between questions that the stream says the time for */
const NEWS_MS = [200, 1500, 5000]; /* after news; runners write their history once a second */
const ANSWER_MS = 10000; /* a server that takes longer is taken for one that is away */
const listeners = new Set();
const failing = new Map(); // url → when it answered last

function answered(url) {
  if (failing.delete(url)) tell(listeners);
}

function failed(url, since) {
  if (failing.has(url)) return;
  failing.set(url, since);
  tell(listeners);
}

/** Since when something shown is stale; null: nothing is. */
export function useStaleSince() {
  useHeard(listeners);
  return failing.size ? Math.min(...failing.values()) : null;
}

/* The dag that a url is about; "": about any. */
function dagOf(url) {
  const found = /^\/api\/v1\/(?:runs|dags)\/([^/?]+)\//.exec(url);
  return found ? decodeURIComponent(found[1]) : "";
}

/* Ask when the stream has news, and again and again from when it breaks; returns the end. */
function follow(url, everyMs, ask) {
  let wasStreamed = streams();
  let timers = [];
  const askIn = (...times) => {
    timers.forEach(clearTimeout);
    timers = times.map((ms) => setTimeout(ask, ms));
  };
  const unlisten = listen((isNews) => {
    if (isNews) askIn(...NEWS_MS);
    else if (wasStreamed && !streams()) askIn(everyMs);
    wasStreamed = streams();
  });
  const unwant = want(dagOf(url));
  return () => {
    askIn();
    unlisten();
    unwant();
  };
}

/**
 * The JSON of a url, asked anew everyMs (0: once), or when the stream has news. The last
 * good answer stays while newer ones fail: the banner says so.
 */
export function useLive(url, everyMs = 0) {
  const [state, setState] = useState({ url: null, data: null, error: null });
  useEffect(() => {
    if (!url) return undefined;
    let abort = null;
    let isOver = false;
    let timer = 0;
    let good = Date.now();
    let waitMs = everyMs;

    const ask = async () => {
      clearTimeout(timer);
      if (document.hidden && everyMs) return;
      if (abort) abort.abort();
      const mine = (abort = new AbortController());
      const late = setTimeout(() => mine.abort(), ANSWER_MS);
      try {
        const data = await get(url, mine.signal);
        if (isOver || abort !== mine) return;
        good = Date.now();
        waitMs = everyMs;
        answered(url);
        setState({ url, data, error: null });
      } catch (error) {
        if (isOver || abort !== mine) return;
        // An answer that says no is an answer; silence is what makes a page stale.
        if (!error.status) failed(url, good);
        else answered(url);
        waitMs = Math.min(RETRY_MAX_MS, Math.max(1000, waitMs * 2));
        setState((old) => ({ url, data: old.url === url ? old.data : null, error }));
      } finally {
        clearTimeout(late);
      }
      const isCalm = streams() && !failing.has(url);
      if (everyMs || failing.has(url)) timer = setTimeout(ask, isCalm ? Math.max(waitMs, STREAMED_MS) : waitMs);
    };
    const seen = () => !document.hidden && everyMs && ask();
    document.addEventListener("visibilitychange", seen);
    const unfollow = everyMs ? follow(url, everyMs, ask) : () => {};
    ask();
    return () => {
      isOver = true;
      if (abort) abort.abort();
      clearTimeout(timer);
      unfollow();
      document.removeEventListener("visibilitychange", seen);
      answered(url);
    };
  }, [url, everyMs]);
  return state.url === url ? state : { url, data: null, error: null };
}

// ---------------------------------------------------------------------------- samples

const SAMPLES_MAX = 10; /* problems.js looks at no more */
const SAMPLE_MS = 900; /* not more often than this */
const RUNS_MAX = 20;
const samples = new Map(); // "dag@run" → Map of "node in" or "node backlog" → numbers

function push(series, name, value) {
  let list = series.get(name);
  if (!list) series.set(name, (list = []));
  list.push(value || 0);
  if (list.length > SAMPLES_MAX) list.shift();
}

/* Remember the numbers of a status object that tell what is wrong with it (problems.js). */
function sample(status) {
  const key = `${status.dag}@${status.run}`;
  let series = samples.get(key);
  if (!series) {
    samples.set(key, (series = new Map()));
    series.at = 0;
    if (samples.size > RUNS_MAX) samples.delete(samples.keys().next().value);
  }
  if (Date.now() - series.at < SAMPLE_MS) return;
  series.at = Date.now();
  for (const node of status.nodes) {
    push(series, `${node.node} in`, node.in_per_s);
    push(series, `${node.node} backlog`, node.backlog);
  }
}

export function series(dag, run, name) {
  return samples.get(`${dag}@${run}`)?.get(name) || [];
}

/** What the stream tells of a dag, undefined when nothing; the last word when it broke. */
function useTold(dag) {
  const [, again] = useState(0);
  useEffect(() => {
    let before = null;
    const stopWanting = dag ? want(dag) : () => {};
    const stopListening = listen(() => {
      const now = streams() ? told(dag) : null;
      if (before !== now) again((n) => n + 1);
      before = now;
    });
    return () => {
      stopWanting();
      stopListening();
    };
  }, [dag]);
  return told(dag);
}

/** Is this the status of that run, a number or "last", while it lives? */
export function isOf(status, run) {
  return Boolean(status && status.live && (run === "last" || String(status.run) === run));
}

/** The status of a dag, sampled at each answer. */
export function useStatus(dag, everyMs) {
  const status = useTold(dag);
  const url = dag ? `/api/v1/dags/${encodeURIComponent(dag)}/status` : null;
  const isTold = status && streams();
  const asked = useLive(isTold ? null : url, everyMs);
  const answer = isTold ? { url, data: status, error: null } : { ...asked, data: asked.data || status || null };
  useEffect(() => {
    if (answer.data && answer.data.live) sample(answer.data);
  }, [answer.data]);
  return answer;
}
