/** Payloads of the log's small records: freed selectors, and marks of streams. */
import { assert } from "../../base/assert.ts";
import { ByteReader, ByteWriter } from "./byte_text.ts";

/** Runs that ended before `toSec` at and below `path` of the instance were freed. */
export interface FreeRecord {
  readonly instance: string;
  /** From the cluster down, as in a request to free. */
  readonly path: readonly string[];
  readonly toSec: number;
}

/** A free of some metrics of one level: those that the caller may free. */
export interface FreeSeriesRecord extends FreeRecord {
  /** From the cluster down to the level itself, names as the store has them. */
  readonly path: readonly string[];
  /** At most `FREED_METRICS_MAX`. */
  readonly metrics: readonly string[];
}

/** A record holds that many names of any length. */
export const FREED_METRICS_MAX = 64;

/** Opaque to the log: how far some other part got, with the batch it came in. */
export interface MarkRecord {
  readonly key: string;
  /** An integer, at most 2^53 - 1. */
  readonly value: number;
}

/** A path has no more levels: cluster, host, type and subtype. */
const PATH_LENGTH_MAX = 64;
const TWO_POW_32 = 2 ** 32;

/** f64 toSec, u32 length of the path, instance and path as texts. */
export function encodeFree(record: FreeRecord): Uint8Array {
  assert(
    record.path.length <= PATH_LENGTH_MAX,
    "a path is checked before anything is freed",
  );
  const writer = new ByteWriter();
  writer.f64(record.toSec);
  writer.u32(record.path.length);
  writer.text(record.instance);
  for (const name of record.path) writer.text(name);
  writer.align();
  return writer.bytes;
}

/** Returns `undefined` if `encodeFree` makes no such payload. */
export function decodeFree(payload: Uint8Array): FreeRecord | undefined {
  const reader = new ByteReader(payload);
  const toSec = reader.f64();
  const length = reader.u32();
  const instance = reader.text();
  if (length > PATH_LENGTH_MAX) return undefined;
  const path = Array.from({ length }, () => reader.text());
  return reader.isOk ? { instance, path, toSec } : undefined;
}

/** f64 toSec, u32 length of the path, u32 number of metrics, instance, path and metrics as texts. */
export function encodeFreeSeries(record: FreeSeriesRecord): Uint8Array {
  assert(
    record.metrics.length <= FREED_METRICS_MAX,
    "metrics of a level are freed in portions",
  );
  const writer = new ByteWriter();
  writer.f64(record.toSec);
  writer.u32(record.path.length);
  writer.u32(record.metrics.length);
  writer.text(record.instance);
  for (const name of record.path) writer.text(name);
  for (const name of record.metrics) writer.text(name);
  writer.align();
  return writer.bytes;
}

/** Returns `undefined` if `encodeFreeSeries` makes no such payload. */
export function decodeFreeSeries(
  payload: Uint8Array,
): FreeSeriesRecord | undefined {
  const reader = new ByteReader(payload);
  const toSec = reader.f64();
  const length = reader.u32();
  const count = reader.u32();
  const instance = reader.text();
  if (length > PATH_LENGTH_MAX || count > FREED_METRICS_MAX) return undefined;
  const path = Array.from({ length }, () => reader.text());
  const metrics = Array.from({ length: count }, () => reader.text());
  return reader.isOk ? { instance, path, metrics, toSec } : undefined;
}

/** u64 value, key as text. */
export function encodeMark(record: MarkRecord): Uint8Array {
  assert(
    Number.isSafeInteger(record.value) && record.value >= 0,
    `a mark cannot be ${record.value}`,
  );
  const writer = new ByteWriter();
  writer.u32(record.value % TWO_POW_32);
  writer.u32(Math.floor(record.value / TWO_POW_32));
  writer.text(record.key);
  writer.align();
  return writer.bytes;
}

/** Returns `undefined` if `encodeMark` makes no such payload. */
export function decodeMark(payload: Uint8Array): MarkRecord | undefined {
  const reader = new ByteReader(payload);
  const value = reader.u32() + reader.u32() * TWO_POW_32;
  const key = reader.text();
  return reader.isOk && Number.isSafeInteger(value)
    ? { key, value }
    : undefined;
}
