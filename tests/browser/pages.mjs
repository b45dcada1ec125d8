// SPDX-License-Identifier: MIT
//
// pages.mjs - the pages of dagrun web in a real browser: the arithmetic run on the embedded
// broker, looked at, killed at, typed at and fed with hostile text.
//
// cmake names the program in DAGRUN, the browser in CHROMIUM, the folder of the packages in
// MODULES; screenshots go to SHOTS. It waits for conditions, never for a time.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { DAGRUN, CHROMIUM, MODULES, SHOTS } = process.env;
const packages = createRequire(join(MODULES, "x.js"));
const { chromium } = packages("playwright-core");
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const LIMIT_MS = 30000;
const HOSTILE = "<img src=x onerror=window.hit=1><script>window.hit=1</script>";
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 375, height: 812 };

const dir = mkdtempSync(join(tmpdir(), "dagrun-browser-"));
const env = { ...process.env, DAGRUN_HOME: join(dir, "home"), NO_COLOR: "1" };
delete env.DAGRUN_BROKERS;

function dagrun(...args) {
  return execFileSync(DAGRUN, args, { env, encoding: "utf8", timeout: 60000, stdio: ["ignore", "pipe", "pipe"] });
}

async function until(condition, what) {
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

async function serve(...args) {
  let out = "";
  server = spawn(DAGRUN, ["web", ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  server.stdout.on("data", (data) => (out += data));
  await until(() => out.includes("\n") || server.exitCode != null, "the server's address");
  const match = /^http:\/\/(127\.0\.0\.1:(\d+))\/#token=([0-9a-f]{64})\n/.exec(out);
  assert.ok(match, `dagrun web printed ${out}`);
  return { url: match[0].trim(), base: `http://${match[1]}/`, port: match[2], token: match[3] };
}

async function unserve() {
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  assert.equal(await gone, 0, "the server's exit code");
  server = null;
}

// ------------------------------------------------------------------------------ tests

let web;
let browser;
let page;
const said = [];

async function open(place) {
  await page.goto(`${web.base}#/${place}`);
  await page.locator("h1").waitFor();
}

const run = "runs/arithmetic/1";
const box = (name) => page.locator("a.box", { hasText: name });
const row = (table, text) => page.getByRole("region", { name: table, exact: true }).locator("tbody tr").filter({ hasText: text });

/* The number in a column of a node's row. */
async function figure(node, column) {
  const cells = await row("Nodes", node).locator("td").allTextContents();
  return Number(cells[column]);
}

async function isUnharmed() {
  assert.equal(await page.evaluate(() => window.hit), undefined, "hostile text was run");
  assert.equal(await page.locator("main img, main script").count(), 0, "hostile text became markup");
}

const tests = {
  async "the token of the address is traded for a cookie that no script sees"() {
    await page.goto(web.url);
    await page.getByRole("link", { name: "arithmetic@1" }).first().waitFor();
    assert.equal(await page.evaluate(() => location.hash), "#/");
    assert.equal(await page.evaluate(() => document.cookie), "");
    const [cookie] = await page.context().cookies();
    assert.equal(cookie.name, `dagrun_${web.port}`);
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict");
    assert.ok(!cookie.value.includes(web.token));
  },

  async "without the token there is only the form for it"() {
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.goto(`${web.base}#/runs`);
    await other.getByLabel("Token").fill("0".repeat(64));
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByText("this is not the token").waitFor();
    await other.getByLabel("Token").fill(web.token);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("link", { name: "arithmetic@1" }).first().waitFor();
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.getByLabel("Token").waitFor();
    await context.close();
  },

  async "the overview names what runs and how many clients are up"() {
    await open("");
    await page.getByText("5 nodes · 6 of 6 clients up").waitFor();
  },

  async "the graph has five nodes and the counts move"() {
    await open(run);
    await box("calc").waitFor();
    assert.equal(await page.locator("a.box").count(), 5);
    assert.equal(await page.locator("g.edge").count(), 4);
    await box("calc").getByText("running · 2/2 up").waitFor();
    const before = await figure("calc", 3);
    dagrun("send", "arithmetic/ask", "2", "5", "sub");
    await until(async () => (await figure("calc", 3)) > before, "calc takes one more");
  },

  async "a killed client shows up as a new attempt with the signal of the old one"() {
    await open(run);
    const [status] = JSON.parse(dagrun("status", "--json"));
    const calc = status.nodes.find((node) => node.node === "calc");
    process.kill(calc.clients[0].pid, "SIGKILL");
    await row("Attempts", "calc.0").filter({ hasText: "signal" }).first().waitFor();
    await row("Attempts", "calc.0").filter({ hasText: "2 log" }).waitFor();
    assert.equal(await page.locator(".timeline li", { hasText: "calc.0" }).locator("a").count(), 2);
    await box("calc").getByText("running · 2/2 up").waitFor();
    await box("calc").click();
    await page.getByRole("heading", { name: "Clients" }).waitFor();
    assert.equal(await page.locator(".spark polyline").count(), 5);
  },

  async "a node is paused, resumed and restarted, after a word about what that does"() {
    await open(`${run}/nodes/tag`);
    const heading = (state) => page.locator("h1", { hasText: state });
    const act = async (name, sentence) => {
      await page.getByRole("button", { name: `${name}…` }).click();
      await page.getByRole("dialog").getByText(sentence).waitFor();
      await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
      await page.getByText(`${name}: asked`).waitFor();
    };
    await act("Pause", "tag takes no more input until it is resumed");
    await heading("paused").waitFor();
    await act("Resume", "tag takes input again");
    await heading("running").waitFor();
    await act("Restart", "The client of tag finishes what is in hand");
    await row("Attempts", "tag.0").filter({ hasText: "2 log" }).waitFor();
    await heading("running").waitFor();
    await page.getByRole("button", { name: "Pause…" }).click();
    await page.getByRole("button", { name: "Leave it" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await heading("running").waitFor();
  },

  async "the tail of a log follows, and what is hostile in it is text"() {
    await open(`${run}/logs?node=right`);
    const log = page.getByRole("region", { name: "Lines of the log" });
    await log.getByText("is ::: 7").waitFor();
    dagrun("send", "arithmetic/ask", "40", "2", "sum");
    await log.getByText("is ::: 42").waitFor();
    appendFileSync(join(env.DAGRUN_HOME, "runs/arithmetic@1/right.0.1.log"), `\u001b[31m${HOSTILE}\u001b[0m\n`);
    await log.getByText(HOSTILE).waitFor();
    await isUnharmed();
    await page.getByLabel("Only lines with").fill("42");
    await log.getByText("is ::: 7").waitFor({ state: "detached" });
    await log.getByText("is ::: 42").waitFor();
    assert.match(page.url(), /filter=42/);
  },

  async "a log of a million lines leaves the document small"() {
    const lines = Array.from({ length: 10000 }, (_, i) => `line ${i} of a long log`).join("\n");
    for (let i = 0; i < 100; i++) {
      appendFileSync(join(env.DAGRUN_HOME, "runs/arithmetic@1/left.0.1.log"), `${lines}\n`);
    }
    appendFileSync(join(env.DAGRUN_HOME, "runs/arithmetic@1/left.0.1.log"), "the last line\n");
    await open(`${run}/logs?node=left`);
    await page.getByText("the last line").waitFor();
    await page.getByLabel("Follow").uncheck();
    await page.getByRole("button", { name: "Earlier lines" }).click();
    await page.getByText(/^1\d{4} lines shown|^2\d{4} lines shown/).waitFor();
    const shown = await page.locator(".log pre").textContent();
    assert.ok(shown.split("\n").length < 200, "only lines in sight are in the document");
    await page.locator(".log").evaluate((log) => (log.scrollTop = 2000));
    await until(async () => (await page.locator(".log pre").textContent()) !== shown, "other lines are in sight");
  },

  async "dead letters are grouped by reason, and a hostile reason is text"() {
    dagrun("send", "arithmetic/ask", "1", "1", HOSTILE);
    await open(run);
    await row("Dead letters", HOSTILE).waitFor();
    await isUnharmed();
    await open("");
    await page.getByText("has 1 dead letter").waitFor();
  },

  async "a file is started, and a broken one says where it is broken"() {
    await open("dags");
    const act = async (file) => {
      await row("Files", file).getByRole("button", { name: "Start…" }).click();
      await page.getByRole("dialog").getByText("is checked and started as it is now").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
    };
    await act("broken.yaml");
    await row("Files", "broken.yaml").getByText(/broken\.yaml:3:/).waitFor();
    await isUnharmed();
    await act("small.yaml");
    await row("Files", "small.yaml").getByText("small@2 runs").waitFor();
    await row("Dags", "small@2").waitFor();
  },

  async "names in the address are never markup"() {
    await open(`runs/${encodeURIComponent(HOSTILE)}/1`);
    await page.getByRole("alert").first().waitFor();
    await open(`runs/arithmetic/1/nodes/${encodeURIComponent(HOSTILE)}`);
    await page.getByText("This run has no node").waitFor();
    await isUnharmed();
  },

  async "filters are in the address, and pages follow each other"() {
    await open("runs?limit=1");
    await row("Runs", "small@2").waitFor();
    await page.getByRole("link", { name: "Older" }).click();
    await row("Runs", "small@1").waitFor();
    await page.getByRole("link", { name: "Older" }).click();
    await row("Runs", "small@1").waitFor({ state: "detached" });
    await row("Runs", "arithmetic@1").waitFor();
    await page.getByRole("link", { name: "Newest" }).click();
    await row("Runs", "small@2").waitFor();
    await page.getByLabel("State").selectOption("running");
    await row("Runs", "arithmetic@1").waitFor();
    assert.match(page.url(), /state=running/);
    await page.reload();
    await row("Runs", "arithmetic@1").waitFor();
    assert.equal(await row("Runs", "small@2").count(), 0);
  },

  async "everything is reached by keys alone"() {
    await open("");
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("arithmetic");
    await page.keyboard.press("Enter");
    await page.waitForURL(/dag=arithmetic/);
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    for (let i = 0; i < 30 && (await focused()) !== "arithmetic@1"; i++) await page.keyboard.press("Tab");
    assert.equal(await focused(), "arithmetic@1");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "arithmetic@1", level: 1 }).waitFor();
    await box("ask").waitFor();
    for (let i = 0; i < 40 && !(await focused()).startsWith("tag"); i++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "tag", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("t");
    await page.getByRole("button", { name: "Theme: light" }).waitFor();
    await page.keyboard.press("t");
    await page.keyboard.press("t");
    await page.getByRole("button", { name: "Theme: auto" }).waitFor();
  },

  async "axe finds nothing, light and dark, wide and narrow; nothing is cut off"() {
    const places = { overview: "", dags: "dags", runs: "runs", run, node: `${run}/nodes/calc`, logs: `${run}/logs?node=right` };
    for (const [name, place] of Object.entries(places)) {
      for (const size of [WIDE, PHONE]) {
        for (const colorScheme of ["light", "dark"]) {
          await page.setViewportSize(size);
          await page.emulateMedia({ colorScheme });
          await open(place);
          await page.locator("main table, main .log").first().waitFor();
          await page.screenshot({ path: join(SHOTS, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run());
          const found = violations.map((v) => `${v.id}: ${v.nodes[0].html}`);
          assert.deepEqual(found, [], `${name}, ${size.width} px, ${colorScheme}`);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= size.width, `${name} is ${width} px wide`);
        }
      }
    }
    await page.setViewportSize(WIDE);
  },

  async "while the server is away the page says since when, and then goes on"() {
    await open(run);
    await box("calc").waitFor();
    await unserve();
    await page.getByText("stale since").waitFor();
    assert.equal(await page.locator("a.box").count(), 5, "the last word stays");
    web = { ...web, ...(await serve("--listen", web.port)) };
    await page.getByText("stale since").waitFor({ state: "detached" });
    const before = await figure("calc", 3);
    dagrun("send", "arithmetic/ask", "1", "2", "sum");
    await until(async () => (await figure("calc", 3)) > before, "calc takes one more");
  },

  async "a run that ends is shown as ended"() {
    await open(run);
    await page.getByRole("button", { name: "Stop…" }).click();
    await page.getByRole("dialog").getByText("The sources of arithmetic@1 end first").waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.locator("h1", { hasText: /degraded|succeeded|stopped/ }).waitFor();
    await page.getByText("Ended", { exact: true }).waitFor();
  },

  async "the browser had nothing to complain about"() {
    const bad = said.filter((text) => !/ERR_CONNECTION|Failed to load resource/.test(text));
    assert.deepEqual(bad, []);
  },
};

// ------------------------------------------------------------------------------- runs

async function begin() {
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
}

async function end() {
  if (browser) await browser.close();
  if (server) await unserve().catch(() => server && server.kill("SIGKILL"));
  for (const args of [["stop", "arithmetic"], ["broker", "stop"]]) {
    try {
      dagrun(...args);
    } catch {
      // It had ended before.
    }
  }
  rmSync(dir, { recursive: true, force: true });
}

let failures = 0;
try {
  await begin();
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok: ${name}`);
    } catch (error) {
      failures++;
      console.log(`failed: ${name}\n${error.stack}`);
      if (page) await page.screenshot({ path: join(SHOTS, `failed-${failures}.png`) }).catch(() => {});
    }
  }
} finally {
  await end();
}
console.log(`Checks: ${Object.keys(tests).length}, Failures: ${failures}, Errors: 0`);
process.exit(failures ? 1 : 0);
