/**
 * Directories that were written with some number of shards. Each shard takes its
 * hosts out of all of them, the one written last at the end; once every shard has
 * a snapshot of its own, the others are removed. Main thread only.
 */
import {
  layoutName,
  segmentOfName,
  segmentOfSnapshotName,
  shardCountOf,
  shardDirectory,
  storeDirectory,
} from "../persist/filenames.ts";
import { DENO_FILES } from "../persist/files.ts";

/**
 * Shard counts of the directories there are, by the time of their newest file:
 * where samples of one slot differ, the younger directory has the right one.
 */
export function layoutsByAge(checkpointsDirectory: string): number[] {
  const layouts: { count: number; newestMs: number }[] = [];
  for (const entry of Deno.readDirSync(storeDirectory(checkpointsDirectory))) {
    const count = entry.isDirectory ? shardCountOf(entry.name) : undefined;
    if (count === undefined) continue;
    let newestMs = -Infinity;
    for (let shard = 0; shard < count; shard++) {
      const directory = shardDirectory(checkpointsDirectory, count, shard);
      newestMs = Math.max(newestMs, newestFileMs(directory));
    }
    layouts.push({ count, newestMs });
  }
  return layouts
    .sort((a, b) => compare(a.newestMs, b.newestMs) || a.count - b.count)
    .map(({ count }) => count);
}

/** -Infinity: there is no file of ours. */
function newestFileMs(directory: string): number {
  let newestMs = -Infinity;
  for (const name of DENO_FILES.list(directory)) {
    if ((segmentOfName(name) ?? segmentOfSnapshotName(name)) === undefined) {
      continue;
    }
    const { mtime } = Deno.statSync(`${directory}/${name}`);
    newestMs = Math.max(newestMs, mtime?.getTime() ?? -Infinity);
  }
  return newestMs;
}

/** -Infinity equals itself, which a difference would not say. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
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
