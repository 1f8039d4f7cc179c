/**
 * All load benchmarks one after the other; the numbers go to
 * `var/bench/results.json` (or `--out FILE`), from which `render.ts` makes the
 * table in `docs/benchmarks.md`. With `--small` everything runs in seconds and
 * the numbers mean nothing.
 *
 * `--only policy` measures the cost of instances and policies and nothing else,
 * `--only jobs` lists, starts and stops of jobs, `--only job-http` the same over HTTP,
 * `--only job-read` writes beside readers of a large job,
 * `--only store` memory, restart and log, `--only nats` NATS against HTTP,
 * `--only neighbours` what one tenant can do to another, `--only web` the pages, `--only prometheus` PromQL,
 * `--only shapes` ingest as centres send it, `--only requests` small questions,
 * `--only start` a start with many series.
 *
 * Arguments: `--small --peer-cc PATH --hosts N --hours N --series N --repeat N
 * --only KINDS --out FILE`.
 */
import { ROOT } from "../tests/support/server.ts";
import { runIngestBench } from "./ingest_bench.ts";
import { runJobBench } from "./job_bench.ts";
import { runJobHttpBench } from "./job_http_bench.ts";
import { runJobReadBench } from "./job_read_bench.ts";
import { runNatsBench } from "./nats_bench.ts";
import { runNeighbourBench } from "./neighbour_bench.ts";
import { runPolicyBench } from "./policy_bench.ts";
import { runPrometheusBench } from "./prometheus_bench.ts";
import { runQueryBench } from "./query_bench.ts";
import { runRequestBench } from "./request_bench.ts";
import { runShapeBench } from "./shape_bench.ts";
import { runStartBench } from "./start_bench.ts";
import { runStoreBench } from "./store_bench.ts";
import { runWebBench } from "./web_bench.ts";
import { hasTool } from "../tests/support/tools.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { describeRun, type RunDescription } from "./support/machine.ts";
import { print, writeResult } from "./support/report.ts";

/** Parts of their own among the kinds of `--only`. */
const POLICY = "policy";
const JOBS = "jobs";
const JOB_HTTP = "job-http";
const JOB_READ = "job-read";
const STORE = "store";
const NATS = "nats";
const NEIGHBOURS = "neighbours";
const WEB = "web";
const SHAPES = "shapes";
const REQUESTS = "requests";
const START = "start";
const PROMETHEUS = "prometheus";

const PARTS = new Map<string, (args: BenchArguments) => Promise<unknown>>([
  [POLICY, runPolicyBench],
  [JOBS, runJobBench],
  [JOB_HTTP, runJobHttpBench],
  [JOB_READ, runJobReadBench],
  [STORE, runStoreBench],
  [NATS, runNatsBench],
  [NEIGHBOURS, runNeighbourBench],
  [WEB, runWebBench],
  [SHAPES, runShapeBench],
  [REQUESTS, runRequestBench],
  [START, runStartBench],
  [PROMETHEUS, runPrometheusBench],
]);

export const RESULT_FILE = `${ROOT}var/bench/results.json`;

export interface BenchResults {
  readonly run: RunDescription;
  readonly ingest: Awaited<ReturnType<typeof runIngestBench>>;
  readonly query: Awaited<ReturnType<typeof runQueryBench>>;
  /** Absent where `--only` left it out. */
  readonly policy?: Awaited<ReturnType<typeof runPolicyBench>>;
  /** Absent where `--only` left it out. */
  readonly jobs?: Awaited<ReturnType<typeof runJobBench>>;
  /** Absent where `--only` left it out. */
  readonly jobHttp?: Awaited<ReturnType<typeof runJobHttpBench>>;
  /** Absent where `--only` left it out. */
  readonly jobRead?: Awaited<ReturnType<typeof runJobReadBench>>;
  readonly store?: Awaited<ReturnType<typeof runStoreBench>>;
  /** Absent where it was left out, or there is no broker. */
  readonly nats?: Awaited<ReturnType<typeof runNatsBench>>;
  /** Absent where it was left out. */
  readonly neighbours?: Awaited<ReturnType<typeof runNeighbourBench>>;
  /** Absent where it was left out, or there is no browser. */
  readonly web?: Awaited<ReturnType<typeof runWebBench>>;
  /** Absent where it was left out. */
  readonly shapes?: Awaited<ReturnType<typeof runShapeBench>>;
  /** Absent where it was left out. */
  readonly requests?: Awaited<ReturnType<typeof runRequestBench>>;
  /** Absent where it was left out. */
  readonly start?: Awaited<ReturnType<typeof runStartBench>>;
  /** Absent where it was left out. */
  readonly prometheus?: Awaited<ReturnType<typeof runPrometheusBench>>;
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const [only, ...others] = args.only ?? [];
  const part = others.length === 0 && only !== undefined
    ? PARTS.get(only)
    : undefined;
  if (part !== undefined) {
    const result = await part(args);
    if (args.out !== undefined) await writeResult(args.out, result);
  } else {
    const isLeftOut = (name: string) => args.only?.includes(name) === false;
    const results: BenchResults = {
      run: await describeRun(),
      ingest: await runIngestBench(args),
      query: await runQueryBench(args),
      ...(isLeftOut(POLICY) ? {} : { policy: await runPolicyBench(args) }),
      ...(isLeftOut(JOBS) ? {} : { jobs: await runJobBench(args) }),
      ...(isLeftOut(JOB_HTTP) ? {} : { jobHttp: await runJobHttpBench(args) }),
      ...(isLeftOut(JOB_READ) ? {} : { jobRead: await runJobReadBench(args) }),
      ...(isLeftOut(STORE) ? {} : { store: await runStoreBench(args) }),
      ...(isLeftOut(NATS) ? {} : { nats: await runNatsBench(args) }),
      ...(isLeftOut(NEIGHBOURS)
        ? {}
        : { neighbours: await runNeighbourBench(args) }),
      ...(isLeftOut(WEB) || !hasTool("browser")
        ? {}
        : { web: await runWebBench(args) }),
      ...(isLeftOut(SHAPES) ? {} : { shapes: await runShapeBench(args) }),
      ...(isLeftOut(REQUESTS) ? {} : { requests: await runRequestBench(args) }),
      ...(isLeftOut(START) ? {} : { start: await runStartBench(args) }),
      ...(isLeftOut(PROMETHEUS)
        ? {}
        : { prometheus: await runPrometheusBench(args) }),
    };
    const file = args.out ?? RESULT_FILE;
    await writeResult(file, results);
    print(`\nresults: ${file}`);
  }
}
