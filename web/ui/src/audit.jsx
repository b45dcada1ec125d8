// SPDX-License-Identifier: MIT
//
// audit.jsx - who did what, or was refused: for an admin.
import { TextField } from "./fields.jsx";
import { visible } from "./format.js";
import { useLive } from "./live.js";
import { Failure, Pages, Table, Time, Title } from "./parts.jsx";
import { go, withQuery } from "./route.js";
import { refusal, useSession } from "./who.js";

/* What was said besides the target: {now: true} as "now", {clients: 4} as "clients 4". */
function detailText(detail) {
  if (detail === null || typeof detail !== "object") return detail || "";
  return Object.entries(detail)
    .map(([name, value]) => (value === true ? name : `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`))
    .join(", ");
}

const columns = [
  ["Time", (deed) => <Time at={deed.time} />],
  ["Who", (deed) => (deed.who ? `${deed.who}${deed.role ? ` (${deed.role})` : ""}` : "nobody known")],
  ["From", (deed) => deed.from],
  ["Action", (deed) => deed.action],
  ["Target", (deed) => visible(deed.target || "")],
  ["Result", (deed) => <span class={`state ${deed.ok ? "good" : "bad"}`}>{deed.ok ? "✓ ok" : "✗ refused"}</span>],
  ["With", (deed) => visible(detailText(deed.detail))],
  ["Text", (deed) => visible(deed.text || "")],
];

function Filters({ query }) {
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextField label="Dag" value={query.dag} say={(dag) => go(["audit"], { ...query, after: "", dag })} data-search />
    </form>
  );
}

function Deeds({ query }) {
  const { data, error } = useLive(withQuery("/api/v1/audit", { dag: query.dag, after: query.after }), 5000);
  return (
    <>
      <Filters query={query} />
      <Failure error={error} />
      {data && (
        <>
          <Table label="Audit" columns={columns} rows={data.audit} keyOf={(deed) => `${deed.time} ${deed.from} ${deed.target}`} empty="Nothing like that was done." />
          <Pages where={["audit"]} query={query} next={data.next} />
        </>
      )}
    </>
  );
}

/** The page. Who may not see it reads why. */
export function Audit({ query }) {
  const session = useSession();
  const refused = refusal(session && { ...session, read_only: false }, "admin");
  return (
    <>
      <Title name="Audit" />
      {refused && <p>{refused}</p>}
      {session && !refused && <Deeds query={query} />}
    </>
  );
}
