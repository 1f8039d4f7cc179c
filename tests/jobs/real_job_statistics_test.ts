/**
 * The real job replayed: its samples written, started and stopped as its batch system
 * did, archived, and then compared with what its own centre archived.
 */
import assert from "node:assert/strict";
import type { JobMetricByScope } from "../../src/jobs/data/job_data.ts";
import { ClusterCatalog } from "../../src/config/clusters/cluster_catalog.ts";
import { clusterOf } from "../support/clusters.ts";
import {
  intervalBody,
  readRealJob,
  type Statistics,
} from "../support/real_job.ts";
import { HOUR_AGO, JobApiServer } from "./job_api.ts";

const STEP_SEC = 60;
/** Slots sent in one request. */
const SLOTS_PER_BODY = 100;
/** Recorded numbers have two decimals. */
const ROUNDING = 0.005 + 1e-9;
/** The record of `ipc` was not made from these traces; see tests/real_job_test.ts. */
const METRICS_WITH_WRONG_RECORD = ["ipc"];

/** The cluster as it was then: every metric was measured by node. */
function clusterOfThen(metrics: readonly string[]) {
  return clusterOf({
    name: "emmy",
    subClusters: [{
      ...{ name: "haswell", nodes: "*", socketsPerNode: 1 },
      ...{ coresPerSocket: 1, threadsPerCore: 1, processorType: "" },
      topology: { node: [0], socket: [[0]], memoryDomain: [[0]], core: [[0]] },
    }],
    metricConfig: metrics.map((name) => ({
      ...{ name, unit: { base: "" }, scope: "node", aggregation: "avg" },
      ...{ timestep: STEP_SEC, peak: 1, normal: 1, caution: 1, alert: 1 },
      ...(name === "rapl_power" ? { energy: "power" } : {}),
      ...(name === "mem_bw" ? { footprint: "avg" } : {}),
    })),
  });
}

function near(got: number, wanted: number, tolerance: number, what: string) {
  const message = `${what}: ${got}, not ${wanted}`;
  assert.ok(Math.abs(got - wanted) <= tolerance, message);
}

Deno.test("the archiver makes of a real job's samples what its centre made of them", async () => {
  const real = readRealJob();
  const clusters = new ClusterCatalog([clusterOfThen(real.metrics)]);
  await using server = await JobApiServer.start({ clusters });
  const start = HOUR_AGO - real.slots * STEP_SEC;
  for (let slot = 0; slot < real.slots; slot += SLOTS_PER_BODY) {
    let body = "";
    const end = Math.min(slot + SLOTS_PER_BODY, real.slots);
    for (let i = slot; i < end; i++) {
      body += intervalBody(real, i, start + i * STEP_SEC);
    }
    await server.expect(200, "POST", "/api/write", { body });
  }
  const duration = real.slots * STEP_SEC;
  const id = await server.startJob({
    ...{ jobId: 1_403_244, user: "emmyUser6", project: "no project" },
    ...{ cluster: "emmy", partition: "work", numNodes: real.hosts.length },
    ...{ startTime: start, walltime: 10 },
    resources: real.hosts.map((hostname) => ({ hostname })),
  } as { jobId: number; cluster: string });
  await server.stopAndArchive(id, start + duration);

  const place = { cluster: "emmy", jobId: 1_403_244, startTime: start };
  const data = new Map<string, JobMetricByScope>();
  const stored = server.archive.readMetrics(place, { scopes: [] });
  for await (const { name, scopes } of stored) data.set(name, scopes);
  for (const { metric, host, values, statistics } of real.traces) {
    const what = `${metric} of ${host}`;
    const series = data.get(metric)?.get("node")?.series
      .find(({ hostname }) => hostname === host);
    assert.ok(series, what);
    const last = values.findLastIndex((value) => value !== null);
    const found = [
      ...Array<null>(series.leadingNulls ?? 0).fill(null),
      ...Array.from(series.data, (value) => isNaN(value) ? null : value),
    ];
    assert.deepEqual(found, values.slice(0, last + 1), what);
    if (statistics === undefined) continue;
    for (const key of ["avg", "min", "max"] as const) {
      near(
        series.statistics[key],
        statistics[key],
        ROUNDING,
        `${key} of ${what}`,
      );
    }
  }

  const { json } = await server.expect(200, "GET", "/api/jobs/");
  const [job] = json.jobs;
  const found: Record<string, Statistics> = job.statistics;
  assert.deepEqual(Object.keys(found).sort(), [...real.metrics].sort());
  for (const [metric, recorded] of Object.entries(real.statistics)) {
    if (METRICS_WITH_WRONG_RECORD.includes(metric)) continue;
    const { avg, min, max } = found[metric]!;
    near(min, recorded.min, ROUNDING, `min of ${metric}`);
    near(max, recorded.max, ROUNDING, `max of ${metric}`);
    // The record weighs hosts by their samples; some have one more than others.
    const spread = Math.max(0.01, recorded.avg * 0.001);
    near(avg, recorded.avg, spread, `avg of ${metric}`);
  }
  assert.deepEqual(job.footprint, { mem_bw_avg: found["mem_bw"]!.avg });
  // Watts of a node, over 32 nodes and a day, in kWh.
  const energy = real.statistics["rapl_power"]!.avg * 32 * duration / 3.6e6;
  near(job.energy, energy, energy * 0.001, "energy");
});
