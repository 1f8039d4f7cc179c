/**
 * The job API over HTTP: lists over a million jobs with the files of their archive,
 * starts and stops per second, what both cost the ingest of metrics, and how many jobs
 * are archived per second. A real server; the load comes from this process, on the
 * same processors.
 *
 * `deno task bench --only job-http` runs it; with `--small` the numbers mean nothing.
 */
import { generateKeyPair } from "../src/access/ed25519.ts";
import { signToken } from "../src/access/token.ts";
import { monotonicMs } from "../src/base/clock.ts";
import { openDatabase } from "../src/db/database.ts";
import type { DatabaseOptions } from "../src/db/database_options.ts";
import type { JobFilter } from "../src/db/job_filter.ts";
import { jobDirectory } from "../src/jobs/archive/archive_layout.ts";
import { writeJobMeta } from "../src/jobs/archive/job_meta.ts";
import { CLUSTERS_DIRECTORY } from "../tests/support/clusters.ts";
import { TestServer } from "../tests/support/server.ts";
import { fillJobs, type JobListRow, listRow } from "./job_bench.ts";
import { type JobIngestRow, measureJobIngest } from "./job_ingest_bench.ts";
import type { BenchArguments } from "./support/arguments.ts";
import { JobCallers, type JobRates } from "./support/job_callers.ts";
import {
  JOB_LOAD_FROM_SEC,
  JOB_LOAD_SPAN_SEC,
  projectName,
  userName,
} from "./support/job_load.ts";
import { LOAD_METRICS } from "./support/load.ts";
import { encodeRequest, RawConnection } from "./support/raw_http.ts";
import { print } from "./support/report.ts";

const PAGE_JOBS = 25;
const WARM_UPS = 5;
const MONTH_SEC = 30 * 86_400;
const SHOWN_USER = userName(0, 0);

export interface JobHttpResult extends JobRates {
  readonly jobs: number;
  readonly deepPage: number;
  readonly rows: readonly JobListRow[];
  readonly ingest: readonly JobIngestRow[];
}

interface Shape {
  readonly shape: string;
  readonly search: string;
  readonly filter: JobFilter;
}

function shapes(): Shape[] {
  const from = JOB_LOAD_FROM_SEC + JOB_LOAD_SPAN_SEC / 2;
  const startTime = { from, to: from + MONTH_SEC };
  const until = { from: JOB_LOAD_FROM_SEC, to: startTime.to };
  const range = ({ from, to }: { from: number; to: number }) =>
    `start-time=${from}-${to}`;
  const project = projectName(0);
  return [
    { shape: "everything", search: "", filter: {} },
    {
      shape: "state",
      search: "state=failed",
      filter: { states: ["failed"] },
    },
    {
      shape: "cluster, state",
      search: "cluster=fritz&state=failed",
      filter: { cluster: "fritz", states: ["failed"] },
    },
    { shape: "project", search: `project=${project}`, filter: { project } },
    {
      shape: "project, cluster, two states",
      search: `project=${project}&cluster=fritz&state=completed&state=failed`,
      filter: { project, cluster: "fritz", states: ["completed", "failed"] },
    },
    { shape: "time", search: range(startTime), filter: { startTime } },
    {
      shape: "time, cluster, state",
      search: `${range(until)}&cluster=fritz&state=completed`,
      filter: { startTime: until, cluster: "fritz", states: ["completed"] },
    },
    {
      shape: "user",
      search: "",
      filter: { visibleTo: { user: SHOWN_USER, projects: [] } },
    },
    {
      shape: "user, state, time",
      search: `state=completed&${range(until)}`,
      filter: {
        visibleTo: { user: SHOWN_USER, projects: [] },
        ...{ startTime: until, states: ["completed"] },
      },
    },
  ];
}

export async function runJobHttpBench(
  args: BenchArguments,
): Promise<JobHttpResult> {
  const jobs = args.small ? 2000 : 1_000_000;
  const deepPage = args.small ? 3 : 1000;
  const pair = await generateKeyPair();
  const keys = {
    publicKey: pair.publicKey,
    privateKey: pair,
    madeIn: undefined,
  };
  const bearer = async (user: string, roles: string[]) => {
    const request = { user, roles, maxAgeSec: undefined };
    return `Authorization: Bearer ${await signToken(keys, request)}\r\n`;
  };
  const api = await bearer("bench", ["admin", "api"]);
  const own = await bearer(SHOWN_USER, ["user", "api"]);
  print(`\njobs over HTTP: ${jobs} in the database`);
  await using server = await TestServer.start({
    metrics: LOAD_METRICS,
    main: { "jwt-public-key": pair.publicKey.base64 },
    metricStore: { "memory-cap": args.small ? 1 : 6 },
    prepare: (directory) => prepare(directory, jobs, deepPage),
  });
  const port = Number(new URL(server.url).port);
  const rows = await measureLists(
    await RawConnection.open(port),
    { api, own },
    args.repeat ?? (args.small ? 3 : 200),
    deepPage,
  );
  const callers = await JobCallers.open(port, api);
  try {
    const ingest = await measureJobIngest(port, api, callers, args.small);
    const rates = await callers.measure(args.small ? 100 : 2000);
    return { jobs, deepPage, rows, ingest, ...rates };
  } finally {
    callers.close();
  }
}

/** A database, and an archive that has the files of every job that will be listed. */
async function prepare(
  directory: string,
  jobs: number,
  deepPage: number,
): Promise<void> {
  const root = `${directory}/job-archive`;
  for (const cluster of ["alex", "emmy", "fritz"]) {
    await Deno.mkdir(`${root}/${cluster}`, { recursive: true });
    const file = new URL(`${cluster}.json`, CLUSTERS_DIRECTORY);
    await Deno.writeTextFile(
      `${root}/${cluster}/cluster.json`,
      await Deno.readTextFile(file),
    );
  }
  await Deno.writeTextFile(`${root}/version.txt`, "3\n");
  const options: DatabaseOptions = {
    path: `${directory}/job.db`,
    ...{ cacheSizeMb: 64, softHeapLimitMb: 0, busyTimeoutMs: 60_000 },
  };
  fillJobs(options, jobs);
  using database = openDatabase(options);
  const statistics = Object.fromEntries(
    Object.keys(LOAD_METRICS).slice(0, 12).map((name) => [name, {
      ...{ unit: { base: "F/s", prefix: "G" }, avg: 12.34, min: 0, max: 99.5 },
    }]),
  );
  for (const { filter } of shapes()) {
    for (const page of [1, deepPage]) {
      const offset = (page - 1) * PAGE_JOBS;
      const listed = database.tables.jobs.list(filter, {
        ...{ limit: PAGE_JOBS, offset, withMetaData: true },
      });
      for (const job of listed) {
        const place = jobDirectory(root, job);
        await Deno.mkdir(place, { recursive: true });
        await Deno.writeTextFile(
          `${place}/meta.json`,
          writeJobMeta({ job, tags: [], statistics }),
        );
      }
    }
  }
}

/** All shapes in turn, so that each sees the same machine. */
async function measureLists(
  connection: RawConnection,
  { api, own }: { readonly api: string; readonly own: string },
  repeat: number,
  deepPage: number,
): Promise<JobListRow[]> {
  const taken = shapes().map(({ shape, search, filter }) => {
    const isOwn = filter.visibleTo !== undefined;
    const path = isOwn ? "/userapi/jobs/" : "/api/jobs/";
    const request = (page: number) =>
      encodeRequest(
        "GET",
        `${path}?${search}&page=${page}`.replace("?&", "?"),
        isOwn ? own : api,
        "",
      );
    return {
      ...{ shape, first: [] as number[], deep: [] as number[] },
      requests: [request(1), request(deepPage)] as const,
    };
  });
  for (let round = -WARM_UPS; round < repeat; round++) {
    for (const { requests, first, deep } of taken) {
      for (
        const [request, times] of [[requests[0], first], [
          requests[1],
          deep,
        ]] as const
      ) {
        const started = monotonicMs();
        const { status } = await connection.exchange(request);
        if (status !== 200) throw new Error(`a list was answered ${status}`);
        if (round >= 0) times.push(monotonicMs() - started);
      }
    }
  }
  connection.close();
  return taken.map((times) => listRow(times, deepPage));
}
