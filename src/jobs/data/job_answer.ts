/**
 * The job object as the API answers it (job-api 3.1, output column): which keys
 * are always there, which are left out while they say nothing, which are null.
 * Pure.
 */
import { jsonNumber, type RawNumber } from "../../base/job_number.ts";
import type { Unit } from "../../config/clusters/cluster.ts";
import type {
  JobResource,
  JobRow,
  NamedNumbers,
  TagRow,
} from "../../db/job_row.ts";

/** Statistics of one metric over a job's nodes and time. */
export interface JobStatistics {
  readonly unit: Unit;
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

/** By metric. */
export type JobStatisticsByMetric = Readonly<Record<string, JobStatistics>>;

/** The parts that a route adds to the row. */
export interface JobAnswerParts {
  /** For the duration of a running job. */
  readonly nowSec: number;
  /** Those the caller may see; absent: the route does not answer tags. */
  readonly tags?: readonly TagRow[];
  /** The route answers metadata, if the row has them. */
  readonly withMetaData?: boolean;
  /** Statistics of an archived job, in answers of routes that show them. */
  readonly statistics?: JobStatisticsByMetric | null;
}

/** Keys in the order of the wire; `undefined` ones are no keys in JSON. */
export interface JobAnswer {
  readonly cluster: string;
  readonly subCluster: string;
  readonly partition?: string;
  readonly project: string;
  readonly user: string;
  readonly shared: string;
  readonly jobState: string;
  readonly tags?: readonly TagRow[];
  readonly resources: readonly JobResource[];
  /** Never answered over HTTP. */
  readonly energyFootprint: null;
  readonly footprint: NamedNumbers | null;
  readonly metaData: Readonly<Record<string, string>> | null;
  readonly concurrentJobs: { readonly items: null; readonly count: 0 };
  readonly energy: number;
  readonly arrayJobId?: number | RawNumber;
  readonly walltime?: number;
  readonly requestedMemory?: number;
  readonly jobId: number | RawNumber;
  readonly duration: number;
  readonly smt?: number;
  readonly monitoringStatus: number;
  readonly numAcc?: number;
  readonly numHwthreads?: number;
  readonly numNodes: number;
  readonly statistics: JobStatisticsByMetric | null;
  readonly id: number;
  readonly submitTime?: number;
  readonly startTime: number;
}

/** The answer about a job; pass it to `JSON.stringify`. */
export function jobAnswer(row: JobRow, parts: JobAnswerParts): JobAnswer {
  const { tags, withMetaData = false, statistics = null } = parts;
  return {
    cluster: row.cluster,
    subCluster: row.subCluster,
    ...given("partition", row.partition),
    project: row.project,
    user: row.user,
    shared: row.shared,
    jobState: row.jobState,
    ...(tags === undefined || tags.length === 0
      ? {}
      : { tags: tags.map(tagAnswer) }),
    resources: row.resources,
    energyFootprint: null,
    footprint: row.footprint,
    metaData: withMetaData ? row.metaData : null,
    concurrentJobs: { items: null, count: 0 },
    energy: row.energy,
    ...(row.arrayJobId === 0 ? {} : { arrayJobId: jsonNumber(row.arrayJobId) }),
    ...given("walltime", row.walltime),
    ...given("requestedMemory", row.requestedMemory),
    jobId: jsonNumber(row.jobId),
    duration: durationAt(row, parts.nowSec),
    ...given("smt", row.smt),
    monitoringStatus: row.monitoringStatus,
    ...given("numAcc", row.numAcc),
    ...given("numHwthreads", row.numHwthreads),
    numNodes: row.numNodes,
    statistics,
    id: row.id,
    ...given("submitTime", row.submitTime),
    startTime: row.startTime,
  };
}

/**
 * Returns the seconds that a job runs or has run; never negative, even if clocks
 * differ.
 */
export function durationAt(
  job: Pick<JobRow, "jobState" | "startTime" | "duration">,
  nowSec: number,
): number {
  return job.jobState === "running"
    ? Math.max(0, nowSec - job.startTime)
    : job.duration;
}

/** A tag in the order of the wire. */
function tagAnswer({ type, name, scope, id }: TagRow): TagRow {
  return { type, name, scope, id };
}

/** The entry, unless its value says "not given". */
export function given<Key extends string, Value extends string | number>(
  key: Key,
  value: Value,
): { readonly [Name in Key]?: Value } {
  return (value === "" || value === 0 ? {} : { [key]: value }) as {
    readonly [Name in Key]?: Value;
  };
}
