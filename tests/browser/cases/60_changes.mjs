// SPDX-License-Identifier: MIT
//
// 60_changes.mjs - what a run's YAML has that the one of the run before had not.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dagrun, dir, open, page } from "../harness.mjs";

export default {
  async "the changes of the YAML since the run before are shown as lines that came and went"() {
    const yaml = readFileSync(join(dir, "small.yaml"), "utf8");
    writeFileSync(join(dir, "small.yaml"), yaml.replace("count: 3", "count: 4"));
    dagrun("start", "--fresh", join(dir, "small.yaml"));
    const { run } = JSON.parse(dagrun("show", "small", "--json"));
    await open(`runs/small/${run}`);
    await page.getByText(`Changes since small@${run - 1}`).click();
    await page.locator(".changes .bad", { hasText: "- " }).waitFor();
    assert.match(await page.locator(".changes .bad").textContent(), /^- .*count: 3/);
    assert.match(await page.locator(".changes .good").textContent(), /^\+ .*count: 4/);
  },
};
