// SPDX-License-Identifier: MIT
//
// pages.jsx - the pages above a run: overview, dags, list of runs, sign-in.
import { useEffect, useState } from "preact/hooks";
import { signIn } from "./api.js";
import { deadLink } from "./dead.jsx";
import { Choice, TextField } from "./fields.jsx";
import { Files } from "./files.jsx";
import { between, count, RUN_STATES, visible } from "./format.js";
import { useLive, useStatus } from "./live.js";
import { Failure, Pages, State, Table, Time, Title } from "./parts.jsx";
import { problemsOf } from "./problems.js";
import { go, link, withQuery } from "./route.js";

const FOLLOWED_MAX = 12; /* runs whose nodes the overview asks for */

function RunLink({ dag, run }) {
  return <a href={link(["runs", dag, run])}>{`${dag}@${run}`}</a>;
}

const runColumns = [
  ["Run", (run) => <RunLink dag={run.dag} run={run.run} />],
  ["State", (run) => <State state={run.state} />],
  ["Started", (run) => <Time at={run.started} relative />],
  ["Duration", (run) => between(run.started, run.ended), "number"],
  ["Dead letters", (run) => (run.dead ? <a href={deadLink(run.dag)}><strong>{count(run.dead)}</strong></a> : "0"), "number"],
  ["Exit", (run) => (run.exit_code == null ? "–" : run.exit_code), "number"],
  ["By", (run) => run.trigger || "–"],
];

// --------------------------------------------------------------------------- overview

/* wrong: told of how bad it is, so that what needs somebody comes first. */
function LiveRun({ dag, wrong }) {
  const { data: status, error } = useStatus(dag, 2000);
  const worst = status && status.nodes ? problemsOf(status)[0] : null;
  useEffect(() => wrong(dag, worst ? worst.weight : null), [dag, worst && worst.weight]);
  if (error && !status) return <Failure error={error} />;
  if (!status || !status.nodes) return <p class="dim">{`Asking ${dag}…`}</p>;
  const problems = problemsOf(status);
  const backlog = status.edges.reduce((sum, edge) => sum + edge.backlog, 0);
  const up = status.nodes.reduce((sum, node) => sum + (node.up || 0), 0);
  const want = status.nodes.reduce((sum, node) => sum + node.want, 0);
  return (
    <article class={`card ${problems.length ? "wrong" : ""}`}>
      <h3><RunLink dag={status.dag} run={status.run} /> <State state={status.state} /></h3>
      <p class="dim">{`${status.nodes.length} nodes · ${up} of ${want} clients up · ${count(backlog)} records waiting`}</p>
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={problem.text}>
              {problem.node ? <a href={link(["runs", status.dag, status.run, "nodes", problem.node])}>{problem.node}</a> : null}
              {" "}
              {problem.dead ? <a href={deadLink(status.dag, { node: problem.node })}>{problem.text}</a> : problem.text}
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

export function Overview() {
  const { data, error } = useLive("/api/v1/dags", 3000);
  const recent = useLive("/api/v1/runs?limit=8", 3000);
  const dags = data ? data.dags : [];
  const [weights, setWeights] = useState({});
  const wrong = (dag, weight) => setWeights((old) => (old[dag] === weight ? old : { ...old, [dag]: weight }));
  const weightOf = (dag) => weights[dag.dag] ?? Infinity;
  const live = dags.filter((dag) => dag.live).sort((a, b) => weightOf(a) - weightOf(b) || 0);
  const wrongCount = live.filter((dag) => weightOf(dag) !== Infinity).length;
  const bad = dags.filter((dag) => !dag.live && dag.last && ["failed", "degraded", "interrupted"].includes(dag.last.state));
  return (
    <>
      <Title name="Overview" />
      <Failure error={error} />
      {bad.length > 0 && (
        <section>
          <h2>Ended badly</h2>
          <Table
            label="Dags whose last run ended badly"
            columns={runColumns}
            rows={bad.map((dag) => dag.last)}
            keyOf={(run) => run.dag}
          />
        </section>
      )}
      <section>
        <h2>{data ? `Running now: ${live.length}${wrongCount ? `, ${wrongCount} of them with something wrong` : ""}` : "Running now"}</h2>
        {data && !live.length && <p class="dim">Nothing runs. <code>dagrun start FILE</code> starts a dag.</p>}
        <div class="cards">{live.slice(0, FOLLOWED_MAX).map((dag) => <LiveRun key={dag.dag} dag={dag.dag} wrong={wrong} />)}</div>
        {live.length > FOLLOWED_MAX && (
          <p><a href={link(["runs"], { state: "running" })}>{`${live.length - FOLLOWED_MAX} more runs`}</a></p>
        )}
      </section>
      <section>
        <h2>Newest runs</h2>
        <Failure error={recent.error} />
        {recent.data && <Table label="Newest runs" columns={runColumns} rows={recent.data.runs} keyOf={(run) => `${run.dag}@${run.run}`} empty="No run yet." />}
      </section>
    </>
  );
}

// ------------------------------------------------------------------------------- dags

export function Dags() {
  const { data, error } = useLive("/api/v1/dags", 5000);
  return (
    <>
      <Title name="Dags" />
      <Failure error={error} />
      {data && (
        <Table
          label="Dags"
          rows={data.dags}
          keyOf={(dag) => dag.dag}
          empty="No dag has run yet."
          columns={[
            ["Dag", (dag) => <a href={link(["runs"], { dag: dag.dag })}>{dag.dag}</a>],
            ["Last run", (dag) => (dag.last ? <RunLink dag={dag.dag} run={dag.last.run} /> : "–")],
            ["State", (dag) => (dag.last ? <State state={dag.last.state} /> : "–")],
            ["Started", (dag) => (dag.last ? <Time at={dag.last.started} relative /> : "–")],
            ["YAML", (dag) => <code>{visible(dag.yaml)}</code>],
          ]}
        />
      )}
      <Files />
    </>
  );
}

// ------------------------------------------------------------------------------- runs

const SINCE = { "": "whenever", h: "last hour", d: "last day", w: "last week" };
const SINCE_MS = { h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

/* Rounded to a minute, so that it is one question and not a new one each time. */
function sinceMs(word) {
  return SINCE_MS[word] ? Math.floor((Date.now() - SINCE_MS[word]) / 60000) * 60000 : "";
}

function Filters({ query }) {
  const set = (name) => (value) => go(["runs"], { ...query, after: "", [name]: value });
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextField label="Dag" value={query.dag} say={set("dag")} data-search />
      <Choice label="State" value={query.state} say={set("state")} options={[["", "any"], ...RUN_STATES.map((state) => [state, state])]} />
      <Choice label="Started" value={query.since} say={set("since")} options={Object.entries(SINCE)} />
      <Choice label="Rows" value={query.limit} say={set("limit")} options={["", "20", "200", "1000"].map((rows) => [rows, rows || "50"])} />
    </form>
  );
}

export function Runs({ query }) {
  const { dag, state, since, after, limit } = query;
  const { data, error } = useLive(withQuery("/api/v1/runs", { dag, state, since: sinceMs(since), after, limit }), 3000);
  return (
    <>
      <Title name="Runs" />
      <Filters query={query} />
      <Failure error={error} />
      {data && (
        <>
          <Table label="Runs" columns={runColumns} rows={data.runs} keyOf={(run) => `${run.dag}@${run.run}`} empty="No run is like that." />
          <Pages where={["runs"]} query={query} next={data.next} />
        </>
      )}
    </>
  );
}

// ---------------------------------------------------------------------------- sign-in

export function SignIn({ done }) {
  const [error, setError] = useState(null);
  const submit = (names) => async (event) => {
    event.preventDefault();
    const data = new FormData(event.target);
    try {
      await signIn(Object.fromEntries(names.map((name) => [name, name === "password" ? data.get(name) : data.get(name).trim()])));
      done();
    } catch (err) {
      setError(err);
    }
  };
  return (
    <>
      <Title name="Sign in" />
      <p>
        Open the address that <code>dagrun web --url</code> prints, or paste its token.
      </p>
      <form class="filters" onSubmit={submit(["token"])}>
        <label>
          Token
          <input name="token" type="password" required autocomplete="off" />
        </label>
        <button type="submit">Sign in</button>
      </form>
      <p>Or as a user, whom <code>dagrun web user add</code> has made.</p>
      <form class="filters" onSubmit={submit(["user", "password"])}>
        <label>
          User
          <input name="user" required autocomplete="username" autocapitalize="none" spellcheck={false} />
        </label>
        <label>
          Password
          <input name="password" type="password" required autocomplete="current-password" />
        </label>
        <button type="submit">Sign in as a user</button>
      </form>
      <Failure error={error} />
    </>
  );
}
