/**
 * Minimum, median and maximum over the series of a metric, step by step, for plots
 * of jobs with many of them (job-api 4.1). Pure.
 *
 * Cost: the median is found by selection, linear in the number of series on
 * average; nothing is allocated for a step.
 */
import type { Series, StatisticsSeries } from "./job_data.ts";
import { leading, stepsOf } from "./leading_nulls.ts";

/** With fewer series a plot shows each of them. */
export const MIN_SERIES = 8;
/** Steps with fewer values say nothing. */
const MIN_VALUES = 3;

/** Values looked at between two pauses: a millisecond or two. */
const VALUES_PER_TURN = 1 << 16;

/**
 * As long as the longest series; NaN beyond the shortest. `pause` is waited for now
 * and then, so that others get their turn.
 */
export async function statisticsSeries(
  series: readonly Series[],
  pause: () => Promise<unknown>,
): Promise<StatisticsSeries> {
  let [first, shortest, longest] = [Infinity, Infinity, 0];
  for (const one of series) {
    const steps = stepsOf(one);
    first = Math.min(first, one.leadingNulls ?? 0);
    shortest = Math.min(shortest, steps);
    longest = Math.max(longest, steps);
  }
  if (series.length === 0) first = shortest = 0;
  const empty = new Float64Array(longest - first).fill(NaN);
  const [min, median, max] = [empty, empty.slice(), empty.slice()];
  const values = new Float64Array(series.length);
  const turn = Math.max(1, Math.floor(VALUES_PER_TURN / series.length));
  for (let step = first; step < shortest; step++) {
    const i = step - first;
    if (i % turn === turn - 1) await pause();
    let count = 0;
    let least = Infinity;
    let most = -Infinity;
    for (const { leadingNulls = 0, data } of series) {
      const value = step < leadingNulls ? NaN : data[step - leadingNulls]!;
      if (value !== value) continue;
      values[count++] = value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (count < MIN_VALUES) continue;
    min[i] = least;
    median[i] = medianOf(values, count);
    max[i] = most;
  }
  return { ...leading(first), mean: null, median, min, max };
}

/** Returns the median of the first `count` values, at least one, and reorders them. */
function medianOf(values: Float64Array, count: number): number {
  const middle = count >> 1;
  const upper = select(values, count, middle);
  if (count % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < middle; i++) {
    if (values[i]! > lower) lower = values[i]!;
  }
  return (lower + upper) / 2;
}

/**
 * Fast path. The value that would be at `rank` if the first `count` were sorted;
 * no greater ones are left before it. C. A. R. Hoare, "Algorithm 65: Find", 1961.
 */
function select(values: Float64Array, count: number, rank: number): number {
  let from = 0;
  let to = count - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1]!;
    let i = from;
    let j = to;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    if (rank <= j) to = j;
    else if (rank >= i) from = i;
    else break;
  }
  return values[rank]!;
}
