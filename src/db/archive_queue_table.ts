/** Jobs that have stopped and wait to be archived; the queue outlives the process. */
import type { Connection, Statement } from "./connection.ts";
import type { JobRow, TagRow } from "./job_row.ts";
import type { JobResults, JobTable } from "./job_table.ts";
import type { TagTable } from "./tag_table.ts";

export interface QueuedJob {
  readonly job: JobRow;
  readonly tags: readonly TagRow[];
  /** When it was stopped. */
  readonly since: number;
  /** How often archiving it was begun. */
  readonly attempts: number;
  /** Unix seconds before which it is not tried again. */
  readonly retryAt: number;
  /** Why the last attempt failed; `""`: none did. */
  readonly problem: string;
}

/** The queue in numbers. */
export interface QueueCounts {
  readonly waiting: number;
  /** Those of them whose last attempt failed. */
  readonly failing: number;
  /** When the job was stopped that has waited longest; 0: none waits. */
  readonly oldestSince: number;
  /** When the next job is due; 0: at once, or none waits. */
  readonly nextAt: number;
}

interface QueueRecord {
  readonly id: number;
  readonly since: number;
  readonly attempts: number;
  readonly retryAt: number;
  readonly problem: string;
}

/** Characters of a problem's text that are kept. */
const PROBLEM_CHARS = 1000;
const QUEUE_COLUMNS =
  "job_id AS id, since, attempts, retry_at AS retryAt, problem";

export class ArchiveQueueTable {
  readonly #connection: Connection;
  readonly #jobs: JobTable;
  readonly #tags: TagTable;
  readonly #waiting: Statement<QueueRecord>;
  readonly #due: Statement<QueueRecord>;
  readonly #counts: Statement<QueueCounts>;
  readonly #noteAttempt: Statement<never>;
  readonly #noteFailure: Statement<never>;
  readonly #retryNow: Statement<never>;
  readonly #givenUp: Statement<{ id: number }>;
  readonly #givenUpCount: Statement<{ count: number }>;
  readonly #again: Statement<never>;
  readonly #remove: Statement<never>;

  constructor(connection: Connection, jobs: JobTable, tags: TagTable) {
    this.#connection = connection;
    this.#jobs = jobs;
    this.#tags = tags;
    this.#waiting = connection.prepare(
      `SELECT ${QUEUE_COLUMNS} FROM archive_queue
       WHERE (since, job_id) > (?, ?) ORDER BY since, job_id LIMIT ?`,
    );
    this.#due = connection.prepare(
      `SELECT ${QUEUE_COLUMNS} FROM archive_queue
       WHERE retry_at <= ? ORDER BY since, job_id LIMIT ?`,
    );
    this.#counts = connection.prepare(
      `SELECT count(*) AS waiting, count(nullif(problem, '')) AS failing,
       ifnull(min(since), 0) AS oldestSince, ifnull(min(retry_at), 0) AS nextAt
       FROM archive_queue`,
    );
    this.#noteAttempt = connection.prepare(
      "UPDATE archive_queue SET attempts = attempts + 1 WHERE job_id = ?",
    );
    this.#noteFailure = connection.prepare(
      "UPDATE archive_queue SET retry_at = ?, problem = ? WHERE job_id = ?",
    );
    this.#retryNow = connection.prepare(
      "UPDATE archive_queue SET retry_at = 0 WHERE retry_at > 0",
    );
    this.#givenUp = connection.prepare(
      `SELECT id FROM job WHERE monitoring_status = 2
       AND job_state <> 'running' AND duration > 0
       AND start_time + duration >= ?`,
    );
    this.#givenUpCount = connection.prepare(
      `SELECT count(*) AS count FROM job
       WHERE monitoring_status = 2 AND job_state <> 'running'`,
    );
    this.#again = connection.prepare(
      `INSERT INTO archive_queue (job_id, since, attempts) VALUES (?, ?, 0)
       ON CONFLICT DO NOTHING`,
    );
    this.#remove = connection.prepare(
      "DELETE FROM archive_queue WHERE job_id = ?",
    );
  }

  size(): number {
    return this.counts().waiting;
  }

  counts(): QueueCounts {
    return this.#counts.get()!;
  }

  /**
   * Those that have waited longest first, beginning behind `after`; with meta data
   * and all tags.
   */
  waiting(limit: number, after?: QueuedJob): QueuedJob[] {
    return this.#withJobs(
      this.#waiting.all(after?.since ?? -1, after?.job.id ?? 0, limit),
    );
  }

  /** Like `waiting`, without those that are not to be tried again yet. */
  due(limit: number, nowSec: number): QueuedJob[] {
    return this.#withJobs(this.#due.all(nowSec, limit));
  }

  #withJobs(records: readonly QueueRecord[]): QueuedJob[] {
    const tags = this.#tags.forJobs(records.map(({ id }) => id));
    return records.flatMap(({ id, ...queued }) => {
      const job = this.#jobs.get(id);
      // Another process may have deleted it in between.
      return job === undefined
        ? []
        : [{ job, tags: tags.get(id) ?? [], ...queued }];
    });
  }

  /** A job as it is now; undefined: it was deleted. */
  current(jobId: number): Pick<QueuedJob, "job" | "tags"> | undefined {
    const job = this.#jobs.get(jobId);
    return job && { job, tags: this.#tags.forJobs([jobId]).get(jobId) ?? [] };
  }

  noteAttempt(jobId: number): void {
    this.#noteAttempt.run(jobId);
  }

  /** An attempt has failed; the next one is not before `retryAt` (Unix seconds). */
  noteFailure(jobId: number, retryAt: number, problem: string): void {
    this.#noteFailure.run(retryAt, problem.slice(0, PROBLEM_CHARS), jobId);
  }

  /** Every job that waits is due now. Returns how many had to wait longer. */
  retryNow(): number {
    return this.#retryNow.run().changes;
  }

  /** How many jobs were given up. */
  givenUp(): number {
    return this.#givenUpCount.get()?.count ?? 0;
  }

  /**
   * Puts those jobs that were given up into the queue again that ended at `endedSec`
   * (Unix seconds) or later. Returns how many.
   */
  takeUpAgain(endedSec: number, nowSec: number): number {
    return this.#connection.transaction(() => {
      const jobs = this.#givenUp.all(endedSec);
      for (const { id } of jobs) {
        this.#again.run(id, nowSec);
        this.#jobs.setResults(id, { monitoringStatus: 1 });
      }
      return jobs.length;
    });
  }

  /**
   * Takes a job out of the queue and stores its results. A monitoring status of 3 means
   * archived, 2 that archiving failed. Returns false if the job was deleted meanwhile.
   */
  finish(jobId: number, results: JobResults): boolean {
    return this.#connection.transaction(() => {
      this.#remove.run(jobId);
      return this.#jobs.setResults(jobId, results);
    });
  }
}
