// SPDX-License-Identifier: MIT
//
// dead.jsx - the dead letters of a dag: grouped by node and reason, one by one with the record
// as it was, sent again or dropped. Every action first asks the server how many it would be.
import { useEffect, useRef, useState } from "preact/hooks";
import { act, get, path } from "./api.js";
import { Choice } from "./fields.jsx";
import { count, printable } from "./format.js";
import { Headers, preview, Shown, Value } from "./message.jsx";
import { Crumbs, Facts, Pages, State, Table, Time, Title } from "./parts.jsx";
import { go, link, withQuery } from "./route.js";
import { refusal, useSession } from "./who.js";

const PAGE = 20;
const STATES = ["open", "sending", "replayed", "dropped"];

const letters = (n) => `${count(n)} dead letter${n === 1 ? "" : "s"}`;

/** Where the letters of a dag are; what: members of the address, as {node}. */
export function deadLink(dag, what) {
  return link(["dags", dag, "dead"], what);
}

/* A topic is read for it, by a process of its own: asked once, and again when told to. */
function useAsked(url, version) {
  const [state, setState] = useState({ url: null, data: null, error: null });
  useEffect(() => {
    if (!url) return undefined;
    const abort = new AbortController();
    get(url, abort.signal).then(
      (data) => setState({ url, data, error: null }),
      (error) => abort.signal.aborted || setState({ url, data: null, error }),
    );
    return () => abort.abort();
  }, [url, version]);
  return state.url === url ? state : { data: null, error: null };
}

// ---------------------------------------------------------------------- replay and drop

const WORDS = {
  replay: {
    title: "Replay?",
    does: (n) => `${letters(n)} will be sent to their node again, each once. A run that lives takes them at once, otherwise the next start does. What fails again is a new letter.`,
    none: "No open letter is among them: nothing would be sent.",
    did: (answer) => `${letters(answer.done)} sent again; ${answer.taken_by === "run" ? "the run takes them." : "the next start takes them."}`,
  },
  drop: {
    title: "Drop?",
    does: (n) => `${letters(n)} will be given up. They stay in their topic, marked as dropped, and can't be sent again.`,
    none: "No open letter is among them: nothing would be dropped.",
    did: (answer) => `${letters(answer.done)} dropped.`,
  },
};

/** What is to be done: {verb, body}; first how many it would be, then the question. */
function Question({ dag, what: { verb, body }, close, said }) {
  const dialog = useRef(null);
  const [would, setWould] = useState(null);
  const [force, setForce] = useState(false);
  const [note, setNote] = useState("");
  const parts = ["dags", dag, "dead_letters", verb];
  const words = WORDS[verb];
  useEffect(() => dialog.current.showModal(), []);
  useEffect(() => {
    act(parts, { ...body, force, dry_run: true }).then(setWould, (error) => setWould({ error }));
  }, [force]);
  const agree = async () => {
    close();
    try {
      said(`${words.title.replace("?", "")}: asked…`);
      said(words.did(await act(parts, { ...body, force, ...(note ? { note } : {}) })), true);
    } catch (error) {
      said(error.message, true);
    }
  };
  const worn = would && (would.worn_out > 0 || force);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <h2 id="question">{words.title}</h2>
      {!would && <p role="status">Counting…</p>}
      {would && would.error && <p class="failure" role="alert">{would.error.message}</p>}
      {would && !would.error && <p role="status">{would.done ? words.does(would.done) : words.none}</p>}
      {would && would.worn_out > 0 && <p>{`${letters(would.worn_out)} failed again after five replays and would be left.`}</p>}
      {worn && verb === "replay" && (
        <label class="check"><input type="checkbox" checked={force} onChange={() => setForce(!force)} /> Those, too</label>
      )}
      <label>
        {"Why (kept with the letters) "}
        <input type="text" value={note} maxLength={200} onInput={(event) => setNote(event.target.value)} />
      </label>
      <form method="dialog" class="buttons">
        <button type="button" class="act" disabled={!would || !would.done} onClick={agree}>
          {would && would.done ? `${verb === "replay" ? "Replay" : "Drop"} ${count(would.done)}` : words.title.replace("?", "")}
        </button>
        <button type="submit">Leave it</button>
      </form>
    </dialog>
  );
}

/* Two buttons for the same letters; why: they can't be pressed now. Who never may reads it at
 * the top of the page. */
function Actions({ label, body, ask, why }) {
  const refused = refusal(useSession());
  return (
    <div class="buttons" role="group" aria-label={label}>
      {["replay", "drop"].map((verb) => (
        <button key={verb} type="button" disabled={!!why || !!refused} onClick={(event) => ask({ verb, body }, event.target)}>
          {verb === "replay" ? "Replay…" : "Drop…"}
        </button>
      ))}
      {why && <span class="dim">{why}</span>}
    </div>
  );
}

// -------------------------------------------------------------------------------- groups

function Groups({ dag, groups, query, ask }) {
  const same = (group) => group.node === query.node && group.reason === query.reason;
  const of = (group) => ({ node: group.node, reason: group.reason, ...(group.failed_at ? { failed_at: group.failed_at } : {}) });
  return (
    <Table
      label="Reasons"
      rows={groups}
      keyOf={(group) => `${group.node}\n${group.failed_at}\n${group.reason}`}
      empty="No dead letter. Every record was handled."
      columns={[
        ["Node", (group) => group.node],
        ["Reason", (group) => <a class="words" href={deadLink(dag, of(group))} aria-current={same(group) ? "true" : undefined}>{printable(group.reason)}</a>],
        ["Step", (group) => printable(group.failed_at || "–")],
        ["Open", (group) => (group.open ? <strong>{count(group.open)}</strong> : "0"), "number"],
        ["Replayed", (group) => count(group.replayed + group.sending), "number"],
        ["Dropped", (group) => count(group.dropped), "number"],
        ["First", (group) => <Time at={group.first} />],
        ["Last", (group) => <Time at={group.last} relative />],
        ["All open ones", (group) => <Actions label={`Open letters of ${group.node}: ${group.reason}`} body={of(group)} ask={ask} why={group.open ? "" : "None is open."} />, "acts"],
      ]}
    />
  );
}

// ------------------------------------------------------------------------------- letters

function Letter({ dag, letter, close, ask }) {
  const place = `${letter.partition}:${letter.offset}`;
  const facts = [
    ["State", <State state={letter.state} />],
    ["Reason", printable(letter.reason)],
    ["Step", printable(letter.failed_at || "–")],
    ["Died", <Time at={letter.died} relative />],
    ["In", <a href={link(["runs", dag, letter.run, "nodes", letter.node])}>{`${dag}@${letter.run}, attempt ${letter.attempt}`}</a>],
    ["Last words", <a href={link(["runs", dag, letter.run, "logs"], { node: letter.node })}>{`the log of ${letter.node}`}</a>],
    ["From", `${printable(letter.source.topic)} ${letter.source.partition}:${letter.source.offset}`],
    ["Written", <Time at={letter.timestamp} exact />],
    ["Sent again before", count(letter.replays)],
    ["Key", <code>{preview(letter, "key", 4000) ?? "none"}</code>],
  ];
  if (letter.marked) {
    facts.push([letter.state, <><Time at={letter.marked.at} />{` by ${printable(letter.marked.by || "?")}${letter.marked.note ? `: ${printable(letter.marked.note)}` : ""}`}</>]);
  }
  return (
    <Shown name={`Dead letter ${letter.node} ${place}`} close={close}>
      <Actions label="This letter" body={{ node: letter.node, offsets: String(letter.offset) }} ask={ask} why={letter.state === "open" ? "" : `It is ${letter.state}.`} />
      <Facts facts={facts} />
      <Value key={place} message={letter} />
      {letter.cut && <p class="dim">{`Cut: ${count(letter.size)} bytes in all; dagrun dlq show has the whole.`}</p>}
      <h3>Headers</h3>
      <Headers headers={letter.headers} />
    </Shown>
  );
}

function Letters({ dag, query, version, ask }) {
  const { node, reason, failed_at, state = "open", from, show } = query;
  const members = { reason, failed_at, from, state: state === "any" ? "" : state, limit: PAGE };
  const { data, error } = useAsked(withQuery(path("dags", dag, "nodes", node, "dead_letters"), members), version);
  const [chosen, choose] = useState([]);
  const list = data ? data.letters : [];
  const place = (letter) => `${letter.partition}:${letter.offset}`;
  const turn = (change) => go(["dags", dag, "dead"], { ...query, show: "", ...change });
  const open = list.find((letter) => place(letter) === show);
  useEffect(() => choose([]), [data]);
  const toggle = (offset) => choose((old) => (old.includes(offset) ? old.filter((one) => one !== offset) : [...old, offset]));
  return (
    <section>
      <h2>{`Letters of ${node}${reason ? `: ${printable(reason)}` : ""}`}</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice label="State" value={state} say={(word) => turn({ state: word, from: "" })} options={[...STATES, "any"].map((word) => [word, word])} />
        <Actions label={`The ${chosen.length} chosen letters`} body={{ node, offsets: chosen.join(",") }} ask={ask} why={chosen.length ? "" : "None is chosen."} />
      </form>
      {error && <p class="failure" role="alert">{error.message}</p>}
      {!data && !error && <p class="dim">Asking the broker…</p>}
      {data && (
        <Table
          label="Letters"
          rows={list}
          keyOf={place}
          empty="No letter is like that."
          columns={[
            ["Chosen", (letter) => <input type="checkbox" aria-label={`Choose letter ${place(letter)}`} checked={chosen.includes(letter.offset)} disabled={letter.state !== "open"} onChange={() => toggle(letter.offset)} />],
            ["Place", (letter) => <a href={deadLink(dag, { ...query, show: place(letter) })} aria-current={place(letter) === show ? "true" : undefined}>{place(letter)}</a>],
            ["State", (letter) => <State state={letter.state} />],
            ["Died", (letter) => <Time at={letter.died} />],
            ["Reason", (letter) => <span class="words">{printable(letter.reason)}</span>],
            ["Key", (letter) => <code>{preview(letter, "key", 60) ?? <span class="dim">none</span>}</code>],
            ["Value", (letter) => <code>{preview(letter, "value") ?? <span class="dim">none</span>}</code>],
          ]}
        />
      )}
      <Pages where={["dags", dag, "dead"]} query={query} name="from" next={data && data.next} words={["First letters", "More letters"]} />
      {open && <Letter dag={dag} letter={open} close={() => turn({})} ask={ask} />}
    </section>
  );
}

// ---------------------------------------------------------------------------------- page

export function Dead({ dag, query }) {
  const [version, again] = useState(0);
  const [question, setQuestion] = useState(null);
  const [text, setText] = useState("");
  const asker = useRef(null);
  const refused = refusal(useSession());
  const { data, error } = useAsked(path("dags", dag, "dead_letters"), version);
  const ask = (what, button) => {
    asker.current = button;
    setQuestion(what);
  };
  const close = () => {
    setQuestion(null);
    if (asker.current && asker.current.isConnected) asker.current.focus();
  };
  const said = (words, isDone) => {
    setText(printable(words));
    if (isDone) again((n) => n + 1);
  };
  return (
    <>
      <Crumbs items={[["Dags", link(["dags"])], [dag, link(["runs"], { dag })], ["Dead letters"]]} />
      <Title name={`Dead letters of ${dag}`} />
      <p class="dim">Records that a node could not process, with the reason. They stay until the dag is cleaned.</p>
      <div class="buttons"><button type="button" onClick={() => again((n) => n + 1)}>Look again</button></div>
      <p role="status">{text || refused}</p>
      {error && <p class="failure" role="alert">{error.message}</p>}
      {!data && !error && <p class="dim">Asking the broker…</p>}
      {data && <p class="dim">{`${count(data.open)} open, ${count(data.replayed + data.sending)} replayed, ${count(data.dropped)} dropped`}</p>}
      {data && <Groups dag={dag} groups={data.groups} query={query} ask={ask} />}
      {query.node && <Letters key={`${query.node}\n${query.reason}`} dag={dag} query={query} version={version} ask={ask} />}
      {question && <Question dag={dag} what={question} close={close} said={said} />}
    </>
  );
}
