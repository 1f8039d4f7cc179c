/**
 * How long a start takes after `kill -9` where there are very many series of few
 * samples each, as in the first minutes of a centre: names are most of the work.
 * `deno task bench` runs it; alone: `deno run … benches/start_bench.ts [--small]
 * [--series N]`.
 */
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { DurableServer } from "../tests/crash/durable_server.ts";
import { SAMPLE_TOKEN } from "../tests/support/client.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { drive } from "./support/drive.ts";
import { LOAD_METRICS, renderLoad } from "./support/load.ts";
import { processorSec } from "./support/machine.ts";
import { print, writeResult } from "./support/report.ts";

const SEED = 20_260_103;
const SERIES_PER_HOST = 737;
const SERIES = 500_000;
const ROUNDS = 3;
const SETTINGS = {
  metrics: LOAD_METRICS,
  store: { "memory-cap": -1, "num-workers": 2 },
};

export interface StartRow {
  /** What the start reads. */
  readonly from: "the log" | "a snapshot";
  readonly series: number;
  readonly samples: number;
  /** From the process to its first answer, less what an empty store takes. */
  readonly restoreMs: number;
  /** All of it. */
  readonly startMs: number;
  /** Processor time of the restore, all threads. */
  readonly processorMs: number;
  readonly seriesPerSec: number;
}

export async function runStartBench(args: BenchArguments): Promise<StartRow[]> {
  const wanted = args.series ?? (args.small ? 2 * SERIES_PER_HOST : SERIES);
  const hosts = Math.ceil(wanted / SERIES_PER_HOST);
  await using server = await DurableServer.create();
  // The first start compiles the program, too.
  await timeStart(server);
  await server.stop();
  const emptyMs = await timeStart(server);
  const emptySec = await processorSec(server.child.pid);
  const { samples } = await drive({
    port: Number(new URL(server.url).port),
    requests: renderLoad({
      hosts,
      hostsPerBody: 8,
      order: "host",
      seed: SEED,
      writePath: "/api/write",
      headerLines: `Authorization: Bearer ${SAMPLE_TOKEN}\r\n`,
    }),
    connections: 2,
    startSec: nowSec() - 3600,
    rounds: ROUNDS,
    warmUpMs: 0,
    measureMs: Infinity,
  });
  const rows: StartRow[] = [];
  const measure = async (from: StartRow["from"]) => {
    const startMs = await timeStart(server);
    const restoreMs = Math.max(1, startMs - emptyMs);
    const usedSec = await processorSec(server.child.pid) - emptySec;
    const processorMs = Math.max(1, usedSec * 1000);
    const series = hosts * SERIES_PER_HOST;
    const seriesPerSec = series / restoreMs * 1000;
    print(
      `start from ${from}: ${series} series in ${restoreMs.toFixed(0)} ms of ${
        startMs.toFixed(0)
      }, processor ${processorMs.toFixed(0)} ms, ${
        (seriesPerSec / 1e6).toFixed(2)
      } M series/s`,
    );
    rows.push({
      from,
      series,
      samples,
      startMs,
      processorMs,
      restoreMs,
      seriesPerSec,
    });
  };
  await server.kill();
  await measure("the log");
  // An orderly end leaves a snapshot.
  await server.stop();
  await measure("a snapshot");
  await server.stop();
  return rows;
}

async function timeStart(server: DurableServer): Promise<number> {
  const startedMs = monotonicMs();
  await server.start(SETTINGS);
  return monotonicMs() - startedMs;
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const rows = await runStartBench(args);
  if (args.out !== undefined) await writeResult(args.out, rows);
}
