/**
 * Putting damaged files aside in a directory below the shard's own, for an operator who
 * wants to know the cause. Bounded: the oldest go when there are too many. Runs on the
 * shard's thread.
 */
import { AtomicFile } from "./atomic_file.ts";
import {
  quarantineDirectory,
  segmentOfName,
  segmentOfSnapshotName,
} from "./filenames.ts";
import type { Files } from "./files.ts";
import { orStorageError } from "./storage_error.ts";

const CHUNK_BYTES = 1 << 20;
/** A file that cannot be read at once is tried in pieces of this size. */
const BLOCK_BYTES = 4096;

/** Files of a shard that are kept at most, and their bytes; the newest always is. */
export const QUARANTINE_FILES_MAX = 16;
export const QUARANTINE_BYTES_MAX = 512 << 20;

/** Moves a file that is not read again into `quarantine/`. Throws a `StorageError`. */
export function moveToQuarantine(
  files: Files,
  directory: string,
  name: string,
): void {
  const quarantine = quarantineDirectory(directory);
  orStorageError("a damaged file cannot be put aside", directory, () => {
    files.makeDirectory(quarantine);
    files.rename(`${directory}/${name}`, `${quarantine}/${name}`);
  });
}

/**
 * Copies a file that is still needed into `quarantine/`, once; unreadable bytes become
 * zeros. Returns whether there is a new copy. Throws a `StorageError`; nothing is left
 * behind then.
 */
export function copyToQuarantine(
  files: Files,
  directory: string,
  name: string,
): boolean {
  const quarantine = quarantineDirectory(directory);
  const isThere = orStorageError(
    "a damaged file cannot be put aside",
    directory,
    () => {
      files.makeDirectory(quarantine);
      return files.list(quarantine).includes(name);
    },
  );
  if (isThere) return false;
  const copy = new AtomicFile(files, quarantine, name);
  try {
    copyInto(copy, files, `${directory}/${name}`);
    copy.publish();
  } catch (error) {
    copy.abort();
    throw error;
  }
  return true;
}

function copyInto(copy: AtomicFile, files: Files, path: string): void {
  const source = orStorageError(
    "a damaged file cannot be read",
    path,
    () => files.openToRead(path),
  );
  try {
    const bytes = orStorageError("its size is unknown", path, () => {
      return source.size();
    });
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let at = 0; at < bytes; at += CHUNK_BYTES) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, bytes - at));
      try {
        chunk.fill(0, source.read(chunk, at));
      } catch {
        readBlocks(source.read.bind(source), chunk, at);
      }
      copy.write(chunk);
    }
  } finally {
    source.close();
  }
}

/** Fills `chunk` block by block; a block that the device refuses becomes zeros. */
function readBlocks(
  read: (target: Uint8Array, offset: number) => number,
  chunk: Uint8Array,
  at: number,
): void {
  for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
    const block = chunk.subarray(from, from + BLOCK_BYTES);
    try {
      block.fill(0, read(block, at + from));
    } catch {
      block.fill(0);
    }
  }
}

/**
 * Removes the oldest files put aside, by the number in their names, until the
 * bounds hold. Returns their paths. Throws a `StorageError`.
 */
export function trimQuarantine(
  files: Files,
  directory: string,
  filesMax = QUARANTINE_FILES_MAX,
  bytesMax = QUARANTINE_BYTES_MAX,
): string[] {
  const quarantine = quarantineDirectory(directory);
  return orStorageError("damaged files cannot be counted", quarantine, () => {
    const newestFirst = files.list(quarantine)
      .map((name) => ({ path: `${quarantine}/${name}`, age: numberOf(name) }))
      .sort((a, b) => b.age - a.age);
    const removed: string[] = [];
    let bytes = 0;
    newestFirst.forEach(({ path }, i) => {
      bytes += sizeOf(files, path);
      if (i === 0 || (i < filesMax && bytes <= bytesMax)) return;
      files.remove(path);
      removed.push(path);
    });
    return removed;
  });
}

/** A file without a number is the oldest: it is not ours. */
function numberOf(name: string): number {
  return segmentOfName(name) ?? segmentOfSnapshotName(name) ?? 0;
}

function sizeOf(files: Files, path: string): number {
  const file = files.openToRead(path);
  try {
    return file.size();
  } finally {
    file.close();
  }
}
