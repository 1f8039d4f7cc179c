/**
 * What a tenant that does its worst costs another: the time of the other's writes
 * beside it and alone, the 99th percentile, in pairs. Two hosts of 737 lines each are
 * written twenty-five times a second.
 */
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { LOAD_METRICS } from "./support/load.ts";
import {
  addTenant,
  attack,
  ATTACK_NAMES,
  type AttackName,
  Collector,
  makeClusterKnown,
  QUIET,
  WORST,
} from "./support/neighbours.ts";
import { median, print, quantile, writeResult } from "./support/report.ts";
import { startTarget } from "./support/targets.ts";

const CONNECTIONS = 2;
const EVERY_MS = 40;
const ROUNDS = 75;
/** A server that is slow is not measured for longer. */
const RUN_MS = 2 * ROUNDS * EVERY_MS;
const PAIRS = 3;

export interface NeighbourRow {
  /** What the other tenant does. */
  readonly work: AttackName;
  /** 99th percentiles of the writes, milliseconds; the median of the runs. */
  readonly aloneMs: number;
  readonly besideMs: number;
  /** The second over the first, the median of the pairs. */
  readonly ratio: number;
  /** Writes that were not a success. */
  readonly failures: number;
}

/** Measures all kinds of it on one server, each beginning where the last ended. */
export async function runNeighbourBench(
  args: BenchArguments,
): Promise<NeighbourRow[]> {
  const target = await startTarget("ours", { metrics: LOAD_METRICS });
  try {
    await makeClusterKnown(target.port);
    const quiet = await addTenant(target.port, QUIET);
    const worst = await addTenant(target.port, WORST);
    const collector = await Collector.open(target.port, quiet, CONNECTIONS);
    const rows: NeighbourRow[] = [];
    try {
      for (const work of ATTACK_NAMES) {
        const row = await measure(work, target.port, worst, collector, args);
        print(
          `${work}: p99 ${row.besideMs.toFixed(0)} ms, alone ${
            row.aloneMs.toFixed(0)
          } ms, ${row.failures} failures`,
        );
        rows.push(row);
      }
    } finally {
      collector.close();
    }
    return rows;
  } finally {
    await target.stop();
  }
}

async function measure(
  work: AttackName,
  port: number,
  headers: string,
  collector: Collector,
  { small, repeat }: BenchArguments,
): Promise<NeighbourRow> {
  const rounds = small ? 3 : ROUNDS;
  const alone: number[] = [];
  const beside: number[] = [];
  let failures = 0;
  for (let pair = 0; pair < (small ? 1 : repeat ?? PAIRS); pair++) {
    const before = await collector.run(rounds, EVERY_MS, RUN_MS);
    const going = await attack(work, port, headers);
    const during = await collector.run(rounds, EVERY_MS, RUN_MS);
    await going.stop();
    alone.push(quantile(before.latenciesMs, 0.99));
    beside.push(quantile(during.latenciesMs, 0.99));
    failures += before.failures + during.failures;
  }
  return {
    work,
    ...{ aloneMs: median(alone), besideMs: median(beside), failures },
    ratio: median(beside.map((ms, i) => ms / alone[i]!)),
  };
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const rows = await runNeighbourBench(args);
  if (args.out !== undefined) await writeResult(args.out, rows);
}
