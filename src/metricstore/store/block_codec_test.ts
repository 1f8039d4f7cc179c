/**
 * Blocks of the shapes the schemes are made for: their size, and for some their
 * very bytes, which are the format that snapshots will hold.
 */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { RECIPROCALS } from "./_block_head.ts";
import {
  BLOCK_SLACK,
  BLOCK_SLOTS_MAX,
  blockBytes,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "./block_codec.ts";
import { BlockPool } from "./block_pool.ts";

const OUT = new DataView(
  new ArrayBuffer(blockBytesMax(BLOCK_SLOTS_MAX) + BLOCK_SLACK),
);

function slots(value: (slot: number) => number, count = 64): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => value(i));
}

/** Encodes, compares what comes back, and returns the bytes. */
function encoded(values: Float64Array): Uint8Array {
  const bytes = encodeBlock(values, 0, values.length, OUT);
  const back = new Float64Array(values.length);
  decodeBlock(OUT, 0, 0, values.length, back, 0);
  assert.deepEqual(
    new BigUint64Array(back.buffer),
    new BigUint64Array(values.buffer),
  );
  return new Uint8Array(OUT.buffer, 0, bytes);
}

/** Readings with two decimals between 20.00 and 21.00, no two neighbours alike. */
function reading(slot: number): number {
  return (2000 + slot * 37 % 101) / 100;
}

const PLAIN = encoded(slots(reading)).length;

Deno.test("encodeBlock() writes the bytes that the format page shows", () => {
  const golden: [string, Float64Array][] = [
    ["200000", slots(() => NaN)],
    ["000000", slots(() => 0)],
    ["0021007d", slots(() => 12.5)],
    ["020000555555555555d53f", slots(() => 1 / 3)],
    ["1900000a0002", slots((i) => i, 10)],
    [
      "020101555555555555e53f555555555555d53fb66ddbb66ddbb66d",
      slots((i) => i % 3 === 0 ? 2 / 3 : 1 / 3),
    ],
    [
      "01c0030010a5d4e800ac09d83210cbb265209665cb402ccb968120962d03412c5b0682",
      slots((i) => 1e12 + i * 600 + i * 37 % 101 % 3),
    ],
    [
      "00370528e0381531dd049ca162a3fb82339469145ea087322dc13bf5e84624c8a6b6dd88" +
      "54d87cb667910a43",
      slots((i) => RECIPROCALS[40 + i * 37 % 101 % 30]!),
    ],
    [
      "804207d0074009cf7e01809252f1a252725ec070806a3664d70b2f1c321a5650484dabf9" +
      "9149c9846b3ac1753b42c189c988592d3b30a858503d1fb46cc6371e2111",
      slots((i) => i === 9 ? 999.99 : reading(i)),
    ],
    [
      "404207d007555555555555555500e58be21da21a575ec800ad69c849d7a42b3c31ac3b50" +
      "e149cb8c91",
      slots((i) => i % 2 === 1 ? NaN : reading(i)),
    ],
  ];
  for (const [hex, values] of golden) {
    assert.equal(encoded(values).toHex(), hex);
  }
});

Deno.test("encodeBlock() pays nothing for a missing slot where codes have room", () => {
  const holed = slots((i) => i === 9 || i === 40 ? NaN : reading(i));
  assert.equal(encoded(holed).length, PLAIN);
});

Deno.test("encodeBlock() keeps outliers and strays aside", () => {
  const outlier = slots((i) => i === 9 ? 999.99 : reading(i));
  assert.equal(encoded(outlier).length, PLAIN + 5);
  for (const stray of [1 / 3, -0, Infinity, 1e300, 5e-324]) {
    const values = slots((i) => i === 9 ? stray : reading(i));
    assert.equal(encoded(values).length, PLAIN + 10);
  }
});

Deno.test("encodeBlock() packs multiples of a large step as small numbers", () => {
  const pages = slots((i) => 4096 * (500_000 + i * 37 % 101));
  assert.ok(encoded(pages).length <= PLAIN + 4);
});

Deno.test("encodeBlock() packs what began as float32 in half the bytes", () => {
  const values = slots((i) => Math.fround(20 + Math.sin(i)));
  assert.ok(encoded(values).length < 64 * 2.7);
});

Deno.test("encodeBlock() takes a byte more than the values when nothing helps", () => {
  const values = slots((i) => Math.sin(i) * 10 ** (i * 97 % 600 - 300));
  assert.equal(encoded(values).length, 1 + 64 * 8);
});

Deno.test("encodeBlock() refuses an impossible number of slots", () => {
  assert.throws(() => encodeBlock(slots(reading), 0, 0, OUT), /slots/);
  assert.throws(
    () => encodeBlock(slots(reading, 513), 0, 513, OUT),
    /slots/,
  );
});

Deno.test("RECIPROCALS holds the numbers that a real job reports", () => {
  assert.deepEqual(
    [64, 62, 107, 1].map((k) => RECIPROCALS[k]),
    [1.5625, 1.61290322580645, 0.934579439252336, 100],
  );
});

interface JobMetric {
  node: { series: { data: (number | null)[] }[] };
}

function realJob(): Record<string, JobMetric> {
  const file = new URL(
    "../../../tests/testdata/emmy/1403244-data.json.gz",
    import.meta.url,
  );
  return JSON.parse(gunzipSync(Deno.readFileSync(file)).toString());
}

Deno.test("a real job takes at most 1.42 bytes a sample, rounding included", () => {
  const pool = new BlockPool(BLOCK_SLACK);
  let samples = 0;
  let values = 0;
  for (const metric of Object.values(realJob())) {
    for (const series of metric.node.series) {
      const column = Float64Array.from(series.data, (value) => value ?? NaN);
      for (let from = 0; from < column.length; from += 64) {
        const block = column.slice(from, from + 64);
        const bytes = encoded(block).length;
        assert.equal(blockBytes(OUT, 0), bytes);
        pool.allocate(bytes);
        samples += block.length;
        values += block.filter((value) => !Number.isNaN(value)).length;
      }
    }
  }
  // Per value, although slots that hold none cost something too.
  assert.ok(pool.used / values <= 1.42, `${pool.used / values}`);
  assert.ok(pool.used / samples <= 1.29, `${pool.used / samples}`);
});
