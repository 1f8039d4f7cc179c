/**
 * Directories that were written with another number of shards. Each shard takes
 * its hosts out of all of them; once every shard has a snapshot of its own, they
 * are removed. Main thread only.
 */
import {
  layoutName,
  shardCountOf,
  storeDirectory,
} from "../persist/filenames.ts";

/** Shard counts of the directories there are, without `shards`. */
export function otherLayouts(
  checkpointsDirectory: string,
  shards: number,
): number[] {
  const counts: number[] = [];
  for (const entry of Deno.readDirSync(storeDirectory(checkpointsDirectory))) {
    const count = entry.isDirectory ? shardCountOf(entry.name) : undefined;
    if (count !== undefined && count !== shards) counts.push(count);
  }
  return counts.sort((a, b) => a - b);
}

/** Removes what has been converted. Throws what the system says. */
export function removeLayouts(
  checkpointsDirectory: string,
  counts: readonly number[],
): void {
  const store = storeDirectory(checkpointsDirectory);
  for (const count of counts) {
    Deno.removeSync(`${store}/${layoutName(count)}`, { recursive: true });
  }
}
