// SPDX-License-Identifier: MIT
//
// 10_session.mjs - who gets in, and with what.
import assert from "node:assert/strict";
import { browser, web } from "../harness.mjs";

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
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByText("this is not the token").waitFor();
    await other.getByLabel("Token").fill(web.token);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("link", { name: "arithmetic@1" }).first().waitFor();
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.getByLabel("Token").waitFor();
    await context.close();
  },
};
