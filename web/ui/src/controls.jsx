// SPDX-License-Identifier: MIT
//
// controls.jsx - what can be done to a run that lives: each button first says what will
// happen. What then happened is shown by the state, never assumed.
import { useEffect, useRef, useState } from "preact/hooks";
import { act } from "./api.js";
import { count, printable } from "./format.js";
import { refusal, useSession } from "./who.js";

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

/** The actions of one node. */
export function nodeActions(status, node) {
  const { dag } = status;
  const clients = node.want === 1 ? "The client" : `Each of the ${node.want} clients`;
  if (["done", "failed", "draining"].includes(node.state)) return [];
  return [
    node.state === "paused"
      ? ["Resume", `${node.node} takes input again: ${records(node.backlog)}.`, ["dags", dag, "resume"], { node: node.node }]
      : ["Pause", `${node.node} takes no more input until it is resumed; what is in hand is finished. The others go on.`, ["dags", dag, "pause"], { node: node.node }],
    ["Restart", `${clients} of ${node.node} finishes what is in hand and gets a new process.`, ["dags", dag, "nodes", node.node, "restart"], {}],
  ];
}

/** The actions of a YAML file in a folder that the server was given. */
export function fileActions(file) {
  const parts = ["files", file.file, "start"];
  return [
    ["Start", `${file.yaml} is checked and started as it is now, and goes on where its last run ended. It ends when its sources are finished.`, parts, {}],
    ["Start and keep", `${file.yaml} is checked and started as it is now, and goes on where its last run ended. It stays until it is stopped.`, parts, { keep: true }],
  ];
}

function Confirmation({ action, close, said }) {
  const dialog = useRef(null);
  const [name, sentence, parts, body] = action;
  useEffect(() => dialog.current.showModal(), []);
  const agree = async () => {
    close();
    try {
      said(`${name}: asked…`);
      const answer = await act(parts, body);
      said(`${name}: ${answer.text ? printable(answer.text) : "asked. The state shows what comes of it."}`);
    } catch (error) {
      said(`${name}: ${error.message}`);
    }
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="action">
      <h2 id="action">{`${name}?`}</h2>
      <p>{sentence}</p>
      <form method="dialog" class="buttons">
        <button type="button" class="act" onClick={agree}>{name}</button>
        <button type="submit">Leave it</button>
      </form>
    </dialog>
  );
}

export function Controls({ label, actions }) {
  const [chosen, choose] = useState(null);
  const [text, setText] = useState("");
  const bar = useRef(null);
  const refused = refusal(useSession());
  const close = () => {
    choose(null);
    bar.current?.querySelector("button")?.focus();
  };
  return (
    <div class="controls" ref={bar}>
      <div class="buttons" role="group" aria-label={label}>
        {actions.map((action) => (
          <button key={action[0]} type="button" disabled={!!refused} onClick={() => choose(action)}>{`${action[0]}…`}</button>
        ))}
      </div>
      <p class="dim" role="status">{(actions.length && refused) || text}</p>
      {chosen && <Confirmation action={chosen} close={close} said={setText} />}
    </div>
  );
}
