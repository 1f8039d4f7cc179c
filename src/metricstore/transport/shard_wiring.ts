/**
 * The shared memory that joins the threads. The main thread makes it and hands it to
 * every shard at its start.
 *
 *     main ──toShard[i]──► shard i ──toMain[i]──► main
 *     shard i ──between[i][j]──► shard j
 */
import type { EngineOptions } from "../engine/metric_engine.ts";
import { createBell } from "./bell.ts";
import { createRing } from "./ring.ts";
import { createCancelFlags } from "./selection_messages.ts";
import { createInstanceCounts } from "./instance_counts.ts";
import type { ShardSlot } from "./stream_progress.ts";
import { StatsBlock } from "./shard_stats.ts";

/** A few scrapes deep: more would only add latency and push data out of the caches. */
const TO_SHARD_BYTES = 2 << 20;
const TO_MAIN_BYTES = 2 << 20;
/** All rings from one shard to the others together. */
const BETWEEN_BYTES = 2 << 20;

/** From an evaluator to a shard, and back. */
const ASK_BYTES = 256 << 10;
const SERIES_BYTES = 2 << 20;

export interface Wiring {
  readonly options: EngineOptions;
  /** Owners of the directories on disk, the one written last at the end. */
  readonly directories: readonly ShardSlot[];
  readonly mainBell: SharedArrayBuffer;
  readonly shardBells: readonly SharedArrayBuffer[];
  readonly toShard: readonly SharedArrayBuffer[];
  readonly toMain: readonly SharedArrayBuffer[];
  /** `between[from][to]`; the diagonal is not used. */
  readonly between: readonly (readonly SharedArrayBuffer[])[];
  readonly stats: readonly SharedArrayBuffer[];
  /** Counters all shards share: series and hosts. */
  readonly shared: SharedArrayBuffer;
  /** Series of each named instance (instance_counts.ts). */
  readonly instances: SharedArrayBuffer;
  readonly evaluators: readonly EvaluatorWiring[];
}

/** The rings and bells between one evaluator of queries and the shards. */
export interface EvaluatorWiring {
  readonly bell: SharedArrayBuffer;
  /** By shard. */
  readonly toShard: readonly SharedArrayBuffer[];
  readonly fromShard: readonly SharedArrayBuffer[];
  /** Selections that were taken back (selection_messages.ts). */
  readonly cancelled: SharedArrayBuffer;
}

/** The first message to a worker. */
export interface ShardStart {
  readonly shard: number;
  readonly wiring: Wiring;
}

/**
 * Makes the rings, bells and counters of all threads. Main thread, once at the start.
 */
export function createWiring(
  options: EngineOptions,
  directories: readonly ShardSlot[],
): Wiring {
  const shards = Array.from({ length: options.shards }, (_, i) => i);
  const others = Math.max(1, options.shards - 1);
  const between = options.forwardRingBytes ?? Math.max(
    256 << 10,
    2 ** Math.floor(Math.log2(BETWEEN_BYTES / others)),
  );
  return {
    options,
    directories,
    mainBell: createBell(),
    shardBells: shards.map(() => createBell()),
    toShard: shards.map(() => createRing(TO_SHARD_BYTES)),
    toMain: shards.map(() => createRing(TO_MAIN_BYTES)),
    between: shards.map(() => shards.map(() => createRing(between))),
    stats: shards.map(() => new StatsBlock().memory),
    shared: new SharedArrayBuffer(64),
    instances: createInstanceCounts(),
    evaluators: Array.from({ length: options.evaluators ?? 0 }, () => ({
      bell: createBell(),
      toShard: shards.map(() => createRing(ASK_BYTES)),
      fromShard: shards.map(() => createRing(SERIES_BYTES)),
      cancelled: createCancelFlags(),
    })),
  };
}
