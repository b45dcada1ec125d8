// SPDX-License-Identifier: MIT
//
// main.jsx - the frame around every page: session, addresses, keys, theme, stale banner.
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Audit } from "./audit.jsx";
import { get, onSignedOut, path, signIn, signOut } from "./api.js";
import { duration, toggleZone, useZone } from "./format.js";
import { Dead } from "./dead.jsx";
import { Edge } from "./edge.jsx";
import { useStaleSince } from "./live.js";
import { Logs } from "./logs.jsx";
import { Dags, Overview, Runs, SignIn } from "./pages.jsx";
import { Title } from "./parts.jsx";
import { go, link, useRoute } from "./route.js";
import { Node, Run } from "./run.jsx";
import { setSession } from "./who.js";

const KEYS = [
  ["/", "to the filter of the page"],
  ["g o", "overview"],
  ["g d", "dags"],
  ["g r", "runs"],
  ["g a", "audit, for an admin"],
  ["t", "light, dark, or as the system has it"],
  ["z", "times in UTC or local"],
  ["?", "this help"],
];

function Page({ route }) {
  const { parts, query } = route;
  const [place, dag, run, what, node] = parts;
  if (!place) return <Overview />;
  if (place === "dags" && parts.length === 1) return <Dags />;
  if (place === "dags" && parts.length === 3 && run === "dead") return <Dead key={dag} dag={dag} query={query} />;
  if (place === "runs" && parts.length === 1) return <Runs query={query} />;
  if (place === "runs" && parts.length === 3) return <Run key={`${dag}@${run}`} dag={dag} run={run} />;
  if (place === "runs" && what === "logs") return <Logs key={`${dag}@${run}`} dag={dag} run={run} query={query} />;
  if (place === "runs" && what === "nodes" && parts.length === 5) return <Node key={parts.join("/")} dag={dag} run={run} node={node} />;
  if (place === "runs" && what === "edges" && parts.length === 6) {
    return <Edge key={parts.join("/")} dag={dag} run={run} from={node} to={parts[5]} query={query} />;
  }
  if (place === "audit" && parts.length === 1) return <Audit query={query} />;
  return <Title name="There is no such page" />;
}

// ------------------------------------------------------------------------------ theme

const THEMES = ["auto", "light", "dark"];

function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function useTheme() {
  const [theme, setTheme] = useState(() => localStorage.getItem("dagrun.theme") || "auto");
  useEffect(() => {
    applyTheme(theme);
    localStorage.setItem("dagrun.theme", theme);
  }, [theme]);
  return [theme, () => setTheme((now) => THEMES[(THEMES.indexOf(now) + 1) % THEMES.length])];
}

// ------------------------------------------------------------------------------- keys

const PLACES = { o: [], d: ["dags"], r: ["runs"], a: ["audit"] };

function isTyping(target) {
  return /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
}

/* Single keys only outside of fields, so that none is taken from somebody who types. */
function useKeys(actions) {
  useEffect(() => {
    let wentMs = 0;
    const fn = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isGo = Date.now() - wentMs < 1500;
      wentMs = event.key === "g" ? Date.now() : 0;
      if (isGo && PLACES[event.key]) go(PLACES[event.key]);
      else if (actions[event.key]) actions[event.key]();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", fn);
    return () => removeEventListener("keydown", fn);
  });
}

function focusSearch() {
  const field = document.querySelector("[data-search]");
  if (field) field.focus();
  else go(["runs"]);
}

function Help({ open, close }) {
  const dialog = useRef(null);
  useEffect(() => {
    if (open) dialog.current.showModal();
    else dialog.current.close();
  }, [open]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{text}</dd></div>)}
      </dl>
      <form method="dialog"><button type="submit">Close</button></form>
    </dialog>
  );
}

// ------------------------------------------------------------------------------ frame

function StaleBanner() {
  const since = useStaleSince();
  const [, again] = useState(0);
  useEffect(() => {
    if (!since) return undefined;
    const timer = setInterval(() => again((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [since]);
  return (
    <div class="banner" role="status">
      {since && `The server does not answer: what you see is stale since ${duration(Date.now() - since)}. Asking again…`}
    </div>
  );
}

function Frame() {
  const route = useRoute();
  const [user, setUser] = useState(undefined); // null: nobody
  const [theme, nextTheme] = useTheme();
  const [help, setHelp] = useState(false);
  const zone = useZone();
  const who = () => get(path("session")).then(setUser, (error) => setUser(error.status === 0 ? undefined : null));

  useEffect(() => setSession(user), [user]);
  useEffect(() => {
    onSignedOut(() => setUser(null));
    begin().then(who);
  }, []);
  useKeys({ "/": focusSearch, "?": () => setHelp(true), t: nextTheme, z: toggleZone });

  const here = (place) => ((route.parts[0] || "") === place ? "page" : undefined);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector("h1")?.focus(); }}>To the page</a>
      <header>
        <a class="brand" href="#/">dagrun</a>
        <nav aria-label="Pages">
          <a href="#/" aria-current={here("")}>Overview</a>
          <a href={link(["dags"])} aria-current={here("dags")}>Dags</a>
          <a href={link(["runs"])} aria-current={here("runs")}>Runs</a>
          {user && user.role === "admin" && <a href={link(["audit"])} aria-current={here("audit")}>Audit</a>}
        </nav>
        <div class="buttons" role="group" aria-label="Settings">
          <button type="button" onClick={nextTheme}>{`Theme: ${theme}`}</button>
          <button type="button" onClick={toggleZone}>{`Times: ${zone}`}</button>
          <button type="button" onClick={() => setHelp(true)} aria-label="Keys">?</button>
          {user && <button type="button" onClick={() => signOut().catch(() => {})}>Sign out</button>}
        </div>
      </header>
      <StaleBanner />
      <main id="main">
        {user === undefined && <p class="dim">Asking the server…</p>}
        {user === null && <SignIn done={who} />}
        {user && <Page route={route} />}
      </main>
      <Help open={help} close={() => setHelp(false)} />
      {user && <footer class="dim">{`dagrun ${user.version} · ${user.user === "token" ? "signed in with the token" : `${user.user}, ${user.role}`}`}</footer>}
    </>
  );
}

/* The token of "#token=…" is traded for the cookie and taken out of address and history. */
async function begin() {
  const token = /^#token=([^&]+)/.exec(location.hash);
  if (!token) return;
  history.replaceState(null, "", "#/");
  dispatchEvent(new HashChangeEvent("hashchange"));
  await signIn({ token: token[1] }).catch(() => {});
}

applyTheme(localStorage.getItem("dagrun.theme") || "auto");
render(<Frame />, document.getElementById("app"));
