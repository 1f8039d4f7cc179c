/** Names of the numbers that shards keep, in the server's own metrics. */
import type { ShardStats } from "../engine/metric_engine.ts";

/** Numbers of one shard that are a counter or a gauge without further labels. */
export const SHARD_COUNTERS: readonly [string, string, keyof ShardStats][] = [
  ["ingest_lines_total", "Lines of line protocol read.", "linesTotal"],
  ["ingest_samples_total", "Samples stored.", "storedTotal"],
  ["queries_total", "Queries answered.", "queriesTotal"],
  [
    "query_samples_read_total",
    "Samples read for queries, before aggregation and resampling.",
    "samplesReadTotal",
  ],
  [
    "mixed_level_queries_total",
    "Host-level queries that added up levels of different types.",
    "mixedLevelQueriesTotal",
  ],
  [
    "selections_total",
    "Selections of series that were made for evaluators.",
    "selectionsTotal",
  ],
  [
    "selected_samples_total",
    "Samples that went to evaluators.",
    "selectedSamplesTotal",
  ],
  ["selection_seconds_total", "Time spent on selections.", "selectionSecTotal"],
  ["log_bytes_total", "Bytes handed to the log.", "logBytesTotal"],
  ["log_failures_total", "Batches the log refused.", "logFailuresTotal"],
];
export const SHARD_GAUGES: readonly [string, string, keyof ShardStats][] = [
  ["selections_open", "Selections of series under way.", "selectionsOpen"],
  ["series", "Series in memory.", "series"],
  ["hosts", "Hosts in memory.", "hosts"],
  ["runs", "Runs of samples on one grid.", "runs"],
  ["block_bytes", "Bytes of sealed, compressed pages.", "blockBytes"],
  [
    "reserved_bytes",
    "Bytes of sample memory taken, free or in use.",
    "reservedBytes",
  ],
  [
    "evicted_before_timestamp_seconds",
    "Samples of the default instance before it were given up for want of memory.",
    "evictedBeforeSec",
  ],
  [
    "restored_samples",
    "Samples taken from disk at the start.",
    "restoredSamples",
  ],
  ["sample_bytes", "Bytes of sample memory in use.", "sampleBytes"],
  ["inbox_bytes", "Bytes of line protocol waiting.", "inboxBytes"],
];
