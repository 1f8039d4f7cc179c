/**
 * Query times over a loaded store: ours and upstream asked in turn, VictoriaMetrics
 * after them, in one run. The answers of ours and upstream are compared first.
 *
 * `deno task bench` runs it; alone: `deno run … benches/query_bench.ts
 * [--small] [--peer-cc PATH] [--hosts N] [--hours N]`.
 */
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { compareAnswers, digestAnswer } from "./support/answer_digest.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { drive } from "./support/drive.ts";
import { LOAD_METRICS, LOAD_STEP_SEC, renderLoad } from "./support/load.ts";
import {
  encodeShape,
  type LoadedRange,
  type QueryShape,
  queryShapes,
} from "./support/query_shapes.ts";
import { encodeRequest, RawConnection } from "./support/raw_http.ts";
import { residentBytes } from "./support/machine.ts";
import { print, quantile, writeResult } from "./support/report.ts";
import {
  startTarget,
  type Target,
  type TargetKind,
  victoriaMetricsInstalled,
} from "./support/targets.ts";

const SEED = 647_371_440;
/** Of every shape, and three rounds at least: code that runs often is compiled then. */
const WARM_UP_MS = 3000;
const WARM_UPS = 3;
/** Hosts in one body while loading. */
const HOSTS_PER_BODY = 16;

export interface QueryTiming {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytes: number;
}

export interface QueryRow {
  readonly shape: string;
  readonly timings: Readonly<Partial<Record<TargetKind, QueryTiming>>>;
  /** Of our p50, what is saved when no data is asked for: writing it. */
  readonly writingShare?: number;
}

export interface QueryBenchResult {
  readonly hosts: number;
  readonly hours: number;
  readonly samples: number;
  /** Resident memory after loading. */
  readonly residentBytes: Readonly<Partial<Record<TargetKind, number>>>;
  readonly rows: readonly QueryRow[];
}

interface Asked {
  readonly target: Target;
  readonly connection: RawConnection;
}

export async function runQueryBench(
  args: BenchArguments,
): Promise<QueryBenchResult> {
  const hosts = args.hosts ?? (args.small ? 2 : 64);
  const hours = args.hours ?? (args.small ? 1 : 24);
  const fromSec = nowSec() - (hours + 1) * 3600;
  const range = { hosts, fromSec, toSec: fromSec + hours * 3600 };
  const targets: Target[] = [];
  const asked: Asked[] = [];
  const residentByKind: Partial<Record<TargetKind, number>> = {};
  let samples = 0;
  try {
    for (const kind of targetKinds(args)) {
      const target = await startTarget(kind, {
        metrics: LOAD_METRICS,
        peerCc: args.peerCc,
      });
      targets.push(target);
      const loaded = await loadTarget(target, range);
      samples = loaded.samples;
      await showWhatWasLoaded(target);
      const resident = await residentBytes(target.pid);
      residentByKind[kind] = resident;
      print(
        `${kind}: loaded ${samples} samples in ${
          (loaded.elapsedMs / 1000).toFixed(1)
        } s, ${(resident / samples).toFixed(1)} B/sample resident`,
      );
    }
    // Only now: a connection that long says nothing is cut.
    for (const target of targets) {
      asked.push({ target, connection: await RawConnection.open(target.port) });
    }
    const rows: QueryRow[] = [];
    for (const shape of queryShapes(range)) {
      await compareFirst(asked, shape);
      const row = await timeShape(asked, shape, args);
      printRow(row);
      rows.push(row);
    }
    return { hosts, hours, samples, residentBytes: residentByKind, rows };
  } finally {
    for (const { connection } of asked) connection.close();
    for (const target of targets) await target.stop();
  }
}

function targetKinds(args: BenchArguments): TargetKind[] {
  const kinds: TargetKind[] = ["ours"];
  if (args.peerCc !== undefined) kinds.push("upstream");
  if (!args.small && victoriaMetricsInstalled()) kinds.push("victoria-metrics");
  return kinds.filter((kind) => args.only?.includes(kind) ?? true);
}

/** Writes all rounds of the range into a fresh target. */
export function loadTarget(target: Target, range: LoadedRange) {
  return drive({
    port: target.port,
    requests: renderLoad({
      hosts: range.hosts,
      hostsPerBody: HOSTS_PER_BODY,
      order: "host",
      seed: SEED,
      writePath: target.writePath,
      headerLines: target.headerLines,
      precise: true,
    }),
    connections: 4,
    startSec: range.fromSec,
    rounds: (range.toSec - range.fromSec) / LOAD_STEP_SEC,
    warmUpMs: 0,
    measureMs: Infinity,
    newValues: true,
  });
}

/** VictoriaMetrics hides the newest second of what it took until told not to. */
export async function showWhatWasLoaded(target: Target): Promise<void> {
  if (target.kind !== "victoria-metrics") return;
  const connection = await RawConnection.open(target.port);
  try {
    await connection.exchange(
      encodeRequest("GET", "/internal/force_flush", "", ""),
    );
  } finally {
    connection.close();
  }
}

/** Ours and upstream must say the same before it matters who says it faster. */
async function compareFirst(
  asked: readonly Asked[],
  shape: QueryShape,
): Promise<void> {
  const digests = [];
  for (const { target, connection } of asked) {
    if (target.kind === "victoria-metrics") continue;
    const request = encodeShape(shape, target);
    if (request === undefined) continue;
    const { status, body } = await connection.exchange(request, true);
    if (status !== 200 || body === undefined) {
      throw new Error(`${target.kind}: ${shape.name}: status ${status}`);
    }
    digests.push({ kind: target.kind, digest: digestAnswer(body) });
  }
  const [first, ...others] = digests;
  if (first === undefined) return;
  if (first.digest.entries === 0) throw new Error(`${shape.name}: no entries`);
  for (const other of others) {
    compareAnswers(shape, first.digest, other.digest, other.kind);
  }
}

/** A request that is timed, and the connection that it goes over. */
export interface Lane {
  readonly name: string;
  readonly connection: RawConnection;
  readonly request: Uint8Array;
  readonly times: number[];
  bytes: number;
}

/** Asks one after the other, so that each sees the same machine. */
export async function timeInTurn(
  shape: string,
  lanes: readonly Lane[],
  iterations: number,
  warmUpMs: number,
): Promise<void> {
  if (lanes.length === 0) return;
  const warmUntilMs = monotonicMs() + warmUpMs;
  for (let i = 0; i < WARM_UPS || monotonicMs() < warmUntilMs; i++) {
    for (const lane of lanes) await askOnce(shape, lane);
  }
  for (let i = 0; i < iterations; i++) {
    for (const lane of lanes) lane.times.push(await askOnce(shape, lane));
  }
}

/** Milliseconds that it took. */
async function askOnce(shape: string, lane: Lane): Promise<number> {
  const startedMs = monotonicMs();
  const answer = await lane.connection.exchange(lane.request);
  const tookMs = monotonicMs() - startedMs;
  if (answer.status !== 200) {
    throw new Error(`${lane.name}: ${shape}: status ${answer.status}`);
  }
  lane.bytes = answer.bodyBytes;
  return tookMs;
}

async function timeShape(
  asked: readonly Asked[],
  shape: QueryShape,
  args: BenchArguments,
): Promise<QueryRow> {
  const iterations = args.small ? 3 : shape.iterations;
  const bare = { ...shape.question, "with-data": false };
  const lanes = asked.flatMap(({ target, connection }) => {
    const request = encodeShape(shape, target);
    if (request === undefined) return [];
    const lane = { name: target.kind as string, connection, request };
    if (target.kind !== "ours" || !shape.withData) return [lane];
    const dataless = encodeShape({ ...shape, question: bare }, target);
    if (dataless === undefined) return [lane];
    return [lane, { name: "dataless", connection, request: dataless }];
  }).map((lane): Lane => ({ ...lane, times: [], bytes: 0 }));

  // What answers four times as much leaves more to collect behind: on its own.
  const isOther = (lane: Lane) => lane.name === "victoria-metrics";
  const warmUpMs = args.small ? 0 : WARM_UP_MS;
  for (
    const some of [lanes.filter((l) => !isOther(l)), lanes.filter(isOther)]
  ) {
    await timeInTurn(shape.name, some, iterations, warmUpMs);
  }

  const timings: Partial<Record<TargetKind, QueryTiming>> = {};
  let datalessMs: number | undefined;
  for (const { name, times, bytes } of lanes) {
    const p50Ms = quantile(times, 0.5);
    if (name === "dataless") datalessMs = p50Ms;
    else {
      timings[name as TargetKind] = {
        p50Ms,
        p99Ms: quantile(times, 0.99),
        bytes,
      };
    }
  }
  const oursMs = timings.ours?.p50Ms;
  if (datalessMs === undefined || oursMs === undefined) {
    return { shape: shape.name, timings };
  }
  const writingShare = Math.max(0, 1 - datalessMs / oursMs);
  return { shape: shape.name, timings, writingShare };
}

function printRow({ shape, timings, writingShare }: QueryRow): void {
  print(`\n${shape}`);
  for (const [kind, timing] of Object.entries(timings)) {
    const against = kind === "ours" || timings.ours === undefined
      ? ""
      : `  ours is ${(timing.p50Ms / timings.ours.p50Ms).toFixed(2)} x as fast`;
    print(
      `  ${kind.padEnd(18)} p50 ${timing.p50Ms.toFixed(2)} ms  p99 ${
        timing.p99Ms.toFixed(2)
      } ms  ${timing.bytes} bytes${against}`,
    );
  }
  if (writingShare !== undefined) {
    print(`  writing the data: ${(writingShare * 100).toFixed(0)} % of ours`);
  }
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const result = await runQueryBench(args);
  if (args.out !== undefined) await writeResult(args.out, result);
}
