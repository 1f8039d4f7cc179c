/** Bounds, breaks, cancelling and the shape of answers; what functions give is in tests/promql. */
import assert from "node:assert/strict";
import { findFunction, FUNCTION_NAMES } from "../language/functions.ts";
import { parseExpr } from "../language/parser.ts";
import {
  evaluateInstant,
  evaluateSteps,
  POINTS_MAX,
  type QueryOptions,
} from "./evaluate.ts";
import { labelsOf, printLabels } from "./labels.ts";
import { MemorySource } from "./memory_source.ts";
import { bitsOf, isStaleAt, writeStale } from "./nan_kinds.ts";
import { QueryError } from "./query_error.ts";
import type { Selection, SeriesBatch, SeriesSource } from "./series_source.ts";

const OPTIONS: QueryOptions = {
  lookbackMs: 300_000,
  limits: { maxSamples: 1_000_000, maxSeries: 1000 },
};
const STEPS = { startMs: 0, endMs: 600_000, stepMs: 60_000 };

/** `count` series of ten samples, a minute apart. */
function manySeries(count: number): MemorySource {
  const source = new MemorySource(100);
  const timesMs = Float64Array.from({ length: 10 }, (_, i) => i * 60_000);
  for (let i = 0; i < count; i++) {
    source.add(
      { __name__: "x", n: String(i) },
      timesMs,
      timesMs.map((t) => t + i),
    );
  }
  return source;
}

async function failure(promise: Promise<unknown>): Promise<QueryError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  return assert.fail("does not fail");
}

Deno.test("evaluateSteps() ends a query that holds too much", async () => {
  const source = manySeries(100);
  const limits = { maxSamples: 500, maxSeries: 1000 };
  const error = await failure(
    evaluateSteps(parseExpr("x + 1"), STEPS, source, { ...OPTIONS, limits }),
  );
  assert.equal(error.errorType, "execution");
  assert.equal(error.status, 422);
  assert.equal(
    error.message,
    "query processing would load too many samples into memory in query execution",
  );
  // One row at a time is within the same bound.
  const one = await evaluateSteps(parseExpr(`x{n="1"}`), STEPS, source, {
    ...OPTIONS,
    limits,
  });
  assert.ok(one.usage.peakSamples <= 500);
  assert.equal(one.usage.samplesRead, 10);
});

Deno.test("evaluateSteps() gives back what it held", async () => {
  const source = manySeries(10);
  const expr = parseExpr(
    "sum(x) + on () count(x) + on () max(rate(x[5m])) + on () sum_over_time(sum(x)[5m:])",
  );
  const { usage } = await evaluateSteps(expr, STEPS, source, OPTIONS);
  // Ten rows of eleven steps, their samples and accumulators; not the sum over all operators.
  assert.ok(usage.peakSamples < 1000, `${usage.peakSamples}`);
  assert.ok(usage.samplesRead > 300, `${usage.samplesRead}`);
});

Deno.test("no operator keeps what its operands held", async () => {
  const source = manySeries(20);
  const bucket = (le: string) => `label_replace(x, "le", "${le}", "", "")`;
  const queries = [
    "x",
    "x + 1",
    "-x",
    "abs(x)",
    "x > 3",
    "x + x",
    "x and x",
    "x or x",
    "rate(x[5m])",
    "rate(x[5m:1m])",
    "quantile_over_time(0.5, x[5m])",
    "quantile by (n) (0.5, x)",
    "topk(3, x)",
    "limit_ratio(0.5, x)",
    `count_values("v", x)`,
    "absent(x)",
    "absent_over_time(x[5m])",
    "timestamp(x)",
    "timestamp(x + 1)",
    "vector(scalar(x))",
    "clamp(x, 1, 2)",
    "sort(x)",
    "x @ 60",
    "info(x)",
    "x smoothed",
    "histogram_count(x)",
    `histogram_quantile(0.5, ${bucket("+Inf")})`,
    `histogram_fraction(0, 1, ${bucket("1")})`,
    `histogram_quantiles(${bucket("+Inf")}, "q", 0.5)`,
    `label_join(x, "m", "", "n")`,
  ];
  for (const query of queries) {
    const peak = async (times: number) => {
      const chain = Array(times).fill(`count(${query})`).join(" + on () ");
      const { usage } = await evaluateSteps(
        parseExpr(chain),
        STEPS,
        source,
        OPTIONS,
      );
      return usage.peakSamples;
    };
    const few = await peak(2);
    const many = await peak(12);
    assert.ok(many - few < 50, `${query} holds ${few}, then ${many}`);
  }
});

Deno.test("a selector that matches too many series fails", async () => {
  const limits = { maxSamples: 1_000_000, maxSeries: 99 };
  for (const query of ["x", "rate(x[5m])", "timestamp(x)"]) {
    const error = await failure(
      evaluateSteps(parseExpr(query), STEPS, manySeries(100), {
        ...OPTIONS,
        limits,
      }),
    );
    assert.equal(error.message, "a selector matches more than 99 series");
  }
});

Deno.test("a query makes breaks, and ends at one", async () => {
  const source = manySeries(1000);
  const times = { startMs: 0, endMs: 6_000_000, stepMs: 6000 };
  const queries = [
    "x",
    "rate(x[5m])",
    "sum(x)",
    "x + 1",
    "x + x",
    "topk(1, x)",
  ];
  for (const query of queries) {
    const expr = parseExpr(query);
    const options = { ...OPTIONS, limits: { maxSamples: 1e9, maxSeries: 1e6 } };
    let breaks = 0;
    const betweenSlices = () => {
      breaks++;
    };
    await evaluateSteps(expr, times, source, {
      ...options,
      control: { betweenSlices },
    });
    assert.ok(breaks >= 10, `${query} made ${breaks} breaks`);

    const controller = new AbortController();
    let left = 3;
    const canceled = await failure(evaluateSteps(expr, times, source, {
      ...options,
      control: {
        signal: controller.signal,
        betweenSlices: () => {
          if (--left === 0) controller.abort();
          assert.ok(left >= 0, "goes on after it was cancelled");
        },
      },
    }));
    assert.equal(canceled.errorType, "canceled");

    const late = await failure(evaluateSteps(expr, times, source, {
      ...options,
      control: { isTimeOver: () => true },
    }));
    assert.equal(late.errorType, "timeout");
    assert.equal(late.message, "query timed out in expression evaluation");
  }
});

Deno.test("long windows of a single series make breaks", async () => {
  const timesMs = Float64Array.from({ length: 5000 }, (_, i) => i * 1000);
  const source = new MemorySource();
  source.add({ __name__: "x" }, timesMs, timesMs.map((t) => t % 77));
  const times = { startMs: 0, endMs: 5_000_000, stepMs: 5000 };
  for (
    const query of [
      "stddev_over_time(x[1h])",
      "deriv(x[1h])",
      "quantile_over_time(scalar(vector(0.3)), x[1h])",
      "predict_linear(x[1h], time())",
    ]
  ) {
    let breaks = 0;
    const { data } = await evaluateSteps(parseExpr(query), times, source, {
      ...OPTIONS,
      control: {
        betweenSlices: () => {
          breaks++;
        },
      },
    });
    assert.ok(breaks > 1, `${query} made ${breaks} breaks`);
    assert.ok(data.type === "matrix");
    // Windows on both sides of a break are what they are alone.
    for (const step of [1, 250, 499, 998]) {
      const atMs = data.series[0]!.timesMs[step]!;
      const alone = await evaluateInstant(
        parseExpr(query),
        atMs,
        source,
        OPTIONS,
      );
      assert.ok(alone.data.type === "vector");
      assert.equal(alone.data.values[0], data.series[0]!.values[step]);
    }
  }
});

Deno.test("evaluateSteps() refuses steps that cannot be", async () => {
  const source = manySeries(1);
  const cases: [query: string, times: typeof STEPS, message: RegExp][] = [
    ["x[5m]", STEPS, /^invalid expression type "range vector" for range query/],
    ["'a'", STEPS, /^invalid expression type "string" for range query/],
    ["x", { ...STEPS, stepMs: 0 }, /^zero or negative query resolution/],
    ["x", { ...STEPS, stepMs: NaN }, /^zero or negative query resolution/],
    ["x", { ...STEPS, endMs: -1 }, /^end timestamp must not be before/],
    [
      "x",
      { startMs: 0, endMs: POINTS_MAX + 1, stepMs: 1 },
      /^exceeded maximum resolution of 11,000 points per timeseries/,
    ],
    ["x[step() - step()]", STEPS, /^invalid expression type/],
    [
      "rate(x[step() - step()])",
      STEPS,
      /^7:22: duration must be greater than 0$/,
    ],
    ["x offset (1m / (step() - step()))", STEPS, /division by zero$/],
  ];
  for (const [query, times, message] of cases) {
    const error = await failure(
      evaluateSteps(parseExpr(query), times, source, OPTIONS),
    );
    assert.equal(error.errorType, "bad_data", query);
    assert.match(error.message, message);
  }
});

Deno.test("answers have the types of the expressions", async () => {
  const source = manySeries(2);
  const at = async (query: string) =>
    (await evaluateInstant(parseExpr(query), 60_000, source, OPTIONS)).data;
  assert.deepEqual(await at("1 + 1"), {
    type: "scalar",
    value: 2,
    timeMs: 60_000,
  });
  assert.deepEqual(await at("'a'"), {
    type: "string",
    value: "a",
    timeMs: 60_000,
  });
  const vector = await at("x");
  assert.equal(vector.type, "vector");
  const matrix = await at("(x[2m])");
  assert.ok(matrix.type === "matrix" && matrix.series.length === 2);
  assert.deepEqual([...matrix.series[0]!.timesMs], [0, 60_000]);
  const subquery = await at("(x + 1)[2m:30s]");
  assert.ok(subquery.type === "matrix");
  assert.equal(printLabels(subquery.series[0]!.labels), `{n="0"}`);
  const steps = await evaluateSteps(
    parseExpr("vector(1) > 2"),
    STEPS,
    source,
    OPTIONS,
  );
  assert.deepEqual(steps.data, { type: "matrix", series: [] });
});

Deno.test("series come sorted by UTF-8 bytes, or in the order asked for", async () => {
  const source = new MemorySource();
  for (const [i, n] of ["\ue000", "b", "😀", "a", "ab"].entries()) {
    source.add({ __name__: "x", n }, [0], Float64Array.of(i));
  }
  const order = async (query: string) => {
    const { data } = await evaluateInstant(
      parseExpr(query),
      0,
      source,
      OPTIONS,
    );
    assert.ok(data.type === "vector");
    return data.labels.map((labels) => labels.get("n"));
  };
  assert.deepEqual(await order("x"), ["a", "ab", "b", "\ue000", "😀"]);
  assert.deepEqual(await order("sort_desc(x)"), [
    "ab",
    "a",
    "😀",
    "b",
    "\ue000",
  ]);
  assert.deepEqual(await order("bottomk(2, x)"), ["\ue000", "b"]);
  // Only the outermost operation counts.
  assert.deepEqual(await order("sort_desc(x) + 0"), [
    "a",
    "ab",
    "b",
    "\ue000",
    "😀",
  ]);
});

Deno.test("a series may have a shorter lookback than the query", async () => {
  const inner = manySeries(2);
  const source: SeriesSource = {
    async *select(selection: Selection) {
      for await (const batch of inner.select(selection)) {
        const lookbacksMs = Float64Array.from(
          batch.labels,
          (labels) => labels.get("n") === "0" ? 60_000 : 1e9,
        );
        yield { ...batch, lookbacksMs } satisfies SeriesBatch;
      }
    },
  };
  const count = async (timeMs: number) => {
    const { data } = await evaluateInstant(
      parseExpr("x"),
      timeMs,
      source,
      OPTIONS,
    );
    assert.ok(data.type === "vector");
    return data.values.length;
  };
  // The last sample is at nine minutes.
  assert.equal(await count(599_999), 2);
  assert.equal(await count(600_000), 1);
  // Longer than the query's it cannot be.
  assert.equal(await count(840_000), 0);
});

Deno.test("the source is asked for the samples that are needed", async () => {
  const asked: Selection[] = [];
  const source: SeriesSource = {
    async *select(selection: Selection) {
      asked.push(selection);
      yield* [] as SeriesBatch[];
      await Promise.resolve();
    },
  };
  const expr = parseExpr(
    `x + sum(rate(y[5m] offset 1m)) + z @ 100 + max_over_time(w[10m:1m])`,
  );
  await evaluateSteps(
    expr,
    { startMs: 600_000, endMs: 900_000, stepMs: 60_000 },
    source,
    OPTIONS,
  );
  assert.deepEqual(
    asked.map(({ matchers, afterMs, untilMs, hints }) => [
      matchers[0]!.value,
      afterMs,
      untilMs,
      hints,
    ]),
    [
      ["x", 300_000, 900_000, { around: "", rangeMs: 0, stepMs: 60_000 }],
      ["y", 240_000, 840_000, {
        around: "rate",
        rangeMs: 300_000,
        stepMs: 60_000,
      }],
      ["z", -200_000, 100_000, { around: "", rangeMs: 0, stepMs: 0 }],
      ["w", -240_000, 900_000, {
        around: "max_over_time",
        rangeMs: 0,
        stepMs: 60_000,
      }],
    ],
  );
});

Deno.test("a NaN is a value, a stale marker of either form is none", async () => {
  const source = new MemorySource();
  const values = Float64Array.of(1, NaN, 0, 0, 2);
  const bits = bitsOf(values);
  writeStale(bits, 2);
  // The form that senders write.
  bits[6] = 2;
  bits[7] = 0x7ff00000;
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => isStaleAt(bits, i)), [
    false,
    false,
    true,
    true,
    false,
  ]);
  source.add(
    labelsOf([["__name__", "x"]]),
    [0, 1, 2, 3, 4].map((i) => i * 60_000),
    values,
  );
  const { data } = await evaluateSteps(
    parseExpr("x"),
    { ...STEPS, endMs: 240_000 },
    source,
    OPTIONS,
  );
  assert.ok(data.type === "matrix");
  assert.deepEqual([...data.series[0]!.timesMs], [0, 60_000, 240_000]);
  assert.deepEqual([...data.series[0]!.values], [1, NaN, 2]);
});

Deno.test("every function can be called, with all arguments it may have", async () => {
  // Of one series no label can be changed so that two are the same.
  const source = manySeries(1);
  const sample = { scalar: "0.5", vector: "x", matrix: "x[5m]", string: `"n"` };
  assert.equal(FUNCTION_NAMES.length, 90);
  for (const name of FUNCTION_NAMES) {
    const { args, argsMin, argsMax, returns } = findFunction(name)!;
    for (const count of new Set([argsMin, Math.min(argsMax, argsMin + 3)])) {
      const texts = Array.from({ length: count }, (_, i) => {
        if (name === "info" && i === 1) return `{n="1"}`;
        return sample[args[Math.min(i, args.length - 1)]!];
      });
      const expr = parseExpr(`${name}(${texts.join(", ")})`);
      const instant = await evaluateInstant(expr, 60_000, source, OPTIONS);
      assert.equal(instant.data.type, returns, name);
      await evaluateSteps(expr, STEPS, source, OPTIONS);
    }
  }
});

Deno.test("deep chains of operators are evaluated", async () => {
  const expr = parseExpr(`x${" + x".repeat(1000)}`);
  const { data } = await evaluateInstant(expr, 0, manySeries(1), OPTIONS);
  assert.ok(data.type === "vector");
  assert.equal(data.values[0], 0);
});
