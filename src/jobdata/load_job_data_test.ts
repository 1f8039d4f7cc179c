import assert from "node:assert/strict";
import { clusterOf } from "../../tests/support/clusters.ts";
import { startTestEngine, write } from "../../tests/support/engine.ts";
import type { SubCluster } from "../cluster/cluster.ts";
import { ClusterCatalog } from "../cluster/cluster_catalog.ts";
import { METRIC_SCOPES, type MetricScope } from "../cluster/metric_scope.ts";
import { storeMetrics } from "../cluster/store_metrics.ts";
import { type DataScope, DEFAULT_SCOPE } from "../engine/data_scope.ts";
import type {
  EngineOptions,
  MetricEngine,
  StoreEngine,
} from "../engine/metric_engine.ts";
import type { MeasuredJob } from "./job_data.ts";
import { type JobDataQuestion, loadJobData } from "./load_job_data.ts";
import { planSeries } from "./scope_plan.ts";

const START = 1_700_000_000;
const STEP = 60;
const STEPS = 20;

/** Metrics at every level; `flops_any` and `odd` cannot be combined. */
const METRICS = [
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

const CLUSTER = clusterOf({
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
const SUB = CLUSTER.subClusters[0] as SubCluster;
const HOSTS = ["a2", "a1"];

const UNITS: Readonly<Record<MetricScope, readonly string[]>> = {
  node: [""],
  socket: ["0", "1"],
  memoryDomain: ["0", "1", "2", "3"],
  core: ["0", "1", "2", "3"],
  hwthread: ["0", "1", "2", "3", "4", "5", "6", "7"],
  accelerator: ["0E:00.0", "13:00.0"],
};

const JOB: MeasuredJob = {
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

const EVERYTHING: JobDataQuestion = {
  request: { scopes: METRIC_SCOPES },
  withData: true,
  resolutionSec: 0,
  minimumPoints: 1000,
};

/**
 * The sample of a unit at a step: whole numbers, so that sums are exact. The last
 * step always has one; some begin late and some have holes.
 */
function sampleOf(
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

function lines(): string[] {
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

async function withEngine(
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

function load(
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

/** What the series of a plan hold, computed from the samples alone. */
function naiveSeries(
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

Deno.test("loadJobData() reads every metric in every scope as a naive model has it", () =>
  withEngine(async (engine) => {
    const { data, problems } = await load(engine);
    const expected = new Map<string, unknown[]>();
    for (
      const { metric, scope, hostname, id, query } of planSeries({
        resources: JOB.resources,
        topology: SUB.topology,
        metrics: SUB.metrics.values(),
        request: EVERYTHING.request,
        numAcc: JOB.numAcc,
      })
    ) {
      const members = query["type-ids"] ?? [""];
      if (metric.aggregation === "" && members.length > 1) continue;
      const { data, statistics } = naiveSeries(metric.name, hostname, members);
      const key = `${metric.name} ${scope}`;
      const list = expected.get(key) ?? [];
      list.push({
        hostname,
        ...(id === undefined ? {} : { id }),
        statistics,
        data: Float64Array.from(data),
      });
      expected.set(key, list);
    }
    const found = new Map<string, unknown[]>();
    for (const [name, byScope] of data) {
      for (const [scope, metric] of byScope) {
        // Made up of its threads, which cannot be combined otherwise.
        if (name === "flops_any" && scope === "node") continue;
        assert.deepEqual(metric.unit, { base: name });
        assert.equal(metric.timestep, STEP);
        assert.equal(
          metric.statisticsSeries !== undefined,
          metric.series.length >= 8,
        );
        found.set(`${name} ${scope}`, [...metric.series]);
      }
    }
    assert.ok(found.size > 20);
    assert.deepEqual(found, expected);
    assert.ok(problems.length > 0);
    for (const problem of problems.slice(0, -1)) {
      assert.match(problem, /^(odd|flops_any) of a[12]: .*invalid aggregation/);
    }
    assert.match(problems.at(-1) ?? "", /^and \d+ more$/);
  }));

Deno.test("loadJobData() makes node values of flops_any of what could be read", () =>
  withEngine(async (engine) => {
    const { data } = await load(engine, {
      metrics: ["flops_any"],
      request: { scopes: ["node", "hwthread"] },
    });
    const node = data.get("flops_any")?.get("node");
    assert.deepEqual(node?.series.map(({ hostname }) => hostname), HOSTS);
    const threads = [["1", "2", "5"], UNITS.hwthread];
    node?.series.forEach((series, i) => {
      const host = HOSTS[i] ?? "";
      const { data } = naiveSeries("flops_any", host, threads[i] ?? []);
      assert.deepEqual(series.data, Float64Array.from(data));
    });
  }));

Deno.test("loadJobData() gives statistics without values", () =>
  withEngine(async (engine) => {
    const request = { scopes: ["node"] } as const;
    const metrics = ["load", "flops", "flops_any", "nope"];
    const full = await load(engine, { request, metrics });
    const brief = await load(engine, { request, metrics, withData: false });
    assert.deepEqual([...brief.data.keys()], ["load", "flops"]);
    for (const [name, byScope] of brief.data) {
      const series = byScope.get("node")?.series ?? [];
      assert.deepEqual(series.map(({ data }) => data.length), [0, 0]);
      assert.deepEqual(
        series.map(({ statistics }) => statistics),
        full.data.get(name)?.get("node")?.series.map((one) => one.statistics),
      );
    }
  }));

Deno.test("loadJobData() leaves out what the store does not know and keeps empty series", () =>
  withEngine(async (engine) => {
    const request = { scopes: ["node"] } as const;
    const metrics = ["load"];
    const before = await load(engine, { request, metrics }, {
      startTime: START + 100 * STEP,
    });
    assert.deepEqual(before.data.get("load")?.get("node")?.series, [
      ...HOSTS.map((hostname) => ({
        hostname,
        statistics: { min: 0, avg: 0, max: 0 },
        data: new Float64Array(0),
      })),
    ]);
    const unknown = await load(engine, { request, metrics }, {
      resources: [{ hostname: "a9" }],
    });
    assert.deepEqual(unknown, { data: new Map(), problems: [] });
    const none = await load(engine, { request, metrics: ["removed"] });
    assert.deepEqual(none, { data: new Map(), problems: [] });
  }));

Deno.test("loadJobData() begins at the start of the job, with empty steps where nothing was stored yet", () =>
  withEngine(async (engine) => {
    const early = 7;
    const { data } = await load(
      engine,
      { request: { scopes: ["node"] }, metrics: ["load"] },
      {
        startTime: START - early * STEP,
        duration: (STEPS + early) * STEP,
      },
    );
    for (
      const { hostname, data: values } of data.get("load")?.get("node")
        ?.series ?? []
    ) {
      const { data } = naiveSeries("load", hostname, [""]);
      assert.deepEqual(
        values,
        Float64Array.from([
          ...Array<number>(early).fill(NaN),
          ...data,
        ]),
      );
    }
  }));

Deno.test("loadJobData() thins to the resolution where it is a multiple", () =>
  withEngine(async (engine) => {
    const at = async (resolutionSec: number, minimumPoints: number) => {
      const { data } = await load(engine, {
        metrics: ["load"],
        request: { scopes: ["node"] },
        resolutionSec,
        minimumPoints,
      });
      const metric = data.get("load")?.get("node");
      return [metric?.timestep, metric?.series[0]?.data.length];
    };
    assert.deepEqual(await at(240, STEPS), [240, STEPS / 4]);
    assert.deepEqual(await at(240, STEPS + 1), [STEP, STEPS]);
    assert.deepEqual(await at(90, 1), [STEP, STEPS]);
  }));

Deno.test("loadJobData() rejects when problems leave nothing", () =>
  withEngine(async (engine) => {
    await assert.rejects(
      load(engine, { metrics: ["odd"], request: { scopes: ["node"] } }),
      (error: Error & { code?: string }) =>
        error.code === "E_INTERNAL" &&
        /odd of a2: .*invalid aggregation/.test(error.message),
    );
  }));

Deno.test("loadJobData() sees what the caller's scope shows", () =>
  withEngine(async (engine) => {
    const question = {
      metrics: ["load", "power"],
      request: { scopes: ["node"] },
    } as const;
    const view = (matcher: { name: "hostname" | "__name__"; value: string }) =>
      load(engine, question, {}, {
        ...DEFAULT_SCOPE,
        view: {
          id: `${matcher.name}=${matcher.value}`,
          grants: [{
            cluster: "alpha",
            selectors: [[{ type: "EQ", ...matcher }]],
          }],
        },
      });
    const { data } = await view({ name: "hostname", value: "a1" });
    assert.deepEqual(
      data.get("power")?.get("node")?.series.map(({ hostname }) => hostname),
      ["a1"],
    );
    const load1 = await view({ name: "__name__", value: "load" });
    assert.deepEqual([...load1.data.keys()], ["load"]);
    await assert.rejects(
      load(engine, question, {}, {
        ...DEFAULT_SCOPE,
        view: { id: "none", grants: [] },
      }),
      (error: Error & { code?: string }) => error.code === "E_FORBIDDEN",
    );
  }));

Deno.test("loadJobData() asks for less at a time where the store allows less", async () => {
  let whole: unknown;
  const metrics = ["load", "flops", "temp"];
  await withEngine(async (engine) => {
    whole = await load(engine, { metrics });
  });
  await withEngine(async (engine) => {
    assert.deepEqual(await load(engine, { metrics }), whole);
  }, { maxQuerySamples: STEPS * 8 });
  await withEngine(async (engine) => {
    const { data, problems } = await load(engine, { metrics });
    assert.deepEqual([...data.get("flops")?.keys() ?? []], [
      "node",
      "socket",
      "memoryDomain",
      "core",
      "hwthread",
    ]);
    assert.deepEqual(
      data.get("flops")?.get("node")?.series.map(({ hostname }) => hostname),
      ["a2"],
    );
    assert.match(problems[0] ?? "", /^flops of a1: .*max-query-samples/);
  }, { maxQuerySamples: STEPS * 5 });
});

Deno.test("loadJobData() cuts long jobs into batches without losing the order", () =>
  withEngine(async (engine) => {
    const days = 30;
    let questions = 0;
    const counting: Pick<MetricEngine, "query"> = {
      query(scope, request) {
        questions++;
        const steps = days * 1440 + 1;
        const members = request.queries.reduce(
          (sum, query) => sum + (query["type-ids"]?.length ?? 1),
          0,
        );
        assert.ok(
          request.queries.length === 1 ||
            request.queries.length * steps <= 1 << 16 &&
              members * steps <= 1 << 20,
        );
        return engine.query(scope, request);
      },
    };
    const long = await load(counting, {}, { duration: days * 86_400 });
    assert.ok(questions > 10);
    assert.deepEqual(long, await load(engine));
  }));

Deno.test("loadJobData() refuses jobs of more values than an answer may hold", () =>
  withEngine(async (engine) => {
    const seconds = clusterOf({
      name: "alpha",
      subClusters: [{ name: "smt" }],
      metricConfig: [{ name: "load", timestep: 1 }],
    });
    await assert.rejects(
      loadJobData(
        // As a store with samples of each second would answer for one of now.
        {
          async query(scope, request) {
            await engine.query(scope, request);
            const text = '{"results":[[{"data":[1],"from":' +
              `${request.to - 1},"resolution":1,"avg":1,"min":1,"max":1}]]}`;
            const bytes = new TextEncoder().encode(text);
            return { chunks: [bytes], byteLength: bytes.length };
          },
        },
        DEFAULT_SCOPE,
        {
          ...JOB,
          startTime: 1,
          duration: START,
          resources: [{ hostname: "a1" }],
        },
        seconds.subClusters[0] as SubCluster,
        { ...EVERYTHING, request: { scopes: ["node"] } },
      ),
      (error: Error & { code?: string }) => error.code === "E_TOO_MANY_SAMPLES",
    );
  }));
