// SPDX-License-Identifier: MIT
//
// 60_hostile.mjs - markup, scripts, escapes and marks of direction in everything that comes
// from data: the pages show them as text, and nothing of it happens.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dagrun, dir, isUnharmed, open, page, row } from "../harness.mjs";

const MARKUP = `<img src=x onerror=window.hit=1>"'><script>window.hit=1</script><svg onload=window.hit=1> javascript:window.hit=1`;
const EVIL = `${MARKUP} \u001b]0;t\u0007\u001b[5m\u009b5m\u007f\u202eturned\u2066 end`;
const NAME = EVIL.replaceAll("/", "");
const ACTS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

let dialogs = 0;
let ended = null;

/* A run whose names of files, arguments, records, keys, headers, logs and last words are evil. */
function begin() {
  if (ended) return;
  page.on("dialog", (dialog) => {
    dialogs++;
    dialog.dismiss();
  });
  const words = JSON.stringify(EVIL);
  writeFileSync(join(dir, "evil.jsonl"), `${JSON.stringify({ k: EVIL, n: 1 })}\n`);
  writeFileSync(join(dir, "evil.txt"), Buffer.concat([Buffer.from(`${EVIL}\n`), Buffer.from([0xff, 0xfe, 10])]));
  writeFileSync(
    join(dir, "evil.sh"),
    `#!/bin/sh
cd "$(dirname "$0")"
if [ "$1" = --describe ]; then echo '{"abi":1,"name":"x","kind":"source","doc":"","args":{"usage":"","min":0,"max":0},"options":[],"any_option":false}'; exit; fi
until grep -qs window.hit "$DAGRUN_HOME"/runs/evil@*/out.0.1.log; do sleep 0.1; done
cat evil.txt >&2
exit 100
`,
  );
  chmodSync(join(dir, "evil.sh"), 0o755);
  const file = join(dir, `${NAME}.yaml`);
  writeFileSync(
    file,
    `# \u202e${MARKUP}
name: evil
nodes:
  ask:  {program: producer, args: [5, 2, ${words.replaceAll("\u007f", "\\u007f").replaceAll("\u009b", "\\u009b")}]}
  calc: {program: arithmetic, from: ask}
  seen: {program: print, from: calc}
  say:  {program: lines, with: {path: evil.jsonl, key: k}}
  out:  {program: print, from: say}
  bad:  {program: ./evil.sh}
  end:  {program: print, from: bad}
`,
  );
  try {
    dagrun("start", file);
  } catch (error) {
    ended = String(error.stderr); // it fails, as it should
  }
  assert.match(ended, /bad\.0 failed/);
}

/* The page shows the text, and only as text. */
async function shows(place, ...texts) {
  await open(place);
  for (const text of texts) await page.getByText(text).first().waitFor();
  await isUnharmed();
  assert.equal(dialogs, 0, "a dialog was opened");
  assert.equal(await page.locator("main svg[onload], main [onerror], main a[href^='javascript:' i]").count(), 0);
  const shown = await page.evaluate(() => document.body.textContent + document.title);
  assert.ok(shown.includes("onerror=window.hit"), `${place} shows it`);
  const at = shown.search(ACTS);
  assert.equal(at, -1, `${place} has U+${shown.charCodeAt(at).toString(16)} after ${shown.slice(at - 40, at)}`);
}

export default {
  async "names of files, errors, reasons, events and last words are text on the pages of a run"() {
    begin();
    await shows("dags", "onerror=window.hit");
    await shows("runs/evil/1", "turned");
    await row("Dead letters", "onerror=window.hit").waitFor();
    await row("Attempts", "bad.0").filter({ hasText: "onerror=window.hit" }).first().waitFor();
    await page.getByText("YAML as it was").click();
    await page.locator("details pre").getByText(MARKUP).first().waitFor();
    await shows("runs/evil/1/nodes/bad", "Last words of bad.0");
    await shows("runs/evil/1/nodes/calc", "unknown operation");
    await shows("runs/evil/1/logs?node=bad", "onerror=window.hit");
    await shows("runs/evil/1/logs?node=out", "onerror=window.hit");
  },

  async "keys, values and headers of messages are text"() {
    begin();
    await shows("runs/evil/1/edges/say/out?show=0:0", "onerror=window.hit");
    await page.getByRole("heading", { name: "Message 0:0" }).waitFor();
    await page.getByRole("region", { name: "Value" }).getByText("onerror=window.hit").waitFor();
    for (const form of ["As it is", "Hex", "JSON"]) {
      await page.getByRole("button", { name: form, exact: true }).click();
      await isUnharmed();
    }
    await shows("runs/evil/1/edges/calc/dlq?show=0:0", "dagrun-reason");
    await row("Headers", "onerror=window.hit").waitFor();
    await shows("dags/evil/dead?node=calc", "unknown operation");
    await page.getByRole("region", { name: "Letters" }).getByRole("link").first().click();
    await page.getByRole("region", { name: "Value" }).getByText("onerror=window.hit").waitFor();
    await isUnharmed();
  },

  async "what an address says is text"() {
    const word = encodeURIComponent(EVIL);
    for (const place of [
      `runs/evil/1/edges/${word}/${word}`,
      `runs/evil/1/edges/say/out?start=time&at=${word}`,
      `runs/evil/1/edges/say/out?where=${word}&contains=${word}`,
      `runs/${word}/${word}`,
      `runs/evil/1/nodes/${word}`,
      `runs/evil/1/logs?node=${word}&filter=${word}`,
      `runs?dag=${word}&state=${word}`,
    ]) {
      await open(place);
      await page.locator("[role=alert], .failure, p.dim, input").first().waitFor();
      await isUnharmed();
    }
    assert.equal(dialogs, 0, "a dialog was opened");
    await open("");
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  },
};
