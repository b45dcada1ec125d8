// SPDX-License-Identifier: MIT
//
// 40_lists.mjs - dags, files and runs as lists.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dagrun, dir, HOSTILE, isUnharmed, open, page, row, until } from "../harness.mjs";

export const places = { dags: "dags", runs: "runs" };

export default {
  async "a file is started, and a broken one says where it is broken"() {
    await open("dags");
    const act = async (file) => {
      await row("Files", file).getByRole("button", { name: "Start…", exact: true }).click();
      await page.getByRole("dialog").getByText("is checked and started as it is now").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
    };
    await act("broken.yaml");
    await row("Files", "broken.yaml").getByText(/broken\.yaml:3:/).waitFor();
    await isUnharmed();
    await act("small.yaml");
    await row("Files", "small.yaml").getByText("small@2 runs").waitFor();
    await row("Dags", "small@2").waitFor();
    await row("Files", "small.yaml").getByRole("button", { name: "Restart…" }).click();
    await page.getByRole("dialog").getByText("is checked; its run ends").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Restart", exact: true }).click();
    await row("Files", "small.yaml").getByText("small@3 runs").waitFor();
    await row("Dags", "small@3").waitFor();
  },

  async "files are checked where they are, and a dag that never ran has a graph"() {
    await open("dags");
    await row("Files", "small.yaml").getByText("✓ 2 nodes, 1 edge").waitFor();
    const broken = row("Files", "broken.yaml");
    await broken.getByText(/^line 3, column \d+: node 'a': unknown key 'form'/).waitFor();
    await broken.locator("pre", { hasText: HOSTILE }).waitFor();
    await isUnharmed();
    await row("Files", "small.yaml").getByText("Graph").click();
    const picture = page.getByRole("img", { name: "The graph of small" });
    await until(() => picture.evaluate((img) => img.complete && img.naturalWidth > 100), "the picture");
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
    await row("Runs", "small@3").waitFor();
    await page.getByRole("link", { name: "Older" }).click();
    await row("Runs", "small@2").waitFor();
    await page.getByRole("link", { name: "Older" }).click();
    await row("Runs", "small@1").waitFor();
    await page.getByRole("link", { name: "Older" }).click();
    await row("Runs", "small@1").waitFor({ state: "detached" });
    await row("Runs", "arithmetic@1").waitFor();
    await page.getByRole("link", { name: "Newest" }).click();
    await row("Runs", "small@3").waitFor();
    await page.getByLabel("State").selectOption("running");
    await row("Runs", "arithmetic@1").waitFor();
    assert.match(page.url(), /state=running/);
    await page.reload();
    await row("Runs", "arithmetic@1").waitFor();
    assert.equal(await row("Runs", "small@3").count(), 0);
  },

  async "what is typed stays while the list below it changes"() {
    writeFileSync(join(dir, "new.yaml"), "name: new\nnodes:\n  src: {program: producer, with: {count: 1}}\n  end: {program: print, from: src}\n");
    await open("runs");
    await row("Runs", "small@3").waitFor();
    await page.getByLabel("Dag").pressSequentially("sm");
    dagrun("start", join(dir, "new.yaml"));
    await row("Runs", "new@1").waitFor();
    await page.keyboard.type("all");
    assert.equal(await page.getByLabel("Dag").inputValue(), "small");
    await page.keyboard.press("Enter");
    await page.waitForURL(/dag=small$/);
    await row("Runs", "new@1").waitFor({ state: "detached" });
    await row("Runs", "small@3").waitFor();
    await page.goBack();
    await row("Runs", "new@1").waitFor();
    assert.equal(await page.getByLabel("Dag").inputValue(), "", "the field follows the address");
  },
};
