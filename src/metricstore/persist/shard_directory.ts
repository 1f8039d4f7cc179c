/** Making the directory of a shard. */
import { layoutName, shardDirectory, storeDirectory } from "./filenames.ts";
import type { Files } from "./files.ts";
import { orStorageError } from "./storage_error.ts";

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
