/**
 * A job as the database knows it: plain data that crosses threads. The words of the
 * wire (job-api 3) are made of it elsewhere.
 *
 * Times are Unix epoch seconds, spans are seconds. `""` and 0 stand for "not given"
 * in the optional fields, as they do on the wire.
 */

import type { JobNumber } from "../base/job_number.ts";

export const JOB_STATES = [
  "boot_fail",
  "cancelled",
  "completed",
  "deadline",
  "failed",
  "node_fail",
  "out_of_memory",
  "pending",
  "preempted",
  "running",
  "suspended",
  "timeout",
] as const;
export type JobState = typeof JOB_STATES[number];

export const SHARED_KINDS = ["none", "single_user", "multi_user"] as const;
export type SharedKind = typeof SHARED_KINDS[number];

/** 0 monitoring disabled, 1 running or archiving, 2 archiving failed, 3 archived. */
export const MONITORING_STATUSES = [0, 1, 2, 3] as const;
export type MonitoringStatus = typeof MONITORING_STATUSES[number];

/** The parts of one host that a job uses. */
export interface JobResource {
  readonly hostname: string;
  readonly configuration?: string;
  /** Hardware-thread ids of the operating system; absent: the whole node. */
  readonly hwthreads?: readonly number[];
  /** Ids as in the topology; absent: none. */
  readonly accelerators?: readonly string[];
}

/** Numbers by name, as of footprints: `cpu_load_avg` → 0.97. */
export type NamedNumbers = Readonly<Record<string, number>>;

export interface JobRow {
  /** Key of the row; never used again after the job is deleted. */
  readonly id: number;
  /** Id the batch system gave; unique with cluster and start time. */
  readonly jobId: JobNumber;
  readonly cluster: string;
  readonly subCluster: string;
  readonly user: string;
  readonly project: string;
  readonly partition: string;
  readonly jobState: JobState;
  readonly shared: SharedKind;
  readonly monitoringStatus: MonitoringStatus;
  readonly submitTime: number;
  readonly startTime: number;
  /** Seconds; for a running job as the duration service last wrote it. */
  readonly duration: number;
  readonly walltime: number;
  readonly arrayJobId: JobNumber;
  readonly numNodes: number;
  readonly numHwthreads: number;
  readonly numAcc: number;
  readonly smt: number;
  /** MB. */
  readonly requestedMemory: number;
  /** kWh. */
  readonly energy: number;
  readonly energyFootprint: NamedNumbers | null;
  readonly footprint: NamedNumbers | null;
  readonly resources: readonly JobResource[];
  /** `null` if there is none, and in lists that were not asked for it. */
  readonly metaData: Readonly<Record<string, string>> | null;
}

/** A job that has no row yet. */
export type NewJob = Omit<JobRow, "id">;

/** The batch system's name of a job; of several matches the methods say which. */
export interface JobKey {
  readonly jobId: JobNumber;
  readonly cluster?: string | undefined;
  readonly startTime?: number | undefined;
  /** Only jobs of these clusters are looked at; absent: all. */
  readonly clusters?: readonly string[];
}

/** The triple that names a tag. */
export interface TagKey {
  readonly type: string;
  readonly name: string;
  /** `global`, `admin`, or the user whose private tag it is. */
  readonly scope: string;
}

export interface TagRow extends TagKey {
  readonly id: number;
}
