// SPDX-License-Identifier: MIT
//
// edge.jsx - the messages of an edge: from where on, which ones, older and newer pages, and
// live. What is asked for is in the address. Reading leaves no trace on the broker.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { get, path } from "./api.js";
import { Charts, EDGE_KINDS } from "./charts.jsx";
import { Choice, TextField } from "./fields.jsx";
import { bytes, count } from "./format.js";
import { isOf, useStatus } from "./live.js";
import { Message, preview } from "./message.jsx";
import { Crumbs, Table, Time, Title } from "./parts.jsx";
import { go, link, withQuery } from "./route.js";

const ROWS_MAX = 1000; /* in the document: the newest */
const PAGE = 50;
const LIVE_PAGE = 500;
const LIVE_MS = 1000;
const STATUS_MS = 5000;

const STARTS = { "": "newest", earliest: "earliest", offset: "an offset", time: "a time" };

/* What the address asks the server for; from: a page of newer ones, until: of older ones. */
function questionOf(query) {
  const members = { partition: query.partition, contains: query.contains, where: query.where, limit: PAGE };
  if (query.until) members.until = query.until;
  else if (query.from) members.from = query.from;
  else if (query.start === "earliest") members.from = "earliest";
  else if (query.start) members.from = query.at || "";
  return members;
}

function join(page, newer) {
  const all = [...page.messages, ...newer.messages];
  return {
    ...newer,
    before: page.before,
    scanned: page.scanned + newer.scanned,
    messages: all.slice(-ROWS_MAX),
    letGo: (page.letGo || 0) + Math.max(0, all.length - ROWS_MAX),
  };
}

const EMPTY = { question: null, page: null, error: null };

/* The page that the address asks for; while live, what comes is added to it. */
function useMessages(base, members, live) {
  const question = withQuery(base, members);
  const [state, setState] = useState(EMPTY);
  const held = useRef(EMPTY);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    if (held.current.question !== question) held.current = { ...EMPTY, question };

    const ask = async () => {
      const { page } = held.current;
      if (page && document.hidden) {
        timer = setTimeout(ask, LIVE_MS);
        return;
      }
      try {
        const url = page ? withQuery(base, { ...members, until: "", from: page.next, limit: LIVE_PAGE }) : question;
        const answer = await get(url, abort.signal);
        const isNews = !page || held.current.error || answer.scanned > 0;
        held.current = { question, page: page ? join(page, answer) : answer, error: null };
        if (isNews) setState(held.current);
        if (live) timer = setTimeout(ask, page && !answer.complete ? 0 : LIVE_MS);
      } catch (error) {
        if (abort.signal.aborted) return;
        held.current = { ...held.current, error };
        setState(held.current);
        if (live && error.status !== 422) timer = setTimeout(ask, LIVE_MS * 5);
      }
    };
    if (live || !held.current.page) ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [question, live]);
  return state.question === question ? state : { ...EMPTY, question };
}

// --------------------------------------------------------------------------- filters

/* What is typed is asked for when it is sent: every question is work for the broker. */
function Filters({ where, query, partitions }) {
  const asked = { start: query.start, at: query.at, partition: query.partition, contains: query.contains, where: query.where };
  const [said, say] = useState(asked);
  useEffect(() => say(asked), [JSON.stringify(asked)]);
  const { start } = said;
  const numbers = partitions.map((part) => String(part.partition));
  if (said.partition && !numbers.includes(said.partition)) numbers.push(said.partition);
  const submit = (event) => {
    event.preventDefault();
    go(where, { ...said, at: start === "offset" || start === "time" ? said.at : "", live: query.live });
  };
  const of = (name) => ({ value: said[name], say: (value) => say({ ...said, [name]: value }) });
  const text = (name) => ({ ...of(name), eager: true });
  return (
    <form class="filters" role="search" onSubmit={submit}>
      <Choice label="Begin with" {...of("start")} options={Object.entries(STARTS)} />
      {start === "offset" && <TextField label="Offset" {...text("at")} required pattern="[0-9]+" placeholder="120" />}
      {start === "time" && <TextField label="Time, or how long ago" {...text("at")} required placeholder="10m or 2026-11-21T13:40:00Z" />}
      <Choice label="Partition" {...of("partition")} options={[["", "all"], ...numbers.map((number) => [number, number])]} />
      <TextField label="Only with the text" {...text("contains")} data-search />
      <TextField label="Only with the field" {...text("where")} pattern="[^=]+=.*" title="FIELD=VALUE" placeholder="user.name=ann" />
      <button type="submit">Look</button>
    </form>
  );
}

// ------------------------------------------------------------------------------ list

function scannedText(page, isLive) {
  const parts = [`${count(page.messages.length)} shown of ${count(page.scanned)} looked at`];
  if (page.letGo) parts.push(`${count(page.letGo)} older ones let go`);
  if (page.stopped && page.stopped !== "count") parts.push(`stopped at the limit of ${page.stopped}`);
  if (isLive) parts.push("new ones appear");
  return parts.join(" · ");
}

/* Following means: while the end is in sight, it stays in sight. */
function List({ messages, at, linkTo, live }) {
  const frame = useRef(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const box = frame.current;
    if (live && isAtEnd.current && box) box.scrollTop = box.scrollHeight;
  }, [messages, live]);
  const scrolled = ({ target }) => (isAtEnd.current = target.scrollTop + target.clientHeight >= target.scrollHeight - 40);
  return (
    <div class="messages" ref={frame} onScroll={scrolled}>
      <Table
        label="Messages"
        most={ROWS_MAX}
        rows={messages}
        keyOf={(m) => `${m.partition}:${m.offset}`}
        empty="No message is there, or none is like that."
        columns={[
          ["Place", (m) => {
            const place = `${m.partition}:${m.offset}`;
            return <a href={linkTo(place)} aria-current={place === at ? "true" : undefined}>{place}</a>;
          }],
          ["Time", (m) => <Time at={m.timestamp} exact />],
          ["Key", (m) => <code>{preview(m, "key", 60) ?? <span class="dim">none</span>}</code>],
          ["Value", (m) => <code>{preview(m, "value") ?? <span class="dim">none</span>}</code>],
          ["Size", (m) => bytes(m.size), "number"],
        ]}
      />
    </div>
  );
}

function Partitions({ partitions }) {
  return (
    <details>
      <summary>{`Partitions (${partitions.length})`}</summary>
      <Table
        label="Partitions"
        rows={partitions}
        columns={[
          ["Partition", (part) => part.partition, "number"],
          ["Earliest", (part) => part.earliest, "number"],
          ["Latest", (part) => part.latest, "number"],
        ]}
      />
    </details>
  );
}

/* Of an edge between nodes: what waits for a replay, and dead letters, have no samples. */
function Flow({ dag, run, from, to }) {
  const status = useStatus(dag, STATUS_MS).data;
  const isLive = isOf(status, run);
  if (from === "retry" || to === "dlq") return null;
  return <Charts dag={dag} run={run} what={{ edge: `${from}:${to}` }} kinds={EDGE_KINDS} live={isLive} />;
}

export function Edge({ dag, run, from, to, query }) {
  const where = ["runs", dag, run, "edges", from, to];
  const live = query.live === "1";
  const { page, error } = useMessages(path("dags", dag, "edges", from, to, "messages"), questionOf(query), live);
  const name = `${from} → ${to}`;
  const turn = (change) => go(where, { ...query, show: "", ...change });
  return (
    <>
      <Crumbs items={[["Runs", link(["runs"])], [`${dag}@${run}`, link(["runs", dag, run])], [name]]} />
      <Title name={`Messages from ${from} to ${to}`}>{`Messages ${name}`}</Title>
      <p class="dim">What the topic holds now, of this and of other runs. Looking moves no offset and joins no group.</p>
      <Filters where={where} query={query} partitions={page ? page.partitions : []} />
      <div class="buttons" role="group" aria-label="Pages">
        <button type="button" disabled={!page || !page.before} onClick={() => turn({ until: page.before, from: "", live: "" })}>Older</button>
        <button type="button" disabled={!page || live} onClick={() => turn({ from: page.next, until: "" })}>Newer</button>
        <button type="button" aria-pressed={live} onClick={() => go(where, { ...query, live: live ? "" : "1" })}>
          {live ? "Pause" : "Go live"}
        </button>
      </div>
      {error && <p class="failure" role="alert">{error.message}</p>}
      {!page && !error && <p class="dim">Asking the broker…</p>}
      {page && (
        <>
          <p class="dim" role={live ? undefined : "status"}>{scannedText(page, live)}</p>
          <List messages={page.messages} at={query.show} live={live} linkTo={(place) => link(where, { ...query, show: place })} />
          <Partitions partitions={page.partitions} />
        </>
      )}
      {/^\d+:\d+$/.test(query.show || "") && (
        <Message place={[dag, from, to]} at={query.show} close={() => go(where, { ...query, show: "" })} />
      )}
      <Flow dag={dag} run={run} from={from} to={to} />
    </>
  );
}
