// SPDX-License-Identifier: MIT
//
// 99_console.mjs - what the browser said meanwhile.
import assert from "node:assert/strict";
import { said } from "../harness.mjs";

export default {
  async "the browser had nothing to complain about"() {
    const bad = said.filter((text) => !/ERR_CONNECTION|Failed to load resource/.test(text));
    assert.deepEqual(bad, []);
  },
};
