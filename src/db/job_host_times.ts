/**
 * When which hosts ran jobs of a user or a project, slice by slice: a user may have a
 * million jobs. Runs where the database is.
 */
import type { Connection, Statement } from "./connection.ts";
import type { JobCursor } from "./job_filter.ts";
import type { JobResource } from "./job_row.ts";

/** Jobs of a slice; some milliseconds. */
const SLICE_JOBS = 2000;

export interface HostTimesRequest {
  /** Owner of the jobs: a user or a project. */
  readonly of: "user" | "project";
  readonly name: string;
  readonly cluster: string;
  /** Jobs that ended before are left out. */
  readonly endAfterSec: number;
  /** Ended jobs that began before are not looked at. */
  readonly startAfterSec: number;
  /** Where the slice before ended; absent: this is the first one. */
  readonly after?: JobCursor;
}

export interface JobHosts {
  readonly startSec: number;
  /** null: it still runs. */
  readonly endSec: number | null;
  readonly hosts: readonly string[];
}

export interface HostTimesSlice {
  readonly jobs: readonly JobHosts[];
  /** Absent: that was all. */
  readonly next?: JobCursor;
  /** Duration of the longest job that was looked at and has ended. */
  readonly longestSec: number;
}

interface Row {
  readonly id: number;
  readonly start_time: number;
  readonly duration: number;
  readonly job_state: string;
  readonly cluster: string;
  readonly resources: string;
}

const COLUMNS = "id, start_time, duration, job_state, cluster, resources";

export class JobHostTimes {
  readonly #ended: Readonly<Record<"user" | "project", Statement<Row>>>;
  readonly #running: Readonly<Record<"user" | "project", Statement<Row>>>;

  constructor(connection: Connection) {
    const ended = (index: string, column: string) =>
      connection.prepare<Row>(
        `SELECT ${COLUMNS} FROM job INDEXED BY ${index}
         WHERE ${column} = ? AND (start_time, id) < (?, ?) AND start_time >= ?
         ORDER BY start_time DESC, id DESC LIMIT ${SLICE_JOBS}`,
      );
    const running = (index: string, column: string) =>
      connection.prepare<Row>(
        `SELECT ${COLUMNS} FROM job INDEXED BY ${index}
         WHERE ${column} = ? AND job_state = 'running'`,
      );
    this.#ended = {
      user: ended("job_user", "hpc_user"),
      project: ended("job_project", "project"),
    };
    this.#running = {
      user: running("job_user_state", "hpc_user"),
      project: running("job_project_state", "project"),
    };
  }

  /** The first slice has all running jobs. */
  slice(request: HostTimesRequest): HostTimesSlice {
    const { of, name, cluster, endAfterSec, startAfterSec, after } = request;
    const { startTime, id } = after ??
      { startTime: Number.MAX_SAFE_INTEGER, id: 0 };
    const rows = this.#ended[of].all(name, startTime, id, startAfterSec);
    const jobs: JobHosts[] = [];
    let longestSec = 0;
    const running = after === undefined ? this.#running[of].all(name) : [];
    for (const row of running) {
      if (row.cluster !== cluster) continue;
      jobs.push(hostsOf(row, null));
    }
    for (const row of rows) {
      if (row.job_state === "running") continue;
      const endSec = row.start_time + row.duration;
      if (row.duration > longestSec) longestSec = row.duration;
      if (row.cluster !== cluster || endSec <= endAfterSec) continue;
      jobs.push(hostsOf(row, endSec));
    }
    const last = rows[SLICE_JOBS - 1];
    return {
      jobs,
      longestSec,
      ...(last === undefined
        ? {}
        : { next: { startTime: last.start_time, id: last.id } }),
    };
  }
}

function hostsOf(row: Row, endSec: number | null): JobHosts {
  const resources = JSON.parse(row.resources) as readonly JobResource[];
  return {
    startSec: row.start_time,
    endSec,
    hosts: [...new Set(resources.map(({ hostname }) => hostname))],
  };
}
