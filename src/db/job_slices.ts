/** Changes of many jobs, cut into slices of some milliseconds. Part of the job table. */
import type { Connection, Statement } from "./connection.ts";
import type { JobNumber } from "../base/job_number.ts";
import { longColumn, longInteger } from "./job_columns.ts";
import type { JobCursor } from "./job_filter.ts";

/** Jobs looked at by a slice. */
const SLICE_JOBS = 500;

/** Spared: none, all that have a tag, those with a tag that no tagger has set. */
export const OMIT_TAGGED = ["none", "all", "user"] as const;
export type OmitTagged = typeof OMIT_TAGGED[number];

export interface Slice {
  /** Jobs that were changed. */
  readonly count: number;
  /** Where the next slice begins; absent: there is none. */
  readonly next?: JobCursor;
}

/** All slices of a change, one after the other; returns how many jobs were changed. */
export async function inSlices(
  slice: (after: JobCursor | undefined) => Slice | Promise<Slice>,
): Promise<number> {
  let total = 0;
  let after: JobCursor | undefined;
  do {
    const { count, next } = await slice(after);
    total += count;
    after = next;
  } while (after !== undefined);
  return total;
}

const SPARED: Readonly<Record<OmitTagged, string>> = {
  none: "",
  all: "AND NOT EXISTS (SELECT 1 FROM job_tag WHERE job_tag.job_id = job.id)",
  user: `AND NOT EXISTS (
    SELECT 1 FROM job_tag CROSS JOIN tag ON tag.id = job_tag.tag_id
    WHERE job_tag.job_id = job.id AND tag.type NOT IN ('app', 'jobClass'))`,
};

const BEFORE_ALL: JobCursor = { startTime: Number.MIN_SAFE_INTEGER, id: 0 };

/** An old job, by the names its place in the archive has. */
export interface OldJob {
  readonly id: number;
  readonly jobId: JobNumber;
  readonly cluster: string;
  readonly startTime: number;
}

type OldJobRecord = Omit<OldJob, "jobId"> & {
  readonly jobId: number | string;
};

/** A part of the old jobs. */
export interface OldJobs {
  readonly jobs: readonly OldJob[];
  /** Where the next part begins; absent: there is none. */
  readonly next?: JobCursor;
}

export class JobSlices {
  readonly #connection: Connection;
  readonly #before: Statement<JobCursor>;
  readonly #running: Statement<JobCursor>;
  readonly #delete: Readonly<Record<OmitTagged, Statement<never>>>;
  readonly #setDuration: Statement<never>;
  readonly #failOverdue: Statement<never>;
  readonly #old: Readonly<Record<OmitTagged, Statement<OldJobRecord>>>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#before = connection.prepare(
      `SELECT id, start_time AS startTime FROM job INDEXED BY job_all
       WHERE start_time < ? AND (start_time, id) > (?, ?)
       ORDER BY start_time, id LIMIT ${SLICE_JOBS}`,
    );
    this.#running = connection.prepare(
      `SELECT id, start_time AS startTime FROM job INDEXED BY job_state
       WHERE job_state = 'running' AND (start_time, id) > (?, ?)
       ORDER BY start_time, id LIMIT ${SLICE_JOBS}`,
    );
    const prepareDelete = (omit: OmitTagged) =>
      connection.prepare(`DELETE FROM job WHERE id = ? ${SPARED[omit]}`);
    this.#delete = {
      none: prepareDelete("none"),
      all: prepareDelete("all"),
      user: prepareDelete("user"),
    };
    const prepareOld = (omit: OmitTagged) =>
      connection.prepare<OldJobRecord>(
        `SELECT id, ${
          longColumn("job_id", "jobId")
        }, cluster, start_time AS startTime FROM job
         WHERE id = ? AND job_state <> 'running' ${SPARED[omit]}`,
      );
    this.#old = {
      none: prepareOld("none"),
      all: prepareOld("all"),
      user: prepareOld("user"),
    };
    this.#setDuration = connection.prepare(
      "UPDATE job SET duration = max(0, ? - start_time) WHERE id = ?",
    );
    this.#failOverdue = connection.prepare(
      `UPDATE job INDEXED BY job_state
       SET job_state = 'failed', duration = 0, monitoring_status = 2
       WHERE job_state = 'running' AND walltime > 0 AND start_time + walltime < ?`,
    );
  }

  deleteBefore(
    beforeSec: number,
    omitTagged: OmitTagged,
    after: JobCursor = BEFORE_ALL,
  ): Slice {
    const remove = this.#delete[omitTagged];
    return this.#slice(
      () => this.#before.all(beforeSec, after.startTime, after.id),
      ({ id }) => remove.run(id).changes,
    );
  }

  updateDurations(now: number, after: JobCursor = BEFORE_ALL): Slice {
    return this.#slice(
      () => this.#running.all(after.startTime, after.id),
      ({ id }) => this.#setDuration.run(now, id).changes,
    );
  }

  oldJobs(
    beforeSec: number,
    omitTagged: OmitTagged,
    after: JobCursor = BEFORE_ALL,
  ): OldJobs {
    const isOld = this.#old[omitTagged];
    const jobs: OldJob[] = [];
    const { next } = this.#slice(
      () => this.#before.all(beforeSec, after.startTime, after.id),
      ({ id }) => {
        const job = isOld.get(id);
        if (job !== undefined) {
          jobs.push({ ...job, jobId: longInteger(job.jobId) });
        }
        return 0;
      },
    );
    return next === undefined ? { jobs } : { jobs, next };
  }

  failOverdue(now: number, graceSec: number): number {
    return this.#failOverdue.run(now - graceSec).changes;
  }

  #slice(find: () => JobCursor[], change: (job: JobCursor) => number): Slice {
    return this.#connection.transaction(() => {
      const jobs = find();
      let count = 0;
      for (const job of jobs) count += change(job);
      const last = jobs.at(-1);
      return jobs.length < SLICE_JOBS || last === undefined
        ? { count }
        : { count, next: { ...last } };
    });
  }
}
