/** What the routes of the Prometheus API work with. Main thread. */
import type { QueryEvaluator } from "../../metricstore/engine/query_jobs.ts";
import type { QueryQueue } from "./query_queue.ts";
import type { QueryStats } from "./query_stats.ts";

/** Bounds of the configuration (section `prometheus`). */
export interface QuerySettings {
  readonly timeoutMs: number;
  readonly maxSamples: number;
  readonly maxSeries: number;
}

/** What is known of a metric besides its samples. */
export interface MetricUnit {
  readonly name: string;
  readonly unit: string;
}

export interface PrometheusServices {
  readonly evaluator: QueryEvaluator;
  readonly queue: QueryQueue;
  readonly stats: QueryStats;
  readonly settings: QuerySettings;
  /** As the configurations of the clusters are now. */
  metricUnits(): readonly MetricUnit[];
  /** For `status/runtimeinfo`. */
  readonly startedMs: number;
  readonly retentionSec: number;
  seriesCount(): number;
}
