/**
 * PromQL over a loaded store, by HTTP as a dashboard asks it: ours beside
 * VictoriaMetrics over the same samples, both warm. How much either answers is
 * compared first.
 *
 * `deno task bench --only prometheus` runs it; alone: `deno run …
 * benches/prometheus_bench.ts [--small] [--hosts N] [--hours N]`.
 */
import { nowSec } from "../src/base/clock.ts";
import {
  type Lane,
  loadTarget,
  showWhatWasLoaded,
  timeInTurn,
} from "./query_bench.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { hostName, LOAD_CLUSTER, LOAD_METRICS } from "./support/load.ts";
import type { LoadedRange } from "./support/query_shapes.ts";
import { encodeRequest, RawConnection } from "./support/raw_http.ts";
import { print, quantile, writeResult } from "./support/report.ts";
import {
  startTarget,
  type Target,
  victoriaMetricsInstalled,
} from "./support/targets.ts";

const WARM_UP_MS = 1000;
const HOUR_SEC = 3600;

interface Shape {
  readonly name: string;
  readonly iterations: number;
  readonly path: string;
  readonly parameters: readonly (readonly [string, string])[];
}

export interface PromTiming {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytes: number;
}

export interface PromRow {
  readonly shape: string;
  readonly ours: PromTiming;
  /** Absent: it is not installed, or was left out. */
  readonly victoriaMetrics?: PromTiming;
}

export interface PromBenchResult {
  readonly hosts: number;
  readonly hours: number;
  readonly series: number;
  readonly rows: readonly PromRow[];
}

function shapesOf({ fromSec, toSec, hosts }: LoadedRange): Shape[] {
  const one = `mem_used{cluster="${LOAD_CLUSTER}",hostname="${hostName(0)}"}`;
  const end = toSec - 60;
  const range = (query: string, startSec: number, step: number) =>
    [
      ["query", query],
      ["start", String(Math.max(fromSec, startSec))],
      ["end", String(end)],
      ["step", String(step)],
    ] as const;
  const times = [["start", String(fromSec)], ["end", String(end)]] as const;
  return [
    {
      name: "one series, now",
      iterations: 500,
      path: "query",
      parameters: [["query", one], ["time", String(end)]],
    },
    {
      name: "one series, 1 h, a point each 15 s",
      iterations: 500,
      path: "query_range",
      parameters: range(one, end - HOUR_SEC, 15),
    },
    {
      name: "72 threads of a host, all hours, a point a minute",
      iterations: 40,
      path: "query_range",
      parameters: range(
        `flops_any{hostname="${hostName(0)}",type="hwthread"}`,
        fromSec,
        60,
      ),
    },
    {
      name: `sum by (hostname) of ${
        hosts * 72
      } threads, all hours, a point a minute`,
      iterations: 8,
      path: "query_range",
      parameters: range(
        'sum by (hostname) (flops_any{type="hwthread"})',
        fromSec,
        60,
      ),
    },
    {
      name: "values of hostname that have a metric",
      iterations: 40,
      path: "label/hostname/values",
      parameters: [["match[]", "mem_used"], ...times],
    },
    {
      name: "series of a metric",
      iterations: 20,
      path: "series",
      parameters: [["match[]", "flops_any"], ["limit", "40000"], ...times],
    },
    {
      name: "labels of all series",
      iterations: 20,
      path: "labels",
      parameters: times,
    },
  ];
}

function encode(shape: Shape, target: Target): Uint8Array {
  const parameters = new URLSearchParams();
  for (const [name, value] of shape.parameters) parameters.append(name, value);
  if (target.kind === "victoria-metrics") parameters.append("nocache", "1");
  return encodeRequest(
    "GET",
    `/api/v1/${shape.path}?${parameters}`,
    target.headerLines,
    "",
  );
}

interface Asked {
  readonly target: Target;
  readonly connection: RawConnection;
}

/** Measures every shape, ours first. */
export async function runPrometheusBench(
  args: BenchArguments,
): Promise<PromBenchResult> {
  const hosts = args.hosts ?? (args.small ? 2 : 64);
  const hours = args.hours ?? (args.small ? 1 : 24);
  const fromSec = nowSec() - (hours + 1) * HOUR_SEC;
  const range = { hosts, fromSec, toSec: fromSec + hours * HOUR_SEC };
  const hasPeer = !args.small && victoriaMetricsInstalled();
  const targets: Target[] = [];
  const asked: Asked[] = [];
  try {
    for (const kind of ["ours", "victoria-metrics"] as const) {
      if (kind !== "ours" && !hasPeer) continue;
      const target = await startTarget(kind, {
        metrics: LOAD_METRICS,
        peerCc: undefined,
      });
      targets.push(target);
      const { samples } = await loadTarget(target, range);
      await showWhatWasLoaded(target);
      print(`${kind}: loaded ${samples} samples`);
    }
    for (const target of targets) {
      asked.push({ target, connection: await RawConnection.open(target.port) });
    }
    const rows: PromRow[] = [];
    for (const shape of shapesOf(range)) {
      await compareFirst(asked, shape);
      const row = await timeShape(asked, shape, args.small);
      rows.push(row);
      printRow(row);
    }
    return { hosts, hours, series: hosts * 747, rows };
  } finally {
    for (const { connection } of asked) connection.close();
    for (const target of targets) await target.stop();
  }
}

/** Both must answer as many things before it matters how fast. */
async function compareFirst(
  asked: readonly Asked[],
  shape: Shape,
): Promise<void> {
  const counts: number[] = [];
  for (const { target, connection } of asked) {
    const { status, body } = await connection.exchange(
      encode(shape, target),
      true,
    );
    if (status !== 200 || body === undefined) {
      throw new Error(`${target.kind}: ${shape.name}: status ${status}`);
    }
    const { data } = JSON.parse(new TextDecoder().decode(body));
    const all: unknown[] = data.result ?? data;
    counts.push(all.length);
  }
  const isOff = counts.some((count) => count !== counts[0]);
  if (counts[0] === 0 || isOff) {
    throw new Error(`${shape.name}: answers have ${counts.join(" and ")}`);
  }
}

async function timeShape(
  asked: readonly Asked[],
  shape: Shape,
  small: boolean,
): Promise<PromRow> {
  const timings = new Map<string, PromTiming>();
  for (const { target, connection } of asked) {
    const lane: Lane = {
      name: target.kind,
      connection,
      request: encode(shape, target),
      times: [],
      bytes: 0,
    };
    await timeInTurn(
      shape.name,
      [lane],
      small ? 3 : shape.iterations,
      small ? 0 : WARM_UP_MS,
    );
    timings.set(target.kind, {
      p50Ms: quantile(lane.times, 0.5),
      p99Ms: quantile(lane.times, 0.99),
      bytes: lane.bytes,
    });
  }
  const peer = timings.get("victoria-metrics");
  return {
    shape: shape.name,
    ours: timings.get("ours")!,
    ...(peer === undefined ? {} : { victoriaMetrics: peer }),
  };
}

function printRow({ shape, ours, victoriaMetrics }: PromRow): void {
  const text = ({ p50Ms, p99Ms, bytes }: PromTiming) =>
    `p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms  ${bytes} bytes`;
  print(`\n${shape}\n  ours              ${text(ours)}`);
  if (victoriaMetrics === undefined) return;
  const times = (victoriaMetrics.p50Ms / ours.p50Ms).toFixed(2);
  print(
    `  victoria-metrics  ${text(victoriaMetrics)}  ours is ${times} x as fast`,
  );
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const result = await runPrometheusBench(args);
  if (args.out !== undefined) await writeResult(args.out, result);
}
