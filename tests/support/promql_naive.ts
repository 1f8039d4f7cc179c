/**
 * Functions over ranges as they are defined, sample by sample and window by window:
 * slow, short, and independent of the kernels that it checks.
 */

export interface NaiveSample {
  readonly timeMs: number;
  readonly value: number;
}

export interface NaiveWindow {
  /** Within (start, end], in order. */
  readonly samples: readonly NaiveSample[];
  readonly startMs: number;
  readonly endMs: number;
}

type NaiveFunction = (window: NaiveWindow) => number | undefined;

const valuesOf = ({ samples }: NaiveWindow) =>
  samples.map(({ value }) => value);
const sumOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0);
const meanOf = (values: readonly number[]) => sumOf(values) / values.length;
const varianceOf = (values: readonly number[]) => {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
};

function extrapolated(isCounter: boolean): NaiveFunction {
  return ({ samples, startMs, endMs }) => {
    if (samples.length < 2) return undefined;
    const first = samples[0]!;
    const last = samples.at(-1)!;
    let difference = last.value - first.value;
    samples.forEach(({ value }, i) => {
      const before = samples[i - 1]?.value;
      if (isCounter && before !== undefined && value < before) {
        difference += before;
      }
    });
    const sampled = last.timeMs - first.timeMs;
    const distance = sampled / (samples.length - 1);
    const reach = (border: number) =>
      border < distance * 1.1 ? border : distance / 2;
    let toStart = reach(first.timeMs - startMs);
    if (isCounter && difference > 0 && first.value >= 0) {
      toStart = Math.min(toStart, sampled * first.value / difference);
    }
    return difference * (sampled + toStart + reach(endMs - last.timeMs)) /
      sampled;
  };
}

function quantile(phi: number): NaiveFunction {
  return (window) => {
    const sorted = valuesOf(window).sort((a, b) =>
      Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : a - b
    );
    if (sorted.length === 0) return undefined;
    const rank = phi * (sorted.length - 1);
    const lower = Math.floor(rank);
    const upper = Math.min(sorted.length - 1, lower + 1);
    return sorted[lower]! * (1 - (rank - lower)) +
      sorted[upper]! * (rank - lower);
  };
}

/** For windows with a sample. */
function some(reduce: (values: readonly number[]) => number): NaiveFunction {
  return (window) => {
    const values = valuesOf(window);
    return values.length === 0 ? undefined : reduce(values);
  };
}

/** The neighbours of which `differs` is true. */
function counted(
  differs: (value: number, before: number) => boolean,
): NaiveFunction {
  return some((values) =>
    values.slice(1).filter((value, i) => differs(value, values[i]!)).length
  );
}

function lastTwo(
  combine: (last: number, before: number, seconds: number) => number,
): NaiveFunction {
  return ({ samples }) => {
    const last = samples.at(-1);
    const before = samples.at(-2);
    if (last === undefined || before === undefined) return undefined;
    const seconds = (last.timeMs - before.timeMs) / 1000;
    return combine(last.value, before.value, seconds);
  };
}

function extreme(pick: (...values: number[]) => number): NaiveFunction {
  return some((values) => {
    const numbers = values.filter((value) => !Number.isNaN(value));
    return numbers.length === 0 ? NaN : pick(...numbers);
  });
}

function slope({ samples }: NaiveWindow): number | undefined {
  if (samples.length < 2) return undefined;
  const x = samples.map(({ timeMs }) => (timeMs - samples[0]!.timeMs) / 1000);
  const y = samples.map(({ value }) => value);
  if (y.every((value) => value === y[0])) return 0;
  const meanX = meanOf(x);
  const meanY = meanOf(y);
  return sumOf(x.map((value, i) => (value - meanX) * (y[i]! - meanY))) /
    sumOf(x.map((value) => (value - meanX) ** 2));
}

/** `undefined`: the function gives nothing for the window. */
export const NAIVE: Readonly<Record<string, NaiveFunction>> = {
  increase: extrapolated(true),
  rate: (window) => {
    const increase = extrapolated(true)(window);
    return increase === undefined
      ? undefined
      : increase / ((window.endMs - window.startMs) / 1000);
  },
  delta: extrapolated(false),
  irate: lastTwo((last, before, seconds) =>
    (last < before ? last : last - before) / seconds
  ),
  idelta: lastTwo((last, before) => last - before),
  changes: counted((value, before) =>
    !Object.is(value, before) && value !== before
  ),
  resets: counted((value, before) => value < before),
  sum_over_time: some(sumOf),
  avg_over_time: some(meanOf),
  count_over_time: some((values) => values.length),
  max_over_time: extreme(Math.max),
  min_over_time: extreme(Math.min),
  last_over_time: some((values) => values.at(-1)!),
  first_over_time: some((values) => values[0]!),
  stddev_over_time: some((values) => Math.sqrt(varianceOf(values))),
  stdvar_over_time: some(varianceOf),
  deriv: slope,
  "quantile_over_time 0.3": quantile(0.3),
};
