// SPDX-License-Identifier: MIT
//
// charts.jsx - what flowed over the time of a run, as small charts from the history's
// samples: a line of means in a band from least to greatest, and the same as a table.
import { useRef, useState } from "preact/hooks";
import { path } from "./api.js";
import { bytes, clock, count, duration, rate, useZone } from "./format.js";
import { useLive } from "./live.js";
import { Failure, Table } from "./parts.jsx";

const WIDTH = 480;
const HEIGHT = 96;
const POINTS = 240;
const ROWS = 24; /* of a table */
const FRESH_MS = 4000;

const ms = (n) => (n == null ? "–" : n < 10 ? `${n.toPrecision(2)} ms` : duration(n));
const percent = (n) => (n == null ? "–" : `${n.toFixed(n < 10 ? 1 : 0)} %`);
const whole = (n) => (n == null ? "–" : count(Math.round(n)));

/** The charts by name: [heading, [[metric, its name]…], how a value is shown]. */
const KINDS = {
  rate: ["Records a second", [["in_per_s", "in"], ["out_per_s", "out"]], rate],
  backlog: ["Waiting records", [["backlog", "waiting"]], whole],
  wait: ["Waiting, in time", [["backlog_s", "lasts"]], (n) => (n == null ? "–" : duration(n * 1000))],
  latency: ["Latency", [["p50_ms", "median"], ["p99_ms", "99 %"]], ms],
  cpu: ["CPU", [["cpu_percent", "CPU"]], percent],
  memory: ["Memory", [["rss_bytes", "memory"]], bytes],
};
const NODE_KINDS = ["rate", "backlog", "wait", "latency", "cpu", "memory"];
export const EDGE_KINDS = ["rate", "backlog", "wait"];

/* Points that follow each other without a hole, as lists of [x, mean, min, max]. */
function pieces(samples, metric) {
  const { mean, min, max } = samples.metrics[metric];
  const times = samples.time_ms;
  const [first, last] = [times[0], times[times.length - 1]];
  const hole = Math.max(3 * samples.step_ms, 15000);
  const list = [];
  let piece = null;
  let before = -Infinity;
  times.forEach((time, i) => {
    if (mean[i] == null) return;
    if (time - before > hole) list.push((piece = []));
    before = time;
    piece.push([last > first ? ((time - first) / (last - first)) * WIDTH : 0, mean[i], min[i], max[i]]);
  });
  return list;
}

function Line({ samples, metric, top, order }) {
  const y = (value) => (HEIGHT - 1 - (top ? (value / top) * (HEIGHT - 3) : 0)).toFixed(1);
  const at = (x) => x.toFixed(1);
  return pieces(samples, metric).map((piece) => (
    <g class={`line${order}`} key={piece[0][0]}>
      <polygon points={[...piece.map((p) => `${at(p[0])},${y(p[3])}`), ...piece.toReversed().map((p) => `${at(p[0])},${y(p[2])}`)].join(" ")} />
      <polyline points={piece.length > 1 ? piece.map((p) => `${at(p[0])},${y(p[1])}`).join(" ") : `0,${y(piece[0][1])} ${at(Math.max(piece[0][0], 4))},${y(piece[0][1])}`} />
    </g>
  ));
}

const greatest = (list) => list.reduce((a, b) => (b > a ? b : a), 0);
const lastOf = (list) => list.findLast((value) => value != null);

function Chart({ samples, kind }) {
  const [heading, lines, show] = KINDS[kind];
  useZone();
  const times = samples.time_ms;
  const top = Math.max(...lines.map(([metric]) => greatest(samples.metrics[metric].max)));
  const words = lines.map(([metric, name]) => `${name} ${show(lastOf(samples.metrics[metric].mean))}`).join(", ");
  const every = Math.ceil(times.length / ROWS);
  const rows = times.map((_, i) => i).filter((i) => (times.length - 1 - i) % every === 0).reverse();
  const at = (i) => clock(new Date(times[i]).toISOString(), false);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{heading}</strong>
        {lines.map(([metric, name], i) => (
          <span key={metric} class={`key line${i}`}>{`${lines.length > 1 ? `${name} ` : ""}${show(lastOf(samples.metrics[metric].mean))}`}</span>
        ))}
      </figcaption>
      <div class="plot">
        <p class="dim axis" aria-hidden="true"><span>{top > 0 && show(top)}</span><span>0</span></p>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${heading}: now ${words}; most ${show(top)}`}>
          {lines.map(([metric], i) => <Line key={metric} samples={samples} metric={metric} top={top} order={i} />)}
        </svg>
        <p class="dim ends"><span>{at(0)}</span><span>{at(times.length - 1)}</span></p>
      </div>
      <details>
        <summary>Table</summary>
        <Table
          label={`${heading} as a table`}
          rows={rows}
          columns={[
            ["From", at],
            ...lines.map(([metric, name]) => [name, (i) => show(samples.metrics[metric].mean[i]), "number"]),
            ...lines.map(([metric, name]) => [`${name}, most`, (i) => show(samples.metrics[metric].max[i]), "number"]),
          ]}
        />
      </details>
    </figure>
  );
}

const RANGES = [["", "whole run"], ["3600000", "last hour"], ["600000", "last 10 minutes"]];

/** what: {node}, {node, client}, {edge}, or {} for the whole run. */
export function Charts({ dag, run, what, kinds = NODE_KINDS, live }) {
  const [range, setRange] = useState("");
  const [everyMs, setEvery] = useState(FRESH_MS);
  const since = range ? Math.floor((Date.now() - Number(range)) / 10000) * 10000 : "";
  const query = new URLSearchParams({ ...what, points: POINTS, ...(since && { since }) });
  const kept = useRef(null); /* a new range is asked for: the old picture stays meanwhile */
  const answer = useLive(`${path("runs", dag, String(run), "samples")}?${query}`, live ? everyMs : 0);
  const error = answer.error;
  const data = answer.data || kept.current;
  kept.current = data;
  if (data && live && data.step_ms > everyMs) setEvery(data.step_ms);
  return (
    <section>
      <h2>Over time</h2>
      <Failure error={error} />
      <div class="buttons" role="group" aria-label="Time of the charts">
        {RANGES.map(([value, text]) => (
          <button key={value} type="button" aria-pressed={range === value} onClick={() => setRange(value)}>{text}</button>
        ))}
      </div>
      {data && !data.time_ms.length && <p class="dim">No samples of this time are left, or none was taken yet.</p>}
      {data && data.time_ms.length > 0 && (
        <div class="charts">{kinds.map((kind) => <Chart key={kind} samples={data} kind={kind} />)}</div>
      )}
    </section>
  );
}
