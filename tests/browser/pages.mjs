// SPDX-License-Identifier: MIT
//
// pages.mjs [CASE…] - the pages of dagrun web in a real browser: the files of cases/ in the
// order of their names (or those that are named, as "logs" or "30_logs"), on one server.
//
// A file of cases exports its tests by name, and places for axe to look at if it has any:
//     export const places = { edge: `${run}/edges/ask` };
//     export default { async "a name is a sentence"() { … } };
// cmake names the program in DAGRUN, the browser in CHROMIUM, the folder of the packages in
// MODULES; screenshots go to SHOTS.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { begin, end, page, places, SHOTS } from "./harness.mjs";

const wanted = process.argv.slice(2);
const isWanted = (file) => !wanted.length || wanted.some((name) => file === `${name}.mjs` || file.endsWith(`_${name}.mjs`));
const folder = fileURLToPath(new URL("cases/", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".mjs") && isWanted(file)).sort();

async function tests() {
  const all = [];
  for (const file of files) {
    const cases = await import(join(folder, file));
    Object.assign(places, cases.places);
    for (const [name, test] of Object.entries(cases.default)) all.push([name, test, file]);
  }
  return all;
}

let failures = 0;
async function check([name, test, file]) {
  try {
    await test();
    console.log(`ok: ${name}`);
  } catch (error) {
    failures++;
    console.log(`failed: ${file}: ${name}\n${error.stack}`);
    if (page) await page.screenshot({ path: join(SHOTS, `failed-${failures}.png`) }).catch(() => {});
  }
}

const all = await tests();
try {
  await begin();
  for (const one of all) await check(one);
} finally {
  await end();
}
console.log(`Checks: ${all.length}, Failures: ${failures}, Errors: 0`);
process.exit(failures || !all.length ? 1 : 0);
