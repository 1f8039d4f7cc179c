import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { readWal, type WalGap, type WalSample } from "./wal_reader.ts";

const GOLDEN = new URL(
  "../../../tests/testdata/golden/checkpoints/wal/alex/a0102/current.wal",
  import.meta.url,
);
/** The record that the description of the format spells out. */
const ONE = Buffer.from(
  "01a71dcca1a71dcc1a000000e80300000000000003006d36300107" +
    "736f636b6574300000c03f8a2d29da",
  "hex",
);

function read(bytes: Uint8Array) {
  const samples: WalSample[] = [];
  const gaps: WalGap[] = [];
  for (const one of readWal(bytes)) {
    if ("gapAt" in one) gaps.push(one);
    else samples.push(one);
  }
  return { samples, gaps };
}

/** A record with that payload and a good checksum. */
function record(payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0xcc1da7a1, 0);
  head.writeUInt32LE(payload.length, 4);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(payload), 0);
  return Buffer.concat([head, payload, sum]);
}

Deno.test("readWal() reads the documented record", () => {
  assert.deepEqual(read(ONE), {
    samples: [
      { timestampSec: 1000, metric: "m60", levels: ["socket0"], value: 1.5 },
    ],
    gaps: [],
  });
  assert.deepEqual(read(new Uint8Array()), { samples: [], gaps: [] });
});

Deno.test("readWal() loses only the record that a flipped bit hits", () => {
  const bytes = Deno.readFileSync(GOLDEN);
  const whole = read(bytes);
  assert.equal(whole.gaps.length, 0);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << (at % 8);
    const { samples, gaps } = read(damaged);
    const lost = at < 4 ? 0 : 1;
    assert.equal(samples.length, whole.samples.length - lost, `byte ${at}`);
    assert.equal(gaps.length, 1, `byte ${at}`);
    const [gap] = gaps;
    assert.ok(gap !== undefined && gap.gapAt <= at);
    assert.ok(at < gap.gapAt + gap.gapBytes);
  }
});

Deno.test("readWal() keeps what lies before a torn end", () => {
  const bytes = Deno.readFileSync(GOLDEN);
  const { samples } = read(bytes);
  for (let length = bytes.length - 1; length > bytes.length - 60; length--) {
    const cut = read(bytes.subarray(0, length));
    assert.deepEqual(cut.samples, samples.slice(0, cut.samples.length));
    assert.ok(cut.samples.length >= samples.length - 2);
    assert.ok(cut.gaps.every(({ isTail }) => isTail));
  }
});

Deno.test("readWal() goes on behind a record whose lengths do not add up", () => {
  const bad = record(Buffer.concat([ONE.subarray(12, 38), Buffer.from("xx")]));
  const file = Buffer.concat([ONE, bad, ONE.subarray(4)]);
  assert.deepEqual(read(file).samples.length, 2);
  assert.deepEqual(read(file).gaps, [
    { gapAt: ONE.length, gapBytes: bad.length, isTail: false },
  ]);
});
