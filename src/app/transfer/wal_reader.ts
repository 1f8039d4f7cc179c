/**
 * Upstream's write-ahead log `current.wal` (metric-store 8.4), read past
 * damage: where a record is bad, reading goes on at the next one whose length
 * and checksum fit, and what lies between is reported as a gap. Pure.
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

const FILE_MAGIC = Buffer.from([0x01, 0xa7, 0x1d, 0xcc]);
const RECORD_MAGIC = 0xcc1da7a1;
const RECORD_MAGIC_BYTES = Buffer.from([0xa1, 0xa7, 0x1d, 0xcc]);
/** Magic number and payload length. */
const HEAD_BYTES = 8;
const CRC_BYTES = 4;
const PAYLOAD_BYTES_MAX = 1 << 20;

export interface WalSample {
  readonly timestampSec: number;
  readonly metric: string;
  /** Names below the host. */
  readonly levels: readonly string[];
  readonly value: number;
}

/** Bytes that hold no readable record. */
export interface WalGap {
  readonly gapAt: number;
  readonly gapBytes: number;
  /** Nothing follows: the log was cut while it was written. */
  readonly isTail: boolean;
}

/** The samples of a log in their order, with the gaps between them. */
export function* readWal(bytes: Uint8Array): Generator<WalSample | WalGap> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let at = 0;
  let gapAt = -1;
  if (file.subarray(0, FILE_MAGIC.length).equals(FILE_MAGIC)) {
    at = FILE_MAGIC.length;
  }
  while (at < file.length) {
    const length = payloadLength(file, at);
    const payload = length < 0
      ? undefined
      : file.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    const sample = payload && readPayload(payload, decoder);
    if (sample !== undefined) {
      if (gapAt >= 0) yield { gapAt, gapBytes: at - gapAt, isTail: false };
      gapAt = -1;
      yield sample;
    } else if (gapAt < 0) gapAt = at;
    if (payload !== undefined) {
      at += HEAD_BYTES + payload.length + CRC_BYTES;
      continue;
    }
    const next = file.indexOf(RECORD_MAGIC_BYTES, at + 1);
    at = next < 0 ? file.length : next;
  }
  if (gapAt >= 0) {
    yield { gapAt, gapBytes: file.length - gapAt, isTail: true };
  }
}

/** Length of the payload of the record at `at`; -1: there is no good record. */
function payloadLength(file: Buffer, at: number): number {
  if (at + HEAD_BYTES + CRC_BYTES > file.length) return -1;
  if (file.readUInt32LE(at) !== RECORD_MAGIC) return -1;
  const length = file.readUInt32LE(at + 4);
  const end = at + HEAD_BYTES + length;
  if (length > PAYLOAD_BYTES_MAX || end + CRC_BYTES > file.length) return -1;
  const sum = crc32(file.subarray(at + HEAD_BYTES, end));
  return sum === file.readUInt32LE(end) ? length : -1;
}

/**
 * `undefined`: the lengths inside do not add up. Upstream writes such records for
 * names of more than 255 bytes, with a good checksum.
 */
function readPayload(
  payload: Buffer,
  decoder: TextDecoder,
): WalSample | undefined {
  try {
    const timestampSec = Number(payload.readBigInt64LE(0));
    let at = 10 + payload.readUInt16LE(8);
    const metric = decoder.decode(payload.subarray(10, at));
    const levels: string[] = [];
    for (let left = payload.readUInt8(at++); left > 0; left--) {
      const end = at + 1 + payload.readUInt8(at);
      levels.push(decoder.decode(payload.subarray(at + 1, end)));
      at = end;
    }
    const value = payload.readFloatLE(at);
    if (at + 4 !== payload.length) return undefined;
    return { timestampSec, metric, levels, value };
  } catch (error) {
    // Out of bounds, or a name that is no UTF-8.
    if (error instanceof RangeError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}
