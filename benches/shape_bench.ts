/**
 * Ingest rates for the shapes in which centres send: hosts one after the other and
 * interleaved by metric, small bodies of single nodes, late and repeated samples, series
 * at first sight, and stores of 10 thousand to a million series.
 *
 * `deno task bench --only shapes` runs it.
 */
import { nowSec } from "../src/base/clock.ts";
import type { BenchArguments } from "./support/arguments.ts";
import { drive, type DriveOptions } from "./support/drive.ts";
import {
  type LineOrder,
  LOAD_METRICS,
  LOAD_STEP_SEC,
  renderLoad,
} from "./support/load.ts";
import { median, print } from "./support/report.ts";
import {
  startTarget,
  type Target,
  type TargetKind,
  victoriaMetricsInstalled,
} from "./support/targets.ts";
import type { IngestRow } from "./ingest_bench.ts";

const SEED = 20_260_104;
/** Inside a retention of 48 h, with room for thousands of rounds. */
const START_BEFORE_SEC = 40 * 3600;
const PASS_ROUNDS = 60;
const MEASURE_MS = 2000;
const WARM_UP_MS = 800;

type Passes = "new times" | "late" | "overwritten" | "new series";

interface Shape {
  readonly name: string;
  readonly hosts: number;
  readonly hostsPerBody: number;
  readonly threads: number;
  readonly connections: number;
  readonly order: LineOrder;
  readonly passes: Passes;
  /** Without peers: how the cost of a sample grows. */
  readonly onlyOurs?: boolean;
}

const MANY = {
  hosts: 100,
  hostsPerBody: 100,
  threads: 8,
  connections: 1,
  order: "host",
  passes: "new times",
} as const;
const NODES = { ...MANY, hostsPerBody: 1, connections: 64 };
const LARGE = {
  ...MANY,
  hostsPerBody: 10,
  threads: 72,
  connections: 4,
  onlyOurs: true,
};

const SHAPES: readonly Shape[] = [
  { ...MANY, name: "100 hosts x 97 series, host by host" },
  { ...MANY, name: "100 hosts x 97 series, metric by metric", order: "metric" },
  { ...NODES, name: "1 host a body, 97 lines, 64 connections" },
  { ...NODES, name: "1 host a body, 17 lines, 64 connections", threads: 0 },
  { ...MANY, name: "100 hosts x 97 series, late", passes: "late" },
  { ...MANY, name: "100 hosts x 97 series, sent again", passes: "overwritten" },
  {
    ...MANY,
    name: "series at first sight, 10 hosts a body, 4 connections",
    hosts: 2000,
    hostsPerBody: 10,
    connections: 4,
    passes: "new series",
  },
  { ...LARGE, name: "10 thousand series", hosts: 14 },
  { ...LARGE, name: "100 thousand series", hosts: 136 },
  { ...LARGE, name: "1 million series", hosts: 1357 },
];

/** Runs all shapes; gives one row each. */
export async function runShapeBench(
  args: BenchArguments,
): Promise<IngestRow[]> {
  const rows: IngestRow[] = [];
  for (const shape of SHAPES) {
    const runs: Partial<Record<TargetKind, number[]>> = {};
    for (let i = 0; i < (args.repeat ?? 1); i++) {
      for (const kind of targetKinds(shape, args)) {
        (runs[kind] ??= []).push(await runOnce(kind, shape, args));
      }
    }
    const rates: Partial<Record<TargetKind, number>> = {};
    for (const [kind, each] of Object.entries(runs)) {
      rates[kind as TargetKind] = median(each);
      print(`${shape.name}: ${kind} ${(median(each) / 1e6).toFixed(2)} M/s`);
    }
    rows.push({ shape: shape.name, rates, runs });
  }
  return rows;
}

function targetKinds(shape: Shape, args: BenchArguments): TargetKind[] {
  if (shape.onlyOurs === true) return ["ours"];
  const kinds: TargetKind[] = ["ours"];
  if (!args.small && victoriaMetricsInstalled()) kinds.push("victoria-metrics");
  if (args.peerCc !== undefined) kinds.push("upstream");
  return [...kinds, "limit"];
}

/** One fresh server under load; samples per second. */
async function runOnce(
  kind: TargetKind,
  shape: Shape,
  args: BenchArguments,
): Promise<number> {
  const target = await startTarget(kind, {
    metrics: LOAD_METRICS,
    peerCc: args.peerCc,
  });
  try {
    const { samples, elapsedMs } = await drivePasses(target, shape, args.small);
    return samples / elapsedMs * 1000;
  } finally {
    await target.stop();
  }
}

async function drivePasses(target: Target, shape: Shape, isSmall: boolean) {
  const startSec = nowSec() - START_BEFORE_SEC;
  const whole: DriveOptions = {
    port: target.port,
    requests: renderLoad({
      ...shape,
      hosts: isSmall ? Math.min(shape.hosts, 4) : shape.hosts,
      seed: SEED,
      writePath: target.writePath,
      headerLines: target.headerLines,
    }),
    connections: shape.connections,
    startSec,
    rounds: isSmall ? 2 : PASS_ROUNDS,
    warmUpMs: 0,
    measureMs: Infinity,
    repeatTimes: target.kind === "limit",
  };
  switch (shape.passes) {
    case "new series":
      return await drive({ ...whole, rounds: 1 });
    case "late": {
      // Every second slot first.
      const stepSec = 2 * LOAD_STEP_SEC;
      await drive({ ...whole, stepSec });
      return await drive({
        ...whole,
        stepSec,
        startSec: startSec + LOAD_STEP_SEC,
      });
    }
    case "overwritten":
      await drive(whole);
      return await drive(whole);
    case "new times":
      // What the first round makes is not measured.
      await drive({ ...whole, rounds: 1 });
      return await drive({
        ...whole,
        startSec: startSec + LOAD_STEP_SEC,
        rounds: isSmall ? 2 : Infinity,
        warmUpMs: isSmall ? 0 : WARM_UP_MS,
        measureMs: isSmall ? Infinity : MEASURE_MS,
      });
  }
}
