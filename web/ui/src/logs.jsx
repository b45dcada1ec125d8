// SPDX-License-Identifier: MIT
//
// logs.jsx - one log of one client: its end, followed; earlier pieces when asked for. Lines
// beyond LINES_MAX are let go, and only those in sight are in the document.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { logPiece, path } from "./api.js";
import { bytes, printable } from "./format.js";
import { useLive } from "./live.js";
import { Crumbs, Failure, Title } from "./parts.jsx";
import { go, link } from "./route.js";

const PIECE = 256 * 1024;
const LINES_MAX = 20000;
const LINE_MAX = 4000; /* characters of a line that are shown */
const LINE_PX = 20;
const FOLLOW_MS = 1000;

const EMPTY = { url: null, lines: [], tail: new Uint8Array(0), first: 0, next: 0, size: 0 };

function decode(data) {
  const text = new TextDecoder().decode(data);
  return text.split("\n").map((line) => printable(line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line));
}

function join(a, b) {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/* Append a piece; an unfinished last line waits for its end. */
function append(log, piece) {
  let data = join(log.tail, piece.bytes);
  const cut = data.lastIndexOf(10) + 1;
  let { first, lines } = log;
  if (!lines.length && !log.tail.length && piece.from > 0) {
    // It began inside of a line: that one is for "Earlier".
    const start = data.indexOf(10) + 1;
    first = piece.from + start;
    data = data.subarray(start);
    return finish(log, piece, data, data.lastIndexOf(10) + 1, first, lines);
  }
  return finish(log, piece, data, cut, first, lines);
}

function finish(log, piece, data, cut, first, lines) {
  const fresh = cut > 0 ? decode(data.subarray(0, cut - 1)) : [];
  const all = [...lines, ...fresh];
  const dropped = Math.max(0, all.length - LINES_MAX);
  return {
    ...log,
    lines: dropped ? all.slice(dropped) : all,
    dropped: (log.dropped || 0) + dropped,
    tail: data.subarray(cut),
    first,
    next: piece.from + piece.bytes.length,
    size: piece.size,
  };
}

function prepend(log, piece) {
  let data = piece.bytes.subarray(0, log.first - piece.from);
  const start = piece.from > 0 ? data.indexOf(10) + 1 : 0;
  data = data.subarray(start);
  if (!data.length) return { ...log, first: piece.from };
  const fresh = decode(data[data.length - 1] === 10 ? data.subarray(0, -1) : data);
  return { ...log, lines: [...fresh, ...log.lines].slice(0, LINES_MAX), first: piece.from + start };
}

/* The log of an url, followed while follow is set. */
function useLog(url, follow) {
  const [log, setLog] = useState(EMPTY);
  const [error, setError] = useState(null);
  const state = useRef(EMPTY);
  useEffect(() => {
    if (!url) return undefined;
    const abort = new AbortController();
    let timer = 0;
    if (state.current.url !== url) state.current = { ...EMPTY, url };

    const ask = async () => {
      try {
        const at = state.current;
        const from = at.size === 0 && at.next === 0 ? -PIECE : at.next;
        const piece = await logPiece(url, from, PIECE, abort.signal);
        if (piece.size < at.next) state.current = { ...EMPTY, url }; // it was begun anew
        else if (piece.bytes.length || at.size !== piece.size) {
          state.current = append(at, piece);
          setLog(state.current);
        } else if (at === EMPTY || log.url !== url) setLog(state.current);
        setError(null);
        timer = piece.bytes.length === PIECE ? setTimeout(ask, 0) : follow ? setTimeout(ask, FOLLOW_MS) : 0;
      } catch (err) {
        if (abort.signal.aborted) return;
        setError(err);
        timer = setTimeout(ask, FOLLOW_MS * 5);
      }
    };
    ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [url, follow]);

  const earlier = async () => {
    const at = state.current;
    const from = Math.max(0, at.first - PIECE);
    try {
      const piece = await logPiece(url, from, at.first - from);
      if (state.current !== at && state.current.url !== url) return;
      state.current = prepend(state.current, piece);
      setLog(state.current);
    } catch (err) {
      setError(err);
    }
  };
  return { log: log.url === url ? log : EMPTY, error, earlier };
}

function Lines({ lines, follow, setFollow }) {
  const frame = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(480);
  useLayoutEffect(() => {
    setHeight(frame.current.clientHeight);
    if (follow) frame.current.scrollTop = frame.current.scrollHeight;
  }, [lines, follow]);
  const scrolled = (event) => {
    const box = event.target;
    setTop(box.scrollTop);
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 2 * LINE_PX;
    if (follow && !atEnd && box.scrollTop < top) setFollow(false);
  };
  const first = Math.max(0, Math.floor(top / LINE_PX) - 20);
  const last = Math.min(lines.length, Math.ceil((top + height) / LINE_PX) + 20);
  return (
    <div class="log" ref={frame} onScroll={scrolled} tabIndex={0} role="region" aria-label="Lines of the log">
      <div class="all" style={{ height: `${lines.length * LINE_PX}px` }}>
        <pre style={{ top: `${first * LINE_PX}px` }}>{lines.slice(first, last).join("\n")}</pre>
      </div>
    </div>
  );
}

function pick(logs, query) {
  const fits = logs.filter((log) => (!query.node || log.node === query.node) && (!query.client || log.client === query.client));
  return fits.find((log) => String(log.attempt) === query.attempt) || fits[fits.length - 1] || null;
}

const nameOf = (log) => `${log.node}.${log.client}, attempt ${log.attempt}`;

export function Logs({ dag, run, query }) {
  const list = useLive(path("runs", dag, run, "logs"), 5000);
  const [follow, setFollow] = useState(true);
  const logs = list.data ? list.data.logs : [];
  const chosen = pick(logs, query);
  const url = chosen ? path("runs", dag, run, "logs", chosen.node, chosen.client, String(chosen.attempt)) : null;
  const { log, error, earlier } = useLog(url, follow);
  const filter = (query.filter || "").toLowerCase();
  const lines = useMemo(
    () => (filter ? log.lines.filter((line) => line.toLowerCase().includes(filter)) : log.lines),
    [log, filter],
  );
  const where = ["runs", dag, run, "logs"];
  const choose = (event) => {
    const { node, client, attempt } = logs[Number(event.target.value)];
    go(where, { ...query, node, client, attempt });
  };
  return (
    <>
      <Crumbs items={[["Runs", link(["runs"])], [`${dag}@${run}`, link(["runs", dag, run])], ["Logs"]]} />
      <Title name={`Logs of ${dag}@${run}`} />
      <Failure error={list.error || error} />
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Log
          <select value={chosen ? logs.indexOf(chosen) : ""} onChange={choose}>
            {logs.map((item, i) => <option key={nameOf(item)} value={i}>{nameOf(item)}</option>)}
          </select>
        </label>
        <label>
          Only lines with
          <input
            data-search
            type="text"
            value={query.filter || ""}
            onInput={(event) => history.replaceState(null, "", link(where, { ...query, filter: event.target.value })) || dispatchEvent(new HashChangeEvent("hashchange"))}
            spellcheck={false}
            autocomplete="off"
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} />
          Follow
        </label>
        <button type="button" disabled={!log.first} onClick={earlier}>Earlier lines</button>
      </form>
      {list.data && !logs.length && <p class="dim">This run has no logs (any more).</p>}
      <Lines lines={lines} follow={follow} setFollow={setFollow} />
      <p class="dim">
        {`${lines.length} ${lines.length === 1 ? "line" : "lines"}${filter ? ` of ${log.lines.length}` : ""} shown, from byte ${log.first} of ${bytes(log.size)}`}
      </p>
    </>
  );
}
