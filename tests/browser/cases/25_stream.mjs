// SPDX-License-Identifier: MIT
//
// 25_stream.mjs - the page is told what changes, and asks when it is not.
import assert from "node:assert/strict";
import { box, dagrun, figure, open, page, run, until } from "../harness.mjs";

const asked = [];
const note = (request) => asked.push(new URL(request.url()).pathname);
const isStream = (request) => request.url().includes("/api/v1/events");

/* One more record, seen in the page. */
async function seesOneMore() {
  const before = await figure("calc", 3);
  dagrun("send", "arithmetic/ask", "1", "2", "sum");
  await until(async () => (await figure("calc", 3)) > before, "calc takes one more");
}

export default {
  async "counts move by the stream alone, and without one by questions"() {
    page.on("request", note);
    await open(run);
    await box("calc").waitFor();
    const roundAsks = async () => {
      asked.length = 0;
      await seesOneMore();
      return asked.some((path) => path.endsWith("/status"));
    };
    await until(async () => !(await roundAsks()), "a change that nobody asked for");
    await page.route("**/api/v1/events*", (route) => route.fulfill({ status: 503, body: "full" }));
    await page.reload();
    await box("calc").waitFor();
    assert.ok(await roundAsks(), "a stream that was refused");
    await page.unroute("**/api/v1/events*");
    page.off("request", note);
  },

  async "a tab that nobody sees has no stream, and goes on when it is seen"() {
    const show = (hidden) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    const begun = page.waitForRequest(isStream);
    await page.reload();
    await begun;
    await box("calc").waitFor();
    await seesOneMore();
    const over = page.waitForEvent("requestfailed", { predicate: isStream });
    await show(true);
    await over;
    const again = page.waitForRequest(isStream);
    await show(false);
    assert.match((await again).url(), /dag=arithmetic&last_event_id=\w+-\d+$/);
    await seesOneMore();
  },

  async "a runner that says nothing is told of, and so is its next word"() {
    const { pid } = JSON.parse(dagrun("show", "arithmetic@last", "--json"));
    await open(run);
    await box("calc").waitFor();
    process.kill(pid, "SIGSTOP");
    try {
      await page.getByText("Its runner has said nothing since").waitFor();
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await page.getByText("Its runner has said nothing since").waitFor({ state: "detached" });
  },
};
