// SPDX-License-Identifier: MIT
//
// files.jsx - the YAML files that can be started: whether each is right, where it is not, and
// what its graph looks like, also when it has never run.
import { useEffect, useState } from "preact/hooks";
import { get, path } from "./api.js";
import { Controls, fileActions } from "./controls.jsx";
import { printable, visible } from "./format.js";
import { useLive } from "./live.js";
import { Table } from "./parts.jsx";
import { refusal, useSession } from "./who.js";

const CHECKED_MAX = 100; /* without being asked */

/* One after the other: each is a process on the server. */
function useChecks(files, isAllowed) {
  const [checks, setChecks] = useState({});
  const names = files.slice(0, CHECKED_MAX).map((file) => file.file).join("/");
  useEffect(() => {
    let isOver = false;
    const all = async () => {
      for (const name of names.split("/")) {
        const check = await get(path("files", name, "check")).catch((error) => ({ errors: [{ text: error.message }] }));
        if (isOver) return;
        setChecks((old) => ({ ...old, [name]: check }));
      }
    };
    if (names && isAllowed) all();
    return () => (isOver = true);
  }, [names, isAllowed]);
  return checks;
}

function Mistake({ error }) {
  const where = error.line ? `line ${error.line}, column ${error.column}: ` : "";
  return (
    <li>
      {where}{printable(error.text)}
      {error.excerpt && <pre tabIndex={0}>{`${printable(error.excerpt)}\n${" ".repeat(Math.max(0, error.column - 1))}^`}</pre>}
    </li>
  );
}

const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function Verdict({ check }) {
  if (!check) return "–";
  if (check.ok) return <span class="state good">{`✓ ${plural(check.nodes, "node")}, ${plural(check.edges, "edge")}`}</span>;
  return <ul class="problems mistakes">{check.errors.map((error) => <Mistake key={`${error.line}:${error.text}`} error={error} />)}</ul>;
}

function Picture({ file }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.target.open)}>
      <summary>Graph</summary>
      {isOpen && <img class="picture" src={path("files", file, "graph")} alt={`The graph of ${file}`} />}
    </details>
  );
}

export function Files() {
  const { data } = useLive("/api/v1/files");
  const who = useSession();
  const files = data ? data.files : [];
  const checks = useChecks(files, Boolean(who) && !refusal(who));
  if (!files.length) return null;
  return (
    <section>
      <h2>Files</h2>
      <Table
        label="Files"
        rows={files}
        keyOf={(file) => file.file}
        columns={[
          ["File", (file) => file.file],
          ["Start", (file) => <Controls label={`What can be done to ${file.file}`} actions={fileActions(file)} />],
          ["Check", (file) => <Verdict check={checks[file.file]} />],
          ["Graph", (file) => (checks[file.file] && !checks[file.file].ok ? "–" : <Picture file={file.file} />)],
          ["YAML", (file) => <code>{visible(file.yaml)}</code>],
        ]}
      />
    </section>
  );
}
