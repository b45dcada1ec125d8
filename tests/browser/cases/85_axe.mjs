// SPDX-License-Identifier: MIT
//
// 85_axe.mjs - every page, light and dark, wide and narrow: axe, width, a picture of it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe, open, page, PHONE, places, SHOTS, WIDE } from "../harness.mjs";

export default {
  async "axe finds nothing, light and dark, wide and narrow; nothing is cut off"() {
    for (const [name, place] of Object.entries(places)) {
      for (const size of [WIDE, PHONE]) {
        for (const colorScheme of ["light", "dark"]) {
          await page.setViewportSize(size);
          await page.emulateMedia({ colorScheme });
          await open(place);
          await page.locator("main table:visible, main .log").first().waitFor();
          await page.screenshot({ path: join(SHOTS, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run());
          const found = violations.map((v) => `${v.id}: ${v.nodes[0].html}`);
          assert.deepEqual(found, [], `${name}, ${size.width} px, ${colorScheme}`);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= size.width, `${name} is ${width} px wide`);
        }
      }
    }
    await page.setViewportSize(WIDE);
  },
};
