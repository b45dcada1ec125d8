// SPDX-License-Identifier: MIT
//
// run.jsx - one run: graph and tables, timeline of its attempts, events; and one node of it.
import { useEffect, useRef, useState } from "preact/hooks";
import { path } from "./api.js";
import { backlogSeconds, between, bytes, count, duration, printable, rate, visible } from "./format.js";
import { Charts } from "./charts.jsx";
import { Controls, nodeActions, runActions, scaleAction } from "./controls.jsx";
import { deadLink } from "./dead.jsx";
import { Graph } from "./graph.jsx";
import { isOf, useLive, useStatus } from "./live.js";
import { Crumbs, Facts, Failure, State, Table, Time, Title } from "./parts.jsx";
import { problemsOf } from "./problems.js";
import { link } from "./route.js";
import { howItEnded, isBad, logLink, Timeline } from "./timeline.jsx";
import { Changes } from "./changes.jsx";

const SHOWN_MAX = 200; /* rows of attempts and events; the newest */

const LIVE_MS = 1000;
const RECORD_MS = 3000;
const OVER_MS = 10000;

/** The record of a run, and its runner's word while it is the one that lives. */
function useRun(dag, run) {
  const [live, setLive] = useState(true);
  const status = useStatus(dag, live ? LIVE_MS : OVER_MS);
  const now = isOf(status.data, run);
  const [isOpen, setOpen] = useState(true);
  const record = useLive(path("runs", dag, run), isOpen ? RECORD_MS : 0);
  useEffect(() => {
    if (status.data) setLive(now);
  }, [status.data]);
  useEffect(() => {
    if (record.data) setOpen(record.data.live || now);
  }, [record.data, now]);
  return { record: record.data, error: record.error, status: now ? status.data : null };
}

function byName(list, name) {
  return new Map(list.map((item) => [item[name], item]));
}

/** Changes of state in words, for those who don't see the colours change. */
function Announcer({ nodes }) {
  const before = useRef(null);
  const [text, setText] = useState("");
  const now = nodes.map((node) => `${node.node} ${node.state}`);
  useEffect(() => {
    const old = before.current;
    before.current = now;
    if (!old) return;
    const changed = now.filter((word) => !old.includes(word)).slice(0, 5);
    if (changed.length) setText(changed.join(", "));
  }, [now.join()]);
  return <p class="unseen" role="status" aria-live="polite">{text}</p>;
}

function Attempts({ run, attempts }) {
  return (
    <Table
      label="Attempts"
      rows={attempts.slice(-SHOWN_MAX).reverse()}
      keyOf={(a) => `${a.node}.${a.client}.${a.attempt}`}
      empty="No process was started."
      columns={[
        ["Client", (a) => `${a.node}.${a.client}`],
        ["Attempt", (a) => <a href={logLink(a, run.dag, run.run)}>{`${a.attempt} log`}</a>],
        ["Started", (a) => <Time at={a.started} />],
        ["Lasted", (a) => between(a.started, a.ended), "number"],
        ["End", (a) => <span class={isBad(a) ? "state bad" : ""}>{howItEnded(a)}</span>],
        ["Why", (a) => a.reason || "–"],
        ["Last words", (a) => (a.last_words ? <code class="words">{printable(a.last_words)}</code> : "–")],
      ]}
    />
  );
}

// --------------------------------------------------------------------------- run page

/** What a node of a live run can be given here: another number of clients. */
function scaleColumn(status) {
  const actions = (node) => (["done", "failed", "draining"].includes(node.state) ? [] : [scaleAction(status, node, `Scale ${node.node}`)]);
  return ["Action", (node) => <Controls label={`What can be done to ${node.node}`} actions={actions(node)} quiet />];
}

function Nodes({ dag, run, nodes, status }) {
  return (
    <Table
      label="Nodes"
      rows={nodes}
      keyOf={(node) => node.node}
      empty="This run has no nodes."
      columns={[
        ["Node", (node) => <a href={link(["runs", dag, run, "nodes", node.node])}>{node.node}</a>],
        ["State", (node) => <State state={node.state} />],
        ["Clients", (node) => (node.up == null ? node.want : `${node.up}/${node.want}`), "number"],
        ["In", (node) => count(node.in), "number"],
        ["Out", (node) => count(node.out), "number"],
        ["Dropped", (node) => count(node.dropped), "number"],
        ["Dead", (node) => count(node.dead), "number"],
        ["Waiting", (node) => count(node.backlog), "number"],
        ["In/s", (node) => rate(node.in_per_s), "number"],
        ["Out/s", (node) => rate(node.out_per_s), "number"],
        ["Restarts", (node) => count(node.restarts), "number"],
        ...(status && status.state !== "draining" ? [scaleColumn(status)] : []),
      ]}
    />
  );
}

function Edges({ dag, run, edges }) {
  return (
    <Table
      label="Edges"
      rows={edges}
      keyOf={(edge) => edge.edge}
      empty="This run has no edges."
      columns={[
        ["Edge", (edge) => <a href={link(["runs", dag, run, "edges", edge.from, edge.to])}>{`${edge.from} → ${edge.to}`}</a>],
        ["Topic", (edge) => <code>{edge.topic}</code>],
        ["Partitions", (edge) => edge.partitions, "number"],
        ["Written/s", (edge) => rate(edge.in_per_s), "number"],
        ["Read/s", (edge) => rate(edge.out_per_s), "number"],
        ["Waiting", (edge) => count(edge.backlog), "number"],
        ["Lasts", (edge) => backlogSeconds(edge) || "–", "number"],
      ]}
    />
  );
}

function Events({ run }) {
  return (
    <Table
      label="Events"
      rows={run.events.slice(-SHOWN_MAX).reverse()}
      keyOf={(_, i) => run.events_total - i}
      empty="Nothing worth a line has happened."
      columns={[
        ["Time", (event) => <Time at={event.time} />],
        ["Level", (event) => event.level],
        ["Where", (event) => (event.node ? `${event.node}${event.client ? `.${event.client}` : ""}` : "–")],
        ["What", (event) => `${event.kind}: ${printable(event.text || "")}`],
      ]}
    />
  );
}

function DeadLetters({ run, node }) {
  const rows = run.dead_letters.filter((group) => !node || group.node === node);
  if (!rows.length) return null;
  return (
    <section>
      <h2>Dead letters</h2>
      <p><a href={deadLink(run.dag, { node })}>Look at them, send them again or drop them</a></p>
      <Table
        label="Dead letters"
        rows={rows}
        columns={[
          ["Node", (group) => group.node],
          ["Step", (group) => group.failed_at],
          ["Reason", (group) => printable(group.reason || "")],
          ["Count", (group) => count(group.count), "number"],
          ["Last", (group) => <Time at={group.last} relative />],
        ]}
      />
    </section>
  );
}

function About({ record, status }) {
  const facts = [
    ["Started", <Time at={record.started} relative />],
    ["Duration", between(record.started, record.ended)],
    ["Broker", status && status.broker ? `${record.broker} ${status.broker.address}` : record.broker],
    ["By", visible(`${record.user || "?"} on ${record.host || "?"} (${record.trigger || "?"})`)],
    ["YAML", <code>{visible(record.yaml)}</code>],
  ];
  if (record.ended) facts.splice(1, 0, ["Ended", <Time at={record.ended} />], ["Exit", String(record.exit_code)]);
  return <Facts facts={facts} />;
}

export function Run({ dag, run }) {
  const { record, status, error } = useRun(dag, run);
  const graph = useLive(path("runs", dag, run, "graph"));
  const name = `${dag}@${record ? record.run : run}`;
  const nodes = status ? status.nodes : record ? record.nodes : [];
  const edges = status ? status.edges : record ? record.edges : [];
  const problems = status ? problemsOf(status) : [];
  return (
    <>
      <Crumbs items={[["Runs", link(["runs"])], [dag, link(["runs"], { dag })], [name]]} />
      <Title name={name}>
        {name} {record && <State state={status ? status.state : record.state} />}
      </Title>
      <Failure error={error} />
      {status && <Controls label={`What can be done to ${name}`} actions={runActions(status)} />}
      {record && <Announcer nodes={nodes} />}
      {record && record.text && <p class="failure">{printable(record.text)}</p>}
      {problems.length > 0 && (
        <ul class="problems" aria-label="What is wrong">
          {problems.map((problem) => <li key={problem.text}>{`${problem.node ? `${problem.node} ` : ""}${problem.text}`}</li>)}
        </ul>
      )}
      <Failure error={error ? null : graph.error} />
      {record && graph.data && <Graph graph={graph.data} nodes={byName(nodes, "node")} edges={byName(edges, "edge")} />}
      {record && (
        <>
          <section><h2>Nodes</h2><Nodes dag={dag} run={record.run} nodes={nodes} status={status} /></section>
          <section><h2>Edges</h2><Edges dag={dag} run={record.run} edges={edges} /></section>
          <Charts dag={dag} run={record.run} what={{}} live={Boolean(status)} />
          <DeadLetters run={record} />
          <section>
            <h2>{`Attempts (${record.attempts_total})`}</h2>
            <Timeline run={record} />
            <Attempts run={record} attempts={record.attempts} />
          </section>
          <section><h2>{`Events (${record.events_total})`}</h2><Events run={record} /></section>
          <section><h2>About this run</h2><About record={record} status={status} /></section>
          {record.text_yaml && record.run > 1 && <Changes dag={dag} run={record.run} text={record.text_yaml} />}
          {record.text_yaml && (
            <details>
              <summary>YAML as it was</summary>
              <pre tabIndex={0}>{visible(record.text_yaml)}</pre>
            </details>
          )}
        </>
      )}
    </>
  );
}

// -------------------------------------------------------------------------- node page

function Clients({ clients }) {
  return (
    <Table
      label="Clients"
      rows={clients}
      keyOf={(client) => client.client}
      empty="No client is wanted."
      columns={[
        ["Client", (client) => client.client],
        ["State", (client) => <State state={client.state} />],
        ["PID", (client) => client.pid || "–", "number"],
        ["Up for", (client) => duration(client.uptime_ms), "number"],
        ["In/s", (client) => rate(client.in_per_s), "number"],
        ["Out/s", (client) => rate(client.out_per_s), "number"],
        ["Lag", (client) => count(client.lag), "number"],
        ["CPU", (client) => `${(client.cpu_percent || 0).toFixed(0)} %`, "number"],
        ["Memory", (client) => bytes(client.rss_bytes), "number"],
        ["Restarts", (client) => count(client.restarts), "number"],
        ["Last error", (client) => printable(client.last_error || "–")],
      ]}
    />
  );
}

export function Node({ dag, run, node }) {
  const { record, status, error } = useRun(dag, run);
  const name = `${dag}@${record ? record.run : run}`;
  const recorded = record && record.nodes.find((item) => item.node === node);
  const live = status && status.nodes.find((item) => item.node === node);
  const shown = live || recorded;
  const attempts = record ? record.attempts.filter((item) => item.node === node) : [];
  const words = [...attempts].reverse().find((item) => item.last_words);
  return (
    <>
      <Crumbs items={[["Runs", link(["runs"])], [name, link(["runs", dag, run])], [node]]} />
      <Title name={`${node} of ${name}`}>{node} {shown && <State state={shown.state} />}</Title>
      <Failure error={error} />
      {live && <Controls label={`What can be done to ${node}`} actions={nodeActions(status, live)} />}
      {record && !shown && <p class="failure">{`This run has no node ${node}.`}</p>}
      {shown && shown.last_error && <p class="failure">{`Last error: ${printable(shown.last_error)}`}</p>}
      {words && isBad(words) && (
        <section><h2>{`Last words of ${node}.${words.client}`}</h2><pre tabIndex={0}>{printable(words.last_words)}</pre></section>
      )}
      {shown && (
        <>
          <p class="dim">{`Program ${visible(shown.program)}. ${count(shown.in)} in, ${count(shown.answered)} answered, ${count(shown.dropped)} dropped, ${count(shown.dead)} dead, ${count(shown.out)} out.${shown.retry_backlog ? ` Of what waits, ${count(shown.retry_backlog)} are dead letters sent again.` : ""}`}</p>
          {record && <Charts dag={dag} run={record.run} what={{ node }} live={Boolean(live)} />}
          {live && <section><h2>Clients</h2><Clients clients={live.clients} /></section>}
          <p><a href={link(["runs", dag, run, "logs"], { node })}>Logs</a></p>
          <DeadLetters run={record || { dead_letters: [] }} node={node} />
          {record && <section><h2>Attempts</h2><Attempts run={record} attempts={attempts} /></section>}
        </>
      )}
    </>
  );
}
