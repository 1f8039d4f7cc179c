/** Making the directory of a shard, and putting damaged files aside in it. */
import { AtomicFile } from "./atomic_file.ts";
import {
  layoutName,
  quarantineDirectory,
  shardDirectory,
  storeDirectory,
} from "./filenames.ts";
import type { Files } from "./files.ts";
import { orStorageError } from "./storage_error.ts";

const CHUNK_BYTES = 1 << 20;
/** What cannot be read at once is tried in pieces of this size. */
const BLOCK_BYTES = 4096;

/**
 * Makes a shard's directory so that a power cut does not take it away, and
 * returns its path. Throws a `StorageError`.
 */
export function makeShardDirectory(
  files: Files,
  checkpointsDirectory: string,
  shardCount: number,
  shard: number,
): string {
  const directory = shardDirectory(checkpointsDirectory, shardCount, shard);
  const store = storeDirectory(checkpointsDirectory);
  orStorageError("a shard's directory cannot be made", directory, () => {
    files.makeDirectory(directory);
    for (
      const parent of [
        `${store}/${layoutName(shardCount)}`,
        store,
        checkpointsDirectory,
      ]
    ) files.syncDirectory(parent);
  });
  return directory;
}

/** Moves a file nobody will read again into `quarantine/`. Throws a `StorageError`. */
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
 * Copies a file that is still needed into `quarantine/`, once; what cannot be
 * read becomes zeros. Returns whether there is a new copy. Throws a
 * `StorageError`; nothing is left behind then.
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
