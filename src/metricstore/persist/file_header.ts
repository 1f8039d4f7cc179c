/**
 * The 64 bytes that log segments and snapshots open with. All numbers are
 * little-endian; the reserve is zero and checked.
 */
import { crc32 } from "node:zlib";
import { assert } from "../../base/assert.ts";

export const HEADER_BYTES = 64;

/** One row per field, in the order of the bytes; the pages in docs/formats show it. */
export const HEADER_FIELDS = [
  { name: "magic", at: 0, bytes: 8 },
  { name: "version", at: 8, bytes: 4 },
  { name: "headerBytes", at: 12, bytes: 4 },
  { name: "shard", at: 16, bytes: 4 },
  { name: "shardCount", at: 20, bytes: 4 },
  { name: "segment", at: 24, bytes: 4 },
  { name: "previousBytes", at: 28, bytes: 4 },
  { name: "reserve", at: 32, bytes: 28 },
  { name: "crc", at: 60, bytes: 4 },
] as const;

const VERSION = 8;
const LENGTH = 12;
const SHARD = 16;
const SHARD_COUNT = 20;
const SEGMENT = 24;
const PREVIOUS_BYTES = 28;
const RESERVE = 32;
const CRC = 60;

/** Which kind of file it is: eight ASCII characters and the version we write. */
export interface FileFormat {
  readonly magic: string;
  readonly version: number;
}

/** Owner of a file, as in its name. */
export interface FileOwner {
  readonly shard: number;
  readonly shardCount: number;
  readonly segment: number;
}

/**
 * `good`: ours. `damaged`: torn, changed, or another file's. `unknown-version`:
 * intact, but this program cannot know what follows.
 */
export type HeaderState = "good" | "damaged" | "unknown-version";

/** `previousBytes`: see `previousBytesOf`. */
export function encodeHeader(
  format: FileFormat,
  owner: FileOwner,
  previousBytes = 0,
): Uint8Array {
  assert(format.magic.length === 8, "a magic has eight characters");
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  new TextEncoder().encodeInto(format.magic, bytes);
  view.setUint32(VERSION, format.version, true);
  view.setUint32(LENGTH, HEADER_BYTES, true);
  view.setUint32(SHARD, owner.shard, true);
  view.setUint32(SHARD_COUNT, owner.shardCount, true);
  view.setUint32(SEGMENT, owner.segment, true);
  view.setUint32(PREVIOUS_BYTES, previousBytes, true);
  view.setUint32(CRC, crc32(bytes.subarray(0, CRC)), true);
  return bytes;
}

/**
 * Returns the offset up to which the records of the segment before were good when this
 * one was begun, from a good header of a log segment; 0 if unknown. A segment that has
 * fewer now has lost some.
 */
export function previousBytesOf(header: Uint8Array): number {
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  return view.getUint32(PREVIOUS_BYTES, true);
}

/** Judges the first bytes of a file that should be `owner`'s. */
export function checkHeader(
  bytes: Uint8Array,
  format: FileFormat,
  owner: FileOwner,
): HeaderState {
  if (bytes.length < HEADER_BYTES) return "damaged";
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const expected = encodeHeader(format, owner);
  for (let i = 0; i < format.magic.length; i++) {
    if (bytes[i] !== expected[i]) return "damaged";
  }
  if (view.getUint32(CRC, true) !== crc32(bytes.subarray(0, CRC))) {
    return "damaged";
  }
  if (view.getUint32(VERSION, true) !== format.version) {
    return "unknown-version";
  }
  const isOurs = view.getUint32(LENGTH, true) === HEADER_BYTES &&
    view.getUint32(SHARD, true) === owner.shard &&
    view.getUint32(SHARD_COUNT, true) === owner.shardCount &&
    view.getUint32(SEGMENT, true) === owner.segment &&
    bytes.subarray(RESERVE, CRC).every((byte) => byte === 0);
  return isOurs ? "good" : "damaged";
}

assert(
  HEADER_FIELDS.every((field, i) =>
    field.at + field.bytes === (HEADER_FIELDS[i + 1]?.at ?? HEADER_BYTES)
  ),
  "the fields of a header leave no hole",
);
