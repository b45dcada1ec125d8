// SPDX-License-Identifier: MIT
//
// controls.jsx - what can be done to a run that lives: each button first says what will
// happen. What then happened is shown by the state, never assumed.
import { useEffect, useRef, useState } from "preact/hooks";
import { act } from "./api.js";
import { count, printable, visible } from "./format.js";
import { refusal, useSession } from "./who.js";

const HINT_MS = 8000; /* then the state has shown it for long enough */

const records = (n) => `${count(n)} ${n === 1 ? "record waits" : "records wait"}`;

function waitingOf(status) {
  return status.edges.reduce((sum, edge) => sum + (edge.backlog || 0), 0);
}

/** The actions of a run: [button, sentence, parts of the address, body]. */
export function runActions(status) {
  const { dag } = status;
  const name = `${dag}@${status.run}`;
  const isPaused = status.nodes.some((node) => node.state === "paused");
  if (status.state === "draining") {
    return [["End at once", `${name} is being stopped. Its processes end now; what is not handled by then waits in its topics for the next start.`, ["dags", dag, "stop"], { now: true }]];
  }
  return [
    ["Stop", `The sources of ${name} end first, then the rest, once everything is handled: ${records(waitingOf(status))} now.`, ["dags", dag, "stop"], {}],
    isPaused
      ? ["Resume", `All nodes of ${name} take input again: ${records(waitingOf(status))}.`, ["dags", dag, "resume"], {}]
      : ["Pause", `No node of ${name} takes more input until it is resumed; what is in hand is finished.`, ["dags", dag, "pause"], {}],
  ];
}

/** As many clients as its input has partitions: more would be idle. */
function mostClients(status, node) {
  const inputs = status.edges.filter((edge) => edge.to === node.node);
  return Math.min(...inputs.map((edge) => edge.partitions));
}

function whyNotScaled(status, node, most) {
  if (node.layer === 0) return `${node.node} is a source: each of its clients makes records of its own, so their number is a matter of the YAML (clients:).`;
  if (node.state === "paused") return `${node.node} is paused: resume it first.`;
  if (most === 1) return `The input of ${node.node} has 1 partition, so more clients would be idle; more are a matter of the YAML (partitions: at the edge).`;
  return "";
}

/** Another number of clients; name is the button's. */
export function scaleAction(status, node, name = "Scale") {
  const most = mostClients(status, node);
  const now = node.want;
  const clients = (n) => (n === 1 ? "1 client" : `${n} clients`);
  const sentence = (n) => {
    if (n === now) return `${node.node} has ${clients(now)} as it is.`;
    return n > now
      ? `${node.node} gets ${clients(n - now)} more and shares its ${most} partitions among ${n}, until the run ends.`
      : `The highest ${clients(now - n)} of ${node.node} finish what is in hand, give their partitions back and end; ${clients(n)} go on, until the run ends.`;
  };
  const why = whyNotScaled(status, node, most);
  return [name, sentence, ["dags", status.dag, "nodes", node.node, "scale"], (n) => ({ clients: n }),
    why ? { why } : { field: `Clients, 1 to ${most}`, most, now }];
}

/**
 * The actions of one node. One that takes a number has functions of it for its sentence and its
 * body, and the field to ask with; one that can't be done now says why.
 */
export function nodeActions(status, node) {
  const { dag } = status;
  const clients = node.want === 1 ? "The client" : `Each of the ${node.want} clients`;
  if (["done", "failed", "draining"].includes(node.state)) return [];
  return [
    node.state === "paused"
      ? ["Resume", `${node.node} takes input again: ${records(node.backlog)}.`, ["dags", dag, "resume"], { node: node.node }]
      : ["Pause", `${node.node} takes no more input until it is resumed; what is in hand is finished. The others go on.`, ["dags", dag, "pause"], { node: node.node }],
    scaleAction(status, node),
    ["Restart", `${clients} of ${node.node} finishes what is in hand and gets a new process.`, ["dags", dag, "nodes", node.node, "restart"], {}],
  ];
}

/** The actions of a YAML file in a folder that the server was given. */
export function fileActions(file) {
  const parts = ["files", file.file, "start"];
  const again = ["files", file.file, "restart"];
  return [
    ["Start", `${visible(file.yaml)} is checked and started as it is now, and goes on where its last run ended. It ends when its sources are finished.`, parts, {}],
    ["Start and keep", `${visible(file.yaml)} is checked and started as it is now, and goes on where its last run ended. It stays until it is stopped.`, parts, { keep: true }],
    ["Restart", `${visible(file.yaml)} is checked; its run ends, the sources first, then the rest once everything is handled; then it is started as it is now.`, again, {}],
  ];
}

function Confirmation({ action, close, said }) {
  const dialog = useRef(null);
  const [name, sentence, parts, body, { field, most, now } = {}] = action;
  const [number, setNumber] = useState(now);
  const fits = !field || (Number.isInteger(number) && number >= 1 && number <= most);
  useEffect(() => dialog.current.showModal(), []);
  const agree = async (event) => {
    event.preventDefault();
    if (!fits) return;
    close();
    try {
      said(`${name}: asked…`);
      const { text } = await act(parts, field ? body(number) : body);
      if (text) said(`${name}: ${printable(text)}`);
      else said(`${name}: asked. The state shows what comes of it.`, HINT_MS);
    } catch (error) {
      said(`${name}: ${error.message}`);
    }
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="action">
      <h2 id="action">{`${name}?`}</h2>
      <form onSubmit={agree} noValidate>
        {field && (
          <p>
            <label for="number">{field}</label>{" "}
            <input id="number" type="number" min="1" max={most} step="1" defaultValue={now} aria-invalid={!fits}
              onInput={(event) => setNumber(event.target.value === "" ? NaN : Number(event.target.value))} />
          </p>
        )}
        <p aria-live={field ? "polite" : null}>{!field ? sentence : fits ? sentence(number) : `A whole number from 1 to ${most}.`}</p>
        <p class="buttons">
          <button type="submit" class="act" aria-disabled={!fits}>{name}</button>
          <button type="button" onClick={close}>Leave it</button>
        </p>
      </form>
    </dialog>
  );
}

/** quiet: why this user may not act is said elsewhere on the page. */
export function Controls({ label, actions, quiet }) {
  const [chosen, choose] = useState(null);
  const [{ text, forMs }, setHint] = useState({ text: "" });
  const said = (words, ms) => setHint({ text: words, forMs: ms });
  const bar = useRef(null);
  const refused = refusal(useSession());
  useEffect(() => {
    const timer = forMs && setTimeout(said, forMs, "");
    return () => clearTimeout(timer);
  }, [text, forMs]);
  const choice = (action) => {
    const why = action[4]?.why;
    if (why) said(`${action[0]}: ${why}`);
    else choose(action);
  };
  const close = () => {
    choose(null);
    bar.current?.querySelector("button")?.focus();
  };
  return (
    <div class="controls" ref={bar}>
      <div class="buttons" role="group" aria-label={label}>
        {actions.map((action) => (
          <button key={action[0]} type="button" disabled={!!refused} aria-disabled={action[4]?.why ? true : null} title={action[4]?.why} onClick={() => choice(action)}>{`${action[0]}…`}</button>
        ))}
      </div>
      <p class="dim" role="status">{(actions.length && !quiet && refused) || text}</p>
      {chosen && <Confirmation action={chosen} close={close} said={said} />}
    </div>
  );
}
