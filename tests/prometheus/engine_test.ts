/**
 * Queries over stored samples: an engine with real shards and an evaluator, asked as
 * the front door asks it.
 */
import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../../src/metricstore/engine/data_scope.ts";
import type { StoreEngine } from "../../src/metricstore/engine/metric_engine.ts";
import type {
  QueryAnswer,
  QueryJob,
  QueryQuestion,
} from "../../src/metricstore/engine/query_jobs.ts";
import { startTestEngine, write } from "../support/engine.ts";

const START_SEC = 1_700_000_000;
const MINUTES = 300;
const HOSTS = 7;

const JOB: Omit<QueryJob, "question"> = {
  limit: 0,
  withStats: false,
  timeoutMs: 60_000,
  maxSamples: 50_000_000,
  maxSeries: 500_000,
  maxAnswerBytes: 256 << 20,
};

async function storeWithSamples(): Promise<StoreEngine> {
  const engine = await startTestEngine({
    shards: 3,
    evaluators: 1,
    maxFutureSec: 1e9,
    metrics: {
      defaults: {
        cpu_load: { frequencySec: 60, aggregation: "avg" },
        flops_any: { frequencySec: 60, aggregation: "sum" },
      },
      clusters: {},
    },
  });
  const lines: string[] = [];
  for (let minute = 0; minute < MINUTES; minute++) {
    const time = START_SEC + 60 * minute;
    for (let host = 0; host < HOSTS; host++) {
      const tags = `cluster=fritz,hostname=f${host}`;
      lines.push(`cpu_load,${tags},type=node value=${host + minute} ${time}`);
      for (let id = 0; id < 4; id++) {
        lines.push(
          `flops_any,${tags},type=hwthread,type-id=${id} value=${
            id + 1
          } ${time}`,
        );
      }
    }
  }
  await write(engine, DEFAULT_SCOPE, lines);
  return engine;
}

async function ask(
  engine: StoreEngine,
  question: QueryQuestion,
  job: Partial<QueryJob> = {},
): Promise<{ status: number; body: unknown }> {
  const answer = await engine.evaluate(DEFAULT_SCOPE, {
    ...JOB,
    ...job,
    question,
  });
  return { status: answer.status, body: bodyOf(answer) };
}

function bodyOf({ chunks }: QueryAnswer): unknown {
  const decoder = new TextDecoder();
  return JSON.parse(chunks.map((chunk) => decoder.decode(chunk)).join(""));
}

function vector(...elements: [metric: object, time: number, value: string][]) {
  return {
    status: "success",
    data: {
      resultType: "vector",
      result: elements.map(([metric, time, value]) => ({
        metric,
        value: [time, value],
      })),
    },
  };
}

Deno.test("the engine answers queries over what its shards hold", async (t) => {
  const engine = await storeWithSamples();
  const endSec = START_SEC + 60 * (MINUTES - 1);
  const at = { kind: "instant", timeMs: endSec * 1000 } as const;
  try {
    await t.step("one series by its labels", async () => {
      const { status, body } = await ask(engine, {
        ...at,
        query: 'cpu_load{cluster="fritz",hostname="f2"}',
      });
      assert.equal(status, 200);
      assert.deepEqual(
        body,
        vector([
          { __name__: "cpu_load", cluster: "fritz", hostname: "f2" },
          endSec,
          String(2 + MINUTES - 1),
        ]),
      );
    });
    await t.step("an aggregation over all shards", async () => {
      const { body } = await ask(engine, {
        ...at,
        query: 'sum by (type) (flops_any{type="hwthread"})',
      });
      assert.deepEqual(
        body,
        vector([{ type: "hwthread" }, endSec, String(HOSTS * 10)]),
      );
    });
    await t.step("windows reach back over sealed pages", async () => {
      const { body } = await ask(engine, {
        ...at,
        query: 'count_over_time(cpu_load{hostname="f1"}[4h])',
      });
      assert.deepEqual(
        body,
        vector([{ cluster: "fritz", hostname: "f1" }, endSec, "240"]),
      );
    });
    await t.step("a range query has a point for each step", async () => {
      const { body } = await ask(engine, {
        kind: "range",
        query: "count(cpu_load)",
        startMs: (endSec - 600) * 1000,
        endMs: endSec * 1000,
        stepMs: 60_000,
      });
      const { data } = body as {
        data: { result: { values: [number, string][] }[] };
      };
      assert.deepEqual(
        data.result.map(({ values }) => values),
        [Array.from({ length: 11 }, (_, i) => [endSec - 600 + 60 * i, "7"])],
      );
    });
    await t.step("a sample counts for two steps and no longer", async () => {
      const counts = await Promise.all([119, 120].map(async (laterSec) => {
        const { body } = await ask(engine, {
          kind: "instant",
          timeMs: (endSec + laterSec) * 1000,
          query: "cpu_load",
        });
        return (body as { data: { result: unknown[] } }).data.result.length;
      }));
      assert.deepEqual(counts, [HOSTS, 0]);
    });
    const all = {
      matches: [],
      startMs: 0,
      endMs: 2 ** 43,
    } as const;
    await t.step("names of labels, values, and series", async () => {
      assert.deepEqual(
        (await ask(engine, { kind: "labels", ...all })).body,
        {
          status: "success",
          data: ["__name__", "cluster", "hostname", "type", "type_id"],
        },
      );
      assert.deepEqual(
        (await ask(engine, {
          kind: "values",
          label: "hostname",
          ...all,
          matches: ['flops_any{hostname=~"f[1-3]"}'],
        })).body,
        { status: "success", data: ["f1", "f2", "f3"] },
      );
      assert.deepEqual(
        (await ask(engine, {
          kind: "series",
          ...all,
          matches: [
            '{hostname="f1",type_id=~"[01]"}',
            'cpu_load{hostname="f0"}',
          ],
        }, { limit: 2 })).body,
        {
          status: "success",
          data: [
            { __name__: "cpu_load", cluster: "fritz", hostname: "f0" },
            {
              __name__: "flops_any",
              cluster: "fritz",
              hostname: "f1",
              type: "hwthread",
              type_id: "0",
            },
          ],
          warnings: ["results truncated due to limit"],
        },
      );
    });
    await t.step("what cannot be answered says why", async () => {
      const wrong = await ask(engine, { ...at, query: "sum(" });
      assert.equal(wrong.status, 400);
      assert.equal((wrong.body as { errorType: string }).errorType, "bad_data");
      const much = await ask(
        engine,
        { ...at, query: "sum_over_time(flops_any[4h])" },
        { maxSamples: 100 },
      );
      assert.equal(much.status, 422);
      const late = await ask(
        engine,
        {
          kind: "range",
          query: "rate(flops_any[1h])",
          startMs: START_SEC * 1000,
          endMs: endSec * 1000,
          stepMs: 5000,
        },
        { timeoutMs: 0 },
      );
      assert.deepEqual([late.status, late.body], [503, {
        status: "error",
        errorType: "timeout",
        error: "query timed out in expression evaluation",
      }]);
    });
    await t.step(
      "a metric that came later counts for two of its steps",
      async () => {
        await engine.addMetrics({
          defaults: { slow: { frequencySec: 600, aggregation: "avg" } },
          clusters: {},
        });
        await write(engine, DEFAULT_SCOPE, [
          `slow,cluster=fritz,hostname=f1 value=3 ${endSec}`,
        ]);
        const found = await Promise.all([1199, 1200].map(async (laterSec) => {
          const { body } = await ask(engine, {
            kind: "instant",
            timeMs: (endSec + laterSec) * 1000,
            query: "slow",
          });
          return (body as { data: { result: unknown[] } }).data.result.length;
        }));
        assert.deepEqual(found, [1, 0]);
      },
    );
    await t.step("a cancelled question ends", async () => {
      const controller = new AbortController();
      const answer = engine.evaluate(
        DEFAULT_SCOPE,
        {
          ...JOB,
          question: {
            kind: "range",
            query: "rate(flops_any[4h])",
            startMs: START_SEC * 1000,
            endMs: endSec * 1000,
            stepMs: 2000,
          },
        },
        controller.signal,
      );
      controller.abort();
      assert.equal((await answer).status, 499);
    });
  } finally {
    await engine.close();
  }
});
