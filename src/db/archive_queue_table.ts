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
}

interface QueueRecord {
  readonly id: number;
  readonly since: number;
  readonly attempts: number;
}

export class ArchiveQueueTable {
  readonly #connection: Connection;
  readonly #jobs: JobTable;
  readonly #tags: TagTable;
  readonly #waiting: Statement<QueueRecord>;
  readonly #size: Statement<{ size: number }>;
  readonly #noteAttempt: Statement<never>;
  readonly #remove: Statement<never>;

  constructor(connection: Connection, jobs: JobTable, tags: TagTable) {
    this.#connection = connection;
    this.#jobs = jobs;
    this.#tags = tags;
    this.#waiting = connection.prepare(
      `SELECT job_id AS id, since, attempts FROM archive_queue
       WHERE (since, job_id) > (?, ?) ORDER BY since, job_id LIMIT ?`,
    );
    this.#size = connection.prepare(
      "SELECT count(*) AS size FROM archive_queue",
    );
    this.#noteAttempt = connection.prepare(
      "UPDATE archive_queue SET attempts = attempts + 1 WHERE job_id = ?",
    );
    this.#remove = connection.prepare(
      "DELETE FROM archive_queue WHERE job_id = ?",
    );
  }

  size(): number {
    return this.#size.get()?.size ?? 0;
  }

  /**
   * Those that have waited longest first, beginning behind `after`; with meta data
   * and all tags.
   */
  waiting(limit: number, after?: QueuedJob): QueuedJob[] {
    const records = this.#waiting.all(
      after?.since ?? -1,
      after?.job.id ?? 0,
      limit,
    );
    const tags = this.#tags.forJobs(records.map(({ id }) => id));
    return records.flatMap(({ id, since, attempts }) => {
      const job = this.#jobs.get(id);
      // Another process may have deleted it in between.
      return job === undefined
        ? []
        : [{ job, tags: tags.get(id) ?? [], since, attempts }];
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

  /**
   * Takes a job out of the queue with what came of it; a status of 3 means archived, 2
   * that it failed. False if the job was deleted meanwhile.
   */
  finish(jobId: number, results: JobResults): boolean {
    return this.#connection.transaction(() => {
      this.#remove.run(jobId);
      return this.#jobs.setResults(jobId, results);
    });
  }
}
