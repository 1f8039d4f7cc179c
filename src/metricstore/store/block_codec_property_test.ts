/**
 * Whatever 64 bits a slot holds come back: blocks of arbitrary patterns, and of
 * the shapes that each scheme is made for, decoded whole and in part.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  BLOCK_SLACK,
  BLOCK_SLOTS_MAX,
  blockBytes,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "./block_codec.ts";

const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 1500);
const EMPTY = 0x7ff8000000000000n;
/** The block does not begin at the buffer's first byte, as in a pool. */
const AT = 5;

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!;
}

const SPECIAL = [
  0n,
  1n << 63n,
  1n,
  0x000fffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  EMPTY,
  0xfff8000000000000n,
  0x7ff8000000000001n,
  0x7ff0000000000001n,
  0xffffffffffffffffn,
  bitsOf(2 ** 51),
  bitsOf(2 ** 51 - 1),
  bitsOf(2 ** 53),
  bitsOf(2 ** 53 - 1),
  bitsOf(-(2 ** 53) + 1),
  bitsOf(1e-22),
  bitsOf(1e22),
  bitsOf(Number.MAX_VALUE),
];

const special = fc.constantFrom(...SPECIAL);
const pattern = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const numbers: Readonly<Record<string, fc.Arbitrary<number>>> = {
  doubles: fc.double(),
  floats: fc.float({ noNaN: true }),
  "two decimals": fc.integer({ min: -40_000, max: 40_000 })
    .map((n) => n / 100),
  "small integers": fc.integer({ min: 0, max: 200 }),
  "integers near 2^53": fc.integer({ min: -1000, max: 1000 })
    .map((n) => 2 ** 53 + n),
  "integers near 2^51": fc.integer({ min: -1000, max: 1000 })
    .map((n) => 2 ** 51 + n),
  "wide integers": fc.maxSafeInteger(),
  "multiples of 4096": fc.integer({ min: 0, max: 2 ** 30 })
    .map((n) => n * 4096),
  "small readings": fc.integer({ min: 1, max: 5000 }).map((n) => n / 1e18),
  ratios: fc.integer({ min: 1, max: 12_000 })
    .map((n) => Number((100 / n).toPrecision(15))),
  "fifteen digits": fc.double({ min: 0.1, max: 10, noNaN: true })
    .map((n) => Number(n.toPrecision(15))),
};

/** Values of one kind, a kind of noise among them, and holes. */
const mixed = fc.record({
  kind: fc.constantFrom(...Object.values(numbers)),
  noise: fc.constantFrom<fc.Arbitrary<bigint>>(
    special,
    pattern,
    ...Object.values(numbers).map((kind) => kind.map(bitsOf)),
  ),
  noisePermille: fc.constantFrom(0, 0, 20, 100, 400),
  emptyPermille: fc.constantFrom(0, 0, 20, 300, 900),
}).chain(({ kind, noise, noisePermille, emptyPermille }) =>
  blockOf(
    fc.tuple(
      kind,
      noise,
      fc.integer({ min: 0, max: 999 }),
      fc.integer({ min: 0, max: 999 }),
    ).map(([value, stray, noiseDraw, emptyDraw]) =>
      emptyDraw < emptyPermille
        ? EMPTY
        : noiseDraw < noisePermille
        ? stray
        : bitsOf(value)
    ),
  )
);

const constants = fc.tuple(
  fc.oneof(special, pattern),
  fc.integer({ min: 1, max: BLOCK_SLOTS_MAX }),
).map(([bits, slots]) => new Array<bigint>(slots).fill(bits));

const few = fc.array(fc.oneof(special, pattern), {
  minLength: 1,
  maxLength: 6,
}).chain((choices) => blockOf(fc.constantFrom(...choices)));

/** Counters: equal steps, jitter, now and then a reset. */
const counters = fc.tuple(
  fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
  fc.constantFrom(1, 3, 60, 1e6, 2 ** 30),
  fc.constantFrom(1, 10, 100),
  blockOf(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.nat(200))),
).map(([start, step, divisor, draws]) => {
  let count = start;
  return draws.map(([jitter, draw]) => {
    count = draw === 0 ? 0 : count + step + jitter;
    return draw === 1 ? EMPTY : bitsOf(count / divisor);
  });
});

function blockOf<T>(slot: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.oneof(
    fc.array(slot, { minLength: 64, maxLength: 64 }),
    fc.array(slot, { minLength: 1, maxLength: 80 }),
    fc.integer({ min: 1, max: BLOCK_SLOTS_MAX }).chain((slots) =>
      fc.array(slot, { minLength: slots, maxLength: slots, size: "max" })
    ),
  );
}

const block = fc.oneof(
  { weight: 6, arbitrary: mixed },
  { weight: 2, arbitrary: blockOf(fc.oneof(special, pattern)) },
  { weight: 1, arbitrary: constants },
  { weight: 2, arbitrary: few },
  { weight: 2, arbitrary: counters },
);

function encode(patterns: readonly bigint[]): [DataView, number] {
  const bits = BigUint64Array.of(0n, ...patterns);
  const slots = patterns.length;
  const out = new DataView(
    new SharedArrayBuffer(AT + blockBytesMax(slots) + BLOCK_SLACK),
  );
  const block = new DataView(out.buffer, AT);
  const bytes = encodeBlock(new Float64Array(bits.buffer), 1, slots, block);
  // What follows a block is not part of it.
  new Uint8Array(out.buffer).fill(0xa5, AT + bytes);
  return [out, bytes];
}

Deno.test("decodeBlock() returns every bit that encodeBlock() was given", () => {
  fc.assert(
    fc.property(block, (patterns) => {
      const [view, bytes] = encode(patterns);
      assert.equal(blockBytes(view, AT), bytes);
      assert.ok(bytes <= blockBytesMax(patterns.length));
      const out = new Float64Array(patterns.length);
      decodeBlock(view, AT, 0, patterns.length, out, 0);
      assert.deepEqual([...new BigUint64Array(out.buffer)], patterns);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("decodeBlock() returns any part of a block and touches no other slot", () => {
  fc.assert(
    fc.property(block, fc.nat(), fc.nat(), (patterns, a, b) => {
      const [view] = encode(patterns);
      const limits = [a, b].map((n) => n % (patterns.length + 1));
      const first = Math.min(...limits);
      const end = Math.max(...limits);
      const out = new Float64Array(end - first + 2).fill(7);
      decodeBlock(view, AT, first, end, out, 1);
      const bits = [...new BigUint64Array(out.buffer)];
      assert.deepEqual(bits.slice(1, -1), patterns.slice(first, end));
      assert.deepEqual([out[0], out.at(-1)], [7, 7]);
    }),
    { numRuns: RUNS },
  );
});
