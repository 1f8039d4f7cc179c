/**
 * Metrics of a job as the job API answers them and as the job archive stores
 * them. Plain data that crosses threads; samples are `Float64Array`s in which NaN
 * stands for the `null` of JSON.
 */
import type { Unit } from "../../config/clusters/cluster.ts";
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import type { JobRow } from "../../db/job_row.ts";

/** Over the native samples of a series; all 0 where there is no value. */
export interface SeriesStatistics {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
}

export interface Series {
  readonly hostname: string;
  /** Number of the unit or id of the accelerator; a whole node has none. */
  readonly id?: string;
  readonly statistics: SeriesStatistics;
  /**
   * Steps without a sample before `data`; absent: none. A job may have begun long
   * before its first sample, so these are counted, never held.
   */
  readonly leadingNulls?: number;
  /** One value a step; the first steps of the job may be missing; NaN: none. */
  readonly data: Float64Array;
}

/** Over all series at a step; NaN: too few values there. */
export interface StatisticsSeries {
  /** Steps before the first of each list; absent: none. */
  readonly leadingNulls?: number;
  readonly percentiles?: ReadonlyMap<string, Float64Array>;
  /** Older archives have it instead of `median`. */
  readonly mean: Float64Array | null;
  readonly median: Float64Array | null;
  readonly min: Float64Array | null;
  readonly max: Float64Array | null;
}

export interface JobMetric {
  readonly unit: Unit;
  /** Seconds between two values. */
  readonly timestep: number;
  /** By resource of the job, then by number of the unit. */
  readonly series: readonly Series[];
  readonly statisticsSeries?: StatisticsSeries;
}

export type JobMetricByScope = ReadonlyMap<MetricScope, JobMetric>;

/** One metric with all its scopes: the piece in which job data is read and written. */
export interface NamedMetric {
  readonly name: string;
  readonly scopes: JobMetricByScope;
}

/** By name of the metric, then by scope. */
export type JobData = ReadonlyMap<string, JobMetricByScope>;

/**
 * The columns of a job that reading its metrics needs. The duration of a running job is
 * the time since its start, not the value of the row.
 */
export type MeasuredJob = Pick<
  JobRow,
  | "cluster"
  | "startTime"
  | "duration"
  | "numNodes"
  | "numAcc"
  | "resources"
>;

/** The metrics of a job in the order of their names, which is that of the archive. */
export function* metricsOf(data: JobData): Generator<NamedMetric> {
  const sorted = [...data].sort(([a], [b]) => a < b ? -1 : 1);
  for (const [name, scopes] of sorted) yield { name, scopes };
}
