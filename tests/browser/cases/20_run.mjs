// SPDX-License-Identifier: MIT
//
// 20_run.mjs - a run that lives: graph, counts, attempts, what can be done to it.
import assert from "node:assert/strict";
import { box, dagrun, figure, HOSTILE, isUnharmed, open, page, row, run, until } from "../harness.mjs";

export const places = { overview: "", run, node: `${run}/nodes/calc` };

export default {
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
    await page.locator(".timeline a.bad", { hasText: "1: signal 9 (KILL)" }).waitFor();
    await box("calc").getByText("running · 2/2 up").waitFor();
    await box("calc").click();
    await page.getByRole("heading", { name: "Clients" }).waitFor();
  },

  async "charts show the run's time, as pictures and as tables"() {
    await open(`${run}/nodes/calc`);
    const chart = (name) => page.locator("figure.chart", { hasText: name });
    await chart("Records a second").locator("polyline").first().waitFor({ state: "attached" });
    await chart("Latency").locator("polyline").first().waitFor({ state: "attached" });
    assert.equal(await page.locator("figure.chart").count(), 6);
    await chart("Memory").locator(".axis").getByText(/^\d[\d.]* (KiB|MiB|GiB)0$/).waitFor();
    await chart("Memory").getByText("Table").click();
    await row("Memory as a table", "MiB").first().waitFor();
    await page.getByRole("button", { name: "last 10 minutes" }).click();
    await page.getByRole("button", { name: "last 10 minutes", pressed: true }).waitFor();
    await chart("Records a second").locator("polyline").first().waitFor({ state: "attached" });
    await open(run);
    await chart("Waiting records").getByRole("img", { name: /^Waiting records: now waiting/ }).waitFor();
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

  async "a node is scaled after a word about what that does, and one that can't be says why"() {
    await open(`${run}/nodes/calc`);
    const heading = (text) => page.locator("h1", { hasText: text });
    const dialog = page.getByRole("dialog");
    await heading("running").waitFor();
    await page.getByRole("button", { name: "Scale…" }).click();
    await dialog.getByText("calc has 2 clients as it is.").waitFor();
    await dialog.getByLabel("Clients, 1 to 8").fill("9");
    await dialog.getByText("A whole number from 1 to 8.").waitFor();
    await dialog.getByLabel("Clients, 1 to 8").press("Enter");
    await dialog.getByLabel("Clients, 1 to 8").fill("3");
    await dialog.getByText("calc gets 1 client more and shares its 8 partitions among 3").waitFor();
    await dialog.getByRole("button", { name: "Scale", exact: true }).click();
    await page.getByText("Scale: asked.").waitFor();
    await until(async () => (await row("Clients", "running").count()) === 3, "three clients run");
    await open(run);
    await box("calc").getByText("running · 3/3 up").waitFor();
    await page.getByRole("button", { name: "Scale calc…" }).click();
    await dialog.getByLabel("Clients, 1 to 8").fill("2");
    await dialog.getByText("The highest 1 client of calc finish").waitFor();
    await dialog.getByLabel("Clients, 1 to 8").press("Enter");
    await page.getByText("Scale calc: asked. The state").waitFor();
    await box("calc").getByText("running · 2/2 up").waitFor();
    await page.getByRole("button", { name: "Scale ask…" }).press("Enter");
    await page.getByText("ask is a source").waitFor();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("Scale calc: asked").waitFor({ state: "detached" });
  },

  async "dead letters are grouped by reason, and a hostile reason is text"() {
    dagrun("send", "arithmetic/ask", "1", "1", HOSTILE);
    await open(run);
    await row("Dead letters", HOSTILE).waitFor();
    await isUnharmed();
    await open("");
    await page.getByText("could not handle 1 record of this run").waitFor();
  },
};
