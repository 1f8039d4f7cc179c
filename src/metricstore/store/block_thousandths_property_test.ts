/**
 * Blocks read as thousandths say what the same blocks say as float64, or that
 * they cannot.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  BLOCK_SLACK,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "./block_codec.ts";
import { decodeThousandths, GAP } from "./block_thousandths.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

/** Whether it is a decimal of three places that fits 32 bits. */
function isThousandth(value: number): boolean {
  if (Number.isNaN(value)) return true;
  const integer = Math.round(value * 1000);
  return Math.abs(integer) < 2 ** 31 - 1 && integer / 1000 === value &&
    !Object.is(value, -0);
}

const decimals = fc.constantFrom(0, 1, 2, 3).chain((places) =>
  fc.tuple(
    fc.integer({ min: -2_000_000, max: 2_000_000 }),
    fc.constantFrom(1, 7, 300, 40_000),
    fc.constantFrom(1, 1, 250, 4096),
  ).map(([least, span, step]) =>
    fc.integer({ min: 0, max: span }).map((n) =>
      (least + n * step) / 10 ** places
    )
  )
);
const noise = fc.constantFrom(NaN, NaN, 99.25, -1e6, 1 / 3, -0, 1e10, 2147483);

const block = fc.tuple(
  decimals,
  fc.constantFrom(0, 0, 0, 30, 300),
  fc.constantFrom(64, 64, 64, 128, 17),
).chain(([kind, noisePermille, slots]) =>
  fc.array(
    fc.tuple(kind, noise, fc.integer({ min: 0, max: 999 })).map((
      [value, other, draw],
    ) => draw < noisePermille ? other : value),
    { minLength: slots, maxLength: slots, size: "max" },
  )
);

Deno.test("decodeThousandths() gives what decodeBlock() does, or that a value is no thousandth", () => {
  const seen = { integers: 0, refused: 0 };
  fc.assert(
    fc.property(block, fc.nat(), fc.nat(), (values, a, b) => {
      const slots = values.length;
      const view = new DataView(
        new SharedArrayBuffer(blockBytesMax(slots) + BLOCK_SLACK),
      );
      encodeBlock(Float64Array.from(values), 0, slots, view);
      const limits = [a, b].map((n) => n % (slots + 1));
      const first = Math.min(...limits);
      const end = Math.max(...limits);
      const floats = new Float64Array(end - first);
      decodeBlock(view, 0, first, end, floats, 0);
      const out = new Int32Array(end - first + 2).fill(7);
      if (!decodeThousandths(view, 0, first, end, out, 1)) {
        assert.ok(!floats.every(isThousandth));
        seen.refused++;
        return;
      }
      seen.integers++;
      const read = [...out].map((n) => n === GAP ? NaN : n / 1000);
      assert.deepEqual(read, [0.007, ...floats, 0.007]);
    }),
    { numRuns: fuzzRuns(2000) },
  );
  assert.ok(seen.integers > 100 && seen.refused > 100, JSON.stringify(seen));
});
