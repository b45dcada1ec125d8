// SPDX-License-Identifier: MIT
//
// changes.jsx - the YAML of a run beside that of the run before: which lines came and went.
import { useEffect, useState } from "preact/hooks";
import { path, request } from "./api.js";
import { printable } from "./format.js";
import { Failure } from "./parts.jsx";

const AROUND = 3; /* lines that are the same, shown around one that is not */
const CELLS_MAX = 4e6; /* beyond it, all of it is said to be different */

/* [["=" or "-" or "+", line]…] by the longest common subsequence of what differs. */
function compared(a, b) {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const same = (lines) => lines.map((line) => ["=", line]);
  return [...same(a.slice(0, head)), ...middle(x, y), ...same(a.slice(a.length - tail))];
}

function middle(x, y) {
  if (x.length * y.length > CELLS_MAX) return [...x.map((line) => ["-", line]), ...y.map((line) => ["+", line])];
  const wide = y.length + 1;
  const best = new Uint16Array((x.length + 1) * wide);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = y.length - 1; k >= 0; k--) {
      best[i * wide + k] = x[i] === y[k] ? best[(i + 1) * wide + k + 1] + 1 : Math.max(best[(i + 1) * wide + k], best[i * wide + k + 1]);
    }
  }
  const list = [];
  let i = 0;
  let k = 0;
  while (i < x.length && k < y.length) {
    if (x[i] === y[k]) {
      list.push(["=", x[i++]]);
      k++;
    } else if (best[(i + 1) * wide + k] >= best[i * wide + k + 1]) list.push(["-", x[i++]]);
    else list.push(["+", y[k++]]);
  }
  return [...list, ...x.slice(i).map((line) => ["-", line]), ...y.slice(k).map((line) => ["+", line])];
}

/* Only what differs, with a little around it. */
function nearChanges(list) {
  const near = (i) => list.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(([kind]) => kind !== "=");
  return list.map((item, i) => (near(i) ? item : null)).filter((item, i, all) => item || all[i - 1]);
}

export function Changes({ dag, run, text }) {
  const [isOpen, setOpen] = useState(false);
  const [list, setList] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    if (!isOpen || list) return;
    request(path("runs", dag, String(run - 1), "yaml"))
      .then((answer) => answer.text())
      .then((before) => setList(compared(before.split("\n"), text.split("\n"))), setError);
  }, [isOpen]);
  const isSame = list && list.every(([kind]) => kind === "=");
  return (
    <details onToggle={(event) => setOpen(event.target.open)}>
      <summary>{`Changes since ${dag}@${run - 1}`}</summary>
      <Failure error={error} />
      {isSame && <p class="dim">The YAML is the same.</p>}
      {list && !isSame && (
        <pre class="changes" tabIndex={0}>
          {nearChanges(list).map((item) => (item ? <span class={item[0] === "+" ? "good" : item[0] === "-" ? "bad" : ""}>{`${item[0] === "=" ? " " : item[0]} ${printable(item[1])}\n`}</span> : "…\n"))}
        </pre>
      )}
    </details>
  );
}
