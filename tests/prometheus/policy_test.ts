/**
 * PromQL within a view: every answer, errors and counts included, is that of a store
 * into which only the visible series were ever written.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { nowSec } from "../../src/base/clock.ts";
import type { DataScope } from "../../src/metricstore/engine/data_scope.ts";
import type { StoreEngine } from "../../src/metricstore/engine/metric_engine.ts";
import type {
  QueryJob,
  QueryQuestion,
} from "../../src/metricstore/engine/query_jobs.ts";
import {
  grantLists,
  isVisible,
  linesOf,
  METRIC_NAMES,
  METRICS,
  seriesSets,
} from "../policy/universe.ts";
import { instanceScope, startTestEngine, write } from "../support/engine.ts";
import { fuzzRuns } from "../support/fuzz_runs.ts";

const BEGIN_SEC = Math.floor(nowSec() / 60) * 60 - 3600;
const END_SEC = BEGIN_SEC + 4 * 60;

/** Selectors of one metric, of several, by labels that many series lack. */
const selectors = fc.oneof(
  fc.constantFrom(...METRIC_NAMES),
  fc.constantFrom(
    '{__name__=~"met.+"}',
    '{hostname=~"hosta.*"}',
    '{type!=""}',
    '{cluster!="clualpha",__name__!=""}',
    'metsum{stype="dev"}',
    'metavg{type=""}',
    'metnil{type_id=~"zq[01]",hostname!="hosta1"}',
    'metsum{nowhere="x"}',
  ),
);

/** Shapes of expressions; `A` and `B` are selectors. */
const SHAPES = [
  "A",
  "count(A)",
  "count by (__name__, hostname, type) (A)",
  "sum without (type_id, stype, stype_id) (A)",
  "max by (hostname, cluster) (A)",
  "quantile by (cluster) (0.5, A)",
  'count_values("value", A)',
  "absent(A)",
  "absent_over_time(A[2m])",
  "scalar(A)",
  "A[10m]",
  "rate(A[5m])",
  "max_over_time(A[3m:1m])",
  "A + on (cluster, hostname, type, type_id) B",
  "A * on (hostname) group_left () B",
  "A and on (hostname) B",
  "A or B",
  "A unless on (cluster) B",
  'label_replace(A, "hostname", "all", "", "")',
  'group by (all) (label_join(A, "all", "-", "type", "type_id"))',
  'sort_by_label(A, "hostname")',
  "A > bool 0",
  "timestamp(A)",
  "histogram_quantile(0.9, A)",
];

const expressions = fc.record({
  shape: fc.constantFrom(...SHAPES),
  left: selectors,
  right: selectors,
}).map(({ shape, left, right }) =>
  shape.replaceAll(/\b[AB]\b/g, (place) => place === "A" ? left : right)
);

const questions: fc.Arbitrary<QueryQuestion> = fc.oneof(
  expressions.map((query) => ({
    kind: "instant" as const,
    query,
    timeMs: END_SEC * 1000,
  })),
  expressions.filter((query) => !query.endsWith("[10m]")).map((query) => ({
    kind: "range" as const,
    query,
    startMs: (BEGIN_SEC - 60) * 1000,
    endMs: (END_SEC + 120) * 1000,
    stepMs: 30_000,
  })),
  fc.record({
    kind: fc.constantFrom("series", "labels", "values"),
    label: fc.constantFrom(
      ...["hostname", "cluster", "__name__", "type", "stype_id", "none"],
    ),
    matches: fc.array(selectors, { maxLength: 2 }),
    startMs: fc.constantFrom(0, (BEGIN_SEC + 150) * 1000),
    endMs: fc.constantFrom((END_SEC + 60) * 1000, (BEGIN_SEC + 200) * 1000),
  }),
);

const jobs: fc.Arbitrary<QueryJob> = fc.record({
  question: questions,
  limit: fc.constantFrom(0, 0, 0, 2),
  maxSeries: fc.constantFrom(500_000, 500_000, 6),
  lookbackMs: fc.option(fc.constantFrom(60_000, 180_000), { nil: undefined }),
}).map(({ lookbackMs, ...rest }) => ({
  ...rest,
  withStats: false,
  timeoutMs: 60_000,
  maxSamples: 50_000_000,
  maxAnswerBytes: 1 << 20,
  ...(lookbackMs === undefined ? {} : { lookbackMs }),
}));

async function ask(
  engine: StoreEngine,
  scope: DataScope,
  job: QueryJob,
): Promise<{ status: number; text: string }> {
  const { status, chunks } = await engine.evaluate(scope, job);
  const decoder = new TextDecoder();
  const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    .join("");
  return { status, text: inOrder(text) };
}

/**
 * Remarks come in the order of the series, which is that of the shards' answers, and an
 * error names any two of the series that are too many.
 */
function inOrder(text: string): string {
  const plain = text.replace(/(side of the operation: \[).*?(\];many)/, "$1$2");
  const { warnings, infos, ...rest } = JSON.parse(plain) as {
    warnings?: string[];
    infos?: string[];
  };
  return JSON.stringify([rest, warnings?.toSorted(), infos?.toSorted()]);
}

Deno.test("PromQL within a view answers as if there were nothing else", async () => {
  const engine = await startTestEngine({
    shards: 3,
    evaluators: 1,
    metrics: { defaults: METRICS, clusters: {} },
  });
  let run = 0;
  let filled = 0;
  let asked = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        seriesSets,
        grantLists,
        fc.array(jobs, { minLength: 6, maxLength: 6 }),
        async (series, grants, questions) => {
          const all = instanceScope(`all${++run}`);
          const only = instanceScope(`only${run}`);
          await write(engine, all, linesOf(series, BEGIN_SEC));
          const visible = series.filter((one) => isVisible(grants, one));
          if (visible.length > 0) {
            await write(engine, only, linesOf(visible, BEGIN_SEC));
          }
          const scope = { ...all, view: { id: `view${run}`, grants } };
          for (const job of questions) {
            const found = await ask(engine, scope, job);
            assert.deepEqual(
              found,
              await ask(engine, only, job),
              JSON.stringify(job),
            );
            asked++;
            if (!/"(result|data)":\[\]/.test(found.text)) filled++;
          }
        },
      ),
      { numRuns: fuzzRuns(40) },
    );
    assert.ok(filled > asked / 4, `${filled} of ${asked} answers have content`);
  } finally {
    await engine.close();
  }
});
