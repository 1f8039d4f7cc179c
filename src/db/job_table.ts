/**
 * Jobs. Each method is one transaction. Work on many rows is cut into slices, so that
 * no other call waits for more than one of them.
 */
import { nowSec } from "../base/clock.ts";
import type { Connection, Statement } from "./connection.ts";
import {
  encode,
  INSERT_COLUMNS,
  jobColumns,
  type JobRecord,
  jobRow,
  jobValues,
} from "./job_columns.ts";
import {
  type HostTimesRequest,
  type HostTimesSlice,
  JobHostTimes,
} from "./job_host_times.ts";
import {
  JobFinder,
  type JobSlice,
  type JobSliceRequest,
  type ListedJob,
} from "./job_finder.ts";
import type { JobCursor, JobFilter } from "./job_filter.ts";
import type {
  JobKey,
  JobRow,
  JobState,
  MonitoringStatus,
  NamedNumbers,
  NewJob,
  TagKey,
} from "./job_row.ts";
import { type JobPage, JobSearch } from "./job_search.ts";
import {
  JobSlices,
  type OldJobs,
  type OmitTagged,
  type Slice,
} from "./job_slices.ts";
import type { TagTable } from "./tag_table.ts";

/**
 * Two starts of the same job id nearer than this are one start told twice, unless the
 * batch system put the job back into its queue and ran it again.
 */
const DUPLICATE_SEC = 86400;
/** Durations have 32 bits, in the database of clients too. */
const DURATION_MAX_SEC = 2 ** 31 - 1;

export interface StopRequest extends JobKey {
  readonly stopTime: number;
  readonly jobState: Exclude<JobState, "running">;
}

/** The effect that a stop would have. */
export type StopJudgement =
  | { readonly kind: "may-stop"; readonly job: JobRow }
  | { readonly kind: "not-found" }
  /** The run that the stop is about has ended before. */
  | { readonly kind: "not-running"; readonly job: JobRow }
  /** It was stopped before it began. */
  | { readonly kind: "too-early"; readonly job: JobRow }
  /** Its duration would not fit into 32 bits. */
  | { readonly kind: "too-long"; readonly job: JobRow };

/** The effect of a stop; the job is as it is afterwards. */
export type StopOutcome =
  | { readonly kind: "stopped"; readonly job: JobRow }
  | Exclude<StopJudgement, { readonly kind: "may-stop" }>;

/** Results of archiving a job; absent ones stay unchanged. */
export interface JobResults {
  readonly monitoringStatus?: MonitoringStatus;
  readonly footprint?: NamedNumbers | null;
  readonly energy?: number;
  readonly energyFootprint?: NamedNumbers | null;
}

export class JobTable {
  readonly #connection: Connection;
  readonly #tags: TagTable;
  readonly #search: JobSearch;
  readonly #slices: JobSlices;
  readonly #finder: JobFinder;
  readonly #hostTimes: JobHostTimes;
  readonly #known: Statement<{ id: number }>;
  readonly #rerunRefused: Statement<{ id: number }>;
  readonly #insert: Statement<never>;
  readonly #insertNew: Statement<never>;
  readonly #withJobId: Statement<JobRecord>;
  readonly #stop: Statement<never>;
  readonly #queue: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #setMetaData: Statement<never>;
  readonly #setResults: Statement<never>;
  readonly #setFootprint: Statement<never>;

  constructor(connection: Connection, tags: TagTable) {
    this.#connection = connection;
    this.#tags = tags;
    this.#search = new JobSearch(connection);
    this.#slices = new JobSlices(connection);
    this.#finder = new JobFinder(connection);
    this.#hostTimes = new JobHostTimes(connection);
    this.#known = connection.prepare(
      `SELECT id FROM job WHERE job_id = ? AND cluster = ?
       AND start_time > ? AND start_time < ? LIMIT 1`,
    );
    this.#rerunRefused = connection.prepare(
      `SELECT id FROM job WHERE job_id = ? AND cluster = ?
       AND (start_time = ? OR job_state = 'running' OR start_time + duration > ?)
       ORDER BY start_time = ? DESC, start_time DESC LIMIT 1`,
    );
    this.#insert = connection.prepare(`INSERT INTO job ${INSERT_COLUMNS}`);
    this.#insertNew = connection.prepare(
      `INSERT INTO job ${INSERT_COLUMNS}
       ON CONFLICT (job_id, cluster, start_time) DO NOTHING`,
    );
    this.#withJobId = connection.prepare(
      `SELECT ${jobColumns(false)} FROM job WHERE job_id = ?`,
    );
    this.#stop = connection.prepare(
      "UPDATE job SET job_state = ?, duration = ? WHERE id = ?",
    );
    this.#queue = connection.prepare(
      "INSERT INTO archive_queue (job_id, since, attempts) VALUES (?, ?, 0)",
    );
    this.#delete = connection.prepare("DELETE FROM job WHERE id = ?");
    this.#setMetaData = connection.prepare(
      "UPDATE job SET meta_data = ? WHERE id = ?",
    );
    this.#setResults = connection.prepare(
      `UPDATE job SET monitoring_status = ?, footprint = ?, energy = ?,
       energy_footprint = ? WHERE id = ?`,
    );
    this.#setFootprint = connection.prepare(
      "UPDATE job SET footprint = ? WHERE id = ? AND job_state = 'running'",
    );
  }

  get(id: number): JobRow | undefined {
    return this.#search.get(id, true);
  }

  /** The latest start first, then the highest id. */
  list(filter: JobFilter, page: JobPage): JobRow[] {
    return this.#search.list(filter, page);
  }

  count(filter: JobFilter): number {
    return this.#search.count(filter);
  }

  /** A slice of a search by conditions that no index answers. */
  find(request: JobSliceRequest): JobSlice {
    return this.#finder.slice(request);
  }

  /** The jobs of a page, in the order of their ids. */
  listed(ids: readonly number[]): ListedJob[] {
    return this.#finder.listed(ids);
  }

  /** Hosts of running jobs that began before, by cluster; both sorted. */
  usedNodes(beforeSec: number): Map<string, string[]> {
    return this.#search.usedNodes(beforeSec);
  }

  /** A slice of when which hosts ran jobs of a user or a project. */
  hostTimes(request: HostTimesRequest): HostTimesSlice {
    return this.#hostTimes.slice(request);
  }

  /** Returns the match with the highest id, without its meta data. */
  findByKey(key: JobKey): JobRow | undefined {
    return this.#matches(key).reduce<JobRow | undefined>(
      (best, job) => best === undefined || job.id > best.id ? job : best,
      undefined,
    );
  }

  /**
   * Returns the effect that {@linkcode stop} would have. A running match goes before
   * others, then the latest start. A stop told again after the job was requeued is not
   * taken for the end of its next run: that would end before it began.
   */
  judgeStop(key: JobKey & Pick<StopRequest, "stopTime">): StopJudgement {
    const { stopTime } = key;
    const matches = this.#matches(key);
    const job = matches.reduce<JobRow | undefined>(
      (best, one) => best === undefined || isForStop(one, best) ? one : best,
      undefined,
    );
    if (job === undefined) return { kind: "not-found" };
    if (job.jobState !== "running") return { kind: "not-running", job };
    const earlier = stopTime > job.startTime
      ? undefined
      : matches.find((one) =>
        one.cluster === job.cluster && one.jobState !== "running" &&
        one.startTime < job.startTime &&
        one.startTime + one.duration >= stopTime
      );
    if (earlier !== undefined) return { kind: "not-running", job: earlier };
    const duration = stopTime - job.startTime;
    if (duration < 0) return { kind: "too-early", job };
    if (duration > DURATION_MAX_SEC) return { kind: "too-long", job };
    return { kind: "may-stop", job };
  }

  /**
   * A new job with its tags. If the same job id and cluster has a start less than a day
   * away, be it before or after, that job's id is returned and nothing changes. A run
   * after a requeue is a new job all the same: every known run has ended, none of them
   * after the new start, and none began at the same second.
   */
  start(
    job: NewJob,
    tags: readonly TagKey[],
  ): { readonly id: number; readonly isNew: boolean } {
    return this.#connection.transaction(() => {
      const known = this.#knownStart(job);
      if (known !== undefined) return { id: known.id, isNew: false };
      const id = this.#insert.run(...jobValues(job)).lastInsertRowid;
      if (tags.length > 0) this.#tags.attach(id, tags);
      return { id, isNew: true };
    });
  }

  #knownStart(
    { jobId, cluster, startTime }: NewJob,
  ): { readonly id: number } | undefined {
    const near = this.#known.get(
      jobId,
      cluster,
      startTime - DUPLICATE_SEC,
      startTime + DUPLICATE_SEC,
    );
    if (near === undefined) return undefined;
    const start = [startTime, startTime, startTime] as const;
    return this.#rerunRefused.get(jobId, cluster, ...start);
  }

  /**
   * Jobs from an archive, all or none of them: those whose job id, cluster and start
   * time are there already stay as they are. Returns how many were new.
   */
  importJobs(
    jobs: readonly { readonly job: NewJob; readonly tags: readonly TagKey[] }[],
  ): number {
    return this.#connection.transaction(() => {
      let count = 0;
      for (const { job, tags } of jobs) {
        const inserted = this.#insertNew.run(...jobValues(job));
        if (inserted.changes === 0) continue;
        this.#tags.attach(inserted.lastInsertRowid, tags);
        count++;
      }
      return count;
    });
  }

  /** Ends a running job and puts it in the archive's queue, if it is monitored. */
  stop(request: StopRequest): StopOutcome {
    return this.#connection.transaction(() => {
      const judgement = this.judgeStop(request);
      if (judgement.kind !== "may-stop") return judgement;
      const { job } = judgement;
      const duration = request.stopTime - job.startTime;
      const { jobState } = request;
      this.#stop.run(jobState, duration, job.id);
      if (job.monitoringStatus !== 0) this.#queue.run(job.id, nowSec());
      return { kind: "stopped", job: { ...job, jobState, duration } };
    });
  }

  /** Deletes a job with its tags and its place in the queue. Returns false if there was none. */
  delete(id: number): boolean {
    return this.#delete.run(id).changes > 0;
  }

  /** Deletes what {@linkcode findByKey} finds and returns its id. */
  deleteByKey(key: JobKey): number | undefined {
    return this.#connection.transaction(() => {
      const job = this.findByKey(key);
      if (job !== undefined) this.delete(job.id);
      return job?.id;
    });
  }

  /** A slice of deleting all jobs that began before; `inSlices` does all of it. */
  deleteBefore(
    beforeSec: number,
    omitTagged: OmitTagged,
    after?: JobCursor,
  ): Slice {
    return this.#slices.deleteBefore(beforeSec, omitTagged, after);
  }

  /** A slice of setting the durations of running jobs; `inSlices` does all of it. */
  updateDurations(now: number, after?: JobCursor): Slice {
    return this.#slices.updateDurations(now, after);
  }

  /**
   * Running jobs that are past their walltime by more than `graceSec` become failed:
   * not monitored any more, of no duration. Returns how many.
   */
  failOverdue(now: number, graceSec: number): number {
    return this.#slices.failOverdue(now, graceSec);
  }

  /**
   * A part of the jobs that began before, do not run any more and are not spared: some
   * of the hundreds it looks at, so there may be none of them and more to come.
   */
  oldJobs(
    beforeSec: number,
    omitTagged: OmitTagged,
    after?: JobCursor,
  ): OldJobs {
    return this.#slices.oldJobs(beforeSec, omitTagged, after);
  }

  deleteJobs(ids: readonly number[]): void {
    this.#connection.transaction(() => {
      for (const id of ids) this.delete(id);
    });
  }

  /** Sets one entry of the meta data. Undefined if there is no such job. */
  updateMetadata(id: number, key: string, value: string): JobRow | undefined {
    return this.#connection.transaction(() => {
      const job = this.get(id);
      if (job === undefined) return undefined;
      const entries = new Map(Object.entries(job.metaData ?? {}));
      const metaData = Object.fromEntries(entries.set(key, value));
      this.#setMetaData.run(encode(metaData), id);
      return { ...job, metaData };
    });
  }

  /** Footprints of running jobs by id; a job that has ended meanwhile keeps its own. */
  setFootprints(footprints: ReadonlyMap<number, NamedNumbers>): void {
    this.#connection.transaction(() => {
      for (const [id, footprint] of footprints) {
        this.#setFootprint.run(encode(footprint), id);
      }
    });
  }

  /** Returns false if there is no such job. */
  setResults(id: number, results: JobResults): boolean {
    return this.#connection.transaction(() => {
      const job = this.#search.get(id, false);
      if (job === undefined) return false;
      const { monitoringStatus, footprint, energy, energyFootprint } = {
        ...job,
        ...results,
      };
      this.#setResults.run(
        monitoringStatus,
        encode(footprint),
        energy,
        encode(energyFootprint),
        id,
      );
      return true;
    });
  }

  #matches({ jobId, cluster, startTime, clusters }: JobKey): JobRow[] {
    return this.#withJobId.all(jobId).filter((job) =>
      (cluster === undefined || job.cluster === cluster) &&
      (startTime === undefined || job.startTime === startTime) &&
      (clusters === undefined || clusters.includes(job.cluster))
    ).map(jobRow);
  }
}

/** Whether a stop means rather `job` than `other`. */
function isForStop(job: JobRow, other: JobRow): boolean {
  const isRunning = job.jobState === "running";
  if (isRunning !== (other.jobState === "running")) return isRunning;
  return job.startTime !== other.startTime
    ? job.startTime > other.startTime
    : job.id > other.id;
}
