import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { NumberText, parseFirst } from "./first_json_value.ts";

Deno.test("parseFirst leaves out nulls and keeps gaps in lists", () => {
  const body =
    '{"a":null,"b":[1,null,{"c":null,"d":2}],"__proto__":null,"e":"null"} x';
  const want = { b: [1, , { d: 2 }], e: "null" };
  assert.deepEqual(parseFirst(body), want);
  assert.equal(parseFirst(" null"), undefined);
});

Deno.test("parseFirst marks whole numbers that are not written as integers", () => {
  for (const text of ["1.0", "1e3", "-1E2", "9007199254740992"]) {
    const value = parseFirst(`[${text}]`) as NumberText[];
    assert.deepEqual(value, [new NumberText(Number(text), text)]);
  }
  for (const text of ["0", "-0", "-7", "999999999999999", "9007199254740991"]) {
    assert.deepEqual(parseFirst(`[${text}]`), [Number(text) + 0]);
  }
  assert.deepEqual(parseFirst("[0.5,true,false]"), [0.5, true, false]);
});

Deno.test("parseFirst finds the end of strings with quotes and backslashes", () => {
  const texts = fc.array(fc.constantFrom('"', "\\", "}", "a", "\n", "\u2028"));
  fc.assert(
    fc.property(texts, texts, (key, value) => {
      const want = { [key.join("")]: value.join("") };
      assert.deepEqual(parseFirst(`${JSON.stringify(want)}"}`), want);
    }),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("parseFirst takes plain bodies for the same as those it marks", () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.oneof(fc.nat(), fc.integer(), fc.maxSafeInteger()).map((n) => n + 0),
      fc.string({ unit: "binary" }),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (one) => {
      const json = JSON.stringify(one);
      // The fraction beside it makes the parser look at every value.
      const marked = parseFirst(`{"one":${json},"other":0.5}`);
      assert.deepEqual(parseFirst(`{"one":${json}}`), omitOther(marked));
    }),
    { numRuns: fuzzRuns(500) },
  );
});

function omitOther(value: unknown): unknown {
  const { other, ...rest } = value as { other: number };
  assert.equal(other, 0.5);
  return rest;
}
