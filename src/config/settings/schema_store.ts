/** The sections `metrics`, `clusters` and `metric-store`. */
import { z } from "zod";
import type { Aggregation } from "../../metricstore/engine/metric_engine.ts";
import {
  amountOrNone,
  duration,
  flag,
  ignored,
  integer,
  named,
  oneOf,
  positiveDuration,
  section,
  size,
  text,
} from "./values.ts";
import { NO_CAP } from "./memory_cap.ts";
import { natsSubscriptions } from "./schema_nats.ts";

const AGGREGATION = '"sum", "avg" or null';

/**
 * Upstream takes any other text for null and warns, and so do we: see
 * `oddAggregations` in notes.ts for the warning.
 */
const aggregation = z.string({ error: AGGREGATION }).nullable()
  .transform((word): Aggregation =>
    word === "sum" || word === "avg" ? word : null
  ).meta({ expected: AGGREGATION });

const metric = section({
  frequency: integer(1).describe("Seconds between two samples."),
  aggregation: aggregation.describe(
    "How values are combined over levels; null: not at all.",
  ),
});

export const metricsSection = named(metric, "metric");

export const clustersSection = named(
  section({
    metrics: metricsSection.prefault({}).describe(
      "Metrics of this cluster that differ from `metrics`, or are missing there.",
    ),
  }),
  "cluster",
);

const checkpoints = section({
  "file-format": oneOf("wal", "json").default("wal").describe(
    "Accepted, has no effect: there is always a log.",
  ),
  directory: text().default("./var/checkpoints").describe(
    "Ours are the files below `ringstore/` in it.",
  ),
  "max-wal-size": size().prefault(0).describe(
    "Size of a shard's log that causes a snapshot; 0: none.",
  ),
  "sync-interval": duration().prefault("1s").describe(
    "Most that a power cut can take; 0s: nothing.",
  ),
});

const cleanup = section({
  mode: oneOf("delete", "archive").default("delete").describe(
    "What happens to samples past the retention.",
  ),
  directory: text().default("").describe(
    "Directory of Parquet files, for mode `archive`.",
  ),
  interval: positiveDuration().prefault("1h").describe(
    "Time between two runs of mode `archive`.",
  ),
}).superRefine((given, context) => {
  if (given.mode === "archive" && given.directory === "") {
    context.addIssue({
      code: "custom",
      path: ["directory"],
      message: "a directory, since cleanup.mode is archive",
    });
  }
});

export const metricStoreSection = section({
  "retention-in-memory": duration().describe(
    "How long samples are kept; 0s: until the cap is reached.",
  ),
  "memory-cap": amountOrNone().default(0).describe(
    "GB (10^9 bytes) the process may use, fractions allowed; 0: 80 % of the limit of " +
      "its control group, else 50 % of the machine; -1: no limit.",
  ),
  "num-workers": integer(undefined, 256).default(0).describe(
    "Shards; 0 or less: one less than the cores, but 2 to 16.",
  ),
  "max-future": duration().prefault("1h").describe(
    "Samples further ahead than this are skipped.",
  ),
  "max-series": integer(0).default(0).describe(
    "Bound of the number of series; 0: none.",
  ),
  "max-hosts": integer(0).default(0).describe(
    "Bound of the number of hosts; 0: none.",
  ),
  "max-name-length": integer(1, 65535).default(256).describe(
    "Bytes of the name of a cluster, host, level or metric.",
  ),
  "max-query-samples": integer(0).default(0).describe(
    "Samples one query may read; 0: no bound.",
  ),
  "missing-id-placeholder": flag().default(true).describe(
    "An id without data keeps its place in the answer when a later one has data.",
  ),
  "checkpoint-interval": positiveDuration().prefault("12h").describe(
    "Time between two snapshots.",
  ),
  checkpoints: checkpoints.prefault({}).describe("Log and snapshots."),
  cleanup: cleanup.prefault({}).describe("What becomes of old samples."),
  "nats-subscriptions": natsSubscriptions.default([]).describe(
    "Where samples come from by NATS.",
  ),
  debug: ignored().optional().describe("Accepted, has no effect."),
}).superRefine((store, context) => {
  if (store["retention-in-memory"] === 0 && store["memory-cap"] === NO_CAP) {
    context.addIssue({
      code: "custom",
      path: ["memory-cap"],
      message: "a cap, since retention-in-memory 0 keeps everything",
    });
  }
});
