/**
 * Metrics of a job against what the upstream server answered and archived for
 * the same lines (`testdata/golden/jobs/nodes-store.json`). Ours differ on
 * purpose in the ids of combined series (job-api O22) and where it could not
 * answer (job-api O42).
 */
import assert from "node:assert/strict";
import { storeMetrics } from "../src/config/clusters/store_metrics.ts";
import {
  isMetricScope,
  type MetricScope,
} from "../src/config/clusters/metric_scope.ts";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import type { StoreEngine } from "../src/metricstore/engine/metric_engine.ts";
import type {
  JobData,
  JobMetric,
  MeasuredJob,
  Series,
} from "../src/jobs/data/job_data.ts";
import { readText } from "../src/jobs/data/_reader_fixture.ts";
import {
  jobEnergy,
  jobFootprint,
  jobStatistics,
} from "../src/jobs/data/job_statistics.ts";
import { loadJobData } from "../src/jobs/data/load_job_data.ts";
import type { ScopeRequest } from "../src/jobs/data/scope_plan.ts";
import { archivedScopes } from "../src/jobs/data/scope_requests.ts";
import { realCatalog } from "./support/clusters.ts";
import { startTestEngine, write } from "./support/engine.ts";

interface Recording {
  readonly steps: readonly {
    readonly request?: {
      readonly path: string;
      readonly body?: string;
      readonly token?: string | null;
    };
    readonly upstream?: { readonly status: number; readonly body: string };
  }[];
  readonly archivedData: unknown;
  readonly archivedMeta: MeasuredJob & { readonly statistics: unknown };
}

const RECORDING = JSON.parse(
  Deno.readTextFileSync(
    new URL("./testdata/golden/jobs/nodes-store.json", import.meta.url),
  ),
) as Recording;
const JOB: MeasuredJob = { ...RECORDING.archivedMeta, numAcc: 0 };
const CATALOG = realCatalog();
const SUB = CATALOG.subClusterOfJob({ ...JOB, subCluster: "" });
/** Upstream prints two decimals. */
const TOLERANCE = 0.006;

async function withEngine(
  use: (engine: StoreEngine) => Promise<void>,
): Promise<void> {
  const { metrics } = storeMetrics({ metrics: {}, clusters: {} }, CATALOG);
  const engine = await startTestEngine({
    metrics,
    // The recording's clock is not ours.
    maxFutureSec: 100 * 365 * 86_400,
  });
  try {
    for (const { request, upstream } of RECORDING.steps) {
      if (request?.path !== "/api/write/" || upstream?.status !== 200) continue;
      const report = await write(engine, DEFAULT_SCOPE, [request.body ?? ""]);
      assert.deepEqual([report.rejected, report.skipped], [{}, {}]);
      assert.ok(report.stored > 1000);
    }
    await use(engine);
  } finally {
    await engine.close();
  }
}

function load(
  engine: StoreEngine,
  request: ScopeRequest,
  metrics?: readonly string[],
) {
  return loadJobData(engine, DEFAULT_SCOPE, JOB, SUB, {
    metrics,
    request,
    withData: true,
    resolutionSec: 0,
    minimumPoints: 1000,
  });
}

function assertClose(ours: JobData, upstream: JobData): void {
  assert.deepEqual([...ours.keys()].sort(), [...upstream.keys()].sort());
  for (const [name, byScope] of upstream) {
    const found = ours.get(name);
    assert.deepEqual(
      [...found?.keys() ?? []].sort(),
      [...byScope.keys()].sort(),
      name,
    );
    for (const [scope, metric] of byScope) {
      assertMetricClose(found?.get(scope), metric, scope, `${name} ${scope}`);
    }
  }
}

function allSteps({ leadingNulls = 0, data }: Series): number[] {
  return [...Array<number>(leadingNulls).fill(NaN), ...data];
}

function assertMetricClose(
  ours: JobMetric | undefined,
  upstream: JobMetric,
  scope: MetricScope,
  what: string,
): void {
  assert.deepEqual(ours?.unit, upstream.unit, what);
  assert.equal(ours.timestep, upstream.timestep, what);
  assert.equal(ours.series.length, upstream.series.length, what);
  for (const series of upstream.series) {
    const { hostname, id } = series;
    const found = ours.series.find((one) =>
      one.hostname === hostname && one.id === ourId(scope, id)
    );
    const at = `${what} ${hostname} ${id}`;
    assert.ok(found !== undefined, at);
    assertNumbersClose(
      Object.values(found.statistics),
      Object.values(series.statistics),
      at,
    );
    assertNumbersClose(allSteps(found), allSteps(series), at);
  }
  const over = upstream.statisticsSeries;
  for (const kind of ["min", "median", "max"] as const) {
    const wanted = over?.[kind];
    assertNumbersClose(
      ours.statisticsSeries?.[kind] ?? [],
      wanted ?? [],
      `${what} ${kind}`,
    );
  }
}

/** Upstream's id of a combined series is the first thread or domain in it (job-api O22). */
function ourId(
  scope: MetricScope,
  id: string | undefined,
): string | undefined {
  if (scope === "node" || id === undefined) return undefined;
  return scope === "socket" && Number(id) > 1
    ? String(SUB.topology.unitOf("socket", Number(id)))
    : id;
}

function assertNumbersClose(
  ours: ArrayLike<number>,
  upstream: ArrayLike<number>,
  at: string,
): void {
  assert.equal(ours.length, upstream.length, at);
  for (let i = 0; i < upstream.length; i++) {
    const [a, b] = [ours[i]!, upstream[i]!];
    const isSame = Number.isNaN(a)
      ? Number.isNaN(b)
      : Math.abs(a - b) <= TOLERANCE;
    assert.ok(isSame, `${at}: ${a}, not ${b} at ${i}`);
  }
}

Deno.test("loadJobData() reads what upstream archived, and its statistics and footprint follow", () =>
  withEngine(async (engine) => {
    const { data, problems } = await load(engine, archivedScopes(JOB));
    assert.deepEqual(problems, []);
    assertClose(data, await readText(JSON.stringify(RECORDING.archivedData)));
    const statistics = jobStatistics(data, SUB, JOB.numNodes);
    assert.deepEqual(statistics, RECORDING.archivedMeta.statistics);
    assert.deepEqual(jobFootprint(statistics, SUB), {
      cpu_load_avg: 64.5,
      flops_any_avg: 3600,
      mem_bw_avg: 39,
      mem_used_max: 14.5,
    });
    assert.equal(jobEnergy(statistics, SUB, JOB).energy, 0);
  }));

Deno.test("loadJobData() reads what upstream answered for metrics and scopes", () =>
  withEngine(async (engine) => {
    let compared = 0;
    let refused = 0;
    for (const { request, upstream } of RECORDING.steps) {
      if (!request?.path.startsWith("/api/jobs/metrics/")) continue;
      const url = new URL(request.path, "http://localhost");
      const scopes = url.searchParams.getAll("scope").filter(isMetricScope);
      const named = url.searchParams.getAll("metric");
      const { data } = await load(
        engine,
        { scopes: scopes.length > 0 ? scopes : ["node"] },
        named.length > 0 ? named : undefined,
      );
      const answer = JSON.parse(upstream?.body ?? "") as {
        data:
          | { jobMetrics: { name: string; scope: string; metric: unknown }[] }
          | null;
      };
      if (answer.data === null) {
        assert.deepEqual(scopes, ["memoryDomain"]);
        const domains = data.get("flops_any")?.get("memoryDomain");
        assert.equal(domains?.series.length, 2 * 4);
        refused++;
        continue;
      }
      const json: Record<string, Record<string, unknown>> = {};
      for (const { name, scope, metric } of answer.data.jobMetrics) {
        (json[name] ??= {})[scope] = metric;
      }
      assertClose(data, await readText(JSON.stringify(json)));
      compared++;
    }
    assert.equal(refused, 1);
    assert.ok(compared >= 10, `${compared} answers`);
  }));
