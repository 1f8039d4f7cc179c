/**
 * The calls of a worker of the job archive. Each is done before the next begins, but
 * `nextMetric`, which may take long.
 */
import type { NamedMetric } from "../data/job_data.ts";
import type { JobStatisticsByMetric } from "../data/job_answer.ts";
import type { JobPlace } from "./archive_layout.ts";
import type { CompressionProgress, CompressionStep } from "./compression.ts";
import type { DataSelection } from "./data_file.ts";
import type { JobMeta, MetaEdit } from "./job_meta.ts";

/** The statistics of an archived job, or why there are none. */
export type StatisticsOrReason =
  | { readonly statistics: JobStatisticsByMetric }
  | { readonly statistics: null; readonly reason: string };

/** The calls, and the type of each answer. */
export interface JobArchiveCalls {
  /** Before all others. */
  open(
    options: {
      readonly root: string;
      readonly validate: boolean;
      readonly keepsGroup?: boolean;
    },
  ): void;
  /**
   * Begins to put a job into the archive, in place of the files there. Returns the
   * number by which the write goes until it is finished or given up.
   */
  beginWrite(place: JobPlace): number;
  addMetric(
    part: { readonly number: number; readonly metric: NamedMetric },
  ): void;
  finishWrite(part: { readonly number: number; readonly meta: JobMeta }): void;
  abortWrite(number: number): void;
  /** Returns false if the archive does not have the job. */
  editMeta(
    edit: { readonly place: JobPlace; readonly edit: MetaEdit },
  ): boolean;
  readMeta(place: JobPlace): JobMeta;
  /** In the order of the places. */
  readStatistics(places: readonly JobPlace[]): StatisticsOrReason[];
  /** Begins to read metrics of a job; gives a number until it is closed. */
  openData(
    from: { readonly place: JobPlace; readonly selection: DataSelection },
  ): number;
  /** The next of them; `undefined`: there is none. */
  nextMetric(number: number): NamedMetric | undefined;
  closeData(number: number): void;
  /** Returns false if the archive does not have the job. */
  copyTo(
    copy: { readonly targetRoot: string; readonly place: JobPlace },
  ): boolean;
  /** Returns false if the archive did not have the job. */
  remove(place: JobPlace): boolean;
  compress(step: CompressionStep): CompressionProgress;
}
