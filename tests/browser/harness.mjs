// SPDX-License-Identifier: MIT
//
// harness.mjs - what every case has: one dagrun web in a state directory of its own, with the
// arithmetic run alive on the embedded broker, and one page of a real browser. It waits for
// conditions, never for a time.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { DAGRUN, CHROMIUM, MODULES } = process.env;
const packages = createRequire(join(MODULES, "x.js"));
const { chromium } = packages("playwright-core");

export const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
export const SHOTS = process.env.SHOTS;
export const LIMIT_MS = 30000;
export const HOSTILE = "<img src=x onerror=window.hit=1><script>window.hit=1</script>";
export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 375, height: 812 };

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** A folder of this test: the YAML files of --dags. */
export const dir = mkdtempSync(join(tmpdir(), "dagrun-browser-"));
/** The state directory. */
export const home = join(dir, "home");
const env = { ...process.env, DAGRUN_HOME: home, NO_COLOR: "1" };
delete env.DAGRUN_BROKERS;

/** A command of dagrun, with {input: text} before it or not; returns what it prints, throws when it fails. */
export function dagrun(...args) {
  const { input = "" } = typeof args[0] === "object" ? args.shift() : {};
  return execFileSync(DAGRUN, args, { env, encoding: "utf8", timeout: 60000, input, stdio: ["pipe", "pipe", "pipe"] });
}

export async function until(condition, what) {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `not within ${LIMIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// ----------------------------------------------------------------------------- server

let server = null;
/** The server: url with its token, base, port, token. */
export let web;

async function serve(...args) {
  let out = "";
  server = spawn(DAGRUN, ["web", ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  server.stdout.on("data", (data) => (out += data));
  await until(() => out.includes("\n") || server.exitCode != null, "the server's address");
  const match = /^http:\/\/(127\.0\.0\.1:(\d+))\/#token=([0-9a-f]{64})\n/.exec(out);
  assert.ok(match, `dagrun web printed ${out}`);
  return { url: match[0].trim(), base: `http://${match[1]}/`, port: match[2], token: match[3] };
}

export async function unserve() {
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  assert.equal(await gone, 0, "the server's exit code");
  server = null;
}

/** The server again, on its old port. */
export async function serveAgain() {
  web = await serve("--listen", web.port, "--dags", dir);
}

// ------------------------------------------------------------------------------- page

export let browser;
export let page;
/** What the browser complained about. */
export const said = [];
/** Pages that axe looks at, by name: each file of cases may export more. */
export const places = {};

export async function open(place) {
  await page.goto(`${web.base}#/${place}`);
  await page.locator("h1").waitFor();
}

/** A page of another browser, in which the viewer vera has signed in at a place, for fn. */
export async function asViewer(place, fn) {
  dagrun({ input: "vera's password\n" }, "web", "user", "add", "vera", "--role", "viewer");
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(`${web.base}#/${place}`);
  await other.getByLabel("User").fill("vera");
  await other.getByLabel("Password").fill("vera's password");
  await other.getByRole("button", { name: "Sign in as a user" }).click();
  await fn(other);
  dagrun("web", "user", "remove", "vera");
  await context.close();
}

export const run = "runs/arithmetic/1";
export const box = (name) => page.locator("a.box", { hasText: name });
export const row = (table, text) =>
  page.getByRole("region", { name: table, exact: true }).locator("tbody tr").filter({ hasText: text });

/** The number in a column of a node's row. */
export async function figure(node, column) {
  const cells = await row("Nodes", node).locator("td").allTextContents();
  return Number(cells[column]);
}

export async function isUnharmed() {
  assert.equal(await page.evaluate(() => window.hit), undefined, "hostile text was run");
  assert.equal(await page.locator("main img, main script").count(), 0, "hostile text became markup");
}

// ---------------------------------------------------------------------- begin and end

export async function begin() {
  mkdirSync(SHOTS, { recursive: true });
  copyFileSync(join(root, "dags/arithmetic.yaml"), join(dir, "arithmetic.yaml"));
  writeFileSync(join(dir, "small.yaml"), "name: small\nnodes:\n  src: {program: producer, with: {count: 3}}\n  end: {program: print, from: src}\n");
  dagrun("start", "--keep", "-d", join(dir, "arithmetic.yaml"));
  dagrun("start", join(dir, "small.yaml"));
  writeFileSync(join(dir, "broken.yaml"), `name: broken\nnodes:\n  a: {program: print, form: ${HOSTILE}}\n`);
  web = await serve("--dags", dir);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  page = await (await browser.newContext({ viewport: WIDE })).newPage();
  page.setDefaultTimeout(LIMIT_MS);
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(web.url);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

/* Whatever a case has started, and the broker. */
function stopAll() {
  for (const lock of readdirSync(join(home, "dags")).filter((file) => file.endsWith(".lock"))) {
    quietly("stop", "--now", lock.replace(/\.lock$/, ""));
  }
  quietly("broker", "stop");
}

function quietly(...args) {
  try {
    dagrun(...args);
  } catch {
    // It had ended before.
  }
}

export async function end() {
  if (browser) await browser.close();
  if (server) await unserve().catch(() => server && server.kill("SIGKILL"));
  stopAll();
  rmSync(dir, { recursive: true, force: true });
}
