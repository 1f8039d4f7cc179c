/**
 * The questions of the query benchmark, once for the JSON query endpoint of
 * ours and upstream and once, as near as it comes, for VictoriaMetrics.
 */
import {
  hostName,
  LOAD_CLUSTER,
  LOAD_STEP_SEC,
  NODE_METRICS,
  PRECISE_METRICS,
  THREADS_PER_HOST,
} from "./load.ts";
import { encodeRequest } from "./raw_http.ts";
import type { Target } from "./targets.ts";

/** What is in the store: whole rounds from `fromSec` up to `toSec`, exclusive. */
export interface LoadedRange {
  readonly hosts: number;
  readonly fromSec: number;
  readonly toSec: number;
}

export interface QueryShape {
  readonly name: string;
  /** How often it is asked in a full run. */
  readonly iterations: number;
  /** Body for the query endpoint. */
  readonly question: Readonly<Record<string, unknown>>;
  /** Whether values of it are printed, so that their share of the time can be told. */
  readonly withData: boolean;
  /** The same for VictoriaMetrics, where there is something comparable. */
  readonly promql?: string;
}

const TEN_METRICS = Object.keys(NODE_METRICS).slice(0, 10);
const THREAD_IDS = Array.from({ length: THREADS_PER_HOST }, (_, i) => `${i}`);
const HOUR_SEC = 3600;

export function queryShapes(range: LoadedRange): QueryShape[] {
  const hosts = Array.from({ length: range.hosts }, (_, i) => hostName(i));
  const all = { cluster: LOAD_CLUSTER, from: range.fromSec, to: range.toSec };
  const lastHours = (hours: number) => ({
    ...all,
    from: Math.max(range.fromSec, range.toSec - hours * HOUR_SEC),
  });
  function nodeQueries(metrics: readonly string[], resolution = 0) {
    return hosts.flatMap((host) =>
      metrics.map((metric) => ({ host, metric, resolution, aggreg: false }))
    );
  }
  function threadQueries(metric: string, aggreg: boolean) {
    return hosts.map((host) => ({
      host,
      metric,
      resolution: 0,
      aggreg,
      type: "hwthread",
      "type-ids": THREAD_IDS,
    }));
  }
  const tenMetrics = { ...all, queries: nodeQueries(TEN_METRICS) };
  const range64 = `${range.hosts} hosts`;
  return [
    {
      name: "one series, 1 h",
      iterations: 500,
      question: {
        ...lastHours(1),
        queries: [{ host: hosts[0], metric: "mem_used", aggreg: false }],
      },
      withData: true,
      promql: `mem_used{hostname="${hosts[0]}",type="node"}`,
    },
    {
      name: `${range64} x 10 metrics`,
      iterations: 60,
      question: tenMetrics,
      withData: true,
      promql: anyOf(TEN_METRICS),
    },
    {
      name: `${range64} x 10 metrics, without data`,
      iterations: 60,
      question: { ...tenMetrics, "with-data": false },
      withData: false,
    },
    {
      name: `${range64} x 10 metrics, resolution 600`,
      iterations: 60,
      question: { ...all, queries: nodeQueries(TEN_METRICS, 600) },
      withData: true,
    },
    {
      name: `${range64} x 10 metrics, full-precision doubles`,
      iterations: 60,
      question: { ...all, queries: nodeQueries(Object.keys(PRECISE_METRICS)) },
      withData: true,
      promql: anyOf(Object.keys(PRECISE_METRICS)),
    },
    {
      name: "one metric of all nodes, 1 h",
      iterations: 200,
      question: { ...lastHours(1), "for-all-nodes": ["mem_used"] },
      withData: true,
      promql: 'mem_used{type="node"}',
    },
    {
      name: `hwthread to node, ${range64} x ${THREADS_PER_HOST} threads`,
      iterations: 60,
      question: { ...all, queries: threadQueries("flops_any", true) },
      withData: true,
      promql: 'sum by (hostname) (flops_any{type="hwthread"})',
    },
    {
      name: `${range64} x ${THREADS_PER_HOST} thread series, 4 h`,
      iterations: 60,
      question: {
        ...lastHours(4),
        queries: threadQueries("flops_any", false),
      },
      withData: true,
      promql: 'flops_any{type="hwthread"}',
    },
  ];
}

function anyOf(metrics: readonly string[]): string {
  return `{__name__=~"${metrics.join("|")}",type="node"}`;
}

/** The shape as a request for this target; `undefined`: it has nothing like it. */
export function encodeShape(
  shape: QueryShape,
  target: Target,
): Uint8Array | undefined {
  if (target.kind !== "victoria-metrics") {
    return encodeRequest(
      "GET",
      "/api/query",
      target.headerLines,
      JSON.stringify(shape.question),
    );
  }
  if (shape.promql === undefined) return undefined;
  const { from, to } = shape.question as { from: number; to: number };
  const parameters = new URLSearchParams({
    query: shape.promql,
    start: String(from),
    end: String(to - LOAD_STEP_SEC),
    step: String(LOAD_STEP_SEC),
    nocache: "1",
  });
  return encodeRequest("GET", `/api/v1/query_range?${parameters}`, "", "");
}
