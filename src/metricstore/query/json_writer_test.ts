import assert from "node:assert/strict";
import fc from "fast-check";
import { GAP } from "../store/block_thousandths.ts";
import { JsonWriter } from "./json_writer.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

function collect(
  write: (writer: JsonWriter) => void,
  capacity?: number,
): string {
  const parts: Uint8Array[] = [];
  const writer = new JsonWriter((bytes) => parts.push(bytes.slice()), capacity);
  write(writer);
  const { written } = writer;
  writer.flush();
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  assert.equal(written, all.length);
  return new TextDecoder("utf-8", { fatal: true }).decode(all);
}

/** What must come back: no NaN or infinity. */
function asJson(values: readonly number[]): (number | null)[] {
  return values.map((value) => Number.isFinite(value) ? value : null);
}

function assertArray(values: readonly number[], capacity?: number): void {
  const padded = Float64Array.from([7.5, ...values, 8.5]);
  const text = collect((w) => w.array(padded, 1, values.length), capacity);
  // Strict: 0 and -0 differ.
  assert.deepEqual(JSON.parse(text), asJson(values));
}

/** All bit patterns alike: many exponents, denormals, NaNs. */
const anyDouble = fc.tuple(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
).map((words) => new Float64Array(Int32Array.from(words).buffer)[0]!);

const decimal = fc.tuple(
  fc.maxSafeInteger(),
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 22 }),
).map(([digits, shift, decimals]) =>
  Math.trunc(digits / 2 ** shift) / 10 ** decimals
);

const edge = fc.constantFrom(
  0,
  -0,
  Infinity,
  -Infinity,
  NaN,
  5e-324,
  -2.2250738585072014e-308,
  Number.MAX_VALUE,
  -1.2345678901234567e-6,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  2147483.647,
  2147483.646,
  2147483.648,
  999.999,
  1000.001,
  1e9,
  1e9 - 0.001,
  1e15,
  1e21,
  -1e22,
  8999999999999.999,
  0.1 + 0.2,
  1 - 2 ** -53,
);

const anyNumber = fc.oneof(
  anyDouble,
  decimal,
  edge,
  fc.double(),
  fc.double({ min: -1e7, max: 1e7 }),
  fc.maxSafeInteger(),
  fc.integer().map((hundredths) => hundredths / 100),
);

Deno.test("JsonWriter.array() prints what parses back to the same doubles", () => {
  fc.assert(
    fc.property(
      fc.array(anyNumber, { maxLength: 200, size: "max" }),
      (values) => assertArray(values),
    ),
    { numRuns: fuzzRuns(2000) },
  );
});

Deno.test("JsonWriter.array() prints blocks of long numbers the same way", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.double(), edge), { minLength: 100, maxLength: 300 }),
      fc.integer({ min: 64, max: 6000 }),
      (values, capacity) =>
        assertArray([...new Array(64).fill(0.1 + 0.2), ...values], capacity),
    ),
    { numRuns: fuzzRuns(300) },
  );
});

Deno.test("JsonWriter.array() prints what parses back whatever the capacity", () => {
  fc.assert(
    fc.property(
      fc.array(anyNumber, { maxLength: 300, size: "max" }),
      fc.integer({ min: 64, max: 500 }),
      (values, capacity) => assertArray(values, capacity),
    ),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("JsonWriter.array() keeps two decimals short", () => {
  const values = Float64Array.of(12.34, 0.5, -3, 100.07, NaN, 1200000.25, 0);
  assert.equal(
    collect((w) => w.array(values, 0, values.length)),
    "[12.34,0.5,-3,100.07,null,1200000.25,0]",
  );
  for (let i = -300_000; i < 300_000; i += 7) {
    const value = Float64Array.of(i / 100);
    assert.equal(collect((w) => w.array(value, 0, 1)), `[${i / 100}]`);
  }
});

Deno.test("JsonWriter.thousandths() prints what array() prints of the values", () => {
  const integer = fc.oneof(
    fc.integer(),
    fc.integer({ min: -2_000_000, max: 2_000_000 }),
    fc.integer({ min: 0, max: 20_000 }).map((n) => n * 10),
    fc.constant(GAP),
    fc.constantFrom(0, 1, -1, 999, 1000, -999_999, 1_000_000, 2 ** 31 - 1),
  );
  fc.assert(
    fc.property(
      fc.array(integer, { maxLength: 300, size: "max" }),
      fc.nat(70),
      fc.integer({ min: 64, max: 6000 }),
      (integers, nulls, capacity) => {
        const values = Float64Array.from(
          integers,
          (n) => n === GAP ? NaN : n / 1000,
        );
        const count = values.length;
        const text = collect(
          (w) => w.thousandths(Int32Array.from(integers), count, nulls),
          capacity,
        );
        const padded = [...new Array<number>(nulls).fill(NaN), ...values];
        assert.equal(text, JSON.stringify(padded));
        assert.equal(
          collect((w) => w.array(values, 0, count, 1, nulls), capacity),
          text,
        );
      },
    ),
    { numRuns: fuzzRuns(1000) },
  );
});

Deno.test("JsonWriter.array() keeps the sign of zero, also among long numbers", () => {
  const zeros = Float64Array.of(0, -0, 1, -1);
  assert.equal(collect((w) => w.array(zeros, 0, 4)), "[0,-0,1,-1]");
  assert.equal(collect((w) => w.array(zeros, 0, 4, -1)), "[-0,0,-1,1]");
  assert.equal(collect((w) => w.number(-0)), "-0");
  const long = new Array(300).fill(0.1 + 0.2);
  assertArray([...long, -0, ...long, 0, ...long]);
});

Deno.test("JsonWriter.array() multiplies by the scale", () => {
  const values = Float64Array.of(1.5, NaN, -2);
  assert.equal(
    collect((w) => w.array(values, 0, 3, 1e-3)),
    "[0.0015,null,-0.002]",
  );
  assert.equal(collect((w) => w.array(values, 1, 0, 2)), "[]");
});

Deno.test("JsonWriter.array() refuses a range outside the values", () => {
  const writer = new JsonWriter(() => {});
  assert.throws(() => writer.array(new Float64Array(3), 2, 2), /BUG/);
});

Deno.test("JsonWriter.number() prints what parses back to the same double", () => {
  fc.assert(
    fc.property(anyNumber, (value) => {
      const text = collect((w) => w.number(value), 64);
      assert.equal(JSON.parse(text), asJson([value])[0]);
      if (!Number.isFinite(value)) assert.equal(text, "null");
    }),
    { numRuns: fuzzRuns(20_000) },
  );
});

Deno.test("JsonWriter.string() writes what JSON.stringify writes", () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) =>
    String.fromCharCode(code)
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 100 }),
    fc.string({ unit, maxLength: 100 }),
    fc.string({ maxLength: 100 }),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 64, max: 200 }), (value, capacity) => {
      assert.equal(
        collect((w) => w.string(value), capacity),
        JSON.stringify(value),
      );
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

Deno.test("JsonWriter.raw() and bytes() pass text of any length", () => {
  const text = `{"a":${"[".repeat(300)}`;
  const encoded = new TextEncoder().encode(text);
  const twice = collect((w) => {
    w.raw(text);
    w.bytes(encoded);
  }, 64);
  assert.equal(twice, text + text);
});

Deno.test("JsonWriter.flush() hands over nothing twice", () => {
  let calls = 0;
  const writer = new JsonWriter(() => calls++);
  writer.flush();
  writer.raw("[]");
  writer.flush();
  writer.flush();
  assert.equal(calls, 1);
  assert.equal(writer.written, 2);
});
