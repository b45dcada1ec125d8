// SPDX-License-Identifier: MIT
//
// 10_session.mjs - who gets in, and with what.
import assert from "node:assert/strict";
import { browser, dagrun, run, web } from "../harness.mjs";

export default {
  async "the token of the address is traded for a cookie that no script sees"() {
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.goto(web.url);
    await other.getByRole("link", { name: "arithmetic@1" }).first().waitFor();
    assert.equal(await other.evaluate(() => location.hash), "#/");
    assert.equal(await other.evaluate(() => document.cookie), "");
    const [cookie] = await context.cookies();
    assert.equal(cookie.name, `dagrun_${web.port}`);
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict");
    assert.ok(!cookie.value.includes(web.token));
    await context.close();
  },

  async "without the token there is only the form for it"() {
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.goto(`${web.base}#/runs`);
    await other.getByLabel("Token").fill("0".repeat(64));
    await other.getByRole("button", { name: "Sign in", exact: true }).click();
    await other.getByText("this is not the token").waitFor();
    await other.getByLabel("Token").fill(web.token);
    await other.getByRole("button", { name: "Sign in", exact: true }).click();
    await other.getByRole("link", { name: "arithmetic@1" }).first().waitFor();
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.getByLabel("Token").waitFor();
    await context.close();
  },

  async "a user signs in with a password and is offered what the role may do"() {
    dagrun({ input: "vera's password\n" }, "web", "user", "add", "vera", "--role", "viewer");
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.goto(`${web.base}#/${run}`);
    await other.getByLabel("User").fill("vera");
    await other.getByLabel("Password").fill("not vera's");
    await other.getByRole("button", { name: "Sign in as a user" }).click();
    await other.getByText("there is no such user with this password").waitFor();
    await other.getByLabel("Password").fill("vera's password");
    await other.getByRole("button", { name: "Sign in as a user" }).click();
    await other.getByText("This needs the role operator; vera is viewer.").first().waitFor();
    assert.ok(await other.getByRole("button", { name: "Stop…" }).isDisabled());
    await other.getByText("vera, viewer").waitFor();
    dagrun({ input: "vera's password\n" }, "web", "user", "role", "vera", "operator");
    await other.getByLabel("User").waitFor(); // the session has ended
    await other.getByLabel("User").fill("vera");
    await other.getByLabel("Password").fill("vera's password");
    await other.getByRole("button", { name: "Sign in as a user" }).click();
    await other.getByText("vera, operator").waitFor();
    assert.ok(await other.getByRole("button", { name: "Stop…" }).isEnabled());
    dagrun("web", "user", "remove", "vera");
    await context.close();
  },
};
