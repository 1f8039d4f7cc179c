/**
 * All load benchmarks one after the other; the numbers go to
 * `var/bench/results.json` (or `--out FILE`), from which `render.ts` makes the
 * table in `docs/benchmarks.md`. With `--small` everything runs in seconds and
 * the numbers mean nothing.
 *
 * Arguments: `--small --peer-cc PATH --hosts N --hours N --repeat N --only KINDS
 * --out FILE`.
 */
import { ROOT } from "../tests/support/server.ts";
import { runIngestBench } from "./ingest_bench.ts";
import { runQueryBench } from "./query_bench.ts";
import { parseBenchArguments } from "./support/arguments.ts";
import { describeRun, type RunDescription } from "./support/machine.ts";
import { print, writeResult } from "./support/report.ts";

export const RESULT_FILE = `${ROOT}var/bench/results.json`;

export interface BenchResults {
  readonly run: RunDescription;
  readonly ingest: Awaited<ReturnType<typeof runIngestBench>>;
  readonly query: Awaited<ReturnType<typeof runQueryBench>>;
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const results: BenchResults = {
    run: await describeRun(),
    ingest: await runIngestBench(args),
    query: await runQueryBench(args),
  };
  const file = args.out ?? RESULT_FILE;
  await writeResult(file, results);
  print(`\nresults: ${file}`);
}
