// SPDX-License-Identifier: MIT
//
// 50_edge.mjs - the messages of an edge: begin, filter, pages, one whole, live, pause, resume.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dagrun, dir, open, page, row, run, until } from "../harness.mjs";

const many = "runs/many/1/edges/src/end";

/** edge: a page with one message whole. */
export const places = { edge: `${many}?show=0:7` };

const rows = () => page.getByRole("region", { name: "Messages", exact: true }).locator("tbody tr");
const press = (name) => page.getByRole("button", { name, exact: true }).click();
const look = () => press("Look");

async function shows(count) {
  await until(async () => (await rows().count()) === count, `${count} messages are shown`);
}

export default {
  async "an edge leads to its messages, from the table and from the graph"() {
    dagrun("send", "arithmetic/ask", "60", "1", "sub");
    await open(run);
    await row("Edges", "ask → calc").getByRole("link").click();
    await page.getByRole("heading", { name: "Messages ask → calc" }).waitFor();
    await row("Messages", '"operator_1": "5"').waitFor();
    await row("Messages", '"60"').waitFor();
    await open(run);
    await page.locator("g.edge a .near").last().dispatchEvent("click");
    await page.getByRole("heading", { name: /^Messages tag → / }).waitFor();
  },

  async "a filter is in the address, and only what it fits is shown"() {
    await open(`${run}/edges/ask/calc`);
    await row("Messages", '"operation": "sum"').first().waitFor();
    await page.getByLabel("Only with the field").fill("operator_1=60");
    await page.keyboard.press("Enter");
    await shows(1);
    await row("Messages", '"60"').waitFor();
    assert.match(page.url(), /where=operator_1%3D60/);
    await page.reload();
    await row("Messages", '"60"').waitFor();
    await shows(1);
    await page.getByLabel("Only with the text").fill("no such text");
    await look();
    await page.getByText("No message is there, or none is like that.").waitFor();
    await page.getByText(/0 shown of [1-9]\d* looked at/).waitFor();
    await page.getByLabel("Only with the field").fill("");
    await page.getByLabel("Only with the text").fill('"60"');
    await look();
    await shows(1);
  },

  async "it begins where one wants, and older and newer pages follow each other"() {
    writeFileSync(join(dir, "many.yaml"), "name: many\nnodes:\n  src: {program: producer, with: {count: 130}}\n  end: {program: copy, from: src}\n");
    dagrun("start", join(dir, "many.yaml"));
    await open(many);
    await row("Messages", /^0:129/).waitFor();
    await shows(50);
    await press("Older");
    await row("Messages", /^0:79/).waitFor();
    await press("Older");
    await row("Messages", /^0:29/).waitFor();
    await shows(30);
    assert.ok(await page.getByRole("button", { name: "Older" }).isDisabled());
    await press("Newer");
    await row("Messages", /^0:79/).waitFor();
    await page.getByLabel("Begin with").selectOption("an offset");
    await page.getByRole("textbox", { name: "Offset" }).fill("100");
    await look();
    await row("Messages", /^0:100/).waitFor();
    await shows(30);
    await page.getByLabel("Begin with").selectOption("a time");
    await page.getByLabel("Time, or how long ago").fill("whenever");
    await look();
    await page.getByText("--from whenever: expected earliest, latest, an offset, a time").waitFor();
    await page.getByLabel("Time, or how long ago").fill("1h");
    await look();
    await row("Messages", /^0:0/).first().waitFor();
    await page.getByLabel("Begin with").selectOption("earliest");
    await page.getByRole("combobox", { name: "Partition" }).selectOption("0");
    await look();
    await row("Messages", /^0:0/).first().waitFor();
    assert.match(page.url(), /start=earliest&partition=0/);
  },

  async "one message is shown whole: JSON, as it is, in hex"() {
    await open(`${many}?start=offset&at=7`);
    await page.getByRole("link", { name: "0:7", exact: true }).click();
    await page.getByRole("heading", { name: "Message 0:7" }).waitFor();
    const value = page.getByRole("region", { name: "Value" });
    await value.getByText('"id": 8').waitFor();
    assert.match(await value.textContent(), /^\{\n {2}"id": 8,\n/);
    await press("As it is");
    await value.getByText('{"id":8').waitFor();
    await press("Hex");
    await value.getByText("000000  7b 22 69 64").waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Message 0:7" }).waitFor();
    await press("Close");
    await page.getByRole("heading", { name: "Message 0:7" }).waitFor({ state: "detached" });
    await open(`${many}?show=0:999`);
    await page.getByText("there is no record 999").waitFor();
  },

  async "live shows what comes; a pause asks nothing, and going on leaves nothing out"() {
    await open(`${run}/edges/ask/calc?contains=sub`);
    await row("Messages", '"operation": "sub"').first().waitFor();
    const before = await rows().count();
    await press("Go live");
    dagrun("send", "arithmetic/ask", "71", "1", "sub");
    await row("Messages", '"71"').waitFor();
    await press("Pause");
    await page.getByRole("button", { name: "Go live" }).waitFor();
    let asked = 0;
    const count = (request) => (asked += /\/messages\?/.test(request.url()));
    page.on("request", count);
    dagrun("send", "arithmetic/ask", "72", "1", "sub");
    dagrun("send", "arithmetic/ask", "73", "1", "sum");
    await page.locator(".messages a").first().click(); // something else is asked and answered
    await page.getByRole("region", { name: "Value" }).waitFor();
    assert.equal(asked, 0, "a pause asks nothing");
    assert.equal(await row("Messages", '"72"').count(), 0);
    page.off("request", count);
    await press("Go live");
    await row("Messages", '"72"').waitFor();
    assert.equal(await rows().count(), before + 2, "each once, and only those that fit");
    await press("Pause");
  },

  async "live keeps only the newest thousand in the document"() {
    writeFileSync(join(dir, "flood.yaml"), "name: flood\nnodes:\n  src: {program: producer, with: {count: 1500}}\n  end: {program: copy, from: src}\n");
    dagrun("start", join(dir, "flood.yaml"));
    await open("runs/flood/1/edges/src/end?start=earliest&live=1");
    await row("Messages", /^0:1499/).waitFor();
    await shows(1000);
    await page.getByText("500 older ones let go").waitFor();
    await press("Pause");
  },
};
