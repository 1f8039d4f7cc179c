/**
 * Starts the metric engine: its directories first, locked against other processes,
 * then its workers. Main thread only.
 */
import { openArchive } from "../parquet/archive_names.ts";
import { nowSec } from "../../base/clock.ts";
import { type HeldLock, holdLock } from "../persist/directory_lock.ts";
import { DENO_FILES } from "../persist/files.ts";
import { makeShardDirectory } from "../persist/shard_directory.ts";
import { besideBytes } from "../shard/memory_guard.ts";
import type {
  EngineNotice,
  EngineOptions,
  StoreEngine,
} from "../engine/metric_engine.ts";
import type { NodeProvider } from "../engine/node_provider.ts";
import { ShardedEngine } from "./sharded_engine.ts";
import { directoriesByAge, storeLock } from "./store_layouts.ts";

/**
 * Starts the workers; resolves when all shards take work. Throws a `StorageError`
 * where samples or the archive cannot be kept in their directories, a `LockError`
 * where another process works in them. `nodes` knows which hosts have running jobs;
 * absent: the retention protects none. `lock` is that of the directory, if the caller
 * has it already; the engine gives it back.
 */
export async function startEngine(
  options: EngineOptions,
  notify: (notice: EngineNotice) => void = () => {},
  nodes?: NodeProvider,
  lock?: HeldLock,
): Promise<StoreEngine> {
  const { persistence } = options;
  const held = lock ??
    (persistence && await holdLock(storeLock(persistence.directory)));
  try {
    return await startLocked(options, notify, nodes, held);
  } catch (error) {
    held?.release();
    throw error;
  }
}

async function startLocked(
  options: EngineOptions,
  notify: (notice: EngineNotice) => void,
  nodes: NodeProvider | undefined,
  lock: HeldLock | undefined,
): Promise<StoreEngine> {
  const { archive, persistence, shards } = options;
  checkCap(options, notify);
  if (persistence !== undefined) {
    // Here and not only in the workers: a faulty directory stops the start.
    for (let shard = 0; shard < shards; shard++) {
      makeShardDirectory(DENO_FILES, persistence.directory, shards, shard);
    }
  }
  const directories = persistence === undefined
    ? []
    : directoriesByAge(persistence.directory);
  const engine = new ShardedEngine(
    {
      ...options,
      protectsNodes: nodes !== undefined,
      archive: archive && {
        ...archive,
        reachedSec: openArchive(DENO_FILES, archive.directory, nowSec()),
      },
    },
    directories,
    notify,
    nodes,
    lock,
  );
  await engine.start();
  return engine;
}

/** A cap that nothing fits below is known now, not when the first line is refused. */
function checkCap(
  { archive, memoryCapBytes, shards }: EngineOptions,
  notify: (notice: EngineNotice) => void,
): void {
  const besides = besideBytes(shards, archive !== undefined);
  if (memoryCapBytes === 0 || memoryCapBytes > besides) return;
  notify({
    level: "err",
    message:
      "metric-store.memory-cap leaves no room for samples: every new series will be refused",
    fields: {
      memoryCapGB: memoryCapBytes / 1e9,
      neededByTheProcessGB: besides / 1e9,
      workers: shards,
    },
  });
}
