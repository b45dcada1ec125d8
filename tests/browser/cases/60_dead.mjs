// SPDX-License-Identifier: MIT
//
// 60_dead.mjs - dead letters: grouped, one with its record, sent again after the fix, dropped.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asViewer, dagrun, dir, HOSTILE, isUnharmed, open, page, PHONE, row, until, WIDE } from "../harness.mjs";

/** dead: groups, the letters of one node and one letter. */
export const places = { dead: "dags/letters/dead?node=work&state=any&show=0:0" };

const file = join(dir, "letters.yaml");
const input = join(dir, "letters.txt");
const output = join(dir, "letters.out");
const graph = (work) => `name: letters
nodes:
  src: {program: lines, with: {path: letters.txt, follow: true}}
  work: {program: ${work}, from: src}
  end: {program: file, from: work, with: {path: letters.out}}
`;
const lines = () => (existsSync(output) ? readFileSync(output, "utf8").split("\n").filter(Boolean) : []);
const group = () => row("Reasons", "work").first();
const cell = async (column) => (await group().locator("td").nth(column).textContent()).trim();
const [OPEN, REPLAYED, DROPPED] = [3, 4, 5];

async function counts(open_, replayed, dropped) {
  await until(
    async () => (await cell(OPEN)) === open_ && (await cell(REPLAYED)) === replayed && (await cell(DROPPED)) === dropped,
    `${open_} open, ${replayed} replayed, ${dropped} dropped`,
  );
}

const dialog = () => page.getByRole("dialog");
const press = (scope, name) => scope.getByRole("button", { name, exact: true }).click();

export default {
  async "a run that leaves dead letters leads to them, with the record as it was"() {
    writeFileSync(input, `no object 1\n${HOSTILE}\nno object 3\nno object 4\n`);
    writeFileSync(file, graph("set, with: {via: work}"));
    dagrun("start", "-d", file);
    await until(() => JSON.parse(dagrun("dlq", "list", "letters", "--json")).open === 4, "four dead letters");
    await open("runs/letters/1");
    await page.getByRole("link", { name: "Look at them, send them again or drop them" }).click();
    await page.getByRole("heading", { name: "Dead letters of letters" }).waitFor();
    await counts("4", "0", "0");
    await page.setViewportSize(PHONE);
    for (const name of ["Replay…", "Drop…"]) {
      const { x, width } = await group().getByRole("button", { name }).boundingBox();
      assert.ok(x >= 0 && x + width <= PHONE.width, `${name} is in sight on a phone`);
    }
    await page.setViewportSize(WIDE);
    await group().getByRole("link").first().click();
    await row("Letters", "no object 1").getByRole("link").click();
    const letter = page.locator("section.message");
    await letter.getByRole("heading", { name: "Dead letter work 0:0" }).waitFor();
    await letter.getByText("letters.src.work 0:0").waitFor();
    await letter.getByText("dagrun-reason").waitFor();
    await letter.locator("pre").filter({ hasText: "no object 1" }).waitFor();
    await row("Letters", "<img").getByRole("link").click();
    await letter.getByRole("heading", { name: "Dead letter work 0:1" }).waitFor();
    await isUnharmed();
    await press(letter, "Close");
  },

  async "who may not act reads why"() {
    await asViewer("dags/letters/dead", async (other) => {
      await other.getByText("This needs the role operator; vera is viewer.").waitFor();
      assert.ok(await other.getByRole("button", { name: "Replay…" }).first().isDisabled());
    });
  },

  async "after the fix one, some and all are sent again: none is open, and they come out"() {
    dagrun("stop", "letters");
    writeFileSync(file, graph("copy"));
    dagrun("start", "-d", file);
    await open("dags/letters/dead?node=work");
    await page.getByText("None is chosen.").waitFor();
    await page.getByLabel("Choose letter 0:0").check();
    const chosen = page.getByRole("group", { name: "The 1 chosen letters" });
    await press(chosen, "Replay…");
    await dialog().getByText("1 dead letter will be sent to their node again").waitFor();
    await press(dialog(), "Leave it");
    await counts("4", "0", "0");
    await press(chosen, "Replay…");
    await press(dialog(), "Replay 1");
    await counts("3", "1", "0");
    await page.getByText("1 dead letter sent again; the run takes them.").waitFor();
    await until(() => lines().length === 1, "the first record comes out");

    await open("dags/letters/dead?node=work&show=0:3");
    await press(page.getByRole("group", { name: "This letter" }), "Drop…");
    await dialog().getByLabel("Why (kept with the letters)").fill("of no use");
    await press(dialog(), "Drop 1");
    await counts("2", "1", "1");

    await group().getByRole("button", { name: "Replay…" }).focus();
    await page.keyboard.press("Enter");
    await dialog().getByText("2 dead letters will be sent").waitFor();
    await page.keyboard.press("Tab");
    await press(dialog(), "Replay 2");
    await counts("0", "3", "1");
    assert.ok(await group().getByRole("button", { name: "Replay…" }).isDisabled(), "nothing is left to replay");
    await until(() => lines().length === 3, "all three come out");
    assert.deepEqual(lines().sort(), [HOSTILE, "no object 1", "no object 3"].sort());
    await open("dags/letters/dead?node=work&state=dropped&show=0:3");
    await page.getByText("of no use").first().waitFor();
    dagrun("stop", "letters");
  },
};
