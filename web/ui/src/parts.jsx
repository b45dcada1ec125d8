// SPDX-License-Identifier: MIT
//
// parts.jsx - small pieces that several pages use. All text goes through preact's text
// nodes and attributes: what a name, a key or a log contains is never markup.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ago, clock, symbol, tone, useZone } from "./format.js";
import { link } from "./route.js";

export function State({ state }) {
  return (
    <span class={`state ${tone(state)}`}>
      <span aria-hidden="true">{symbol(state)}</span> {state}
    </span>
  );
}

export function Time({ at, relative, exact }) {
  useZone();
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={at}>
      {clock(at, true, exact)}
      {relative && <span class="dim"> · {ago(at)}</span>}
    </time>
  );
}

/** One widget that can't be shown must not blank the page. Silence is for the banner. */
export function Failure({ error }) {
  if (!error || !error.status) return null;
  return <p class="failure" role="alert">{error.message}</p>;
}

/** The heading of a page takes the focus when the page begins, for keyboard and reader; before
 *  any key is pressed there, so that it takes it from no field. */
export function Title({ children, name }) {
  const heading = useRef(null);
  useLayoutEffect(() => heading.current.focus({ preventScroll: true }), []);
  useEffect(() => {
    document.title = `${name} · dagrun`;
  }, [name]);
  return <h1 ref={heading} tabIndex={-1}>{children || name}</h1>;
}

const ROWS = 100; /* of a table at once: a longer one is for a machine that has the time */

/** columns: [heading, cell function, class]; most: rows before one has to ask for more. Tables
 *  scroll by themselves on a phone. */
export function Table({ label, columns, rows, keyOf, empty, most = ROWS }) {
  const [shown, setShown] = useState(most);
  if (!rows.length) return <p class="dim">{empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>{columns.map(([heading, , kind]) => <th key={heading} class={kind} scope="col">{heading}</th>)}</tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row, i) => (
            <tr key={keyOf ? keyOf(row, i) : i}>
              {columns.map(([heading, cell, kind]) => <td key={heading} class={kind}>{cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <p class="more">
          <button type="button" onClick={() => setShown(shown + ROWS)}>{`${rows.length - shown} more`}</button>
        </p>
      )}
    </div>
  );
}

/** Links from a page of a list to its first one and to the next; name: the member of the
 *  address that says where a page begins. */
export function Pages({ where, query, name = "after", next, words: [first, more] = ["Newest", "Older"] }) {
  const to = (begin) => link(where, { ...query, show: "", [name]: begin });
  return (
    <p class="pages">
      {query[name] && <a href={to("")}>{first}</a>}
      {next && <a href={to(next)}>{more}</a>}
    </p>
  );
}

/** facts: [name, value]… */
export function Facts({ facts }) {
  return <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Crumbs({ items }) {
  return (
    <nav class="crumbs" aria-label="Where this is">
      {items.map(([text, href]) => <span key={text}>{href ? <a href={href}>{text}</a> : text}</span>)}
    </nav>
  );
}
