import assert from "node:assert/strict";
import { MAX_LINE_ERRORS } from "../engine/metric_engine.ts";
import { BatchTally } from "./batch_tally.ts";

Deno.test("BatchTally.reject() makes no message that nobody is shown", () => {
  const tally = new BatchTally();
  let made = 0;
  for (let line = 1; line <= 1000; line++) {
    tally.reject(line, "syntax", () => `number ${++made}`);
  }
  assert.equal(made, MAX_LINE_ERRORS);
  assert.equal(tally.lines, 1000);
  assert.equal(tally.errors.length, MAX_LINE_ERRORS);
  assert.equal(tally.errors[9]?.message, "at line 10: number 10");
});
