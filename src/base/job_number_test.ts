import assert from "node:assert/strict";
import {
  jobNumber,
  jsonNumber,
  parseExact,
  parseJobNumber,
  stringifyExact,
} from "./job_number.ts";

const LONG = 9_007_199_254_740_993n;

Deno.test("jobNumber() is a number wherever that is exact", () => {
  assert.equal(jobNumber(5n), 5);
  assert.equal(jobNumber(2n ** 53n - 1n), 2 ** 53 - 1);
  assert.equal(jobNumber(2n ** 53n), 2n ** 53n);
  assert.equal(jobNumber(-(2n ** 63n)), -(2n ** 63n));
});

Deno.test("parseJobNumber() takes integers of 64 bits and nothing else", () => {
  assert.equal(parseJobNumber("12"), 12);
  assert.equal(parseJobNumber("9007199254740993"), LONG);
  assert.equal(parseJobNumber("9223372036854775807"), 2n ** 63n - 1n);
  assert.equal(parseJobNumber("-9223372036854775808"), -(2n ** 63n));
  for (
    const wrong of [
      ...["", "1.0", "1e3", " 1", "0x1", "+1", "9223372036854775808"],
      ...["-9223372036854775809", "1".repeat(40)],
    ]
  ) {
    assert.equal(parseJobNumber(wrong), undefined, wrong);
  }
});

Deno.test("parseExact() and stringifyExact() keep every digit of an id", () => {
  const text = `{"jobId":${LONG},"short":5,"list":[-${LONG},1.5,1e300]}`;
  const value = parseExact(text);
  assert.deepEqual(value, { jobId: LONG, short: 5, list: [-LONG, 1.5, 1e300] });
  assert.equal(
    stringifyExact(value),
    text.replace("1e300", "1e+300"),
  );
  assert.equal(
    JSON.stringify([jsonNumber(LONG), jsonNumber(7)]),
    `[${LONG},7]`,
  );
});
