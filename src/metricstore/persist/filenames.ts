/**
 * Every name that log and snapshots have on disk, in one place:
 *
 *     <checkpoints.directory>/ringstore/shards-<n>/<shard>/wal.<segment>
 *                                                         /snapshot.<segment>
 *                                                         /quarantine/
 *     <checkpoints.directory>/ringstore/lock
 *                                      /cleanup.<id>.request, .answer
 *
 * Segments count from 1 and have ten digits, so that names sort by number.
 * `snapshot.<segment>` contains everything that was logged before that segment.
 */
import { assert } from "../../base/assert.ts";

export const SEGMENT_DIGITS = 10;
export const SEGMENT_MAX = 2 ** 32 - 1;
/** Suffix of an unfinished file. */
export const TEMPORARY_SUFFIX = ".tmp";

/** Below the configured directory; upstream's files lie beside it. */
export function storeDirectory(checkpointsDirectory: string): string {
  return `${checkpointsDirectory}/ringstore`;
}

/** Lock file of the process that opens log and snapshots (directory_lock.ts). */
export function lockFile(checkpointsDirectory: string): string {
  return `${storeDirectory(checkpointsDirectory)}/lock`;
}

/** File that asks a running server for a clean-up; `id` is a UUID. */
export function requestName(id: string): string {
  return `cleanup.${id}.request`;
}

/** File with the server's answer to the request of that id. */
export function answerName(id: string): string {
  return `cleanup.${id}.answer`;
}

/** Returns kind and id of a request or an answer; `undefined` for other files. */
export function cleanUpFileOf(
  name: string,
): { readonly id: string; readonly isRequest: boolean } | undefined {
  const [, id, kind] =
    /^cleanup\.([0-9a-f-]{36})\.(request|answer)$/.exec(name) ??
      [];
  return id === undefined ? undefined : { id, isRequest: kind === "request" };
}

/** Name of the directory of a store with that many shards. */
export function layoutName(shardCount: number): string {
  return `shards-${shardCount}`;
}

/** How many shards wrote the directory of that name; `undefined`: it is not ours. */
export function shardCountOf(name: string): number | undefined {
  const digits = /^shards-([1-9]\d{0,4})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Returns the directory of one shard's log and snapshots. */
export function shardDirectory(
  checkpointsDirectory: string,
  shardCount: number,
  shard: number,
): string {
  const store = storeDirectory(checkpointsDirectory);
  return `${store}/${layoutName(shardCount)}/${shard}`;
}

/** Returns the directory for damaged files of a shard's directory. */
export function quarantineDirectory(directory: string): string {
  return `${directory}/quarantine`;
}

/** Returns the file name of a log segment. */
export function segmentName(segment: number): string {
  return `wal.${digitsOf(segment)}`;
}

/** Returns the file name of the snapshot that `segment` follows. */
export function snapshotName(segment: number): string {
  return `snapshot.${digitsOf(segment)}`;
}

/** The number of a log segment's file; `undefined`: the name is not one. */
export function segmentOfName(name: string): number | undefined {
  return numberBehind("wal.", name);
}

/** The segment a snapshot's file stands before; `undefined`: the name is not one. */
export function segmentOfSnapshotName(name: string): number | undefined {
  return numberBehind("snapshot.", name);
}

function digitsOf(segment: number): string {
  assert(
    Number.isInteger(segment) && segment >= 1 && segment <= SEGMENT_MAX,
    `a segment's number cannot be ${segment}`,
  );
  return String(segment).padStart(SEGMENT_DIGITS, "0");
}

function numberBehind(prefix: string, name: string): number | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const digits = name.slice(prefix.length);
  if (digits.length !== SEGMENT_DIGITS || !/^\d+$/.test(digits)) {
    return undefined;
  }
  const segment = Number(digits);
  return segment >= 1 && segment <= SEGMENT_MAX ? segment : undefined;
}
