/** Turns the configuration into the options of the engine. */
import type {
  EngineOptions,
  MetricTable,
} from "../../metricstore/engine/metric_engine.ts";
import { memoryCap } from "./memory_cap.ts";
import type { Config } from "./schema.ts";

const LEAST_SHARDS = 2;
const MOST_SHARDS = 16;
/** Some 30 M samples, replayed in a second or two. */
const DEFAULT_LOG_BYTES = 256 << 20;

/**
 * `metrics`: of the configuration and the clusters. `cores`: logical processors;
 * the default leaves one of them to the main thread.
 */
export function engineOptions(
  config: Config,
  metrics: MetricTable,
  cores: number = navigator.hardwareConcurrency,
): EngineOptions {
  const store = config["metric-store"];
  const chosen = store["num-workers"];
  return {
    shards: chosen > 0
      ? chosen
      : Math.max(LEAST_SHARDS, Math.min(cores - 1, MOST_SHARDS)),
    metrics,
    retentionSec: store["retention-in-memory"],
    maxFutureSec: store["max-future"],
    memoryCapBytes: memoryCap(store["memory-cap"]).bytes,
    maxSeries: store["max-series"],
    maxHosts: store["max-hosts"],
    maxNameBytes: store["max-name-length"],
    maxQuerySamples: store["max-query-samples"],
    missingIdPlaceholder: store["missing-id-placeholder"],
    evaluators: config.prometheus.evaluators || (cores >= 4 ? 2 : 1),
    persistence: {
      directory: store.checkpoints.directory,
      syncIntervalSec: store.checkpoints["sync-interval"],
      snapshotIntervalSec: store["checkpoint-interval"],
      maxLogBytes: store.checkpoints["max-wal-size"] || DEFAULT_LOG_BYTES,
    },
    archive: store.cleanup.mode === "archive"
      ? {
        directory: store.cleanup.directory,
        intervalSec: store.cleanup.interval,
      }
      : undefined,
  };
}
