import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import {
  checkHeader,
  encodeHeader,
  HEADER_BYTES,
  previousBytesOf,
} from "./file_header.ts";
import { SNAPSHOT_FORMAT } from "./snapshot_format.ts";
import { WAL_FORMAT } from "./wal_format.ts";

const OWNER = { shard: 3, shardCount: 4, segment: 77 };

Deno.test("encodeHeader() writes the golden bytes of version 1", () => {
  const bytes = encodeHeader(WAL_FORMAT, OWNER, 4711);
  assert.equal(previousBytesOf(bytes), 4711);
  assert.equal(
    bytes.toHex(),
    "52494e475357414c" + "01000000" + "40000000" + "03000000" + "04000000" +
      "4d000000" + "67120000" + "00".repeat(28) + crcOf(bytes),
  );
});

function crcOf(bytes: Uint8Array): string {
  const crc = new Uint8Array(4);
  new DataView(crc.buffer).setUint32(0, crc32(bytes.subarray(0, 60)), true);
  return crc.toHex();
}

Deno.test("checkHeader() knows its own header and no other", () => {
  const bytes = encodeHeader(WAL_FORMAT, OWNER);
  assert.equal(checkHeader(bytes, WAL_FORMAT, OWNER), "good");
  assert.equal(checkHeader(bytes, SNAPSHOT_FORMAT, OWNER), "damaged");
  for (const other of ["shard", "shardCount", "segment"] as const) {
    const owner = { ...OWNER, [other]: 9 };
    assert.equal(checkHeader(bytes, WAL_FORMAT, owner), "damaged");
  }
  const newer = encodeHeader({ ...WAL_FORMAT, version: 2 }, OWNER);
  assert.equal(checkHeader(newer, WAL_FORMAT, OWNER), "unknown-version");
});

Deno.test("checkHeader() sees every flipped bit and every missing byte", () => {
  const bytes = encodeHeader(WAL_FORMAT, OWNER);
  for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(checkHeader(bytes, WAL_FORMAT, OWNER), "damaged");
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (let length = 0; length < HEADER_BYTES; length++) {
    const part = bytes.subarray(0, length);
    assert.equal(checkHeader(part, WAL_FORMAT, OWNER), "damaged");
  }
});
