/**
 * Small questions: how many a second, and the processor time of one, beside a bare
 * `node:http` that answers as many bytes. All are up at the same time and asked in turn
 * for some tenths of a second, so that each sees the same machine; the ratios are those
 * of neighbouring turns.
 *
 * `deno task bench --only requests` runs it.
 */
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import type { BenchArguments } from "./support/arguments.ts";
import { drive } from "./support/drive.ts";
import { LOAD_METRICS, LOAD_STEP_SEC, renderLoad } from "./support/load.ts";
import { processorSec } from "./support/machine.ts";
import { encodeShape, queryShapes } from "./support/query_shapes.ts";
import { RawConnection } from "./support/raw_http.ts";
import { median, print, quantile } from "./support/report.ts";
import {
  startTarget,
  type Target,
  type TargetKind,
  victoriaMetricsInstalled,
} from "./support/targets.ts";

const SEED = 20_260_105;
const HOSTS = 64;
const HOURS = 1;
const TURNS = 12;
const TURN_MS = 400;
const WARM_UP_MS = 2500;

const SHAPES = [
  { question: "one series, 1 h", connections: 1 },
  { question: "one series, 1 h", connections: 32 },
  { question: "one metric of all nodes, 1 h", connections: 32 },
] as const;

export interface RequestTiming {
  readonly perSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of all threads for one. */
  readonly processorUs: number;
  /** Its rate over ours, the median of the turns. */
  readonly rateOverOurs: number;
}

export interface RequestRow {
  readonly shape: string;
  readonly timings: Readonly<Partial<Record<TargetKind, RequestTiming>>>;
}

interface Lane {
  readonly target: Target;
  readonly request: Uint8Array;
  readonly connections: RawConnection[];
  readonly perSec: number[];
  readonly processorUs: number[];
  readonly timesMs: number[];
}

/** Loads all targets and asks them all shapes. */
export async function runRequestBench(
  args: BenchArguments,
): Promise<RequestRow[]> {
  const fromSec = nowSec() - (HOURS + 1) * 3600;
  const hosts = args.small ? 2 : HOSTS;
  const range = { hosts, fromSec, toSec: fromSec + HOURS * 3600 };
  const kinds: TargetKind[] = ["ours"];
  if (args.peerCc !== undefined) kinds.push("upstream");
  if (!args.small && victoriaMetricsInstalled()) kinds.push("victoria-metrics");
  const targets: Target[] = [];
  try {
    for (const kind of kinds) {
      const target = await startTarget(kind, {
        metrics: LOAD_METRICS,
        peerCc: args.peerCc,
      });
      targets.push(target);
      await drive({
        port: target.port,
        requests: renderLoad({
          hosts,
          hostsPerBody: 16,
          order: "host",
          seed: SEED,
          threads: 0,
          writePath: target.writePath,
          headerLines: target.headerLines,
        }),
        connections: 1,
        startSec: fromSec,
        rounds: HOURS * 3600 / LOAD_STEP_SEC,
        warmUpMs: 0,
        measureMs: Infinity,
        newValues: true,
      });
    }
    const rows: RequestRow[] = [];
    for (const { question, connections } of SHAPES) {
      const shape = queryShapes(range).find(({ name }) => name === question)!;
      const name = `${question}, ${connections} ${
        connections === 1 ? "connection" : "connections"
      }`;
      const row = await timeShape(name, shape, connections, targets, args);
      for (const [kind, t] of Object.entries(row.timings)) {
        print(
          `${name}: ${kind} ${t.perSec.toFixed(0)}/s, p50 ${
            t.p50Ms.toFixed(2)
          } ms, p99 ${t.p99Ms.toFixed(2)} ms, ${
            t.processorUs.toFixed(0)
          } us of processor, ${t.rateOverOurs.toFixed(2)} x ours`,
        );
      }
      rows.push(row);
    }
    return rows;
  } finally {
    for (const target of targets) await target.stop();
  }
}

async function timeShape(
  name: string,
  shape: ReturnType<typeof queryShapes>[number],
  connections: number,
  targets: readonly Target[],
  args: BenchArguments,
): Promise<RequestRow> {
  const first = await RawConnection.open(targets[0]!.port);
  const { bodyBytes } = await first.exchange(
    encodeShape(shape, targets[0]!)!,
  );
  first.close();
  const bare = await startTarget("limit", {
    metrics: LOAD_METRICS,
    answerBytes: bodyBytes,
  });
  const lanes: Lane[] = [];
  try {
    for (const target of [...targets, bare]) {
      const request = encodeShape(shape, target);
      if (request === undefined) continue;
      const open: RawConnection[] = [];
      lanes.push({
        ...{ target, request, connections: open },
        ...{ perSec: [], processorUs: [], timesMs: [] },
      });
      for (let i = 0; i < connections; i++) {
        open.push(await RawConnection.open(target.port));
      }
    }
    for (const lane of lanes) await turn(lane, args.small ? 50 : WARM_UP_MS);
    for (const lane of lanes) {
      for (const list of [lane.perSec, lane.processorUs, lane.timesMs]) {
        list.length = 0;
      }
    }
    for (let i = 0; i < (args.small ? 2 : TURNS); i++) {
      for (const lane of lanes) await turn(lane, args.small ? 50 : TURN_MS);
    }
    const ours = lanes[0]!.perSec;
    return {
      shape: name,
      timings: Object.fromEntries(lanes.map((lane) => [lane.target.kind, {
        perSec: median(lane.perSec),
        p50Ms: median(lane.timesMs),
        p99Ms: quantile(lane.timesMs, 0.99),
        processorUs: median(lane.processorUs),
        rateOverOurs: median(lane.perSec.map((rate, i) => rate / ours[i]!)),
      }])),
    };
  } finally {
    for (const lane of lanes) {
      for (const connection of lane.connections) connection.close();
    }
    await bare.stop();
  }
}

/** Asks over all connections for some time. */
async function turn(lane: Lane, forMs: number): Promise<void> {
  const { target, request, connections, timesMs } = lane;
  const beforeSec = await processorSec(target.pid);
  const startedMs = monotonicMs();
  const before = timesMs.length;
  await Promise.all(connections.map(async (connection) => {
    while (monotonicMs() - startedMs < forMs) {
      const askedMs = monotonicMs();
      const { status } = await connection.exchange(request);
      if (status !== 200) throw new Error(`${target.kind}: status ${status}`);
      timesMs.push(monotonicMs() - askedMs);
    }
  }));
  const count = timesMs.length - before;
  lane.perSec.push(count / (monotonicMs() - startedMs) * 1000);
  const usedSec = await processorSec(target.pid) - beforeSec;
  lane.processorUs.push(usedSec * 1e6 / count);
}
