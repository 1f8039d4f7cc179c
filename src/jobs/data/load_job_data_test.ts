import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { planSeries } from "./scope_plan.ts";

import {
  EVERYTHING,
  HOSTS,
  JOB,
  load,
  naiveSeries,
  padded,
  START,
  STEP,
  STEPS,
  SUB,
  UNITS,
  withEngine,
} from "../../../tests/support/load_fixture.ts";

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
        found.set(`${name} ${scope}`, metric.series.map(padded));
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
      assert.deepEqual(padded(series).data, Float64Array.from(data));
    });
  }));

Deno.test("loadJobData() gives statistics without values", () =>
  withEngine(async (engine) => {
    const request = { scopes: ["node"] } as const;
    const metrics = ["load", "flops", "flops_any", "nope"];
    const full = await load(engine, { request, metrics });
    const brief = await load(engine, { request, metrics, withData: false });
    assert.deepEqual([...brief.data.keys()], ["flops", "load"]);
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
    for (const series of data.get("load")?.get("node")?.series ?? []) {
      assert.ok((series.leadingNulls ?? 0) >= early);
      const { data } = naiveSeries("load", series.hostname, [""]);
      assert.deepEqual(
        padded(series).data,
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
      return [metric?.timestep, padded(metric!.series[0]!).data.length];
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
        // Where the samples begin is asked for at once.
        if (request.to === request.from) return engine.query(scope, request);
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
