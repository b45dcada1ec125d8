// SPDX-License-Identifier: MIT
//
// graph.jsx - a run's graph with the server's coordinates: boxes are links to their nodes,
// lines to their messages, as wide as what flows through them. The tables say the same, and
// are the way to the messages without a pointer.
import { useEffect, useRef, useState } from "preact/hooks";
import { backlogSeconds, count, rate, symbol, tone } from "./format.js";
import { link } from "./route.js";

const ZOOM_MIN = 0.3;
const ZOOM_MAX = 2;
const EDGE = 10; /* room around it, for the outlines */
const READABLE = 0.7; /* below it the text is too small: rather scroll */

/* From an even point to the next it is straight, from an odd one a curve. */
function pathOf(points) {
  let d = `M${points[0][0]},${points[0][1]}`;
  for (let i = 1; i < points.length; i++) {
    const [x, y] = points[i];
    const [px, py] = points[i - 1];
    const middle = (px + x) / 2;
    d += py === y ? `L${x},${y}` : `C${middle},${py} ${middle},${y} ${x},${y}`;
  }
  return d;
}

function widthOf(flow) {
  return flow > 0 ? Math.min(9, 2 + 1.4 * Math.log10(1 + flow)) : 1.5;
}

export function edgeText(edge) {
  if (edge.in_per_s == null && edge.backlog == null) return "";
  const behind = edge.backlog > 0 ? ` · ${count(edge.backlog)} ▤` : "";
  return `${rate(edge.out_per_s || 0)}${behind}`;
}

function Edge({ line, edge, href }) {
  const flow = edge ? Math.max(edge.in_per_s || 0, edge.out_per_s || 0) : 0;
  const label = line.label;
  const text = edge ? edgeText(edge) : "";
  const late = edge && edge.backlog > 0 ? (edge.backlog > 10 * (edge.out_per_s || 0.1) ? "late" : "some") : "";
  const [x, y] = line.points[line.points.length - 1];
  const middle = label.x + label.width / 2;
  const room = Math.min(label.width, text.length * 7 + 10);
  return (
    <g class={`edge ${flow > 0 ? "flows" : ""} ${late}`}>
      <a href={href} tabIndex={-1} aria-label={`Messages from ${line.from} to ${line.to}`}>
        <title>
          {`${line.from} → ${line.to}, topic ${line.topic}`}
          {edge ? `: ${rate(edge.in_per_s)} in, ${rate(edge.out_per_s)} out, ${count(edge.backlog)} waiting ${backlogSeconds(edge)}` : ""}
        </title>
        <path class="near" d={pathOf(line.points)} />
        <path d={pathOf(line.points)} stroke-width={widthOf(flow)} />
        <polygon points={`${x},${y} ${x - 9},${y - 5} ${x - 9},${y + 5}`} />
        {text && label.width > 0 && (
          <g>
            <rect x={middle - room / 2} y={label.y} width={room} height={label.height} rx="4" />
            <text x={middle} y={label.y + label.height / 2 + 4} text-anchor="middle">{text}</text>
          </g>
        )}
      </a>
    </g>
  );
}

function Box({ box, node, href }) {
  const { x, y, width, height } = box.box;
  const state = node.state;
  const clients = node.up == null ? `${node.want} wanted` : `${node.up}/${node.want} up`;
  return (
    <a href={href} class={`box ${tone(state)}`}>
      <rect x={x} y={y} width={width} height={height} rx="8" />
      <rect class="mark" x={x} y={y + 8} width="4" height={height - 16} />
      <text class="name" x={x + 14} y={y + 23}>{box.node}</text>
      <text class="what" x={x + 14} y={y + 43}>{`${symbol(state)} ${state} · ${clients}`}</text>
      <text class="dim" x={x + 14} y={y + 61}>
        {node.in_per_s == null ? `${count(node.in)} in, ${count(node.out)} out` : `in ${rate(node.in_per_s)}  out ${rate(node.out_per_s)}`}
      </text>
    </a>
  );
}

/** graph: of the API; nodes and edges: by name, of the status or of the record. */
export function Graph({ graph, nodes, edges }) {
  const frame = useRef(null);
  const [zoom, setZoom] = useState(null);
  const fit = () => {
    const room = frame.current ? frame.current.clientWidth - 2 : graph.width;
    setZoom(Math.max(READABLE, Math.min(1, room / (graph.width + 2 * EDGE))));
  };
  useEffect(fit, [graph.width]);
  const scale = zoom || 1;
  const by = (factor) => setZoom(Math.max(ZOOM_MIN, Math.min(ZOOM_MAX, scale * factor)));
  return (
    <div class="graph">
      <div class="buttons" role="group" aria-label="Size of the graph">
        <button type="button" onClick={() => by(1 / 1.25)} aria-label="Smaller">−</button>
        <button type="button" onClick={fit}>Fit</button>
        <button type="button" onClick={() => by(1.25)} aria-label="Larger">+</button>
      </div>
      <div class="frame" ref={frame} tabIndex={0} role="region" aria-label="Graph of the run; the table of nodes says the same">
        <svg
          width={(graph.width + 2 * EDGE) * scale}
          height={(graph.height + 2 * EDGE) * scale}
          viewBox={`${-EDGE} ${-EDGE} ${graph.width + 2 * EDGE} ${graph.height + 2 * EDGE}`}
        >
          {graph.edges.map((line) => (
            <Edge
              key={line.edge}
              line={line}
              edge={edges.get(line.edge)}
              href={link(["runs", graph.dag, graph.run, "edges", line.from, line.to])}
            />
          ))}
          {graph.nodes.map((box) => (
            <Box
              key={box.node}
              box={box}
              node={nodes.get(box.node) || { state: "waiting", want: 0 }}
              href={link(["runs", graph.dag, graph.run, "nodes", box.node])}
            />
          ))}
        </svg>
      </div>
    </div>
  );
}
