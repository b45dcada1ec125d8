// SPDX-License-Identifier: MIT
//
// 45_audit.mjs - who did what, for an admin.
import { asViewer, HOSTILE, isUnharmed, open, page, run, row, until } from "../harness.mjs";

export const places = { audit: "audit" };

const post = (place, body) => page.evaluate(
  ([url, text]) => fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: text }).then((answer) => answer.status),
  [`/api/v1/${place}`, JSON.stringify(body)],
);

export default {
  async "what was done, by whom and how it ended is listed, and what was said is text"() {
    await open(run);
    await post("dags/arithmetic/pause", { node: HOSTILE });
    await open("audit");
    await row("Audit", "pause").getByText(HOSTILE).waitFor();
    await row("Audit", "pause").getByText("refused").first().waitFor();
    await row("Audit", "start").getByText("pid ").first().waitFor(); // of a command
    await isUnharmed();
    await page.getByLabel("Dag").pressSequentially("sm");
    await post("dags/arithmetic/pause", { node: "none" });
    await row("Audit", "arithmetic/none").waitFor(); // what is typed stays meanwhile
    await page.keyboard.type("all");
    await page.keyboard.press("Enter");
    await until(() => page.url().includes("dag=small"), "the filter in the address");
    await row("Audit", "pause").waitFor({ state: "detached" });
    await row("Audit", "small").first().waitFor();
  },

  async "only an admin sees it"() {
    await asViewer("audit", (other) => other.getByText("This needs the role admin; vera is viewer.").waitFor());
  },
};
