// SPDX-License-Identifier: MIT
//
// 30_logs.mjs - the logs of a run.
import assert from "node:assert/strict";
import { appendFileSync, statSync } from "node:fs";
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

  async "a log with lines is opened, and lines that come undo nothing"() {
    await open(`${run}/logs`);
    const log = page.getByRole("region", { name: "Lines of the log" });
    await log.getByText(/./).first().waitFor();
    const name = await page.locator("main select").first().locator("option:checked").textContent();
    const [, client, attempt] = /^(.+), attempt (\d+)$/.exec(name);
    const file = join(home, `runs/arithmetic@1/${client}.${attempt}.log`);
    const place = page.getByLabel("Place");
    await place.evaluate((range) => {
      range.value = "300"; // in the hand of somebody who drags it
      range.dispatchEvent(new Event("input", { bubbles: true }));
    });
    appendFileSync(file, "one more line\n");
    await log.getByText("one more line").waitFor();
    assert.equal(await place.inputValue(), "300");
    assert.ok(await page.getByLabel("Follow").isChecked());
    await log.evaluate((box) => getSelection().selectAllChildren(box.querySelector("pre")));
    await until(async () => !(await page.getByLabel("Follow").isChecked()), "what is chosen to be copied stays");
    await page.getByLabel("Follow").check();
  },

  async "a log of a million lines leaves the document small, from its begin to its end"() {
    const file = join(home, "runs/arithmetic@1/left.0.1.log");
    for (let i = 0; i < 100; i++) {
      const lines = Array.from({ length: 10000 }, (_, k) => `line ${i * 10000 + k} of a long log`);
      appendFileSync(file, `${lines.join("\n")}\n`);
    }
    appendFileSync(file, "2026-01-02T03:04:05Z error the last line\n  at main.c:7\ninfo no end of it");
    const log = page.getByRole("region", { name: "Lines of the log" });
    const text = () => log.locator("pre").textContent();
    const isSmall = async () => assert.ok((await text()).split("\n").length < 200, "only lines in sight are in the document");
    await open(`${run}/logs?node=left`);
    await log.getByText("info no end of it").waitFor();
    await isSmall();
    await page.getByRole("button", { name: "Begin" }).click();
    await log.getByText("line 0 of a long log").waitFor();
    await isSmall();
    assert.equal(await page.getByLabel("Follow").isChecked(), false);
    for (let i = 0; i < 6; i++) {
      const before = await text();
      await log.evaluate((box) => (box.scrollTop = box.scrollHeight));
      await until(async () => (await text()) !== before, "later lines come by themselves");
    }
    await isSmall();
    await page.getByText(/^\d{4,5} lines shown, bytes \d+/).waitFor();
    await page.getByLabel("Place").fill("500");
    await until(async () => /line (49|50)\d{4} of/.test(await text()), "the middle of it");
    await page.getByRole("button", { name: "Earlier lines" }).click();
    await page.getByRole("button", { name: "End" }).click();
    await log.getByText("error the last line").waitFor();
    await isSmall();
  },

  async "a log is searched as a whole, wrapped, reduced to a level and taken away"() {
    await open(`${run}/logs?node=left`);
    const log = page.getByRole("region", { name: "Lines of the log" });
    await log.getByText("error the last line").waitFor();
    await page.getByText("Search all of it").click();
    await page.getByLabel("Text in a line").fill("LINE 123456 of");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByText("1 line has “LINE 123456 of”").waitFor();
    await page.getByRole("list", { name: "Lines found" }).getByRole("button").click();
    await until(async () => (await log.locator("pre").textContent()).includes("line 123456 of"), "the line that was found");
    await page.getByLabel("Wrap").check();
    await until(async () => (await log.locator("pre.wrap").textContent()).includes("line 123456 of"), "the line, wrapped");
    assert.ok((await log.locator("pre").textContent()).split("\n").length <= 300);
    await page.getByLabel("Wrap").uncheck();
    await page.getByRole("button", { name: "End" }).click();
    await page.getByLabel("Level").selectOption("error");
    await page.getByText(/^2 lines of \d+ shown/).waitFor();
    assert.equal(await log.locator("pre").textContent(), "2026-01-02T03:04:05Z error the last line\n  at main.c:7");
    await page.getByLabel("Times").uncheck();
    await log.getByText(/^error the last line/).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download all of it" }).click()]);
    assert.equal(download.suggestedFilename(), "arithmetic-left.0.1.log");
    assert.equal(statSync(await download.path()).size, statSync(join(home, "runs/arithmetic@1/left.0.1.log")).size);
  },
};
