/** The JSON of answers: numbers and times as clients read them, in pieces of any place. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { formatTime, formatValue, JsonBody } from "./json_body.ts";

function textOf(body: JsonBody): string {
  const decoder = new TextDecoder();
  return body.end().map((chunk) => decoder.decode(chunk, { stream: true }))
    .join("") + decoder.decode();
}

Deno.test("formatValue() and formatTime() are those of the contract", () => {
  const values: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [NaN, "NaN"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
    [1e-6, "0.000001"],
    [1e-7, "1e-07"],
    [-1.5e-10, "-1.5e-10"],
    [1e20, "100000000000000000000"],
    [1e21, "1e+21"],
    [1e300, "1e+300"],
    [0.1 + 0.2, "0.30000000000000004"],
  ];
  for (const [value, text] of values) assert.equal(formatValue(value), text);
  const times: [number, string][] = [
    [0, "0"],
    [1500, "1.500"],
    [2000, "2"],
    [-1, "-0.001"],
    [-2000, "-2"],
    [1_700_000_000_123, "1700000000.123"],
  ];
  for (const [ms, text] of times) assert.equal(formatTime(ms), text);
});

Deno.test("JsonBody.addPoint() writes what the formats say, whatever the numbers", () => {
  const value = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.integer().map((number) => number / 1000),
    fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 1e-7, 1e21, 2 ** 53),
  );
  const time = fc.oneof(
    fc.integer({ min: -1e12, max: 4e12 }),
    fc.integer({ min: -1e9, max: 4e9 }).map((sec) => sec * 1000),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(time, value)), (points) => {
      const body = new JsonBody(1 << 30);
      points.forEach(([ms, one], i) => body.addPoint(ms, one, i === 0));
      assert.equal(
        textOf(body),
        points.map(([ms, one]) => `[${formatTime(ms)},"${formatValue(one)}"]`)
          .join(","),
      );
    }),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("JsonBody keeps texts whole over the ends of its pieces, and its bound", () => {
  const body = new JsonBody(1 << 30);
  let wanted = "";
  for (let i = 0; i < 40_000; i++) {
    const text = i % 1000 === 0 ? "€".repeat(20_000) : `${i}😀`;
    body.add(text);
    wanted += text;
  }
  assert.ok(body.chunks.length > 2);
  assert.equal(textOf(body), wanted);
  const small = new JsonBody(1000);
  assert.throws(() => {
    for (let i = 0; i < 100_000; i++) small.addPoint(i * 1000, i, false);
    small.end();
  }, {
    errorType: "execution",
    message: "the answer is larger than 1000 bytes",
  });
});
