/**
 * The part of the metric store that people may see: samples of the hosts of their jobs,
 * while these ran. It is found in the database once and kept until one of their jobs
 * starts, ends or is deleted. Programs and administrators need no such search. Main
 * thread.
 */
import type { JobRow } from "../../db/job_row.ts";
import type { JobHosts } from "../../db/job_host_times.ts";
import type {
  DataScope,
  HostTimes,
  JobOwner,
} from "../../metricstore/engine/data_scope.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobTables } from "./services.ts";

/** Hosts of all jobs of one principal in one cluster; more are refused. */
const HOSTS_MAX = 250_000;
/** Hosts of jobs that are kept, of all principals, and principals they are kept of. */
const KEPT_HOSTS_MAX = 1_000_000;
const KEPT_MAX = 1024;
/** Kept times reach back to a whole hour, so that the next request finds them. */
const STEP_SEC = 3600;

/** The jobs of one owner in one cluster that ended after `fromSec`. */
interface Kept {
  readonly fromSec: number;
  readonly tags: readonly string[];
  readonly found: Promise<readonly JobHosts[]>;
  hosts: number;
}

export interface JobTimesOptions {
  readonly tables: { readonly jobs: Pick<JobTables["jobs"], "hostTimes"> };
  /** Samples older than that are no more, but those of running jobs; 0: all are kept. */
  readonly retentionSec: number;
  readonly now: () => number;
}

export class JobTimes {
  readonly #options: JobTimesOptions;
  /** By owner and cluster, the one used last at the end. */
  readonly #kept = new Map<string, Kept>();
  /** Keys of `#kept` by user or project. */
  readonly #byTag = new Map<string, Set<string>>();
  /** The longest ended job of an owner, where all of them were looked at. */
  readonly #longest = new Map<string, number>();
  #hosts = 0;

  constructor(options: JobTimesOptions) {
    this.#options = options;
  }

  /**
   * Returns the scope narrowed to the visible part of a cluster in [fromSec, toSec);
   * the same scope at once if no jobs limit it. Rejects with a `ClientError`: 422 if
   * the jobs are too many, or the error of the database.
   */
  narrow(
    scope: DataScope,
    cluster: string,
    fromSec: number,
    toSec: number,
  ): DataScope | Promise<DataScope> {
    const { owner } = scope;
    if (owner === undefined) return scope;
    return this.#find(owner, cluster, fromSec).then((jobs) => ({
      ...scope,
      times: timesOf(jobs, cluster, fromSec, toSec),
    }));
  }

  /** A job of that user and project started, ended, or is gone. */
  forget(job: Pick<JobRow, "user" | "project" | "duration">): void {
    for (const tag of [userTag(job.user), projectTag(job.project)]) {
      const longest = this.#longest.get(tag);
      if (longest !== undefined && longest < job.duration) {
        this.#longest.set(tag, job.duration);
      }
      for (const key of this.#byTag.get(tag) ?? []) this.#drop(key);
    }
  }

  /** Any job may be another now. */
  forgetAll(): void {
    this.#longest.clear();
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #find(
    owner: JobOwner,
    cluster: string,
    fromSec: number,
  ): Promise<readonly JobHosts[]> {
    const { retentionSec, now } = this.#options;
    const oldest = retentionSec === 0 ? -Infinity : now() - retentionSec;
    const least = Math.max(fromSec, oldest, 0);
    const key = JSON.stringify([owner.user, owner.projects, cluster]);
    const known = this.#kept.get(key);
    if (known !== undefined && known.fromSec <= least) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.found;
    }
    if (known !== undefined) this.#drop(key);
    const from = Math.floor(least / STEP_SEC) * STEP_SEC;
    const kept: Kept = {
      fromSec: from,
      tags: [userTag(owner.user), ...owner.projects.map(projectTag)],
      found: this.#load(owner, cluster, from),
      hosts: 0,
    };
    this.#keep(key, kept);
    kept.found.then((jobs) => {
      if (this.#kept.get(key) !== kept) return;
      kept.hosts = jobs.reduce((sum, { hosts }) => sum + hosts.length, 0);
      this.#hosts += kept.hosts;
      this.#trim();
    }, () => {
      if (this.#kept.get(key) === kept) this.#drop(key);
    });
    return kept.found;
  }

  async #load(
    { user, projects }: JobOwner,
    cluster: string,
    fromSec: number,
  ): Promise<readonly JobHosts[]> {
    const jobs: JobHosts[] = [];
    let hosts = 0;
    const owners = [
      { of: "user", name: user, tag: userTag(user) } as const,
      ...new Set(projects),
    ].map((one) =>
      typeof one === "string"
        ? { of: "project", name: one, tag: projectTag(one) } as const
        : one
    );
    for (const { of, name, tag } of owners) {
      const known = this.#longest.get(tag);
      const startAfterSec = known === undefined ? 0 : fromSec - known;
      let longest = known ?? 0;
      let after: { startTime: number; id: number } | undefined;
      do {
        const slice = await this.#options.tables.jobs.hostTimes({
          ...{ of, name, cluster, endAfterSec: fromSec, startAfterSec },
          ...(after === undefined ? {} : { after }),
        });
        for (const job of slice.jobs) {
          hosts += job.hosts.length;
          jobs.push(job);
        }
        if (hosts > HOSTS_MAX) throw tooManyHosts();
        longest = Math.max(longest, slice.longestSec);
        after = slice.next;
      } while (after !== undefined);
      if (this.#longest.size >= KEPT_MAX) this.#longest.clear();
      this.#longest.set(tag, Math.max(longest, this.#longest.get(tag) ?? 0));
    }
    return jobs;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    for (const tag of kept.tags) {
      const keys = this.#byTag.get(tag) ?? new Set();
      this.#byTag.set(tag, keys.add(key));
    }
    this.#trim();
  }

  #trim(): void {
    for (const key of this.#kept.keys()) {
      if (this.#hosts <= KEPT_HOSTS_MAX && this.#kept.size <= KEPT_MAX) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#hosts -= kept.hosts;
    for (const tag of kept.tags) {
      const keys = this.#byTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.#byTag.delete(tag);
    }
  }
}

function userTag(user: string): string {
  return `user ${user}`;
}

function projectTag(project: string): string {
  return `project ${project}`;
}

function tooManyHosts(): ClientError {
  return new ClientError(
    "E_TOO_MANY_SAMPLES",
    `from: your jobs since then ran on more than ${HOSTS_MAX} hosts in all, ask for a later begin`,
  );
}

/** Ends of jobs that still run; a number that JSON can say. */
const NEVER_SEC = Number.MAX_SAFE_INTEGER;

/** The times of the jobs that overlap [fromSec, toSec), by host, joined where they touch. */
export function timesOf(
  jobs: readonly JobHosts[],
  cluster: string,
  fromSec: number,
  toSec: number,
): HostTimes {
  const starts = jobs.filter(({ startSec, endSec }) =>
    startSec < toSec && (endSec ?? NEVER_SEC) > fromSec &&
    (endSec ?? NEVER_SEC) > startSec
  ).sort((a, b) => a.startSec - b.startSec);
  const byHost = new Map<string, number[]>();
  for (const { startSec, endSec, hosts } of starts) {
    const end = endSec ?? NEVER_SEC;
    for (const host of hosts) {
      const times = byHost.get(host);
      if (times === undefined) byHost.set(host, [startSec, end]);
      else if (startSec > times[times.length - 1]!) times.push(startSec, end);
      else if (end > times[times.length - 1]!) times[times.length - 1] = end;
    }
  }
  return { cluster, byHost };
}

/** The tables, of which every change of a job is told. */
export function tellingTables<Tables extends JobTables>(
  tables: Tables,
  times: JobTimes,
): Tables {
  const { jobs } = tables;
  const all = async <Value>(change: Promise<Value>): Promise<Value> => {
    try {
      return await change;
    } finally {
      times.forgetAll();
    }
  };
  const telling: Partial<JobTables["jobs"]> = {
    start: async (job, tags) => {
      const made = await jobs.start(job, tags);
      times.forget({ ...job, duration: 0 });
      return made;
    },
    stop: async (request) => {
      const outcome = await jobs.stop(request);
      if (outcome.kind === "stopped") times.forget(outcome.job);
      return outcome;
    },
    importJobs: (list) => all(jobs.importJobs(list)),
    delete: (id) => all(jobs.delete(id)),
    deleteByKey: (key) => all(jobs.deleteByKey(key)),
    deleteBefore: (...given) => all(jobs.deleteBefore(...given)),
    deleteJobs: (ids) => all(jobs.deleteJobs(ids)),
    failOverdue: async (...given) => {
      const failed = await jobs.failOverdue(...given);
      if (failed > 0) times.forgetAll();
      return failed;
    },
  };
  // All other methods are those of the tables themselves.
  return { ...tables, jobs: Object.assign(Object.create(jobs), telling) };
}
