import assert from "node:assert/strict";
import fc from "fast-check";
import {
  explainRefusedValue,
  parseFieldValue,
  parseTimestampSec,
  type RefusedValue,
} from "./number_parse.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

const ENCODER = new TextEncoder();

/** Surrounds the text with digits, which must not be looked at. */
function within<T>(
  text: string,
  parse: (bytes: Uint8Array, start: number, end: number) => T,
): T {
  const bytes = ENCODER.encode(`1${text}1`);
  return parse(bytes, 1, bytes.length - 1);
}

const value = (text: string) => within(text, parseFieldValue);
const seconds = (text: string) => within(text, parseTimestampSec);

/** Distinguishes -0 from 0 and tells where a property failed. */
function assertSame(actual: number, expected: number, text: string): void {
  assert.ok(Object.is(actual, expected), `${text}: ${actual}, not ${expected}`);
}

const digits = (minLength: number, maxLength: number) =>
  fc.string({
    unit: fc.constantFrom(..."0123456789"),
    minLength,
    maxLength,
    size: "max",
  });

const decimal = fc.oneof(
  fc.tuple(
    digits(1, 25),
    fc.oneof(fc.constant(""), digits(0, 25).map((d) => `.${d}`)),
  )
    .map((parts) => parts.join("")),
  digits(1, 20).map((d) => `.${d}`),
);
const exponent = fc.oneof(
  fc.constant(""),
  fc.tuple(
    fc.constantFrom("e", "E"),
    fc.constantFrom("", "+", "-"),
    fc.oneof(fc.nat(30).map(String), fc.nat(400).map(String), digits(1, 4)),
  ).map((parts) => parts.join("")),
);

Deno.test("parseFieldValue() equals Number for any decimal text", () => {
  const sign = fc.constantFrom("", "-");
  fc.assert(
    fc.property(sign, decimal, exponent, (minus, mantissa, power) => {
      const text = minus + mantissa + power;
      const expected = Number(text);
      const finite = Number.isFinite(expected);
      assertSame(value(text), finite ? expected : NaN, text);
      if (!finite) {
        assert.equal(within(text, explainRefusedValue), "out-of-range");
      }
    }),
    { numRuns: fuzzRuns(30_000) },
  );
});

Deno.test("parseFieldValue() reads back what doubles print as", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (number) => {
        const text = String(number).replace("e+", "e");
        assertSame(value(text), Number(text), text);
      },
    ),
    { numRuns: fuzzRuns(10_000) },
  );
  for (let i = -200_000; i < 200_000; i += 3) {
    const text = (i / 100).toFixed(2);
    assertSame(value(text), Number(text), text);
  }
});

Deno.test("parseFieldValue() rounds texts near the middle of two doubles like Number", () => {
  const middle = fc.tuple(
    fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }),
    fc.integer({ min: 0, max: 22 }),
    fc.bigInt({ min: -3n, max: 3n }),
  );
  fc.assert(
    fc.property(middle, ([mantissa, shift, step]) => {
      // The exact decimal of a middle, cut to 17 to 19 digits and moved a little.
      const exact = String((2n * mantissa + 1n) * 5n ** BigInt(shift));
      for (const digits of [17, 18, 19]) {
        const cut = exact.slice(0, digits);
        const head = String(BigInt(cut) + step);
        for (
          const text of [
            `${head.slice(0, 2)}.${head.slice(2)}`,
            `${head}e-${shift}`,
            `${head}e3`,
          ]
        ) assertSame(value(text), Number(text), text);
      }
    }),
    { numRuns: fuzzRuns(10_000) },
  );
});

Deno.test("parseFieldValue() converts integers with a suffix", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (i) => {
      assertSame(value(`${i}i`), Number(i), `${i}i`);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (i) => {
      assertSame(value(`${i}u`), Number(i), `${i}u`);
    }),
  );
  assert.equal(value("4i"), 4);
  assert.equal(value("-4i"), -4);
  assert.equal(value("4u"), 4);
  assert.equal(value("007i"), 7);
  assertSame(value("-0i"), 0, "-0i");
  assert.equal(value("00000000000000000000000012u"), 12);
  assert.equal(value("9223372036854775807i"), 2 ** 63);
  assert.equal(value("-9223372036854775808i"), -(2 ** 63));
  assert.equal(value("18446744073709551615u"), 2 ** 64);
});

Deno.test("parseFieldValue() takes every form of the contract", () => {
  assert.equal(value("1"), 1);
  assert.equal(value("-1.5e-3"), -0.0015);
  assert.equal(value(".5"), 0.5);
  assert.equal(value("-.5"), -0.5);
  assert.equal(value("5."), 5);
  assert.equal(value("5.e2"), 500);
  assert.equal(value("1e+06"), 1e6);
  assert.equal(value("1e-400"), 0);
  assert.equal(value("0e99999999999999999999"), 0);
});

Deno.test("parseFieldValue() refuses all else and explainRefusedValue() says why", () => {
  const refused: Record<RefusedValue, readonly string[]> = {
    "not-a-number": [
      ..."+5,NaN,nan,Inf,-Inf,oops,-4u,0x10,0x1p4,1_0,,-,.,-.,e5,.e5,1e,1e+,1e-,i"
        .split(","),
      ...'u,-i,1.5i,1e5i,1ii,1 ,1..2,1.2.3,--1,1-,tRUE,","a,1\u0000'.split(","),
    ],
    boolean: "t,T,true,True,TRUE,f,F,false,False,FALSE".split(","),
    string: ['""', '"text"', '"1"'],
    "out-of-range": [
      ..."1e400,-1e400,9223372036854775808i,-9223372036854775809i".split(","),
      ..."18446744073709551616u,99999999999999999999i,1e99999999999".split(","),
    ],
  };
  for (const [why, texts] of Object.entries(refused)) {
    for (const text of texts) {
      assertSame(value(text), NaN, text);
      assert.equal(within(text, explainRefusedValue), why, text);
    }
  }
});

Deno.test("parseFieldValue() accepts of any bytes exactly the grammar", () => {
  const grammar =
    /^(?:-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|-?[0-9]+i|[0-9]+u)$/;
  const soup = fc.oneof(
    fc.string({
      unit: fc.constantFrom(...'0123456789.-+eEiu_x "'),
      maxLength: 12,
    }),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  fc.assert(
    fc.property(soup, (text) => {
      const got = value(text);
      if (Number.isNaN(got)) {
        const why = within(text, explainRefusedValue);
        assert.equal(why === "out-of-range", grammar.test(text), text);
      } else {
        assert.ok(grammar.test(text), text);
      }
    }),
    { numRuns: fuzzRuns(30_000) },
  );
});

Deno.test("parseTimestampSec() tells the unit by magnitude", () => {
  assert.equal(seconds("1725620476"), 1725620476);
  assert.equal(seconds("1725620476214"), 1725620476);
  assert.equal(seconds("1725620476214474"), 1725620476);
  assert.equal(seconds("1725620476214474893"), 1725620476);
  assert.equal(seconds("-5"), -5);
  assertSame(seconds("0"), 0, "0");
  assertSame(seconds("-0"), 0, "-0");
  assert.equal(seconds("9223372037"), 9223372037);
  assert.equal(seconds("99999999999"), 99999999999);
  assert.equal(seconds("100000000000"), 100000000);
  assert.equal(seconds("-100000000001"), -100000001);
  assert.equal(seconds("9223372036854775807"), 9223372036);
  assert.equal(seconds("-9223372036854775808"), -9223372037);
  assert.equal(seconds("0000000000000000000001725620476"), 1725620476);
});

Deno.test("parseTimestampSec() refuses what is no int64", () => {
  const refused = [
    ..."9223372036854775808,-9223372036854775809,17256204762144748930".split(
      ",",
    ),
    ..."1725620476.5,abc,12-3,1000 # tail,,-,+5,1e9,1725620476i,0x1,--1".split(
      ",",
    ),
    ..."172562047621a,172562047621447489x,17256204:6".split(","),
  ];
  for (const text of refused) assertSame(seconds(text), NaN, text);
});

Deno.test("parseTimestampSec() equals exact integer arithmetic", () => {
  const any = fc.oneof(
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    fc.tuple(
      fc.bigInt({ min: -9999n, max: 9999n }),
      fc.integer({ min: 0, max: 16 }),
    )
      .map(([head, zeros]) => head * 10n ** BigInt(zeros)),
    fc.tuple(fc.integer({ min: 8, max: 19 }), fc.integer({ min: -3, max: 3 }))
      .map(([power, step]) => 10n ** BigInt(power) + BigInt(step)),
    fc.maxSafeInteger().map(BigInt),
  );
  fc.assert(
    fc.property(any, fc.boolean(), (number, flip) => {
      const timestamp = flip ? -number : number;
      const text = String(timestamp);
      assertSame(seconds(text), exactSeconds(timestamp), text);
    }),
    { numRuns: fuzzRuns(20_000) },
  );
});

function exactSeconds(timestamp: bigint): number {
  if (timestamp < -(2n ** 63n) || timestamp >= 2n ** 63n) return NaN;
  const magnitude = timestamp < 0n ? -timestamp : timestamp;
  const unit = magnitude < 10n ** 11n
    ? 1n
    : magnitude < 10n ** 14n
    ? 1000n
    : magnitude < 10n ** 17n
    ? 1_000_000n
    : 1_000_000_000n;
  const truncated = timestamp / unit;
  const floored = timestamp < 0n && timestamp % unit !== 0n
    ? truncated - 1n
    : truncated;
  return Number(floored);
}

Deno.test("parseTimestampSec() never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      parseTimestampSec(bytes, 0, bytes.length);
      parseFieldValue(bytes, 0, bytes.length);
      explainRefusedValue(bytes, 0, bytes.length);
    }),
  );
});
