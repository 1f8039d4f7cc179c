/** Properties of language and evaluation that hold for every expression. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  evaluateInstant,
  evaluateSteps,
  type QueryResult,
} from "../../src/prometheus/evaluate/evaluate.ts";
import { printLabels } from "../../src/prometheus/evaluate/labels.ts";
import { MemorySource } from "../../src/prometheus/evaluate/memory_source.ts";
import { bitsOf, writeStale } from "../../src/prometheus/evaluate/nan_kinds.ts";
import { QueryError } from "../../src/prometheus/evaluate/query_error.ts";
import { parseExpr } from "../../src/prometheus/language/parser.ts";
import { prettify } from "../../src/prometheus/language/prettify.ts";
import { printExpr } from "../../src/prometheus/language/printer.ts";
import { fuzzRuns } from "../support/fuzz_runs.ts";
import {
  randomSeries,
  SCRAPE_MS,
  SHIFT_MS,
  sourceOf,
  vectorText,
} from "../support/promql_arbitrary.ts";
import { NAIVE } from "../support/promql_naive.ts";

const OPTIONS = {
  lookbackMs: 300_000,
  limits: { maxSamples: 50_000_000, maxSeries: 100_000 },
};
const EXPRESSION = vectorText({ isOld: false });
const SERIES = randomSeries(7, 0, 160);

/** Without positions. */
function shape(tree: unknown): string {
  return JSON.stringify(
    tree,
    (key, value) =>
      key === "span" || key === "operatorSpan"
        ? undefined
        : typeof value === "number" && !Number.isFinite(value)
        ? String(value)
        : value,
  );
}

Deno.test("promql: what is printed reads as the same tree", () => {
  fc.assert(
    fc.property(EXPRESSION, (text) => {
      const expr = parseExpr(text);
      // Matchers are printed sorted: the second time nothing moves.
      const printed = printExpr(expr);
      const again = parseExpr(printed);
      assert.equal(printExpr(again), printed);
      assert.equal(shape(parseExpr(prettify(again))), shape(again));
    }),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("promql: any text is read or refused with a position", () => {
  const part = fc.constantFrom(
    ..."sum by (a) ( x { } [ ] 5m : , ) offset @ 1 start() + - == bool on"
      .split(
        " ",
      ),
    ...`group_left and rate( "s" 'q ~ ! { a = "b" =~ "(" 0x 1e 5x \\ # fill`
      .split(" "),
    "\n",
    "ä",
  );
  const text = fc.oneof(
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join(" ")),
    fc.string({ unit: "binary", maxLength: 20 }),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        parseExpr(text);
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.match(
          error.message,
          /^(\d+:\d+|unknown position): parse error: /,
          String(error.stack),
        );
      }
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

/** Points by series and time; or the words of the error. */
function pointsOf({ data }: QueryResult): Map<string, number> {
  const points = new Map<string, number>();
  if (data.type === "vector") {
    data.labels.forEach((labels, i) =>
      points.set(`${printLabels(labels)} ${data.timeMs}`, data.values[i]!)
    );
  } else if (data.type === "matrix") {
    for (const { labels, timesMs, values } of data.series) {
      timesMs.forEach((time, i) =>
        points.set(`${printLabels(labels)} ${time}`, values[i]!)
      );
    }
  }
  return points;
}

async function attempt(
  evaluate: () => Promise<QueryResult>,
): Promise<Map<string, number> | string> {
  try {
    return pointsOf(await evaluate());
  } catch (error) {
    if (error instanceof QueryError) return error.message;
    throw error;
  }
}

function isClose(a: number, b: number, same: number): boolean {
  return Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b)) ||
    Math.abs(a - b) <= same * Math.max(Math.abs(a) + Math.abs(b), 1e-6);
}

Deno.test("promql: a range query is its instant queries", async () => {
  const source = sourceOf(SERIES);
  const times = { startMs: 1_210_000, endMs: 1_390_000, stepMs: 15_000 };
  // start() and end() mean something else in each.
  const expression = EXPRESSION.map((text) =>
    text.replace(/ @ (start|end)\(\)/g, " @ 1234")
  );
  let filled = 0;
  const runs = fuzzRuns(150);
  await fc.assert(
    fc.asyncProperty(expression, async (text) => {
      const expr = parseExpr(text);
      const steps = await attempt(() =>
        evaluateSteps(expr, times, source, OPTIONS)
      );
      if (typeof steps === "string") return;
      if (steps.size > 0) filled++;
      let count = 0;
      for (let at = times.startMs; at <= times.endMs; at += times.stepMs) {
        const instant = await attempt(() =>
          evaluateInstant(expr, at, source, OPTIONS)
        );
        assert.ok(typeof instant !== "string", `${text}: ${instant}`);
        count += instant.size;
        for (const [key, value] of instant) {
          const other = steps.get(key);
          assert.ok(
            other !== undefined && isClose(value, other, 1e-9),
            `${text}: ${key} is ${other} in a range, ${value} alone`,
          );
        }
      }
      assert.equal(steps.size, count, text);
    }),
    { numRuns: runs },
  );
  assert.ok(filled > 0.5 * runs, `${filled} answers of ${runs}`);
});

Deno.test("promql: batches do not change an answer", async () => {
  const whole = sourceOf(SERIES);
  const pieces = sourceOf(SERIES, 1);
  const times = { startMs: 1_210_000, endMs: 1_810_000, stepMs: 30_000 };
  await fc.assert(
    fc.asyncProperty(EXPRESSION, async (text) => {
      const expr = parseExpr(text);
      const [first, second] = await Promise.all(
        [whole, pieces].map((source) =>
          attempt(() => evaluateSteps(expr, times, source, OPTIONS))
        ),
      );
      assert.deepEqual(first, second, text);
    }),
    { numRuns: fuzzRuns(150) },
  );
});

interface NaiveCase {
  /** "stale" is a marker, "none" no sample. */
  readonly values: readonly (number | "stale" | "none")[];
  /** Some values are NaN or infinite. */
  readonly isWild: boolean;
  readonly rangeScrapes: number;
  readonly stepScrapes: number;
  readonly offsetMs: number;
}

const NAIVE_CASE: fc.Arbitrary<NaiveCase> = fc.record({
  values: fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: -40, max: 400 }) },
      { weight: 1, arbitrary: fc.constant<"stale">("stale") },
      { weight: 2, arbitrary: fc.constant<"none">("none") },
    ),
    { minLength: 1, maxLength: 120 },
  ),
  isWild: fc.boolean(),
  rangeScrapes: fc.integer({ min: 1, max: 50 }),
  stepScrapes: fc.integer({ min: 1, max: 12 }),
  offsetMs: fc.integer({ min: 0, max: 40_000 }),
});

Deno.test("promql: functions over ranges are what they are defined to be", async () => {
  await fc.assert(
    fc.asyncProperty(
      NAIVE_CASE,
      fc.constantFrom(...Object.keys(NAIVE)),
      (sample, name) => checkNaive(sample, name),
    ),
    { numRuns: fuzzRuns(600) },
  );
});

/** Every tenth value is none that can be added up. */
function wild(value: number, isWild: boolean): number {
  if (!isWild || value % 10 !== 0) return value;
  return value % 30 === 0 ? NaN : value < 200 ? Infinity : -Infinity;
}

async function checkNaive(sample: NaiveCase, name: string): Promise<void> {
  const kept = [...sample.values.keys()]
    .filter((i) => sample.values[i] !== "none");
  const timesMs = kept.map((i) => i * SCRAPE_MS + SHIFT_MS);
  const values = Float64Array.from(
    kept,
    (i) => wild(Number(sample.values[i]), sample.isWild),
  );
  const bits = bitsOf(values);
  kept.forEach((i, at) => {
    if (sample.values[i] === "stale") writeStale(bits, at);
  });
  const source = new MemorySource();
  source.add({ __name__: "x_total" }, timesMs, values);
  const rangeMs = sample.rangeScrapes * SCRAPE_MS;
  const times = {
    startMs: 0,
    endMs: 2_400_000,
    stepMs: sample.stepScrapes * SCRAPE_MS,
  };
  const [call, phi] = name.split(" ");
  const expr = parseExpr(
    `${call}(${phi === undefined ? "" : `${phi}, `}x_total[${
      rangeMs / 1000
    }s] offset ${sample.offsetMs}ms)`,
  );
  const points = pointsOf(await evaluateSteps(expr, times, source, OPTIONS));
  for (let at = times.startMs; at <= times.endMs; at += times.stepMs) {
    const endMs = at - sample.offsetMs;
    const startMs = endMs - rangeMs;
    const samples = timesMs.map((timeMs, i) => ({ timeMs, value: values[i]! }))
      .filter(({ timeMs }, i) =>
        timeMs > startMs && timeMs <= endMs &&
        sample.values[kept[i]!] !== "stale"
      );
    const expected = NAIVE[name]!({ samples, startMs, endMs });
    const isNamed = call === "last_over_time" || call === "first_over_time";
    const key = `${isNamed ? '{__name__="x_total"}' : "{}"} ${at}`;
    const actual = points.get(key);
    assert.ok(
      expected === undefined
        ? actual === undefined
        : actual !== undefined && isClose(actual, expected, 1e-9),
      `${name} at ${at}: ${actual}, not ${expected}`,
    );
  }
}
