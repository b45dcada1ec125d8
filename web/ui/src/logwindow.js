// SPDX-License-Identifier: MIT
//
// logwindow.js - the part of a log that is here: lines of one stretch of its bytes, which
// grows at either end and lets go at the other, so that a log may be as long as it likes.
import { useEffect, useRef, useState } from "preact/hooks";
import { logPiece } from "./api.js";
import { printable } from "./format.js";

const PIECE = 256 * 1024;
const LINES_MAX = 20000;
const LINE_MAX = 4000; /* characters of a line that are shown */
const FOLLOW_MS = 1000;
const RETRY_MS = 5000;

const EMPTY = { url: null, id: 0, turn: 0, lines: [], at: [], rest: "", next: 0, size: 0 };
const decoder = new TextDecoder();

function shown(data) {
  const text = decoder.decode(data.subarray(0, 4 * LINE_MAX));
  return printable(text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text);
}

/* Whole lines of a stretch of bytes, with the place of each. What is no line by the end of a
 * full piece never will be for us: it is one, too. */
function split(data, from) {
  const lines = [];
  const at = [];
  let begin = 0;
  const add = (end) => {
    lines.push(shown(data.subarray(begin, end)));
    at.push(from + begin);
  };
  for (let end; (end = data.indexOf(10, begin)) >= 0; begin = end + 1) add(end);
  if (!lines.length && data.length >= PIECE - 1) {
    add(data.length);
    begin = data.length;
  }
  return { lines, at, used: begin };
}

/* A piece that begins inside of a line begins behind it. */
function trimmed(piece) {
  if (piece.from === 0) return piece;
  const start = piece.bytes.indexOf(10) + 1;
  return { ...piece, from: piece.from + start, bytes: piece.bytes.subarray(start) };
}

function appended(log, piece) {
  const cut = split(piece.bytes, piece.from);
  const lines = [...log.lines, ...cut.lines];
  const at = [...log.at, ...cut.at];
  const over = Math.max(0, lines.length - LINES_MAX);
  const isEnd = piece.from + piece.bytes.length >= piece.size;
  return {
    ...log,
    lines: lines.slice(over),
    at: at.slice(over),
    rest: isEnd ? shown(piece.bytes.subarray(cut.used)) : "",
    next: piece.from + cut.used,
    size: piece.size,
  };
}

let turns = 0; /* how often a log was begun at some place: tells one stretch from the next */

function begun(_, piece) {
  return appended({ ...EMPTY, url: piece.url, id: piece.id, turn: ++turns }, trimmed(piece));
}

function prepended(log, piece) {
  const cut = split(piece.bytes, piece.from);
  const over = Math.max(0, cut.lines.length + log.lines.length - LINES_MAX);
  const kept = log.lines.length - over;
  return {
    ...log,
    lines: [...cut.lines, ...log.lines.slice(0, kept)],
    at: [...cut.at, ...log.at.slice(0, kept)],
    rest: over ? "" : log.rest,
    next: over ? log.at[kept] : log.next,
    size: piece.size,
  };
}

/** Where the first line that is here begins. */
export function firstOf(log) {
  return log.at.length ? log.at[0] : log.next;
}

/**
 * The log of a url: {log, error, earlier, later, goTo}. goTo takes a byte, negative: the
 * end. Followed: what is added to its end is asked for again and again.
 */
export function useLog(url, follow) {
  const [log, setLog] = useState(EMPTY);
  const [error, setError] = useState(null);
  const state = useRef(EMPTY);
  const busy = useRef(null);
  const goal = useRef(-PIECE); /* where to go; null: we are there */
  const [goals, setGoals] = useState(0);

  const put = (next) => {
    state.current = next;
    setLog(next);
  };
  const isNews = (now, piece, fn) => fn !== appended || piece.size !== now.size || now.next + piece.bytes.length !== now.size;

  /* One question at a time; fn makes the next state of the piece. */
  const ask = async (from, limit, fn) => {
    if (busy.current || !url) return false;
    const abort = (busy.current = new AbortController());
    try {
      const piece = await logPiece(url, from, limit, abort.signal);
      const now = state.current;
      const isOther = now.id !== piece.id || piece.size < now.next; /* rotated, or begun anew */
      if (fn !== begun && isOther) {
        put(EMPTY);
      } else if (isNews(now, piece, fn)) put(fn(now, piece));
      setError(null);
      return true;
    } catch (err) {
      if (!abort.signal.aborted) setError(err);
      return false;
    } finally {
      if (busy.current === abort) busy.current = null;
    }
  };

  useEffect(() => {
    if (!url) return undefined;
    let timer = 0;
    let isOver = false;
    const turn = async () => {
      const now = state.current;
      const isLost = now.url !== url || (follow && now.size - now.next > 4 * PIECE);
      if (isLost && goal.current == null) goal.current = -PIECE;
      if (goal.current != null) {
        const wanted = goal.current;
        const got = await ask(wanted, PIECE, begun);
        if (got && goal.current === wanted) goal.current = null;
      } else if (follow) await ask(now.next, PIECE, appended);
      if (!isOver) timer = setTimeout(turn, goal.current == null ? FOLLOW_MS : RETRY_MS);
    };
    turn();
    return () => {
      isOver = true;
      clearTimeout(timer);
      if (busy.current) busy.current.abort();
      busy.current = null;
    };
  }, [url, follow, goals]);

  const earlier = () => {
    const first = firstOf(state.current);
    const from = Math.max(0, first - PIECE);
    if (state.current.url === url && first > 0) ask(from, first - from, (now, piece) => prepended(now, trimmed(piece)));
  };
  const later = () => {
    if (state.current.url === url && state.current.next < state.current.size) ask(state.current.next, PIECE, appended);
  };
  const goTo = (byte) => {
    goal.current = byte < 0 ? -PIECE : byte;
    setGoals((n) => n + 1);
  };
  return { log: log.url === url ? log : EMPTY, error, earlier, later, goTo };
}
