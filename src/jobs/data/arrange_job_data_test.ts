import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import { arrangeJobData, inOrderOf, keptScopes } from "./arrange_job_data.ts";
import type {
  JobData,
  JobMetric,
  Series,
  StatisticsSeries,
} from "./job_data.ts";
import { withNodeScopes } from "./node_scope.ts";
import { resampleMetric } from "./resample.ts";
import { statisticsSeries } from "./statistics_series.ts";

const RAW = { scopes: [], resolutionSec: 0, minimumPoints: 1000 } as const;

function series(
  hostname: string,
  data: readonly number[],
  id?: string,
): Series {
  return {
    hostname,
    ...(id === undefined ? {} : { id }),
    statistics: { min: data[0] ?? 0, avg: data[0] ?? 0, max: data[0] ?? 0 },
    data: Float64Array.from(data),
  };
}

function metric(all: readonly Series[], timestep = 60): JobMetric {
  return { unit: { base: "W" }, timestep, series: all };
}

function dataOf(
  entries: Readonly<Record<string, Partial<Record<MetricScope, JobMetric>>>>,
): JobData {
  return new Map(
    Object.entries(entries).map(([name, scopes]) => [
      name,
      new Map(Object.entries(scopes) as [MetricScope, JobMetric][]),
    ]),
  );
}

/** Series over series, without a pause. */
function over(all: readonly Series[]): Promise<StatisticsSeries> {
  return statisticsSeries(all, () => Promise.resolve());
}

/** Metrics and their scopes, without the values. */
function scopesOf(data: JobData): Record<string, string[]> {
  return Object.fromEntries(
    [...data].map(([name, byScope]) => [name, [...byScope.keys()]]),
  );
}

Deno.test("withNodeScopes() sums the coarsest scope by host, for two metrics", () => {
  const socket = metric([
    series("b", [1, 2, 3], "0"),
    series("b", [10, NaN, 30, 40], "1"),
    series("a", [5], "0"),
  ]);
  const core = metric([series("b", [7], "0")]);
  const data = dataOf({
    flops_any: { core, socket },
    mem_bw: { node: core, socket },
    cpu_power: { socket },
  });
  const result = withNodeScopes(data);
  assert.deepEqual(scopesOf(result), {
    flops_any: ["core", "socket", "node"],
    mem_bw: ["node", "socket"],
    cpu_power: ["socket"],
  });
  assert.deepEqual(result.get("flops_any")?.get("node"), {
    unit: { base: "W" },
    timestep: 60,
    series: [
      {
        hostname: "b",
        statistics: { min: 1, avg: 5.5, max: 10 },
        data: Float64Array.of(11, NaN, 33, NaN),
      },
      {
        hostname: "a",
        statistics: { min: 5, avg: 5, max: 5 },
        data: Float64Array.of(5),
      },
    ],
  });
});

Deno.test("arrangeJobData() adds node scopes only where they are asked for", async () => {
  const data = dataOf({ mem_bw: { socket: metric([series("a", [1], "0")]) } });
  const arranged = (scopes: MetricScope[]) =>
    arrangeJobData(data, { ...RAW, scopes });
  assert.deepEqual(scopesOf(await arranged(["core"])), { mem_bw: ["socket"] });
  assert.deepEqual(scopesOf(await arranged(["core", "node"])), {
    mem_bw: ["socket", "node"],
  });
});

Deno.test("arrangeJobData() adds series over series from eight series on and keeps stored ones", async () => {
  const many = (count: number) =>
    metric(Array.from({ length: count }, (_, i) => series(`h${i}`, [i])));
  const stored = { ...many(8), statisticsSeries: await over([]) };
  const arranged = await arrangeJobData(
    dataOf({
      few: { node: many(7) },
      many: { node: many(8) },
      stored: { node: stored },
    }),
    RAW,
  );
  const found = (name: string) => arranged.get(name)?.get("node");
  assert.equal(found("few")?.statisticsSeries, undefined);
  assert.deepEqual(found("many")?.statisticsSeries, {
    mean: null,
    median: Float64Array.of(3.5),
    min: Float64Array.of(0),
    max: Float64Array.of(7),
  });
  assert.equal(found("stored"), stored);
});

Deno.test("statisticsSeries() needs three values at a step and every series at least so long", async () => {
  const all = [[1, 9, 1, 5], [3, NaN, NaN, 5], [2, 7, 4], [NaN, 5, NaN, 5]];
  assert.deepEqual(await over(all.map((data) => series("h", data))), {
    mean: null,
    median: Float64Array.of(2, 7, NaN, NaN),
    min: Float64Array.of(1, 5, NaN, NaN),
    max: Float64Array.of(3, 9, NaN, NaN),
  });
});

Deno.test("statisticsSeries() lets others have their turn", async () => {
  let pauses = 0;
  const data = new Array<number>(1000).fill(1);
  const all = Array.from({ length: 1000 }, () => series("h", data));
  const { median } = await statisticsSeries(all, () => {
    pauses++;
    return Promise.resolve();
  });
  assert.equal(median?.[999], 1);
  assert.equal(pauses, 15);
});

Deno.test("statisticsSeries() finds the median that sorting finds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.integer({ min: -3, max: 3 }),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.constant(NaN),
        ),
        { minLength: 3, maxLength: 60 },
      ),
      async (values) => {
        const { median } = await over(
          values.map((value) => series("h", [value])),
        );
        const sorted = values.filter((value) => !Number.isNaN(value))
          .sort((a, b) => a - b);
        const middle = sorted.length >> 1;
        const expected = sorted.length < 3
          ? NaN
          : sorted.length % 2 === 1
          ? sorted[middle]!
          : (sorted[middle - 1]! + sorted[middle]!) / 2;
        // Which zero it is, is nobody's business.
        assert.equal((median?.[0] ?? 0) + 0, expected + 0);
      },
    ),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("resampleMetric() thins to multiples of the step from the minimum of points on", () => {
  const rising = Array.from({ length: 30 }, (_, i) => i);
  const given = metric([
    series("a", rising),
    series("b", rising.slice(0, 8)),
    series("c", []),
  ]);
  const thinned = resampleMetric(given, 240, 30);
  assert.equal(thinned.timestep, 240);
  assert.deepEqual(thinned.series.map(({ data }) => data.length), [7, 2, 0]);
  const [a, b] = thinned.series;
  assert.equal(a?.data[0], 0);
  assert.equal(a?.data[6], 29);
  assert.deepEqual(b?.data, Float64Array.of(0, 4));
  assert.deepEqual(a?.statistics, given.series[0]?.statistics);
  for (
    const [resolutionSec, minimumPoints] of [
      [0, 1],
      [60, 1],
      [90, 1],
      [240, 31],
    ] as const
  ) {
    assert.equal(resampleMetric(given, resolutionSec, minimumPoints), given);
  }
});

Deno.test("arrangeJobData() makes series over the thinned series anew", async () => {
  const rising = Array.from({ length: 20 }, (_, i) => i);
  const stored = {
    ...metric(Array.from({ length: 8 }, (_, i) => series(`h${i}`, rising))),
    statisticsSeries: await over([series("h", rising)]),
  };
  const arranged = await arrangeJobData(dataOf({ m: { node: stored } }), {
    scopes: [],
    resolutionSec: 120,
    minimumPoints: 20,
  });
  const thinned = arranged.get("m")?.get("node");
  assert.equal(thinned?.timestep, 120);
  assert.deepEqual(
    thinned?.statisticsSeries?.median,
    thinned?.series[0]?.data,
  );
});

Deno.test("keptScopes() keeps what was asked for of metrics in several scopes", () => {
  const three = ["node", "core", "socket"] as const;
  assert.deepEqual(keptScopes(three, ["node"]), ["node"]);
  assert.deepEqual(keptScopes(three, ["core", "socket"]), ["core", "socket"]);
  assert.deepEqual(keptScopes(three, ["hwthread"]), three);
  assert.deepEqual(keptScopes(three, []), three);
  assert.deepEqual(keptScopes(["node"], ["hwthread"]), ["node"]);
});

Deno.test("inOrderOf() sorts series by resource, then by number", () => {
  const given = metric([
    series("h1", [], "10"),
    series("zz", []),
    series("h2", [], "0E:00"),
    series("h1", [], "9"),
    series("h2", [], "0B:00"),
    series("h2", [], "1"),
  ]);
  const sorted = inOrderOf(
    { name: "m", scopes: new Map([["core", given]]) },
    [{ hostname: "h2" }, { hostname: "h1" }],
  );
  assert.deepEqual(
    sorted.scopes.get("core")?.series.map(({ hostname, id }) =>
      `${hostname}/${id}`
    ),
    ["h2/1", "h2/0B:00", "h2/0E:00", "h1/9", "h1/10", "zz/undefined"],
  );
});

/** A series whose first steps are nulls, as a number and as values. */
function bothForms(nulls: number, data: readonly number[]) {
  const given = series("h", data);
  const values = [...Array<number>(nulls).fill(NaN), ...data];
  return [
    { ...given, leadingNulls: nulls },
    { ...given, data: Float64Array.from(values) },
  ] as const;
}

/** The values of all steps. */
function values(
  { leadingNulls = 0, data }: Pick<Series, "leadingNulls" | "data">,
): number[] {
  return [...Array<number>(leadingNulls).fill(NaN), ...data];
}

Deno.test("leading nulls make the same sums and series over series as values would", async () => {
  const pairs = [
    bothForms(3, [1, 2, 3, 4]),
    bothForms(0, [5, NaN, 7, 8, 9]),
    bothForms(5, [6]),
    bothForms(2, [1, 1, 1, 1, 1, 1]),
    bothForms(9, []),
  ];
  const counted = pairs.map(([one]) => one);
  const padded = pairs.map(([, other]) => other);
  const node = (all: readonly Series[]) =>
    withNodeScopes(dataOf({ mem_bw: { socket: metric(all) } }))
      .get("mem_bw")?.get("node")?.series[0];
  for (const count of [1, 2, 3, 4, 5]) {
    const [a, b] = [counted, padded].map((all) => node(all.slice(0, count)));
    assert.deepEqual(values(a!), values(b!), `${count} series`);
  }
  const [a, b] = await Promise.all([over(counted), over(padded)]);
  for (const key of ["min", "median", "max"] as const) {
    const { leadingNulls = 0 } = a;
    assert.deepEqual(values({ leadingNulls, data: a[key]! }), [...b[key]!]);
  }
});

Deno.test("resampleMetric() keeps leading nulls a number, and as many steps as values would make", () => {
  const rising = Array.from({ length: 37 }, (_, i) => i);
  for (const nulls of [0, 1, 3, 4, 5, 30_000_000]) {
    const given = metric([{ ...series("a", rising), leadingNulls: nulls }]);
    const [thinned] = resampleMetric(given, 240, 30).series;
    const { leadingNulls = 0, data } = thinned!;
    assert.equal(leadingNulls, Math.floor(nulls / 4));
    assert.equal(
      leadingNulls + data.length,
      Math.floor((nulls + rising.length) / 4),
    );
  }
});
