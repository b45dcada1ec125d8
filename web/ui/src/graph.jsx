// SPDX-License-Identifier: MIT
//
// graph.jsx - a run's graph with the server's coordinates: boxes are links to their nodes,
// lines to their messages, as wide as what flows through them. The tables say the same, and
// are the way to the messages without a pointer. Of a large graph only what is in sight is
// in the document.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Box, Edge, FarEdges, MiniMap } from "./graphparts.jsx";
import { link } from "./route.js";

const ZOOM_MAX = 2;
const EDGE = 10; /* room around it, for the outlines */
const READABLE = 0.7; /* below it the text is too small: rather scroll */
const FAR = 0.4; /* below it there is no text at all */
const MARGIN = 200; /* drawn beyond what is in sight */
const SMALL = 60; /* nodes: all of it is drawn, and Tab goes through all */
const MAPPED = 100; /* nodes: from here on there is a map */
const FOUND_MAX = 20;

function boundsOf(points) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return { x: Math.min(...xs), y: Math.min(...ys), width: Math.max(...xs) - Math.min(...xs), height: Math.max(...ys) - Math.min(...ys) };
}

function isSeen(box, view) {
  return box.x < view.x + view.width + MARGIN && box.x + box.width > view.x - MARGIN && box.y < view.y + view.height + MARGIN && box.y + box.height > view.y - MARGIN;
}

/* The node that an arrow key leads to: along a line, or up and down in a layer. */
function neighbour(graph, name, key) {
  const here = graph.nodes.find((node) => node.node === name);
  if (!here) return null;
  const along = { ArrowRight: ["from", "to"], ArrowLeft: ["to", "from"] }[key];
  if (along) return graph.edges.find((edge) => edge[along[0]] === name)?.[along[1]];
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!step) return null;
  const layer = graph.nodes.filter((node) => node.layer === here.layer).sort((a, b) => a.box.y - b.box.y);
  return layer[layer.indexOf(here) + step]?.node;
}

/* The frame that scrolls over the drawing: its zoom, and what is in sight of it. */
function useFrame(graph) {
  const frame = useRef(null);
  const [scale, setScale] = useState(1);
  const [view, setView] = useState({ x: 0, y: 0, width: 2000, height: 2000 });
  const middle = useRef(null); /* stays where it is while the zoom changes */

  const look = () => {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = frame.current;
    setView({ x: scrollLeft / scale - EDGE, y: scrollTop / scale - EDGE, width: clientWidth / scale, height: clientHeight / scale });
  };
  const goTo = (x, y) => {
    const box = frame.current;
    box.scrollTo((x + EDGE) * scale - box.clientWidth / 2, (y + EDGE) * scale - box.clientHeight / 2);
  };
  const zoomTo = (next, around) => {
    middle.current = around || [view.x + view.width / 2, view.y + view.height / 2];
    setScale(next);
    if (next === scale) goTo(...middle.current);
  };
  useLayoutEffect(() => {
    if (middle.current) goTo(...middle.current);
    middle.current = null;
    look();
  }, [scale, graph]);
  return { frame, scale, view, look, goTo, zoomTo };
}

/* Dragging the ground moves it; links are for clicks. */
function useDrag(frame) {
  const from = useRef(null);
  return {
    onPointerDown: (event) => {
      if (event.button !== 0 || event.pointerType === "touch" || event.target.closest("a")) return;
      from.current = [event.clientX, event.clientY];
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      if (!from.current) return;
      frame.current.scrollBy(from.current[0] - event.clientX, from.current[1] - event.clientY);
      from.current = [event.clientX, event.clientY];
    },
    onPointerUp: () => (from.current = null),
  };
}

function Find({ graph, show }) {
  const submit = (event) => {
    event.preventDefault();
    const text = new FormData(event.target).get("node").trim().toLowerCase();
    const names = graph.nodes.map((node) => node.node);
    const found = names.find((name) => name.toLowerCase() === text) || names.find((name) => name.toLowerCase().includes(text));
    const field = event.target.elements.node;
    field.setCustomValidity(found ? "" : "No node has this in its name.");
    if (found) show(found);
    else field.reportValidity();
  };
  const [text, setText] = useState("");
  const fits = text ? graph.nodes.filter((node) => node.node.includes(text)).slice(0, FOUND_MAX) : [];
  return (
    <form class="find" role="search" onSubmit={submit}>
      <input data-search name="node" type="text" aria-label="Find a node" placeholder="Find a node" list="nodes" spellcheck={false} autocomplete="off" onInput={(event) => { event.target.setCustomValidity(""); setText(event.target.value); }} />
      <datalist id="nodes">{fits.map((node) => <option key={node.node} value={node.node} />)}</datalist>
    </form>
  );
}

/** graph: of the API; nodes and edges: by name, of the status or of the record. */
export function Graph({ graph, nodes, edges }) {
  const { frame, scale, view, look, goTo, zoomTo } = useFrame(graph);
  const drag = useDrag(frame);
  const [focused, setFocused] = useState(null);
  const bounds = useMemo(() => new Map(graph.edges.map((line) => [line.edge, boundsOf(line.points)])), [graph]);
  const isSmall = graph.nodes.length <= SMALL;
  const far = scale < FAR;
  const width = graph.width + 2 * EDGE;
  const height = graph.height + 2 * EDGE;

  const across = () => Math.min(1, (frame.current.clientWidth - 2) / width);
  const readable = () => zoomTo(Math.max(READABLE, across()));
  const whole = () => zoomTo(Math.min(across(), (frame.current.clientHeight - 2) / height));
  const by = (factor) => zoomTo(Math.max(Math.min(0.3, (frame.current.clientHeight - 2) / height), Math.min(ZOOM_MAX, scale * factor)));
  /* It begins where the records do. */
  useLayoutEffect(() => {
    const next = Math.max(READABLE, across());
    const first = graph.nodes.find((node) => node.layer === 0)?.box;
    zoomTo(next, first && [first.x + frame.current.clientWidth / next / 2 - EDGE, first.y + first.height / 2]);
  }, [graph.width]);

  /* Its box may not be in the document yet: it is drawn first. */
  const show = (name) => {
    const { box } = graph.nodes.find((node) => node.node === name);
    if (scale < FAR) zoomTo(READABLE);
    setFocused(name);
    setTimeout(() => {
      goTo(box.x + box.width / 2, box.y + box.height / 2);
      frame.current.querySelector(`[data-node="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
    });
  };
  const pressed = (event) => {
    const name = event.target.closest?.("[data-node]")?.dataset.node;
    const next = name && neighbour(graph, name, event.key);
    if (!next) return;
    event.preventDefault();
    show(next);
  };
  const drawn = graph.nodes.filter((node) => isSmall || node.node === focused || isSeen(node.box, view));
  const lines = graph.edges.filter((line) => isSmall || isSeen(bounds.get(line.edge), view));
  const stop = drawn.some((node) => node.node === focused) ? focused : drawn[0]?.node;
  return (
    <div class="graph">
      <div class="buttons">
        {!isSmall && <Find graph={graph} show={show} />}
        <div class="buttons" role="group" aria-label="Size of the graph">
          <button type="button" onClick={() => by(1 / 1.25)} aria-label="Smaller">−</button>
          <button type="button" onClick={readable}>Fit</button>
          {height * READABLE > 600 && <button type="button" onClick={whole}>All of it</button>}
          <button type="button" onClick={() => by(1.25)} aria-label="Larger">+</button>
        </div>
      </div>
      <div class="frame" ref={frame} tabIndex={0} role="region" aria-label="Graph of the run; the table of nodes says the same" onScroll={look} onKeyDown={pressed} {...drag}>
        <svg width={width * scale} height={height * scale} viewBox={`${-EDGE} ${-EDGE} ${width} ${height}`}>
          {far && <FarEdges lines={lines} edges={edges} />}
          {!far && lines.map((line) => (
            <Edge
              key={line.edge}
              line={line}
              edge={edges.get(line.edge)}
              href={link(["runs", graph.dag, graph.run, "edges", line.from, line.to])}
            />
          ))}
          {drawn.map((box) => (
            <Box
              key={box.node}
              box={box}
              far={far}
              tabIndex={isSmall || box.node === stop ? 0 : -1}
              node={nodes.get(box.node) || { state: "waiting", want: 0 }}
              href={link(["runs", graph.dag, graph.run, "nodes", box.node])}
            />
          ))}
        </svg>
      </div>
      {graph.nodes.length >= MAPPED && <MiniMap graph={graph} nodes={nodes} view={view} go={goTo} />}
    </div>
  );
}
