/** A small cluster with samples of every scope in an engine, for tests of loading. */
import assert from "node:assert/strict";
import { clusterOf } from "./clusters.ts";
import { startTestEngine, write } from "./engine.ts";
import type { SubCluster } from "../../src/config/clusters/cluster.ts";
import { ClusterCatalog } from "../../src/config/clusters/cluster_catalog.ts";
import {
  METRIC_SCOPES,
  type MetricScope,
} from "../../src/config/clusters/metric_scope.ts";
import { storeMetrics } from "../../src/config/clusters/store_metrics.ts";
import {
  type DataScope,
  DEFAULT_SCOPE,
} from "../../src/metricstore/engine/data_scope.ts";
import type {
  EngineOptions,
  MetricEngine,
  StoreEngine,
} from "../../src/metricstore/engine/metric_engine.ts";
import type { MeasuredJob, Series } from "../../src/jobs/data/job_data.ts";
import {
  type JobDataQuestion,
  loadJobData,
} from "../../src/jobs/data/load_job_data.ts";

export const START = 1_700_000_000;
export const STEP = 60;
export const STEPS = 20;

/** Metrics at every level; `flops_any` and `odd` cannot be combined. */
export const METRICS = [
  ["load", "node", "avg"],
  ["power", "socket", "sum"],
  ["bandwidth", "memoryDomain", "sum"],
  ["temp", "core", "avg"],
  ["flops", "hwthread", "sum"],
  ["clock", "hwthread", "avg"],
  ["flops_any", "hwthread", ""],
  ["odd", "core", ""],
  ["gpu_load", "accelerator", "avg"],
  ["gpu_power", "accelerator", "sum"],
  ["removed", "node", "avg"],
] as const;

export const CLUSTER = clusterOf({
  name: "alpha",
  subClusters: [{
    name: "smt",
    nodes: "a[1-9]",
    topology: {
      node: [0, 1, 2, 3, 4, 5, 6, 7],
      socket: [[0, 1, 4, 5], [2, 3, 6, 7]],
      memoryDomain: [[0, 4], [1, 5], [2, 6], [3, 7]],
      core: [[0, 4], [1, 5], [2, 6], [3, 7]],
      accelerators: [{ id: "0E:00.0" }, { id: "13:00.0" }],
    },
  }],
  metricConfig: METRICS.map(([name, scope, aggregation]) => ({
    name,
    scope,
    aggregation,
    timestep: STEP,
    unit: { base: name },
    subClusters: name === "removed" ? [{ name: "smt", remove: true }] : [],
  })),
});
export const SUB = CLUSTER.subClusters[0] as SubCluster;
export const HOSTS = ["a2", "a1"];

export const UNITS: Readonly<Record<MetricScope, readonly string[]>> = {
  node: [""],
  socket: ["0", "1"],
  memoryDomain: ["0", "1", "2", "3"],
  core: ["0", "1", "2", "3"],
  hwthread: ["0", "1", "2", "3", "4", "5", "6", "7"],
  accelerator: ["0E:00.0", "13:00.0"],
};

export const JOB: MeasuredJob = {
  cluster: "alpha",
  startTime: START,
  duration: STEPS * STEP,
  numNodes: 2,
  numAcc: 2,
  resources: [
    { hostname: "a2", hwthreads: [5, 1, 2], accelerators: ["13:00.0"] },
    { hostname: "a1", accelerators: ["13:00.0", "0E:00.0"] },
  ],
};

export const EVERYTHING: JobDataQuestion = {
  request: { scopes: METRIC_SCOPES },
  withData: true,
  resolutionSec: 0,
  minimumPoints: 1000,
};

/**
 * The sample of a unit at a step: whole numbers, so that sums are exact. The last
 * step always has one; some begin late and some have holes.
 */
export function sampleOf(
  metric: string,
  host: string,
  unit: string,
  step: number,
): number {
  const seed = [...`${metric}/${host}/${unit}`].reduce(
    (hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 9973,
    7,
  );
  const isLate = step < seed % 5 - 1;
  const isHole = (seed + step * 7) % 11 === 0;
  if (step < STEPS - 1 && (isLate || isHole)) return NaN;
  return seed % 100 + step * (seed % 7);
}

export function lines(): string[] {
  const found: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    for (const [metric, scope] of METRICS) {
      for (const host of HOSTS) {
        for (const unit of UNITS[scope]) {
          const value = sampleOf(metric, host, unit, step);
          if (Number.isNaN(value)) continue;
          const level = scope === "node"
            ? "type=node"
            : `type=${scope},type-id=${unit}`;
          found.push(
            `${metric},cluster=alpha,hostname=${host},${level} ` +
              `value=${value} ${START + step * STEP}`,
          );
        }
      }
    }
  }
  return found;
}

export async function withEngine(
  use: (engine: StoreEngine) => Promise<void>,
  options: Partial<EngineOptions> = {},
): Promise<void> {
  const { metrics } = storeMetrics(
    { metrics: {}, clusters: {} },
    new ClusterCatalog([CLUSTER]),
  );
  const engine = await startTestEngine({ metrics, ...options });
  try {
    const report = await write(engine, DEFAULT_SCOPE, lines());
    assert.equal(report.stored, report.lines);
    await use(engine);
  } finally {
    await engine.close();
  }
}

export function load(
  engine: Pick<MetricEngine, "query">,
  question: Partial<JobDataQuestion> = {},
  job: Partial<MeasuredJob> = {},
  scope: DataScope = DEFAULT_SCOPE,
) {
  return loadJobData(engine, scope, { ...JOB, ...job }, SUB, {
    ...EVERYTHING,
    ...question,
  });
}

/** A series with the values of all steps. */
export function padded({ leadingNulls = 0, data, ...rest }: Series): Series {
  return {
    ...rest,
    data: Float64Array.of(...Array(leadingNulls).fill(NaN), ...data),
  };
}

/** What the series of a plan hold, computed from the samples alone. */
export function naiveSeries(
  metric: string,
  host: string,
  members: readonly string[],
): { data: number[]; statistics: { min: number; avg: number; max: number } } {
  const isAverage = SUB.metrics.get(metric)?.aggregation === "avg";
  const data = Array.from({ length: STEPS }, (_, step) => {
    const sum = members.reduce(
      (sum, unit) => sum + sampleOf(metric, host, unit, step),
      0,
    );
    return isAverage ? sum / members.length : sum;
  });
  const present = data.filter((value) => !Number.isNaN(value));
  return {
    data,
    statistics: {
      min: Math.min(...present),
      avg: present.reduce((sum, value) => sum + value, 0) / present.length,
      max: Math.max(...present),
    },
  };
}
