// SPDX-License-Identifier: MIT
//
// logs.jsx - one log of one client: any stretch of it, its end followed, filtered, searched.
// However long it is, only lines in sight are in the document.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, path } from "./api.js";
import { Choice, TextField } from "./fields.jsx";
import { bytes, printable } from "./format.js";
import { useLive } from "./live.js";
import { firstOf, useLog } from "./logwindow.js";
import { Crumbs, Failure, Title } from "./parts.jsx";
import { go, link } from "./route.js";

const LINE_PX = 20;
const NEAR_PX = 60 * LINE_PX; /* of an end of what is here: more is asked for */
const WRAPPED_MAX = 300; /* lines of no known height */

const LEVELS = ["", "info", "warn", "error"];
const LEVEL = /\b(?:(trace|debug|dbg)|(info|notice)|(warn|warning)|(error|err|fatal|critical|panic))\b/i;
const STAMP = /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?\s*/;

/* A line without a level, as of a stack trace, has that of the line before. */
function chosen(log, text, level) {
  const least = LEVELS.indexOf(level);
  const lines = [];
  const at = [];
  let rank = 0;
  [...log.lines, ...(log.rest ? [log.rest] : [])].forEach((line, i) => {
    const match = least > 0 && LEVEL.exec(line.slice(0, 160));
    if (match) rank = match[4] ? 3 : match[3] ? 2 : match[2] ? 1 : 0;
    if ((least > 0 && rank < least) || (text && !line.toLowerCase().includes(text))) return;
    lines.push(line);
    at.push(i < log.at.length ? log.at[i] : log.next);
  });
  return { lines, at };
}

/* The first of the sorted places that is not before byte. */
function indexOf(at, byte) {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < byte) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* view: {lines, at}; anchor.current: the byte at the top, kept while lines come and go; left:
 * the stretch that is being left for it, whose lines are of no account any more. */
function Lines({ view, turn, follow, setFollow, wrap, anchor, earlier, later }) {
  const frame = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(480);
  const { lines, at } = view;
  const place = indexOf(at, anchor.current.byte);
  useLayoutEffect(() => {
    const box = frame.current;
    setHeight(box.clientHeight);
    if (anchor.current.left === turn) return;
    if (follow) box.scrollTop = box.scrollHeight;
    else if (!wrap) box.scrollTop = place * LINE_PX + anchor.current.px;
  }, [view, follow, wrap]);
  /* Lines that come would take the choice of text away. */
  useEffect(() => {
    const chosen = () => {
      const selection = getSelection();
      if (!selection.isCollapsed && frame.current.contains(selection.anchorNode)) setFollow(false);
    };
    document.addEventListener("selectionchange", chosen);
    return () => document.removeEventListener("selectionchange", chosen);
  }, []);
  const scrolled = () => {
    const box = frame.current;
    const below = box.scrollHeight - box.clientHeight - box.scrollTop;
    if (follow && below > 2 * LINE_PX && box.scrollTop < top) setFollow(false);
    setTop(box.scrollTop);
    if (wrap || anchor.current.left === turn) return;
    const first = Math.min(lines.length - 1, Math.floor(box.scrollTop / LINE_PX));
    if (first >= 0) Object.assign(anchor.current, { byte: at[first], px: box.scrollTop - first * LINE_PX });
    if (follow) return;
    if (box.scrollTop < NEAR_PX) earlier();
    if (below < NEAR_PX) later();
  };
  const from = wrap
    ? Math.max(0, Math.min(lines.length - WRAPPED_MAX, follow ? lines.length : place))
    : Math.max(0, Math.floor(top / LINE_PX) - 20);
  const to = wrap ? from + WRAPPED_MAX : Math.ceil((top + height) / LINE_PX) + 20;
  const text = lines.slice(from, to).join("\n");
  return (
    <div class="log" ref={frame} onScroll={scrolled} tabIndex={0} role="region" aria-label="Lines of the log">
      {wrap ? (
        <pre class="wrap">{text}</pre>
      ) : (
        <div class="all" style={{ height: `${lines.length * LINE_PX}px` }}>
          <pre style={{ top: `${from * LINE_PX}px` }}>{text}</pre>
        </div>
      )}
    </div>
  );
}

function Search({ url, goTo }) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const text = new FormData(event.target).get("text");
    setError(null);
    setFound({ text, busy: true });
    try {
      setFound({ text, ...(await get(`${url}/search?${new URLSearchParams({ text })}`)) });
    } catch (err) {
      setFound(null);
      setError(err);
    }
  };
  return (
    <details class="search">
      <summary>Search all of it</summary>
      <form class="filters" onSubmit={submit}>
        <label>Text in a line<input name="text" type="text" required spellcheck={false} autocomplete="off" /></label>
        <button type="submit">Search</button>
      </form>
      <Failure error={error} />
      <p class="dim" role="status">
        {found && (found.busy ? "Searching…" : `${found.matches.length}${found.more ? " or more" : ""} ${found.matches.length === 1 ? "line has" : "lines have"} “${found.text}”`)}
      </p>
      {found && !found.busy && found.matches.length > 0 && (
        <ol class="found" tabIndex={0} aria-label="Lines found">
          {found.matches.map((match) => (
            <li key={match.at}><button type="button" onClick={() => goTo(match.at)}>{printable(match.text).slice(0, 300) || "(empty)"}</button></li>
          ))}
        </ol>
      )}
    </details>
  );
}

/* The log that the address names, or the last with lines in it; then it stays, but for a newer
 * attempt of its client while its end is followed. An empty one is left for any with lines. */
function usePicked(logs, query, follow) {
  const kept = useRef(null);
  const fits = logs.filter((log) => (!query.node || log.node === query.node) && (!query.client || log.client === query.client));
  const named = fits.find((log) => String(log.attempt) === query.attempt);
  const written = fits.filter((log) => log.bytes > 0);
  const { node, client, attempt } = kept.current || {};
  const mine = written.filter((log) => log.node === node && log.client === client);
  const same = follow ? mine.at(-1) : mine.find((log) => log.attempt === attempt);
  kept.current = named || same || written.at(-1) || fits.at(-1) || null;
  return kept.current;
}

const nameOf = (log) => `${log.node}.${log.client}, attempt ${log.attempt}`;

function Check({ name, checked, set }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => set(event.target.checked)} />
      {name}
    </label>
  );
}

/* Filters are in the address; typing in one makes no history. */
function Filters({ where, query, logs, log }) {
  const set = (name) => (value) => {
    history.replaceState(null, "", link(where, { ...query, [name]: value }));
    dispatchEvent(new HashChangeEvent("hashchange"));
  };
  const choose = (i) => {
    const { node, client, attempt } = logs[Number(i)];
    go(where, { ...query, node, client, attempt });
  };
  return (
    <>
      <Choice label="Log" value={log ? String(logs.indexOf(log)) : ""} say={choose} options={logs.map((item, i) => [String(i), nameOf(item)])} />
      <TextField label="Only lines with" value={query.filter} say={set("filter")} eager data-search />
      <Choice label="Level" value={query.level} say={set("level")} options={LEVELS.map((level) => [level, level ? `${level} and worse` : "any"])} />
    </>
  );
}

/* Where in the log the lines that are here begin; dragged, it stays until others are here. */
function Place({ log, jump }) {
  const [dragged, drag] = useState(null);
  useLayoutEffect(() => drag(null), [log.turn]);
  const here = log.size ? Math.round((firstOf(log) / log.size) * 1000) : 0;
  return (
    <label>
      Place
      <input
        type="range"
        min="0"
        max="1000"
        value={dragged ?? here}
        onInput={(event) => drag(Number(event.target.value))}
        onChange={(event) => jump(Math.floor((log.size * Number(event.target.value)) / 1000))}
      />
    </label>
  );
}

function Viewer({ url, query, follow, setFollow }) {
  const { log, error, earlier, later, goTo } = useLog(url, follow);
  const [wrap, setWrap] = useState(false);
  const [stamps, setStamps] = useState(true);
  const anchor = useRef({ byte: 0, px: 0, left: -1 });
  const text = (query.filter || "").toLowerCase();
  const view = useMemo(() => {
    const all = chosen(log, text, query.level || "");
    return stamps ? all : { ...all, lines: all.lines.map((line) => line.replace(STAMP, "")) };
  }, [log, text, query.level, stamps]);
  const jump = (byte) => {
    setFollow(byte < 0);
    anchor.current = { byte: Math.max(0, byte), px: 0, left: log.turn };
    /* A little of what is before it is asked for, too. */
    goTo(byte < 0 ? -1 : Math.max(0, byte - 20000));
  };
  const first = firstOf(log);
  const count = view.lines.length;
  return (
    <>
      <Failure error={error} />
      <div class="filters" role="group" aria-label="What is shown of it">
        <Check name="Follow" checked={follow} set={setFollow} />
        <Check name="Wrap" checked={wrap} set={setWrap} />
        <Check name="Times" checked={stamps} set={setStamps} />
        <div class="buttons">
          <button type="button" onClick={() => jump(0)}>Begin</button>
          <button type="button" disabled={!first} onClick={earlier}>Earlier lines</button>
          <button type="button" disabled={log.next >= log.size} onClick={later}>Later lines</button>
          <button type="button" onClick={() => jump(-1)}>End</button>
        </div>
        <Place log={log} jump={jump} />
        <a href={`${url}/file`} download>Download all of it</a>
      </div>
      <Lines view={view} turn={log.turn} follow={follow} setFollow={setFollow} wrap={wrap} anchor={anchor} earlier={earlier} later={later} />
      <p class="dim">
        {log.size === 0 ? "This log is empty: the client has written nothing." : `${count} ${count === 1 ? "line" : "lines"}${text || query.level ? ` of ${log.lines.length}` : ""} shown, bytes ${first} to ${log.next} of ${bytes(log.size)}`}
      </p>
      <Search key={url} url={url} goTo={jump} />
    </>
  );
}

export function Logs({ dag, run, query }) {
  const list = useLive(path("runs", dag, run, "logs"), 5000);
  const [follow, setFollow] = useState(true);
  const logs = list.data ? list.data.logs : [];
  const log = usePicked(logs, query, follow);
  const url = log ? path("runs", dag, run, "logs", log.node, log.client, String(log.attempt)) : null;
  return (
    <>
      <Crumbs items={[["Runs", link(["runs"])], [`${dag}@${run}`, link(["runs", dag, run])], ["Logs"]]} />
      <Title name={`Logs of ${dag}@${run}`} />
      <Failure error={list.error} />
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Filters where={["runs", dag, run, "logs"]} query={query} logs={logs} log={log} />
      </form>
      {list.data && !logs.length && <p class="dim">This run has no logs (any more).</p>}
      {url && <Viewer url={url} query={query} follow={follow} setFollow={setFollow} />}
    </>
  );
}
