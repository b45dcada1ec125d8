// SPDX-License-Identifier: MIT
//
// 90_end.mjs - the server goes away and comes back, then the run ends.
import assert from "node:assert/strict";
import { box, dagrun, figure, open, page, run, serveAgain, unserve, until } from "../harness.mjs";

export default {
  async "while the server is away the page says since when, and then goes on"() {
    await open(run);
    await box("calc").waitFor();
    await unserve();
    await page.getByText("stale since").waitFor();
    assert.equal(await page.locator("a.box").count(), 5, "the last word stays");
    await serveAgain();
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
};
