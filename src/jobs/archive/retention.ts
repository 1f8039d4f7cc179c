/**
 * Retention of archived jobs (`archive.retention`): old jobs are deleted, copied or
 * moved to another archive, and removed from the database if so configured. The job
 * table finds the old jobs; the archive handles their files. Main thread.
 */
import type { JobPlace } from "./archive_layout.ts";

const SECONDS_PER_DAY = 86_400;

export interface RetentionOptions {
  readonly policy: "delete" | "copy" | "move";
  /** Days since the start of a job. */
  readonly ageDays: number;
  /** Tagged jobs that are spared: none, all, or those a user has tagged. */
  readonly omitTagged: "none" | "all" | "user";
  /** The database forgets deleted and moved jobs as well. */
  readonly includeDb: boolean;
  /** Archive that jobs are copied or moved to. */
  readonly targetRoot: string;
}

/** A place among the old jobs. */
export interface OldJobsCursor {
  readonly startTime: number;
  readonly id: number;
}

/** A part of the old jobs; without `next` the last one. */
export interface OldJobsPart {
  readonly jobs: readonly (JobPlace & { readonly id: number })[];
  readonly next?: OldJobsCursor;
}

/** The job table, as far as retention needs it. */
export interface RetentionJobs {
  /** Jobs that started before and do not run any more, but for the spared ones. */
  oldJobs(
    beforeSec: number,
    omitTagged: RetentionOptions["omitTagged"],
    after?: OldJobsCursor,
  ): Promise<OldJobsPart>;
  deleteJobs(ids: readonly number[]): Promise<unknown>;
}

/** The archive, as far as retention needs it; false: the job is not in it. */
export interface RetentionFiles {
  remove(place: JobPlace): Promise<boolean>;
  copyTo(targetRoot: string, place: JobPlace): Promise<boolean>;
}

export interface RetentionReport {
  /** Jobs whose files were deleted, copied or moved. */
  readonly files: number;
  /** Rows deleted. */
  readonly rows: number;
  /** Jobs left as they are, since something failed. */
  readonly failed: number;
}

/** Goes through all old jobs once. A job that fails is reported and passed over. */
export async function applyRetention(
  options: RetentionOptions,
  jobs: RetentionJobs,
  files: RetentionFiles,
  nowSec: number,
  onFailure: (place: JobPlace, error: unknown) => void,
): Promise<RetentionReport> {
  const { policy, omitTagged, includeDb } = options;
  const beforeSec = nowSec - options.ageDays * SECONDS_PER_DAY;
  const report = { files: 0, rows: 0, failed: 0 };
  let after: OldJobsCursor | undefined;
  do {
    const part = await jobs.oldJobs(beforeSec, omitTagged, after);
    const gone: number[] = [];
    for (const { id, ...place } of part.jobs) {
      try {
        if (await treat(options, files, place)) report.files++;
        gone.push(id);
      } catch (error) {
        report.failed++;
        onFailure(place, error);
      }
    }
    if (includeDb && policy !== "copy" && gone.length > 0) {
      await jobs.deleteJobs(gone);
      report.rows += gone.length;
    }
    after = part.next;
  } while (after !== undefined);
  return report;
}

/** Whether there were files to treat. */
async function treat(
  { policy, targetRoot }: RetentionOptions,
  files: RetentionFiles,
  place: JobPlace,
): Promise<boolean> {
  if (policy === "delete") return await files.remove(place);
  const isCopied = await files.copyTo(targetRoot, place);
  if (policy === "move" && isCopied) await files.remove(place);
  return isCopied;
}
