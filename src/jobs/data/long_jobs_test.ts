import assert from "node:assert/strict";
import { clusterOf } from "../../../tests/support/clusters.ts";
import type { SubCluster } from "../../config/clusters/cluster.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { JobMetric, MeasuredJob } from "./job_data.ts";
import {
  loadJobData,
  METRIC_VALUES_MAX,
  openJobData,
} from "./load_job_data.ts";

import {
  EVERYTHING,
  HOSTS,
  JOB,
  load,
  naiveSeries,
  START,
  STEP,
  STEPS,
  SUB,
  withEngine,
} from "../../../tests/support/load_fixture.ts";

/** A job that began in 1973, as those of upstream's own tests; it runs on a1. */
const OLD: Partial<MeasuredJob> = {
  startTime: 123_456_789,
  duration: START + STEPS * STEP - 123_456_789,
  resources: [{ hostname: "a1" }],
};

Deno.test("openJobData() counts the steps before the first sample of the job, however many, and says where its series begin", () =>
  withEngine(async (engine) => {
    let values = 0;
    let questions = 0;
    const counting: Pick<MetricEngine, "query"> = {
      async query(scope, request) {
        questions++;
        const body = await engine.query(scope, request);
        values += Math.floor(body.byteLength / 5);
        return body;
      },
    };
    const open = await openJobData(
      counting,
      DEFAULT_SCOPE,
      { ...JOB, ...OLD },
      SUB,
      EVERYTHING,
    );
    assert.equal(open.dataStart, START);
    const found = new Map<string, JobMetric>();
    for await (const { name, scopes } of open.metrics) {
      for (const [scope, metric] of scopes) {
        found.set(`${name} ${scope}`, metric);
      }
    }
    assert.ok(found.size > 20);
    // As of a job that began with its samples: not one step more or less.
    const { data } = await load(engine, {}, {
      ...OLD,
      startTime: START,
      duration: STEPS * STEP,
    });
    for (const [name, scopes] of data) {
      for (const [scope, metric] of scopes) {
        assert.deepEqual(found.get(`${name} ${scope}`), metric);
      }
    }
    // 28 million minutes would have been asked for one by one, and answered.
    assert.ok(questions < 10, `${questions} questions`);
    assert.ok(values < 50_000, `${values} values`);
  }));

Deno.test("openJobData() leaves no step out where few enough come before the first sample", () =>
  withEngine(async (engine) => {
    const lateOf = (host: string) =>
      naiveSeries("load", host, [""]).data.findIndex((one) => !isNaN(one));
    const first = Math.min(...HOSTS.map(lateOf));
    for (const early of [0, 20_000 - first, 20_001 - first]) {
      const { dataStart, metrics } = await openJobData(
        engine,
        DEFAULT_SCOPE,
        {
          ...JOB,
          startTime: START - early * STEP,
          duration: (STEPS + early) * STEP,
        },
        SUB,
        { ...EVERYTHING, metrics: ["load"] },
      );
      const { value } = await metrics.next();
      await metrics.return();
      const [a2] = value?.scopes.get("node")?.series ?? [];
      const isCut = early + first > 20_000;
      assert.equal(dataStart, isCut ? START + first * STEP : undefined);
      assert.equal(
        a2?.leadingNulls ?? 0,
        lateOf("a2") + (isCut ? -first : early),
      );
    }
  }));

Deno.test("loadJobData() refuses a metric of more values than may be in memory", async () => {
  const seconds = clusterOf({
    name: "alpha",
    subClusters: [{ name: "smt" }],
    metricConfig: [{ name: "load", timestep: 1 }],
  });
  const day = 86_400;
  const text =
    `{"results":[[{"data":[${"1,".repeat(day - 1)}1],"from":${START}` +
    `,"resolution":1,"avg":1,"min":1,"max":1}]]}`;
  const bytes = new TextEncoder().encode(text);
  const nodes = Math.ceil(METRIC_VALUES_MAX / day) + 1;
  let answers = 0;
  await assert.rejects(
    loadJobData(
      {
        query(_scope, { from, to }) {
          if (from < to) answers++;
          return Promise.resolve({ chunks: [bytes], byteLength: bytes.length });
        },
      },
      DEFAULT_SCOPE,
      {
        ...JOB,
        duration: day,
        numNodes: nodes,
        resources: Array.from(
          { length: nodes },
          (_, i) => ({ hostname: `a${i}` }),
        ),
      },
      seconds.subClusters[0] as SubCluster,
      { ...EVERYTHING, request: { scopes: ["node"] } },
    ),
    (error: Error & { code?: string }) =>
      error.code === "E_TOO_MANY_SAMPLES" &&
      /metric load of the job has more than \d+ values/.test(error.message),
  );
  assert.equal(answers, nodes - 1);
});
