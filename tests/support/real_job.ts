/**
 * The traces of a real 32-node job, as its cluster recorded them every 60 s:
 * per metric and host a list of numbers, `null` where the collector missed one.
 */
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";

const DIRECTORY = new URL("../testdata/emmy/", import.meta.url);

export const REAL_JOB_CLUSTER = "emmy";
export const REAL_JOB_STEP_SEC = 60;

export interface Statistics {
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

export interface Trace {
  readonly metric: string;
  readonly host: string;
  readonly values: readonly (number | null)[];
  /** As the cluster computed them, rounded to two decimals; not for every metric. */
  readonly statistics: Statistics | undefined;
}

export interface RealJob {
  /** Grouped by metric, hosts in the order of the recording. */
  readonly traces: readonly Trace[];
  readonly metrics: readonly string[];
  readonly hosts: readonly string[];
  /** Slots of the longest trace. */
  readonly slots: number;
  /** Over all hosts, from the job's record. */
  readonly statistics: Readonly<Record<string, Statistics>>;
}

interface RecordedMetric {
  readonly timestep: number;
  readonly series: readonly {
    readonly hostname: string;
    readonly data: readonly (number | null)[];
    readonly statistics?: Statistics;
  }[];
}

export function readRealJob(): RealJob {
  const packed = Deno.readFileSync(new URL("1403244-data.json.gz", DIRECTORY));
  const data = JSON.parse(
    gunzipSync(Buffer.from(packed)).toString("utf8"),
  ) as Record<string, { node: RecordedMetric }>;
  const meta = JSON.parse(
    Deno.readTextFileSync(new URL("1403244-meta.json", DIRECTORY)),
  ) as {
    statistics: Record<string, Statistics>;
    resources: { hostname: string }[];
  };
  const traces = Object.entries(data).flatMap(([metric, { node }]) => {
    if (node.timestep !== REAL_JOB_STEP_SEC) {
      throw new Error(`${metric} was recorded every ${node.timestep} s`);
    }
    return node.series.map((series): Trace => ({
      metric,
      host: series.hostname,
      values: series.data,
      statistics: series.statistics,
    }));
  });
  return {
    traces,
    metrics: Object.keys(data),
    hosts: meta.resources.map((resource) => resource.hostname),
    slots: traces.reduce(
      (most, trace) => Math.max(most, trace.values.length),
      0,
    ),
    statistics: meta.statistics,
  };
}

/** What a collector would send for one interval: every host, every metric. */
export function intervalBody(
  job: RealJob,
  slot: number,
  timeSec: number,
): string {
  let body = "";
  for (const { metric, host, values } of job.traces) {
    const value = values[slot];
    if (value === null || value === undefined) continue;
    body +=
      `${metric},cluster=${REAL_JOB_CLUSTER},hostname=${host},type=node value=${value} ${timeSec}\n`;
  }
  return body;
}
