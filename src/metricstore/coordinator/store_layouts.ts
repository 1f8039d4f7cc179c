/**
 * Directories that were written with some number of shards. Each shard takes its
 * hosts out of all of them, those written last at the end; once every shard has
 * a snapshot of its own, the others are removed. Main thread only.
 */
import type { LockSubject } from "../persist/directory_lock.ts";
import {
  layoutName,
  lockFile,
  segmentOfName,
  segmentOfSnapshotName,
  shardCountOf,
  shardDirectory,
  storeDirectory,
} from "../persist/filenames.ts";
import { DENO_FILES } from "../persist/files.ts";
import type { ShardSlot } from "../transport/stream_progress.ts";

/** The lock that a process needs to open the log and snapshots of a directory. */
export function storeLock(checkpointsDirectory: string): LockSubject {
  return {
    file: lockFile(checkpointsDirectory),
    key: "metric-store.checkpoints.directory",
    path: checkpointsDirectory,
  };
}

/**
 * The shards of all layouts by the time of the newest file in their directories: where
 * samples of one slot differ, the younger directory has the right one. Per shard, not
 * per layout: after 4→8→4 shards and a kill, some shards of layout 4 may still be the
 * old ones.
 */
export function directoriesByAge(checkpointsDirectory: string): ShardSlot[] {
  const found: { share: ShardSlot; newestMs: number }[] = [];
  for (const entry of Deno.readDirSync(storeDirectory(checkpointsDirectory))) {
    const shards = entry.isDirectory ? shardCountOf(entry.name) : undefined;
    if (shards === undefined) continue;
    for (let shard = 0; shard < shards; shard++) {
      const directory = shardDirectory(checkpointsDirectory, shards, shard);
      const newestMs = newestFileMs(directory);
      found.push({ share: { shard, shards }, newestMs });
    }
  }
  return found
    .sort((a, b) =>
      compare(a.newestMs, b.newestMs) || a.share.shards - b.share.shards ||
      a.share.shard - b.share.shard
    )
    .map(({ share }) => share);
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
