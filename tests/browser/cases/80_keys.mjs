// SPDX-License-Identifier: MIT
//
// 80_keys.mjs - everything by keys alone.
import assert from "node:assert/strict";
import { box, open, page } from "../harness.mjs";

export default {
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
};
