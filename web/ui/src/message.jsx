// SPDX-License-Identifier: MIT
//
// message.jsx - one message of an edge, whole: value as JSON, as it is, or in hex; headers.
import { useEffect, useRef, useState } from "preact/hooks";
import { path } from "./api.js";
import { bytes, visible } from "./format.js";
import { useLive } from "./live.js";
import { Facts, Failure, Table, Time } from "./parts.jsx";

const TEXT_MAX = 256 * 1024; /* characters in the document */
const HEX_MAX = 8 * 1024; /* bytes */

/** Bytes of a member that is text, base64 (bytes that are no UTF-8) or null. */
function bytesOf(object, name) {
  if (object[name] != null) return new TextEncoder().encode(object[name]);
  const encoded = object[`${name}_base64`];
  return encoded == null ? null : Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
}

/** A key or value in one line. */
export function preview(object, name, max = 200) {
  const text = object[name];
  if (text != null) return visible(text.length > max ? `${text.slice(0, max)}…` : text).replace(/\n/g, "␊");
  const data = bytesOf(object, name);
  if (!data) return null;
  const hex = [...data.subarray(0, 24)].map((b) => b.toString(16).padStart(2, "0")).join(" ");
  return `${hex}${data.length > 24 ? " …" : ""} (no text)`;
}

/* Indented, numbers as they were written; null when it is not JSON. */
function pretty(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = "";
  let depth = 0;
  let last = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const isFirst = last === "{" || last === "[";
    last = token;
    if (token === "}" || token === "]") {
      depth--;
      out += isFirst ? token : line() + token;
      continue;
    }
    if (isFirst) out += line();
    out += token;
    if (token === "{" || token === "[") depth++;
    else if (token === ",") out += line();
    else if (token === ":") out += " ";
  }
  return out;
}

function hexLine(data, at) {
  const part = [...data.subarray(at, at + 16)];
  const hex = part.map((b) => b.toString(16).padStart(2, "0")).join(" ").padEnd(48);
  const text = part.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".")).join("");
  return `${at.toString(16).padStart(6, "0")}  ${hex} ${text}`;
}

function hexOf(data) {
  const lines = [];
  for (let at = 0; at < Math.min(data.length, HEX_MAX); at += 16) lines.push(hexLine(data, at));
  return lines.join("\n") + (data.length > HEX_MAX ? `\n… ${data.length - HEX_MAX} bytes more` : "");
}

function cut(text) {
  const shown = visible(text.length > TEXT_MAX ? text.slice(0, TEXT_MAX) : text);
  return text.length > TEXT_MAX ? `${shown}\n… ${text.length - TEXT_MAX} characters more` : shown;
}

function asText(message, data, form) {
  if (!data) return "(no value)";
  if (form === "hex" || message.value == null) return hexOf(data);
  return cut((form === "json" && pretty(message.value)) || message.value);
}

function Copy({ text, what }) {
  const [said, say] = useState("");
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => say("Copied."),
      () => say("The browser did not let it be copied."),
    );
  if (!navigator.clipboard || text == null) return null; // only over HTTPS or from this machine
  return (
    <>
      <button type="button" onClick={copy}>{`Copy ${what}`}</button>
      <span class="dim" role="status">{said}</span>
    </>
  );
}

export function Value({ message }) {
  const data = bytesOf(message, "value");
  const isJson = message.value != null && pretty(message.value.slice(0, TEXT_MAX * 4)) != null;
  const forms = [...(isJson ? [["json", "JSON"]] : []), ...(message.value != null ? [["raw", "As it is"]] : []), ["hex", "Hex"]];
  const [chosen, choose] = useState("json");
  const form = forms.some(([name]) => name === chosen) ? chosen : forms[0][0];
  return (
    <>
      <div class="buttons" role="group" aria-label="The value as">
        {forms.map(([name, text]) => (
          <button key={name} type="button" aria-pressed={form === name} onClick={() => choose(name)}>{text}</button>
        ))}
        <Copy text={message.value ?? message.value_base64} what={message.value == null ? "as base64" : "value"} />
      </div>
      <pre class="value" tabIndex={0} role="region" aria-label="Value">{asText(message, data, form)}</pre>
    </>
  );
}

export function Headers({ headers }) {
  return (
    <Table
      label="Headers"
      rows={headers}
      empty="No headers."
      columns={[
        ["Header", (header) => <code>{preview(header, "name")}</code>],
        ["Value", (header) => <code class="words">{preview(header, "value", 4000) ?? "(none)"}</code>],
      ]}
    />
  );
}

/** What one of a list is, below it: takes the focus, and can be closed. */
export function Shown({ name, close, children }) {
  const heading = useRef(null);
  useEffect(() => heading.current.focus(), [name]);
  return (
    <section class="card message">
      <h2 ref={heading} tabIndex={-1}>{name}</h2>
      <div class="buttons"><button type="button" onClick={close}>Close</button></div>
      {children}
    </section>
  );
}

const factsOf = (message) => [
  ["Time", <Time at={message.timestamp} relative exact />],
  ["Partition, offset", `${message.partition}, ${message.offset}`],
  ["Value", bytes(message.size)],
  ["Key", <code>{preview(message, "key", 4000) ?? "(none)"}</code>],
];

/** place: [dag, from, to]; at: "partition:offset". */
export function Message({ place: [dag, from, to], at, close }) {
  const { data: message, error } = useLive(path("dags", dag, "edges", from, to, "messages", ...at.split(":")));
  return (
    <Shown name={`Message ${at}`} close={close}>
      <Failure error={error} />
      {!message && !error && <p class="dim">Asking for it…</p>}
      {message && (
        <>
          <Facts facts={factsOf(message)} />
          <Value key={at} message={message} />
          <h3>Headers</h3>
          <Headers headers={message.headers} />
        </>
      )}
    </Shown>
  );
}
