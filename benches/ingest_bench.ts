/**
 * Ingest rates of ours, the peers that are there, and our front door reading
 * and discarding the same bodies, in one interleaved run on one machine.
 *
 * `deno task bench` runs it; alone:
 * `deno run … benches/ingest_bench.ts [--small] [--peer-cc PATH] [--repeat N]`.
 */
import { nowSec } from "../src/base/clock.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { drive } from "./support/drive.ts";
import { type LineOrder, LOAD_METRICS, renderLoad } from "./support/load.ts";
import { median, print, writeResult } from "./support/report.ts";
import {
  startTarget,
  type TargetKind,
  victoriaMetricsInstalled,
} from "./support/targets.ts";

const SEED = 20_240_607;
/** Inside a retention of 48 h, with room for thousands of rounds. */
const START_BEFORE_SEC = 40 * 3600;

const SMALL_ROUNDS = 20;

interface Shape {
  readonly name: string;
  readonly hostsPerBody: number;
  readonly connections: number;
  readonly order: LineOrder;
}

const SHAPES: readonly Shape[] = [
  {
    name: "1 host a body, 4 connections",
    hostsPerBody: 1,
    connections: 4,
    order: "host",
  },
  // As in a cluster, where each host's collector has a connection of its own.
  {
    name: "1 host a body, 64 connections",
    hostsPerBody: 1,
    connections: 64,
    order: "host",
  },
  {
    name: "100 hosts a body, 1 connection",
    hostsPerBody: 100,
    connections: 1,
    order: "host",
  },
  {
    name: "25 hosts a body, 4 connections",
    hostsPerBody: 25,
    connections: 4,
    order: "host",
  },
  {
    name: "100 hosts a body, metric by metric, 1 connection",
    hostsPerBody: 100,
    connections: 1,
    order: "metric",
  },
];

export interface IngestRow {
  readonly shape: string;
  /** Samples per second, the median of the runs. */
  readonly rates: Readonly<Partial<Record<TargetKind, number>>>;
  readonly runs: Readonly<Partial<Record<TargetKind, readonly number[]>>>;
}

/** Runs all shapes; gives one row each. */
export async function runIngestBench(
  args: BenchArguments,
): Promise<IngestRow[]> {
  const kinds = targetKinds(args);
  const hosts = args.hosts ?? (args.small ? 4 : 100);
  const repeat = args.repeat ?? (args.small ? 1 : 3);
  const rows: IngestRow[] = [];
  for (const shape of SHAPES) {
    const runs: Partial<Record<TargetKind, number[]>> = {};
    for (let i = 0; i < repeat; i++) {
      for (const kind of kinds) {
        (runs[kind] ??= []).push(await runOnce(kind, shape, hosts, args));
      }
    }
    const rates: Partial<Record<TargetKind, number>> = {};
    for (const kind of kinds) rates[kind] = median(runs[kind] ?? []);
    const row = { shape: shape.name, rates, runs };
    printRow(row);
    rows.push(row);
  }
  return rows;
}

function targetKinds(args: BenchArguments): TargetKind[] {
  const kinds: TargetKind[] = ["ours"];
  if (!args.small && victoriaMetricsInstalled()) kinds.push("victoria-metrics");
  if (args.peerCc !== undefined) kinds.push("upstream");
  kinds.push("limit");
  return kinds.filter((kind) => args.only?.includes(kind) ?? true);
}

/** One fresh server under load; samples per second. */
async function runOnce(
  kind: TargetKind,
  shape: Shape,
  hosts: number,
  args: BenchArguments,
): Promise<number> {
  const target = await startTarget(kind, {
    metrics: LOAD_METRICS,
    peerCc: args.peerCc,
  });
  try {
    const { samples, elapsedMs } = await drive({
      port: target.port,
      requests: renderLoad({
        hosts,
        hostsPerBody: shape.hostsPerBody,
        order: shape.order,
        seed: SEED,
        writePath: target.writePath,
        headerLines: target.headerLines,
      }),
      connections: shape.connections,
      startSec: nowSec() - START_BEFORE_SEC,
      // A small run must come to its end on the busiest machine.
      rounds: args.small ? SMALL_ROUNDS : Infinity,
      warmUpMs: args.small ? 0 : 1000,
      measureMs: args.small ? Infinity : 3000,
      repeatTimes: kind === "limit",
    });
    return samples / elapsedMs * 1000;
  } finally {
    await target.stop();
  }
}

function printRow({ shape, rates, runs }: IngestRow): void {
  print(`\n${shape}`);
  for (const [kind, rate] of Object.entries(rates)) {
    const each = (runs[kind as TargetKind] ?? []).map(millions).join(" ");
    print(`  ${kind.padEnd(18)} ${millions(rate)} M samples/s  (${each})`);
  }
  for (const [kind, rate] of Object.entries(rates)) {
    if (kind === "ours" || rates.ours === undefined) continue;
    print(`  ours / ${kind}: ${(rates.ours / rate).toFixed(2)}`);
  }
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(2);
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const rows = await runIngestBench(args);
  if (args.out !== undefined) await writeResult(args.out, rows);
}
