/**
 * How a log segment lies on disk: a header (file_header.ts) and records one
 * behind the other, each a multiple of eight bytes, so that a run of float64 can
 * be written and read through a Float64Array. docs/formats/wal.md shows it;
 * a test compares that page with the constants here.
 *
 * A record is found again behind damage by its magic. No payload can pretend to
 * be a record: the magic is the upper half of an aligned float64 that would be a
 * NaN which no sample is, its bytes F7, FA, FB and FF occur nowhere in UTF-8, and
 * all other upper halves (counts, lengths, ids) are bounded far below it.
 */
import { crc32 } from "node:zlib";
import { assert } from "../../base/assert.ts";
import type { FileFormat } from "./file_header.ts";

export const WAL_FORMAT: FileFormat = { magic: "RINGSWAL", version: 1 };

/** One row per field of a record's header. */
export const RECORD_FIELDS = [
  { name: "crc", at: 0, bytes: 4 },
  { name: "magic", at: 4, bytes: 4 },
  { name: "payloadBytes", at: 8, bytes: 4 },
  { name: "kind", at: 12, bytes: 4 },
] as const;

export const RECORD_CRC = 0;
export const RECORD_MAGIC = 4;
export const RECORD_PAYLOAD_BYTES = 8;
export const RECORD_KIND = 12;
export const RECORD_HEADER_BYTES = 16;

/** On disk F7 FA FB FF. */
export const MAGIC = 0xfffbfaf7;

/** Numbers on disk: never given another meaning. */
export const KIND = {
  SERIES: 1,
  SAMPLES: 2,
  FREE: 3,
  MARK: 4,
  FREE_SERIES: 5,
  WHOLE: 6,
} as const;

/**
 * A writer begins another record when this is reached. A flipped bit costs one
 * record, so they are kept small; at this size the checksum runs at full speed.
 */
export const RECORD_PAYLOAD_GOAL = 1 << 16;

/** A larger length is damage. One dictionary entry with the longest names fits. */
export const RECORD_PAYLOAD_MAX = 1 << 20;

/** Ids of a segment's dictionary are below this. */
export const IDS_MAX = 1 << 24;

/** Payload of a WHOLE record: f64 bytes of the write that follow it. */
export const WHOLE_PAYLOAD_BYTES = 8;

/** Header of a run: id of its first series and number of values (u32 each), f64 time. */
export const RUN_HEADER_BYTES = 16;

/**
 * Completes the record in `bytes[start, end)`, whose payload is in its place. The
 * checksum covers all bytes behind the magic.
 */
export function sealRecord(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  kind: number,
): void {
  const payloadBytes = end - start - RECORD_HEADER_BYTES;
  assert(
    payloadBytes >= 0 && payloadBytes <= RECORD_PAYLOAD_MAX &&
      payloadBytes % 8 === 0,
    `a record cannot have ${payloadBytes} bytes`,
  );
  view.setUint32(start + RECORD_MAGIC, MAGIC, true);
  view.setUint32(start + RECORD_PAYLOAD_BYTES, payloadBytes, true);
  view.setUint32(start + RECORD_KIND, kind, true);
  const crc = crc32(bytes.subarray(start + RECORD_PAYLOAD_BYTES, end));
  view.setUint32(start + RECORD_CRC, crc, true);
}

assert(
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1,
  "float64 runs are written as they lie in memory, which must be little-endian",
);
assert(
  Number.isNaN(new Float64Array(Uint32Array.of(0, MAGIC).buffer)[0]),
  "the magic must be the upper half of a NaN",
);
