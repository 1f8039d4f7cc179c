import assert from "node:assert/strict";
import fc from "fast-check";
import { statistics } from "./statistics.ts";

Deno.test("statistics() passes over NaN and what lies outside the range", () => {
  const values = Float64Array.of(-100, NaN, 2, 1, NaN, 4.5, 100);
  assert.deepEqual(statistics(values, 1, 5), { avg: 2.5, min: 1, max: 4.5 });
});

Deno.test("statistics() is NaN where there is no value", () => {
  const none = { avg: NaN, min: NaN, max: NaN };
  assert.deepEqual(statistics(Float64Array.of(1, NaN, NaN), 1, 2), none);
  assert.deepEqual(statistics(Float64Array.of(1), 0, 0), none);
});

Deno.test("statistics() equals a plain sum from left to right", () => {
  const value = fc.oneof(
    fc.constant(NaN),
    fc.double({ noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      const present = values.filter((v) => !Number.isNaN(v));
      fc.pre(present.length > 0);
      const got = statistics(Float64Array.from(values), 0, values.length);
      const sum = present.reduce((a, b) => a + b, 0);
      assert.equal(got.avg, sum / present.length);
      assert.equal(got.min + 0, Math.min(...present) + 0);
      assert.equal(got.max + 0, Math.max(...present) + 0);
    }),
  );
});
