import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeFrame,
  encodeFrame,
  type FrameAbout,
  type FrameArray,
  type FramePart,
} from "./frame.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const seconds = fc.integer({ min: 0, max: 2 ** 40 });

const values: fc.Arbitrary<FrameArray> = fc.oneof(
  fc.float32Array({ maxLength: 30 }),
  fc.float64Array({ maxLength: 30 }),
  fc.uint16Array({ maxLength: 30 }),
);

/** `-0` has no sign in JSON. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => value + 0);

const part: fc.Arbitrary<FramePart> = fc.record({
  about: fc.record({
    metric: text,
    host: text,
    scope: text,
    id: text,
    part: fc.constantFrom("min", "mean", "max", "age"),
    unit: fc.record({ base: text, prefix: text }, { requiredKeys: ["base"] }),
    stats: fc.record({ min: number, avg: number, max: number }),
    native: seconds,
    from: seconds,
    step: seconds,
  }, { requiredKeys: ["metric", "unit", "native"], noNullPrototype: true }),
  values,
}, { noNullPrototype: true });

const about: fc.Arbitrary<FrameAbout> = fc.record({
  from: seconds,
  step: seconds,
  points: seconds,
  nowSec: seconds,
  nextSec: seconds,
  errors: fc.array(
    fc.record({ metric: text, error: text }, { noNullPrototype: true }),
    { maxLength: 3 },
  ),
  read: fc.record({ series: seconds, samples: seconds, ms: seconds }, {
    noNullPrototype: true,
  }),
}, {
  requiredKeys: ["from", "step", "points", "nowSec", "errors", "read"],
  noNullPrototype: true,
});

function bytesOf(array: FrameArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

Deno.test("a frame that is read again is the frame that was written", () => {
  fc.assert(
    fc.property(about, fc.array(part, { maxLength: 5 }), (about, parts) => {
      const bytes = encodeFrame(about, parts);
      assert.equal(bytes.length % 8, 0);
      const { header, arrays } = decodeFrame(bytes);
      const { arrays: heads, ...rest } = header;
      assert.deepEqual(plain(rest), plain(about));
      assert.equal(arrays.length, parts.length);
      parts.forEach(({ about, values }, index) => {
        const { type, length, ...told } = heads[index]!;
        assert.deepEqual(plain(told), plain(about));
        assert.equal(length, values.length);
        assert.equal(type.startsWith("f"), !(values instanceof Uint16Array));
        const read = arrays[index]!;
        assert.equal(read.byteOffset % 8, 0);
        assert.equal(read.constructor, values.constructor);
        // Bit by bit, so that every NaN counts.
        assert.deepEqual(bytesOf(read), bytesOf(values));
      });
    }),
    { numRuns: fuzzRuns(200) },
  );
});

/** Prototypes aside. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const ABOUT: FrameAbout = {
  from: 60,
  step: 60,
  points: 2,
  nowSec: 200,
  errors: [],
  read: { series: 1, samples: 2, ms: 0 },
};

Deno.test("a part of an array is sent alone", () => {
  const values = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
  const about = { metric: "m", unit: { base: "" }, native: 60 };
  const { arrays } = decodeFrame(encodeFrame(ABOUT, [{ about, values }]));
  assert.deepEqual(arrays, [new Float32Array([2, 3])]);
});

Deno.test("what is no frame, or ends too early, is told", () => {
  const about = { metric: "m", unit: { base: "" }, native: 60 };
  const values = new Float64Array([1, 2]);
  const bytes = encodeFrame(ABOUT, [{ about, values }]);
  for (let length = 0; length < bytes.length; length += 8) {
    assert.throws(() => decodeFrame(bytes.slice(0, length)), RangeError);
  }
  const other = bytes.slice();
  other[0] = 0x3c;
  assert.throws(() => decodeFrame(other), /RSF1 is missing/);
});
