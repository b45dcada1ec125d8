// SPDX-License-Identifier: MIT
//
// graphparts.jsx - what a graph is drawn of: lines, boxes, both from afar, and the map.
import { backlogSeconds, count, rate, symbol, tone } from "./format.js";

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

/* "", some or late: more waits than a second or ten of reading take away. */
function lateOf(edge) {
  if (!edge || !(edge.backlog > 0)) return "";
  const seconds = edge.backlog / (edge.out_per_s || 0.1);
  return seconds > 10 ? "late" : seconds > 1 ? "some" : "";
}

/* What flows, what waits, and how long that lasts; nothing is known of a run that is over. */
function edgeText(edge) {
  if (edge.in_per_s == null && edge.backlog == null) return "";
  const lasts = backlogSeconds(edge);
  const behind = edge.backlog > 0 ? ` · ${count(edge.backlog)} ▤ ${lasts || "stands"}` : "";
  return `${rate(edge.out_per_s || 0)}${behind}`;
}

export function Edge({ line, edge, href }) {
  const flow = edge ? Math.max(edge.in_per_s || 0, edge.out_per_s || 0) : 0;
  const label = line.label;
  const text = edge ? edgeText(edge) : "";
  const [x, y] = line.points[line.points.length - 1];
  const middle = label.x + label.width / 2;
  const room = Math.min(label.width, text.length * 6.4 + 10);
  return (
    <g class={`edge ${flow > 0 ? "flows" : ""} ${lateOf(edge)}`}>
      <a href={href} tabIndex={-1} aria-label={`Messages from ${line.from} to ${line.to} ${text}`}>
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

function whatOf(node) {
  const clients = node.up == null ? `${node.want} wanted` : `${node.up}/${node.want} up`;
  return `${symbol(node.state)} ${node.state} · ${clients}`;
}

/** far: too small for text, which then is its name for a pointer or a reader. */
export function Box({ box, node, href, far, tabIndex }) {
  const { x, y, width, height } = box.box;
  if (far) {
    return (
      <a href={href} class={`box far ${tone(node.state)}`} data-node={box.node} tabIndex={tabIndex} aria-label={`${box.node} ${whatOf(node)}`}>
        <title>{`${box.node} ${whatOf(node)}`}</title>
        <rect x={x} y={y} width={width} height={height} rx="8" />
      </a>
    );
  }
  return (
    <a href={href} class={`box ${tone(node.state)}`} data-node={box.node} tabIndex={tabIndex}>
      <rect x={x} y={y} width={width} height={height} rx="8" />
      <rect class="mark" x={x} y={y + 8} width="4" height={height - 16} />
      <text class="name" x={x + 14} y={y + 23}>{box.node}</text>
      <text class="what" x={x + 14} y={y + 43}>{whatOf(node)}</text>
      <text class="dim" x={x + 14} y={y + 61}>
        {node.in_per_s == null ? `${count(node.in)} in, ${count(node.out)} out` : `in ${rate(node.in_per_s)}  out ${rate(node.out_per_s)}`}
      </text>
    </a>
  );
}

/** All lines of one kind as one path: a thousand of them cost no more than that. */
export function FarEdges({ lines, edges }) {
  const paths = { "": "", flows: "", some: "", late: "" };
  for (const line of lines) {
    const edge = edges.get(line.edge);
    paths[lateOf(edge) || (edge && edge.out_per_s > 0 ? "flows" : "")] += pathOf(line.points);
  }
  return Object.entries(paths).map(([kind, d]) => d && <g key={kind} class={`edge ${kind}`}><path d={d} stroke-width="3" /></g>);
}

const MAP = 150;

/** The whole graph, small, with what is seen of it; a click goes there. For a pointer only. */
export function MiniMap({ graph, nodes, view, go }) {
  const scale = Math.min(MAP / graph.width, MAP / graph.height);
  const paths = {};
  for (const { node, box } of graph.nodes) {
    const kind = tone((nodes.get(node) || {}).state);
    const least = 2 / scale;
    const [width, height] = [Math.max(box.width, least), Math.max(box.height, least)];
    paths[kind] = `${paths[kind] || ""}M${box.x},${box.y}h${width}v${height}h${-width}z`;
  }
  const clicked = (event) => {
    const room = event.currentTarget.getBoundingClientRect();
    go(((event.clientX - room.left) / room.width) * graph.width, ((event.clientY - room.top) / room.height) * graph.height);
  };
  return (
    <svg class="map" aria-hidden="true" width={graph.width * scale} height={graph.height * scale} viewBox={`0 0 ${graph.width} ${graph.height}`} onPointerDown={clicked} onPointerMove={(event) => event.buttons && clicked(event)}>
      {Object.entries(paths).map(([kind, d]) => <path key={kind} class={kind} d={d} />)}
      <rect x={view.x} y={view.y} width={view.width} height={view.height} stroke-width={2 / scale} />
    </svg>
  );
}
