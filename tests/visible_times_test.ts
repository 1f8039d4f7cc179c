/**
 * What times of hosts show of the store, against a naive model: a list of samples, each
 * looked at by itself. Levels, aggregates, both ways of missing, statistics, all nodes
 * and health.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { nowSec } from "../src/base/clock.ts";
import {
  type DataScope,
  DEFAULT_SCOPE,
} from "../src/metricstore/engine/data_scope.ts";
import type {
  MetricQuery,
  StoreEngine,
} from "../src/metricstore/engine/metric_engine.ts";
import { PERSONAL_IDS_MAX } from "../src/metricstore/engine/request_bounds.ts";
import {
  instanceScope,
  queryOf,
  startTestEngine,
  textOf,
  write,
} from "./support/engine.ts";
import { fuzzRuns } from "./support/fuzz_runs.ts";

const STEP = 60;
const STEPS = 12;
const BEGIN = 1_700_000_040;
const HOSTS = ["h1", "h2", "h3"] as const;
const METRICS = ["sum", "avg"] as const;

interface Sample {
  readonly host: string;
  readonly metric: string;
  /** Id of the core; `""`: the host itself. */
  readonly core: string;
  readonly step: number;
  readonly value: number;
}

type Times = Readonly<Record<string, readonly number[]>>;

const samples: fc.Arbitrary<Sample[]> = fc.uniqueArray(
  fc.record({
    host: fc.constantFrom(...HOSTS),
    metric: fc.constantFrom(...METRICS),
    core: fc.constantFrom("0", "1"),
    step: fc.nat(STEPS - 1),
    value: fc.integer({ min: -50, max: 50 }),
  }),
  {
    minLength: 10,
    maxLength: 60,
    selector: ({ host, metric, core, step }) =>
      JSON.stringify([host, metric, core, step]),
  },
);

/** Ascending, apart from each other, on and off the grid. */
const timesOfHost = fc.uniqueArray(fc.integer({ min: -90, max: 900 }), {
  minLength: 2,
  maxLength: 6,
}).map((bounds) => {
  const sorted = [...bounds].sort((a, b) => a - b);
  return sorted.slice(0, sorted.length & ~1).map((sec) => BEGIN + sec);
});

const times: fc.Arbitrary<Times> = fc.dictionary(
  fc.constantFrom(...HOSTS),
  timesOfHost,
  { maxKeys: 3 },
);

function isVisible(times: Times, host: string, timeSec: number): boolean {
  const bounds = times[host] ?? [];
  return bounds.some((begin, i) =>
    i % 2 === 0 && begin <= timeSec && timeSec < bounds[i + 1]!
  );
}

function timeOf({ step }: Sample): number {
  return BEGIN + step * STEP;
}

/** What a query of some cores of a host may show: value by time. */
function expected(
  all: readonly Sample[],
  times: Times,
  query: MetricQuery,
  range: { from: number; to: number; missing: "null" | "skip" },
): Map<number, number> {
  const { host, metric } = query;
  const bounds = times[host] ?? [];
  const last = bounds[bounds.length - 1] ?? -Infinity;
  const cores = query["type-ids"] ?? ["0", "1"];
  const members = cores.map((core) =>
    all.filter((one) =>
      one.host === host && one.metric === metric && one.core === core
    )
  ).filter((series) => {
    if (series.length === 0 || bounds.length === 0) return false;
    // From its first sample to its last a series has slots, with a value or without;
    // one that has none between the first begin and the last end does not exist.
    const sampled = series.map(timeOf);
    const steps = Math.ceil((bounds[0]! - BEGIN) / STEP);
    const begin = Math.max(BEGIN + steps * STEP, Math.min(...sampled));
    return Math.max(...sampled) >= bounds[0]! &&
      Math.max(range.from, begin) < last;
  });
  const found = new Map<number, number>();
  for (let step = 0; step < STEPS; step++) {
    const time = BEGIN + step * STEP;
    if (time < range.from || time >= range.to) continue;
    if (!isVisible(times, host, time)) continue;
    const values = members.flatMap((series) =>
      series.filter((one) => one.step === step).map(({ value }) => value)
    );
    const isWhole = values.length === members.length;
    if (values.length === 0 || (!isWhole && range.missing === "null")) continue;
    const sum = values.reduce((a, b) => a + b, 0);
    found.set(time, metric === "avg" ? sum / values.length : sum);
  }
  return found;
}

/** Values by time of an entry, and that it tells nothing outside of the times. */
function shown(
  // deno-lint-ignore no-explicit-any
  entry: any,
  bounds: readonly number[],
): Map<number, number> {
  const found = new Map<number, number>();
  const data: (number | null)[] = entry.data ?? [];
  data.forEach((value, i) => {
    if (value !== null) found.set(entry.from + i * entry.resolution, value);
  });
  if (data.length > 0) {
    assert.ok(entry.from > bounds[0]! - STEP);
    assert.ok(entry.to < bounds[bounds.length - 1]! + STEP + STEP / 2);
  }
  return found;
}

async function compare(
  engine: StoreEngine,
  scope: DataScope,
  all: readonly Sample[],
  times: Times,
  range: { from: number; to: number; missing: "null" | "skip" },
): Promise<void> {
  const byHost = new Map(Object.entries(times));
  const own = { ...scope, times: { cluster: "c", byHost } };
  const queries = HOSTS.flatMap((host) =>
    METRICS.flatMap((metric): MetricQuery[] => {
      const core = { metric, host, type: "core", resolution: 0 };
      return [
        { metric, host, resolution: 0, aggreg: false },
        { ...core, "type-ids": ["0", "1"], aggreg: true },
        { ...core, "type-ids": ["1"], aggreg: false },
      ];
    })
  );
  const text = await textOf(
    engine.query(own, queryOf({ cluster: "c", ...range, queries })),
  );
  const { results } = JSON.parse(text);
  for (const [i, query] of queries.entries()) {
    const bounds = times[query.host];
    const wanted = expected(all, times, query, range);
    const [entry] = results[i];
    if (bounds === undefined) {
      assert.deepEqual(results[i], [], "a host of nobody is absent");
      continue;
    }
    if (entry === undefined || entry.error !== undefined) {
      assert.equal(wanted.size, 0, JSON.stringify(query));
      continue;
    }
    const values = shown(entry, bounds);
    assert.deepEqual([...values], [...wanted], JSON.stringify(query));
    const numbers = [...wanted.values()];
    if (numbers.length === 0) assert.equal(entry.avg, null);
    else {
      assert.equal(entry.min, Math.min(...numbers));
      assert.equal(entry.max, Math.max(...numbers));
      const avg = numbers.reduce((a, b) => a + b, 0) / numbers.length;
      assert.ok(Math.abs(entry.avg - avg) < 1e-9);
    }
  }
  // All nodes are those that have times at all and samples.
  const every = JSON.parse(
    await textOf(engine.query(
      own,
      queryOf({ cluster: "c", ...range, forAllNodes: ["sum"] }),
    )),
  );
  const known = HOSTS.filter((host) =>
    times[host] !== undefined && all.some((one) => one.host === host)
  );
  const listed = every.queries?.map(({ host }: MetricQuery) => host) ?? [];
  assert.deepEqual(listed, known);
}

Deno.test("times of hosts show what a naive model shows, and nothing outside of them", async () => {
  const engine = await startTestEngine({
    metrics: {
      defaults: {
        sum: { frequencySec: STEP, aggregation: "sum" },
        avg: { frequencySec: STEP, aggregation: "avg" },
      },
      clusters: {},
    },
  });
  let instance = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        samples,
        times,
        fc.nat(STEPS),
        fc.nat(STEPS),
        fc.constantFrom("null", "skip"),
        async (all, times, first, count, missing) => {
          const scope = instanceScope(`i${++instance}`);
          const lines = [...all].sort((a, b) => a.step - b.step).map((one) =>
            `${one.metric},cluster=c,hostname=${one.host},type=core,type-id=${one.core} value=${one.value} ${
              timeOf(one)
            }`
          );
          await write(engine, scope, lines);
          const from = BEGIN + first * STEP;
          const range = { from, to: from + count * STEP, missing } as const;
          await compare(engine, scope, all, times, range);
          await engine.free(scope, [[]], BEGIN + 100 * STEP);
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  } finally {
    await engine.close();
  }
});

Deno.test("where a reader begins shows no sample outside of the times", async () => {
  const engine = await startTestEngine({
    metrics: {
      defaults: { sum: { frequencySec: STEP, aggregation: "sum" } },
      clusters: {},
    },
  });
  try {
    const lines = Array.from(
      { length: STEPS },
      (_, i) => `sum,cluster=c,hostname=h value=${i} ${BEGIN + i * STEP}`,
    );
    await write(engine, DEFAULT_SCOPE, lines);
    // Samples 3 to 5.
    const byHost = new Map([["h", [BEGIN + 150, BEGIN + 360]]]);
    const scope = { ...DEFAULT_SCOPE, times: { cluster: "c", byHost } };
    for (let shift = -90; shift <= 400; shift += 7) {
      for (const resolution of [0, 120]) {
        const text = await textOf(engine.query(
          scope,
          queryOf({
            cluster: "c",
            from: BEGIN + shift,
            to: BEGIN + STEPS * STEP,
            withPadding: shift % 2 === 0,
            queries: [{ metric: "sum", host: "h", resolution, aggreg: false }],
          }),
        ));
        const [entry] = JSON.parse(text).results[0];
        for (const value of entry?.data ?? []) {
          assert.ok(value === null || [3, 4, 5].includes(value), text);
        }
        assert.ok(entry === undefined || !(entry.max > 5), text);
      }
    }
  } finally {
    await engine.close();
  }
});

Deno.test("a health check shows hosts with times, by samples since these began", async () => {
  const now = nowSec();
  const engine = await startTestEngine({
    metrics: {
      defaults: {
        old: { frequencySec: STEP, aggregation: null },
        new: { frequencySec: STEP, aggregation: null },
      },
      clusters: {},
    },
  });
  try {
    await write(engine, DEFAULT_SCOPE, [
      `old,cluster=c,hostname=h1 value=1 ${now - 400}`,
      `new,cluster=c,hostname=h1 value=1 ${now - 60}`,
      `new,cluster=c,hostname=h2 value=1 ${now - 60}`,
    ]);
    const byHost = new Map([["h1", [now - 200, now + 1000]]]);
    const scope = { ...DEFAULT_SCOPE, times: { cluster: "c", byHost } };
    const health = await engine.health(scope, "c", ["h1", "h2"], undefined);
    assert.deepEqual(health.get("h1"), {
      ...{ state: "partial", known: true, degraded: [], missing: ["old"] },
    });
    assert.equal(health.get("h2")?.known, false);
  } finally {
    await engine.close();
  }
});

Deno.test("the engine answers nobody of whom only the owner is known", async () => {
  const engine = await startTestEngine({
    metrics: { defaults: {}, clusters: {} },
  });
  const scope: DataScope = {
    ...{ ...DEFAULT_SCOPE, maxIds: PERSONAL_IDS_MAX },
    owner: { user: "eve", projects: [] },
  };
  const refused = { code: "E_FORBIDDEN" };
  const range = { cluster: "c", from: 0, to: 1 };
  try {
    await assert.rejects(engine.query(scope, queryOf(range)), refused);
    await assert.rejects(engine.health(scope, "c", ["h"], []), refused);
    await assert.rejects(engine.free(scope, [[]], 0), refused);
    await assert.rejects(engine.debug(scope, []), refused);
    const other = { ...scope, times: { cluster: "d", byHost: new Map() } };
    await assert.rejects(engine.query(other, queryOf(range)), refused);
  } finally {
    await engine.close();
  }
});
