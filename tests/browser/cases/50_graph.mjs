// SPDX-License-Identifier: MIT
//
// 50_graph.mjs - a graph of a thousand nodes: what is in the document stays small, and every
// node is found, reached and seen. What it took is printed, nothing depends on it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { home, open, page, root, until } from "../harness.mjs";

const NODES = 1000;
const place = "runs/big/1";
export const places = { big: place };

const boxes = () => page.locator("a.box").count();
const elements = () => page.locator(".frame *").count();
const focused = () => page.evaluate(() => document.activeElement.dataset?.node);

export default {
  async "a graph of a thousand nodes is drawn as far as it is seen"() {
    execFileSync("python3", [join(root, "tests/support/fill_history.py"), join(home, "history.db"), "graph", String(NODES)]);
    const begin = Date.now();
    await open(place);
    await page.locator("a.box").first().waitFor();
    console.log(`${NODES} nodes: ${Date.now() - begin} ms to the first boxes`);
    assert.ok((await boxes()) < 100, `${await boxes()} boxes in the document`);
    assert.ok((await page.locator("main *").count()) < 6000, `tables are bounded, too: ${await page.locator("main *").count()} elements`);
    await page.getByText("900 more").first().waitFor();
  },

  async "a node is searched, and keys go from one to the next"() {
    await page.keyboard.press("/");
    await page.keyboard.type("n400");
    await page.keyboard.press("Enter");
    await until(async () => (await focused()) === "n400", "the node that was searched");
    await page.locator("a.box", { hasText: "n400" }).first().waitFor();
    await page.keyboard.press("ArrowLeft");
    await until(async () => (await focused()) === "n133", "the node that it reads");
    await page.keyboard.press("ArrowRight");
    await until(async () => (await focused()) === "n400", "back along the line");
    await page.keyboard.press("ArrowDown");
    await until(async () => (await focused()) && (await focused()) !== "n400", "the one below");
    assert.ok((await boxes()) < 100);
    await page.keyboard.press("/");
    await page.getByLabel("Find a node").fill("no such node");
    await page.keyboard.press("Enter");
    assert.equal(await page.getByLabel("Find a node").evaluate((field) => field.validity.valid), false);
    await page.getByLabel("Find a node").fill("");
  },

  async "all of it is seen from afar, and the map leads anywhere"() {
    const begin = Date.now();
    await page.getByRole("button", { name: "All of it" }).click();
    await until(async () => (await boxes()) === NODES, "all boxes");
    console.log(`${NODES} nodes: ${Date.now() - begin} ms to all of them, ${await elements()} elements`);
    assert.ok((await elements()) < 3.2 * NODES, "a box from afar is a link, its name and a rectangle");
    await page.getByRole("button", { name: "Fit" }).click();
    await until(async () => (await boxes()) < 100, "only what is seen");
    const map = await page.locator("svg.map").boundingBox();
    const before = await page.locator(".frame").evaluate((frame) => frame.scrollTop);
    await page.mouse.click(map.x + map.width / 2, map.y + map.height * 0.9);
    await until(async () => (await page.locator(".frame").evaluate((frame) => frame.scrollTop)) !== before, "the frame moves");
    await until(async () => (await boxes()) > 0, "boxes there");
    const frame = page.locator(".frame");
    const top = await frame.evaluate((box) => box.scrollTop);
    const area = await frame.boundingBox();
    await page.mouse.move(area.x + area.width - 20, area.y + 20);
    await page.mouse.down();
    await page.mouse.move(area.x + area.width - 20, area.y + 120, { steps: 4 });
    await page.mouse.up();
    await until(async () => (await frame.evaluate((box) => box.scrollTop)) < top, "it is dragged");
  },
};
