// SPDX-License-Identifier: MIT
//
// 30_logs.mjs - the logs of a run.
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { dagrun, home, HOSTILE, isUnharmed, open, page, run, until } from "../harness.mjs";

export const places = { logs: `${run}/logs?node=right` };

export default {
  async "the tail of a log follows, and what is hostile in it is text"() {
    await open(`${run}/logs?node=right`);
    const log = page.getByRole("region", { name: "Lines of the log" });
    await log.getByText("is ::: 7").waitFor();
    dagrun("send", "arithmetic/ask", "40", "2", "sum");
    await log.getByText("is ::: 42").waitFor();
    appendFileSync(join(home, "runs/arithmetic@1/right.0.1.log"), `\u001b[31m${HOSTILE}\u001b[0m\n`);
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
      appendFileSync(join(home, "runs/arithmetic@1/left.0.1.log"), `${lines}\n`);
    }
    appendFileSync(join(home, "runs/arithmetic@1/left.0.1.log"), "the last line\n");
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
};
