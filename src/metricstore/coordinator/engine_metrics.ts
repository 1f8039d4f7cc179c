/**
 * Metrics of the store. Counters of the shards are copied when the metrics are read.
 * Main thread.
 */
import type { Counter, Registry } from "prom-client";
import { registerCounter, registerGauge } from "../../base/metrics.ts";
import type {
  ArchiveStats,
  EngineState,
  MetricEngine,
} from "../engine/metric_engine.ts";
import { SHARD_COUNTERS, SHARD_GAUGES } from "./shard_metrics.ts";
import { OTHER_CLUSTERS } from "./unknown_metric_notices.ts";

const ENGINE_STATES: readonly EngineState[] = [
  "restoring",
  "ready",
  "stopping",
  "failed",
];

const ARCHIVE_COUNTERS: readonly [string, string, keyof ArchiveStats][] = [
  ["archive_runs_total", "Runs of the archive that were begun.", "runsTotal"],
  ["archive_failures_total", "Runs that failed.", "failuresTotal"],
  ["archive_files_total", "Parquet files written.", "filesTotal"],
  ["archive_rows_total", "Samples written to them.", "rowsTotal"],
];

/** Registers the numbers of shards and of the Parquet files, and the engine's state. */
export function registerStoreMetrics(
  registry: Registry,
  engine: MetricEngine,
): void {
  registerState(registry, engine);
  registerShards(registry, engine);
  registerArchive(registry, engine);
}

function registerState(registry: Registry, engine: MetricEngine): void {
  registerGauge(
    registry,
    "engine_state",
    "1 for the present state.",
    ["state"],
    (g) => {
      for (const state of ENGINE_STATES) {
        g.set({ state }, engine.state === state ? 1 : 0);
      }
    },
  );
}

function registerShards(registry: Registry, engine: MetricEngine): void {
  for (const [name, help, key] of SHARD_COUNTERS) {
    registerCounter(registry, name, help, ["shard"], (counter) => {
      for (const stats of engine.stats()) {
        counter.inc({ shard: String(stats.shard) }, Number(stats[key]));
      }
    });
  }
  for (const [name, help, key] of SHARD_GAUGES) {
    registerGauge(registry, name, help, ["shard"], (gauge) => {
      for (const stats of engine.stats()) {
        gauge.set({ shard: String(stats.shard) }, Number(stats[key]));
      }
    });
  }
  registerGauge(
    registry,
    "instance_series",
    "Series of each instance but the default one.",
    ["instance"],
    (gauge) => {
      for (const [instance, series] of engine.instanceSeries ?? []) {
        gauge.set({ instance }, series);
      }
    },
  );
  registerCounter(
    registry,
    "unknown_metric_lines_total",
    "Lines whose metric nobody configured, by the cluster they name; " +
      `"${OTHER_CLUSTERS}": further clusters.`,
    ["cluster"],
    (counter) => {
      for (const [cluster, lines] of engine.unknownMetricLines ?? []) {
        counter.inc({ cluster }, lines);
      }
    },
  );
  const byReason = (key: "rejectedTotal" | "skippedTotal") =>
  (
    counter: Counter<string>,
  ) => {
    for (const stats of engine.stats()) {
      for (const [reason, count] of Object.entries(stats[key])) {
        counter.inc({ shard: String(stats.shard), reason }, count);
      }
    }
  };
  registerCounter(
    registry,
    "ingest_rejected_lines_total",
    "Lines refused as wrong, by reason.",
    ["shard", "reason"],
    byReason("rejectedTotal"),
  );
  registerCounter(
    registry,
    "ingest_skipped_lines_total",
    "Lines passed over without being wrong, by reason.",
    ["shard", "reason"],
    byReason("skippedTotal"),
  );
}

function registerArchive(registry: Registry, engine: MetricEngine): void {
  if (engine.archive === undefined) return;
  for (const [name, help, key] of ARCHIVE_COUNTERS) {
    registerCounter(
      registry,
      name,
      help,
      [],
      (counter) => counter.inc(engine.archive?.[key] ?? 0),
    );
  }
  registerGauge(
    registry,
    "archived_before_timestamp_seconds",
    "Samples before it are in Parquet files.",
    [],
    (gauge) => gauge.set(engine.archive?.reachedSec ?? 0),
  );
}
