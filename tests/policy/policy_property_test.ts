/**
 * What a view does not show might as well not exist: every answer within a view
 * equals the answer of an instance into which only the visible series were ever
 * written, and says the name of nothing that is hidden.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { nowSec } from "../../src/base/clock.ts";
import type {
  ClusterGrant,
  DataScope,
} from "../../src/metricstore/engine/data_scope.ts";
import type {
  MetricEngine,
  MetricQuery,
  NodeHealth,
  QueryRequest,
} from "../../src/metricstore/engine/metric_engine.ts";
import {
  instanceScope,
  queryOf,
  startTestEngine,
  textOf,
  write,
} from "../support/engine.ts";
import { fuzzRuns } from "../support/fuzz_runs.ts";
import {
  CLUSTERS,
  grantLists,
  HOSTS,
  isGranted,
  isVisible,
  LEVELS,
  linesOf,
  mayShow,
  METRIC_NAMES,
  METRICS,
  type Series,
  seriesSets,
} from "./universe.ts";

const STEP_SEC = 60;
/** On the grid, and stale by now wherever health is asked. */
const BEGIN_SEC = Math.floor(nowSec() / STEP_SEC) * STEP_SEC - 3600;
const END_SEC = BEGIN_SEC + 10 * STEP_SEC;

const queries: fc.Arbitrary<MetricQuery> = fc.record({
  metric: fc.constantFrom(...METRIC_NAMES, "metnone"),
  host: fc.constantFrom(...HOSTS, "hostnone"),
  level: fc.option(
    fc.record({
      type: fc.constantFrom("socket", "core"),
      ids: fc.subarray(["zq0", "zq9", "zq1"], { minLength: 1 }),
      subIds: fc.option(fc.subarray(["vx7", "vx8"], { minLength: 1 })),
      aggreg: fc.boolean(),
    }),
  ),
}).map(({ metric, host, level }) => ({
  metric,
  host,
  resolution: 0,
  aggreg: level?.aggreg ?? false,
  ...(level === null ? {} : { type: level.type, "type-ids": level.ids }),
  ...(level === null || level.subIds === null
    ? {}
    : { subtype: "dev", "subtype-ids": level.subIds }),
}));

const requests: fc.Arbitrary<QueryRequest> = fc.record({
  cluster: fc.constantFrom(...CLUSTERS),
  queries: fc.array(queries, { maxLength: 6 }),
  forAllNodes: fc.option(fc.subarray(METRIC_NAMES), { nil: undefined }),
  missing: fc.constantFrom("null", "skip"),
}).map((rest) => queryOf({ ...rest, from: BEGIN_SEC, to: END_SEC }));

/** What one run compares: an instance in sight, and one with only what is seen of it. */
interface Pair {
  readonly engine: MetricEngine;
  readonly grants: readonly ClusterGrant[];
  /** All of the instance, what the view shows of it, the instance made of that. */
  readonly whole: DataScope;
  readonly narrowed: DataScope;
  readonly model: DataScope;
  readonly visible: readonly Series[];
  readonly hidden: readonly Series[];
}

let runs = 0;

async function makePair(
  engine: MetricEngine,
  grants: readonly ClusterGrant[],
  series: readonly Series[],
): Promise<Pair> {
  const run = runs++;
  const whole = instanceScope(`whole${run}`);
  const model = instanceScope(`model${run}`);
  const visible = series.filter((one) => isVisible(grants, one));
  const hidden = series.filter((one) => !isVisible(grants, one));
  await writeAll(engine, whole, series);
  if (visible.length > 0) await writeAll(engine, model, visible);
  const narrowed = { ...whole, view: { id: `view ${run}`, grants } };
  return { engine, grants, whole, narrowed, model, visible, hidden };
}

async function writeAll(
  engine: MetricEngine,
  scope: DataScope,
  series: readonly Series[],
): Promise<void> {
  const lines = linesOf(series, BEGIN_SEC);
  const report = await write(engine, scope, lines);
  assert.equal(report.stored, lines.length, JSON.stringify(report));
}

/** Names of which the view shows nothing and that the question does not say. */
function assertSaysNothing(
  pair: Pair,
  answer: string,
  question: string,
  cluster: string,
): void {
  const { visible, grants } = pair;
  const seen = visible.filter((one) => one.cluster === cluster);
  const names = [
    ...HOSTS.filter((host) => !seen.some((one) => one.host === host)),
    ...METRIC_NAMES.filter((metric) =>
      !HOSTS.some((host) => mayShow(grants, cluster, host, metric))
    ),
    ...["zq0", "zq1", "vx7", "vx8"].filter((id) =>
      !seen.some(({ level }) =>
        level["type-id"] === id || level["stype-id"] === id
      )
    ),
    ...CLUSTERS.filter((other) => other !== cluster),
  ];
  for (const name of names) {
    if (question.includes(name)) continue;
    assert.ok(!answer.includes(name), `${name} is in ${answer}`);
  }
}

async function compareQuery(pair: Pair, request: QueryRequest): Promise<void> {
  const { engine, narrowed, model, grants } = pair;
  const answer = textOf(engine.query(narrowed, request));
  if (!isGranted(grants, request.cluster)) {
    await assert.rejects(answer, {
      code: "E_FORBIDDEN",
      message: `no access to cluster "${request.cluster}"`,
    });
    return;
  }
  const expected = await textOf(engine.query(model, request));
  assert.equal(await answer, expected);
  assertSaysNothing(
    pair,
    await answer,
    JSON.stringify(request),
    request.cluster,
  );
}

async function compareHealth(
  pair: Pair,
  cluster: string,
  metrics: readonly string[] | undefined,
): Promise<void> {
  const { engine, narrowed, model, grants } = pair;
  const nodes = [...HOSTS, "hostnone"];
  const answer = engine.health(narrowed, cluster, nodes, metrics);
  if (!isGranted(grants, cluster)) {
    await assert.rejects(answer, { code: "E_FORBIDDEN" });
    return;
  }
  const expected = new Map<string, NodeHealth>();
  for (const node of nodes) {
    const named = metrics ??
      METRIC_NAMES.filter((one) => mayShow(grants, cluster, node, one));
    for (const one of await engine.health(model, cluster, [node], named)) {
      expected.set(...one);
    }
  }
  const byNode = (all: ReadonlyMap<string, NodeHealth>) =>
    [...all].sort(([a], [b]) => a < b ? -1 : 1);
  assert.deepEqual(byNode(await answer), byNode(expected));
  assertSaysNothing(
    pair,
    JSON.stringify([...(await answer).values()]),
    JSON.stringify(metrics ?? []),
    cluster,
  );
}

/** What there is of each hidden series, by itself and in every detail. */
function readHidden({ engine, whole, hidden }: Pair): Promise<string[]> {
  return Promise.all(hidden.map(({ cluster, host, level }) => {
    const path = [cluster, host];
    const { type, stype } = level;
    if (type !== undefined) path.push(type + level["type-id"]);
    if (stype !== undefined) path.push(stype + level["stype-id"]);
    return textOf(engine.debug(whole, path));
  }));
}

/** Levels on the way to a hidden series may show visible ones: only its own runs count. */
function ownRuns(dumps: readonly string[], hidden: readonly Series[]): unknown {
  return dumps.map((dump, i) =>
    (JSON.parse(dump) as { data: Record<string, unknown> })
      .data[hidden[i]!.metric]
  );
}

async function compareFree(
  pair: Pair,
  selectors: readonly (readonly string[])[],
  toSec: number,
): Promise<void> {
  const { engine, narrowed, model, grants, hidden } = pair;
  const before = ownRuns(await readHidden(pair), hidden);
  const freed = engine.free(narrowed, selectors, toSec);
  if (selectors.some(([one]) => one !== undefined && !isGranted(grants, one))) {
    await assert.rejects(freed, { code: "E_FORBIDDEN" });
  } else {
    assert.equal(await freed, await engine.free(model, selectors, toSec));
  }
  assert.deepEqual(ownRuns(await readHidden(pair), hidden), before);
}

async function compareDebug(pair: Pair): Promise<void> {
  const { engine, narrowed, model, grants } = pair;
  const isNarrow = grants.some((one) => one.selectors.length > 0);
  for (const selector of [[], [CLUSTERS[0]], [CLUSTERS[1], HOSTS[0]]]) {
    const answer = textOf(engine.debug(narrowed, selector));
    const cluster = selector[0];
    if (isNarrow || (cluster !== undefined && !isGranted(grants, cluster))) {
      await assert.rejects(answer, { code: "E_FORBIDDEN" });
      continue;
    }
    const expected = textOf(engine.debug(model, selector)).then(
      (text) => JSON.parse(text) as unknown,
      (error: Error) => error.message,
    );
    const given = answer.then(
      (text) => JSON.parse(text) as unknown,
      (error: Error) => error.message,
    );
    assert.deepEqual(await given, await expected);
  }
}

Deno.test("a view answers as if there were nothing but what it shows", async () => {
  const engine = await startTestEngine({
    metrics: { defaults: METRICS, clusters: {} },
  });
  try {
    await fc.assert(
      fc.asyncProperty(
        seriesSets,
        grantLists,
        fc.array(requests, { minLength: 1, maxLength: 4 }),
        fc.option(fc.subarray([...METRIC_NAMES, "metnone"]), {
          nil: undefined,
          freq: 1,
        }),
        fc.subarray<readonly string[]>([
          [],
          [CLUSTERS[0]],
          [CLUSTERS[0], HOSTS[0]],
          [CLUSTERS[1], HOSTS[2], "socketzq0"],
        ], { minLength: 1 }),
        async (series, grants, asked, metrics, selectors) => {
          const pair = await makePair(engine, grants, series);
          for (const request of asked) await compareQuery(pair, request);
          for (const cluster of CLUSTERS) {
            await compareHealth(pair, cluster, metrics);
          }
          await compareDebug(pair);
          await compareFree(pair, selectors, BEGIN_SEC - STEP_SEC);
          await compareFree(pair, selectors, END_SEC);
          for (const request of asked) await compareQuery(pair, request);
          for (const scope of [pair.whole, pair.model]) {
            await engine.free(scope, [[]], END_SEC);
          }
        },
      ),
      { numRuns: fuzzRuns(400) },
    );
  } finally {
    await engine.close();
  }
});

Deno.test("a view tells levels by the labels they were first written with", async () => {
  const engine = await startTestEngine({
    metrics: { defaults: METRICS, clusters: {} },
  });
  const [cluster] = CLUSTERS;
  const series = LEVELS.map((level) => ({
    cluster,
    host: HOSTS[0],
    metric: "metsum",
    level,
    values: [1],
  }));
  const cases = [
    ["type", "socket", 4],
    ["type", "socketzq0", 0],
    ["type", "", 1],
    ["type", "node", 1],
    ["type-id", "zq0", 4],
    ["stype", "", 4],
    ["stype-id", "vx8", 1],
  ] as const;
  try {
    for (const [name, value, count] of cases) {
      const scope = instanceScope(`${name}-${value}`);
      await writeAll(engine, scope, series);
      const grants = [
        { cluster, selectors: [[{ type: "EQ", name, value }]] },
      ] as const;
      const view = { id: `${name}=${value}`, grants };
      const narrowed = { ...scope, view };
      assert.equal(await engine.free(narrowed, [[]], END_SEC), count);
      assert.equal(await engine.free(scope, [[]], END_SEC), 6 - count);
    }
  } finally {
    await engine.close();
  }
});
