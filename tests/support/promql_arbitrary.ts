/**
 * Random PromQL for property tests, over the series of {@linkcode randomSeries}:
 * counters, gauges with gaps, and classic histograms of a few jobs and instances.
 */
import fc from "fast-check";
import { MemorySource } from "../../src/prometheus/evaluate/memory_source.ts";

/** Distance of samples. */
export const SCRAPE_MS = 15_000;
/** Samples lie this much behind multiples of {@linkcode SCRAPE_MS}: steps never meet them. */
export const SHIFT_MS = 4000;

export interface RandomSeries {
  readonly labels: Record<string, string>;
  readonly timesMs: number[];
  readonly values: number[];
}

/** Numbers in [0, 1) that are the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Series of `count` scrapes from `startMs`; values are multiples of 1/4, so that sums are exact. */
export function randomSeries(
  seed: number,
  startMs: number,
  count: number,
): RandomSeries[] {
  const random = randomOf(seed);
  const series: RandomSeries[] = [];
  const add = (
    labels: Record<string, string>,
    gap: number,
    next: (before: number) => number,
  ) => {
    const timesMs: number[] = [];
    const values: number[] = [];
    let value = 1000;
    let isGap = false;
    for (let i = 0; i < count; i++) {
      value = next(value);
      if (random() < gap) isGap = !isGap;
      if (isGap) continue;
      timesMs.push(startMs + i * SCRAPE_MS + SHIFT_MS);
      values.push(value);
    }
    series.push({ labels, timesMs, values });
  };
  for (const job of ["a", "b"]) {
    for (const instance of ["x", "y", "z"]) {
      add(
        { __name__: "req_total", job, instance },
        0.02,
        // A reset leaves a value that is far from zero.
        (before) =>
          random() < 0.02 ? 900 : before + Math.floor(random() * 40) / 4,
      );
      add(
        { __name__: "temp", job, instance },
        0.04,
        () => Math.floor(random() * 200 - 100) / 4,
      );
      add(
        { __name__: "state", job, instance },
        0.01,
        (before) => random() < 0.1 ? Math.floor(random() * 4) : before % 5,
      );
    }
    add({ __name__: "limit", job }, 0, () => Math.floor(random() * 40));
    let total = 0;
    const bounds = ["0.25", "1", "4", "+Inf"];
    const counts = bounds.map(() => 1000);
    for (const [i, le] of bounds.entries()) {
      add({ __name__: "lat_bucket", job, le }, 0, () => {
        // Each bucket has what the one below it has, and more.
        total = i === 0 ? 0 : total;
        counts[i]! += Math.floor(random() * 8) + i * 8;
        return counts[i]! + i * 1000;
      });
    }
  }
  return series;
}

export function sourceOf(
  series: readonly RandomSeries[],
  batchSamples?: number,
): MemorySource {
  const source = new MemorySource(batchSamples);
  for (const { labels, timesMs, values } of series) {
    source.add(labels, timesMs, Float64Array.from(values));
  }
  return source;
}

export interface GrammarOptions {
  /**
   * Only what a Prometheus of version 2 knows, and answers the same way. It keeps
   * the name after atan2, moves the window of predict_linear in spite of `@`,
   * extrapolates counters near zero otherwise, topk takes any of equal values,
   * timestamp() forgets offsets beside `@`, and stddev of a single NaN is 0.
   */
  readonly isOld: boolean;
}

const DURATIONS = ["30s", "1m", "2m30s", "5m", "10m"];
const NUMBERS = ["0", "1", "2", "3", "0.5", "-1", "10", "100"];

/** The text of an instant vector. */
export function vectorText(options: GrammarOptions): fc.Arbitrary<string> {
  const { isOld } = options;
  const one = (...texts: string[]) => fc.constantFrom(...texts);
  const matcher = one(
    `job="a"`,
    `job!="a"`,
    `instance=~"x|y"`,
    `instance!~"z"`,
    `instance=~".+"`,
    `job=~".*"`,
    `nope=""`,
  );
  const matchers = fc.uniqueArray(matcher, { maxLength: 2 })
    .map((list) => list.length === 0 ? "" : `{${list.join(",")}}`);
  const offset = one("", "", "", " offset 1m", " offset -45s", " offset 7m");
  const at = one("", "", "", "", " @ start()", " @ end()", " @ 1300.5");
  const name = one("req_total", "temp", "temp", "state", "limit");
  const selector = fc.tuple(name, matchers, at, offset)
    .map((parts) => parts.join(""));
  const range = fc.tuple(name, matchers, one(...DURATIONS), at, offset).map(
    ([name, matchers, duration, at, offset]) =>
      `${name}${matchers}[${duration}]${at}${offset}`,
  );
  const counterRange = isOld
    ? fc.tuple(matchers, one(...DURATIONS), at, offset).map(
      ([matchers, duration, at, offset]) =>
        `req_total${matchers}[${duration}]${at}${offset}`,
    )
    : range;
  const movingRange = isOld
    ? fc.tuple(name, one(...DURATIONS), offset).map((
      [name, duration, offset],
    ) => `${name}[${duration}]${offset}`)
    : range;
  const overTime = one(
    ...isOld ? [] : ["rate", "increase"],
    ...["delta", "irate", "idelta", "changes", "resets"],
    ...["deriv", "avg_over_time", "sum_over_time", "min_over_time"],
    ...["max_over_time", "count_over_time", "last_over_time"],
    ...["stddev_over_time", "stdvar_over_time", "present_over_time"],
    ...isOld ? [] : ["first_over_time", "mad_over_time", "ts_of_max_over_time"],
  );
  const elementwise = one(
    ...["abs", "ceil", "floor", "round", "sgn", "exp", "sqrt", "atan"],
    ...["minute", "day_of_week", "deg"],
    ...isOld ? [] : ["timestamp"],
  );
  const grouping = one(
    "",
    " by (job)",
    " by (instance)",
    " by (job, instance)",
    " by (nope)",
    " without (instance)",
    " without (job)",
  );
  const aggregation = one(
    ...["sum", "avg", "count", "min", "max", "group"],
    ...isOld ? [] : ["stddev", "stdvar"],
  );
  const deviation = one("stddev", "stdvar");
  const movingSelector = fc.tuple(name, matchers, offset)
    .map((parts) => parts.join(""));
  const chosen = one("topk", "bottomk");
  const arithmetic = one(
    ...["+", "-", "*", "/", "%"],
    ...isOld ? [] : ["atan2"],
  );
  const comparison = one("==", "!=", ">", "<", ">=", "<=");
  const set = one("and", "or", "unless");
  const matching = one(
    "",
    "",
    " on (job, instance)",
    " on (job)",
    " ignoring (job)",
    " on (job) group_left ()",
    " on (job) group_right ()",
  );
  return fc.letrec<{ vector: string; scalar: string; subquery: string }>(
    (tie) => ({
      vector: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        selector,
        fc.tuple(overTime, range).map(([f, range]) => `${f}(${range})`),
        fc.tuple(one("rate", "increase"), counterRange).map(([f, range]) =>
          `${f}(${range})`
        ),
        fc.tuple(overTime, tie("subquery")).map(([f, inner]) =>
          `${f}(${inner})`
        ),
        fc.tuple(one("0", "0.5", "0.9", "1"), range).map(([phi, range]) =>
          `quantile_over_time(${phi}, ${range})`
        ),
        fc.tuple(movingRange, one("60", "-300")).map(([range, ahead]) =>
          `predict_linear(${range}, ${ahead})`
        ),
        fc.tuple(elementwise, tie("vector")).map(([f, vector]) =>
          `${f}(${vector})`
        ),
        fc.tuple(aggregation, grouping, tie("vector")).map(
          ([f, grouping, vector]) => `${f}${grouping} (${vector})`,
        ),
        fc.tuple(deviation, grouping, selector).map(
          ([f, grouping, vector]) => `${f}${grouping} (${vector})`,
        ),
        movingSelector.map((vector) => `timestamp(${vector})`),
        fc.tuple(one("0.25", "0.5", "1"), grouping, tie("vector")).map(
          ([phi, grouping, vector]) =>
            `quantile${grouping} (${phi}, ${vector})`,
        ),
        fc.tuple(chosen, one("1", "2"), selector).map(([f, k, vector]) =>
          isOld ? `sum(${f}(${k}, ${vector}))` : `${f}(${k}, ${vector})`
        ),
        fc.tuple(tie("vector"), arithmetic, tie("scalar")).map((parts) =>
          `(${parts.join(" ")})`
        ),
        fc.tuple(tie("scalar"), arithmetic, tie("vector")).map((parts) =>
          `(${parts.join(" ")})`
        ),
        fc.tuple(tie("vector"), comparison, one("", " bool"), tie("scalar"))
          .map(([left, operator, bool, right]) =>
            `(${left} ${operator}${bool} ${right})`
          ),
        fc.tuple(tie("vector"), arithmetic, matching, tie("vector")).map(
          ([left, operator, matching, right]) =>
            `(${left} ${operator}${matching} ${right})`,
        ),
        fc.tuple(
          tie("vector"),
          comparison,
          one("", " bool"),
          matching,
          tie("vector"),
        ).map(([left, operator, bool, matching, right]) =>
          `(${left} ${operator}${bool}${matching} ${right})`
        ),
        fc.tuple(
          tie("vector"),
          set,
          one("", " on (job)", " ignoring (instance)"),
          tie("vector"),
        ).map(([left, operator, matching, right]) =>
          `(${left} ${operator}${matching} ${right})`
        ),
        fc.tuple(one("0.5", "0.9"), one("", "1m", "5m"), grouping).map(
          ([phi, duration, grouping]) => {
            const buckets = duration === ""
              ? "lat_bucket"
              : `rate(lat_bucket[${duration}])`;
            return grouping === " by (job)"
              ? `histogram_quantile(${phi}, sum by (job, le) (${buckets}))`
              : `histogram_quantile(${phi}, ${buckets})`;
          },
        ),
        tie("vector").map((vector) =>
          `label_replace(${vector}, "copy", "$1-$1", "job", "(.*)")`
        ),
        tie("vector").map((vector) =>
          `label_join(${vector}, "both", "+", "job", "instance")`
        ),
        tie("vector").map((vector) => `clamp(${vector}, -5, 20)`),
        tie("vector").map((vector) => `-${vector}`),
        fc.tuple(one("absent", "absent_over_time"), name, matchers).map(
          ([f, name, matchers]) =>
            `${f}(${name}${matchers}${f === "absent" ? "" : "[1m]"})`,
        ),
        tie("scalar").map((scalar) => `vector(${scalar})`),
        tie("vector").map((vector) =>
          `count_values("value", round(${vector}, 64))`
        ),
      ),
      scalar: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        one(...NUMBERS),
        one(...NUMBERS),
        fc.constant("time()"),
        tie("vector").map((vector) => `scalar(${vector})`),
        fc.tuple(tie("scalar"), arithmetic, tie("scalar")).map((parts) =>
          `(${parts.join(" ")})`
        ),
      ),
      subquery: fc.tuple(
        tie("vector"),
        // In a subquery of a subquery no border may meet a step.
        one("3m7s", "10m7s"),
        one("30s", "1m", "45s", ""),
        one("", "", " offset 2m"),
      ).map(([vector, range, step, offset]) =>
        `${
          /^[a-z_]+(\{|$)/.test(vector) ? vector : `(${vector})`
        }[${range}:${step}]${offset}`
      ),
    }),
  ).vector;
}
