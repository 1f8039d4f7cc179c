/**
 * Jobs: lists over a million of them with each filter, the first page and the
 * thousandth, and how many starts and stops there are per second. All through the
 * database worker, as the routes ask it.
 *
 * `deno task bench --only jobs` runs it; with `--small` the numbers mean nothing.
 */
import { monotonicMs } from "../src/base/clock.ts";
import { openDatabase } from "../src/db/database.ts";
import type { DatabaseOptions } from "../src/db/database_options.ts";
import type { JobFilter } from "../src/db/job_filter.ts";
import { type DatabaseClient, openDatabaseWorker } from "../src/db/remote.ts";
import type { BenchArguments } from "./support/arguments.ts";
import {
  JOB_LOAD_FROM_SEC,
  JOB_LOAD_SPAN_SEC,
  jobLoad,
  type LoadedJob,
  projectName,
  startingJob,
  userName,
} from "./support/job_load.ts";
import { Random } from "./support/random.ts";
import { print, quantile } from "./support/report.ts";

const SEED = 971;
const PAGE_JOBS = 25;
const DEEP_PAGE = 1000;
const IMPORT_JOBS = 5000;
const WARM_UPS = 5;
/** Starts and stops that wait for their answer at a time. */
const CALLERS = 16;
const MONTH_SEC = 30 * 86400;

export interface JobListRow {
  readonly shape: string;
  readonly first: ListTiming;
  readonly deep: ListTiming;
}

export interface ListTiming {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface JobBenchResult {
  readonly jobs: number;
  readonly deepPage: number;
  readonly fileBytes: number;
  readonly rows: readonly JobListRow[];
  readonly startsPerSec: number;
  readonly stopsPerSec: number;
}

/** Filters that a list can have; `random` chooses among the busiest values. */
const SHAPES: Readonly<Record<string, (random: Random) => JobFilter>> = {
  "everything": () => ({}),
  "state completed": () => ({ states: ["completed"] }),
  "state failed": () => ({ states: ["failed"] }),
  "three states": () => ({ states: ["failed", "timeout", "cancelled"] }),
  "cluster": (random) => ({ cluster: ["fritz", "alex"][random.below(2)]! }),
  "cluster, state": () => ({ cluster: "fritz", states: ["failed"] }),
  "two clusters, three states": () => ({
    clusters: ["alex", "emmy"],
    states: ["failed", "timeout", "cancelled"],
  }),
  "project": (random) => ({ project: projectName(random.below(3)) }),
  "project, state": () => ({ project: projectName(0), states: ["completed"] }),
  "project, cluster": () => ({ project: projectName(0), cluster: "emmy" }),
  "user": (random) => ({ user: userName(0, random.below(3)) }),
  "time": (random) => ({ startTime: month(random) }),
  "time, cluster, state": (random) => ({
    startTime: { from: JOB_LOAD_FROM_SEC, to: month(random).to },
    cluster: "fritz",
    states: ["completed"],
  }),
  "seen by a user": () => ({
    visibleTo: { user: userName(0, 0), projects: [] },
  }),
  "seen by a manager of 3": () => ({ visibleTo: manager(3) }),
  "seen by a manager of 50": () => ({ visibleTo: manager(50) }),
  "seen by a manager of 50, three states": () => ({
    visibleTo: manager(50),
    states: ["failed", "timeout", "cancelled"],
  }),
  "seen by a manager of 200": () => ({ visibleTo: manager(200) }),
};

function month(random: Random): { from: number; to: number } {
  const from = JOB_LOAD_FROM_SEC + random.below(JOB_LOAD_SPAN_SEC - MONTH_SEC);
  return { from, to: from + MONTH_SEC };
}

function manager(projects: number) {
  return {
    user: userName(0, 0),
    projects: Array.from({ length: projects }, (_, i) => projectName(i)),
  };
}

export async function runJobBench(
  args: BenchArguments,
): Promise<JobBenchResult> {
  const jobs = args.small ? 2000 : 1_000_000;
  const repeat = args.repeat ?? (args.small ? 5 : 200);
  const deepPage = args.small ? 3 : DEEP_PAGE;
  const directory = await Deno.makeTempDir({ prefix: "ringstore-bench-" });
  const options: DatabaseOptions = {
    path: `${directory}/job.db`,
    cacheSizeMb: 2048,
    softHeapLimitMb: 0,
    busyTimeoutMs: 60_000,
  };
  try {
    print(`\njobs: ${jobs} in the database`);
    fillJobs(options, jobs);
    const { size } = await Deno.stat(options.path);
    const client = await openDatabaseWorker(options, (reason) => {
      throw new Error(reason);
    });
    const rows = await measureLists(client, repeat, deepPage);
    const rates = await measureStarts(client, args.small ? 500 : 20_000);
    await client.close();
    return { jobs, deepPage, fileBytes: size, rows, ...rates };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

export function fillJobs(options: DatabaseOptions, count: number): void {
  const started = monotonicMs();
  using database = openDatabase(options);
  let batch: LoadedJob[] = [];
  for (const loaded of jobLoad(count)) {
    batch.push(loaded);
    if (batch.length < IMPORT_JOBS) continue;
    database.tables.jobs.importJobs(batch);
    batch = [];
  }
  database.tables.jobs.importJobs(batch);
  const seconds = (monotonicMs() - started) / 1000;
  print(`imported ${Math.round(count / seconds)} jobs/s`);
}

/** Each in turn, so that all see the same machine. */
async function measureLists(
  client: DatabaseClient,
  repeat: number,
  deepPage: number,
): Promise<JobListRow[]> {
  const random = new Random(SEED);
  const taken = Object.entries(SHAPES).map(([shape, filterOf]) => ({
    ...{ shape, filterOf, first: [] as number[], deep: [] as number[] },
  }));
  for (let round = -WARM_UPS; round < repeat; round++) {
    for (const { filterOf, first, deep } of taken) {
      const filter = filterOf(random);
      const firstMs = await listMs(client, filter, 1);
      const deepMs = await listMs(client, filter, deepPage);
      if (round < 0) continue;
      first.push(firstMs);
      deep.push(deepMs);
    }
  }
  return taken.map((times) => listRow(times, deepPage));
}

/** Sums up and prints the times, in ms, of the first page of a list and a deep one. */
export function listRow(
  { shape, first, deep }: {
    readonly shape: string;
    readonly first: readonly number[];
    readonly deep: readonly number[];
  },
  deepPage: number,
): JobListRow {
  const row = { shape, first: timing(first), deep: timing(deep) };
  print(
    `${shape}: page 1 ${formatTiming(row.first)}, page ${deepPage} ${
      formatTiming(row.deep)
    } ms (p50 / p99)`,
  );
  return row;
}

async function listMs(
  { jobs, tags }: DatabaseClient,
  filter: JobFilter,
  page: number,
): Promise<number> {
  const started = monotonicMs();
  const offset = (page - 1) * PAGE_JOBS;
  const list = await jobs.list(filter, { limit: PAGE_JOBS, offset });
  await tags.forJobs(list.map(({ id }) => id));
  return monotonicMs() - started;
}

function timing(values: readonly number[]): ListTiming {
  return { p50Ms: quantile(values, 0.5), p99Ms: quantile(values, 0.99) };
}

export function formatTiming({ p50Ms, p99Ms }: ListTiming): string {
  return `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)}`;
}

async function measureStarts({ jobs }: DatabaseClient, count: number) {
  const startsPerSec = await perSecond(count, async (i) => {
    const { isNew } = await jobs.start(startingJob(i), []);
    if (!isNew) throw new Error("a new job was taken for a known one");
  });
  const stopsPerSec = await perSecond(count, async (i) => {
    const { jobId, cluster, startTime } = startingJob(i);
    const stopTime = startTime + 60;
    const { kind } = await jobs.stop({
      ...{ jobId, cluster, startTime, stopTime, jobState: "completed" },
    });
    if (kind !== "stopped") throw new Error(`a job was ${kind}`);
  });
  print(
    `start ${Math.round(startsPerSec)}/s, stop ${Math.round(stopsPerSec)}/s`,
  );
  return { startsPerSec, stopsPerSec };
}

async function perSecond(
  count: number,
  call: (i: number) => Promise<void>,
): Promise<number> {
  const started = monotonicMs();
  let next = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (next < count) await call(next++);
  }));
  return count / ((monotonicMs() - started) / 1000);
}
