/**
 * What the main thread and a worker of the job archive say to each other. Requests
 * are worked off one at a time, in their order; each has one answer with its
 * number. Errors cross as data.
 */
import type { ErrorCode } from "../errors.ts";
import type { JobData } from "../jobdata/job_data.ts";
import type { JobStatisticsByMetric } from "../jobs/job_answer.ts";
import type { JobPlace } from "./archive_layout.ts";
import type { CompressionProgress, CompressionStep } from "./compression.ts";
import type { JobMeta, MetaEdit } from "./job_meta.ts";

/** The statistics of an archived job, or why there are none. */
export type StatisticsOrReason =
  | { readonly statistics: JobStatisticsByMetric }
  | { readonly statistics: null; readonly reason: string };

/** What can be asked, and the type of each answer. */
export interface JobArchiveCalls {
  /** Before all others. */
  open(options: { readonly root: string; readonly validate: boolean }): void;
  /** Puts a job into the archive, in place of what is there. */
  write(job: { readonly meta: JobMeta; readonly data: JobData }): void;
  /** False: the job is not in the archive. */
  editMeta(
    edit: { readonly place: JobPlace; readonly edit: MetaEdit },
  ): boolean;
  readMeta(place: JobPlace): JobMeta;
  /** In the order of the places. */
  readStatistics(places: readonly JobPlace[]): StatisticsOrReason[];
  readData(place: JobPlace): JobData;
  /** False: the job is not in the archive. */
  copyTo(
    copy: { readonly targetRoot: string; readonly place: JobPlace },
  ): boolean;
  /** False: the job was not in the archive. */
  remove(place: JobPlace): boolean;
  compress(step: CompressionStep): CompressionProgress;
}

export type JobArchiveCall = keyof JobArchiveCalls;
export type CallInput<Call extends JobArchiveCall> = Parameters<
  JobArchiveCalls[Call]
>[0];
export type CallOutput<Call extends JobArchiveCall> = ReturnType<
  JobArchiveCalls[Call]
>;

/** One request of any kind. */
export type JobArchiveRequest = {
  readonly [Call in JobArchiveCall]: {
    readonly id: number;
    readonly call: Call;
    readonly input: CallInput<Call>;
  };
}[JobArchiveCall];

export type JobArchiveReply =
  | { readonly id: number; readonly isOk: true; readonly value: unknown }
  | {
    readonly id: number;
    readonly isOk: false;
    readonly code: ErrorCode;
    readonly message: string;
    /** File the failure is about; empty: none. */
    readonly path: string;
  };
