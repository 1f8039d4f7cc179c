/** Sums, extremes and the like over windows. Any thread. */
import { KahanSum } from "./kahan.ts";
import {
  type Reducer,
  reduceWindows,
  reducing,
  Scratch,
  type WindowKernel,
} from "./window.ts";

export const countKernel = reducing(({ low, high }) => high - low);
export const presentKernel = reducing(() => 1);
export const lastKernel = reducing(({ high, values }) => values[high - 1]!);
export const firstKernel = reducing(({ low, values }) => values[low]!);
export const firstTimeKernel = reducing(({ low, timesMs }) =>
  timesMs[low]! / 1000
);
export const lastTimeKernel = reducing(({ high, timesMs }) =>
  timesMs[high - 1]! / 1000
);

const kahan = new KahanSum();

/** The sum of `values` from `low` to before `high`. */
export function sumOf(values: Float64Array, low: number, high: number): number {
  kahan.set(0);
  for (let i = low; i < high; i++) kahan.add(values[i]!);
  return kahan.total;
}

/**
 * The mean: the sum divided, and from where the sum would overflow on the mean so
 * far, moved by each value.
 */
export function meanOf(
  values: Float64Array,
  low: number,
  high: number,
): number {
  kahan.set(values[low]!);
  let i = low + 1;
  for (; i < high; i++) {
    const { sum, compensation } = kahan;
    kahan.add(values[i]!);
    if (kahan.sum !== Infinity && kahan.sum !== -Infinity) continue;
    const count = i - low;
    kahan.set(sum / count, compensation / count);
    break;
  }
  const count = high - low;
  if (i === high) return kahan.sum / count + kahan.compensation / count;
  for (; i < high; i++) moveMean(kahan, values[i]!, i - low + 1);
  return kahan.sum + kahan.compensation;
}

/** Takes the `count`-th value into the mean of those before it. */
export function moveMean(mean: KahanSum, value: number, count: number): void {
  const share = (count - 1) / count;
  mean.set(share * mean.sum, share * mean.compensation);
  mean.add(value / count);
}

/** Welford's algorithm with compensated sums. */
function varianceOf(values: Float64Array, low: number, high: number): number {
  let count = 0;
  mean.set(0);
  squares.set(0);
  for (let i = low; i < high; i++) {
    count++;
    const difference = values[i]! - (mean.sum + mean.compensation);
    mean.add(difference / count);
    squares.add(difference * (values[i]! - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / count;
}

const mean = new KahanSum();
const squares = new KahanSum();

export const varianceKernel = reducing(({ values, low, high }) =>
  varianceOf(values, low, high)
);
export const deviationKernel = reducing(({ values, low, high }) =>
  Math.sqrt(varianceOf(values, low, high))
);

const scratch = new Scratch();

/**
 * Largest (or smallest) value of each window, NaN only where there is nothing else.
 * Candidates are kept in a queue: a value leaves it when a larger one comes later,
 * so each sample enters and leaves once.
 */
export function extremeKernel(isMax: boolean): WindowKernel {
  return (samples, grid, row) => {
    const { values, from, to } = samples;
    const queue = scratch.indices(to - from);
    let head = 0;
    let tail = 0;
    let taken = from;
    const reduce: Reducer = ({ low, high }) => {
      if (taken < low) taken = low;
      for (; taken < high; taken++) {
        const value = values[taken]!;
        if (Number.isNaN(value)) continue;
        while (
          tail > head &&
          (isMax
            ? values[queue[tail - 1]!]! < value
            : values[queue[tail - 1]!]! > value)
        ) tail--;
        queue[tail++] = taken;
      }
      while (head < tail && queue[head]! < low) head++;
      return head < tail ? values[queue[head]!]! : NaN;
    };
    reduceWindows(samples, grid, 1, reduce, row);
  };
}

/** Time of the last of the largest (or smallest) values. */
export function extremeTimeKernel(isMax: boolean): WindowKernel {
  return reducing(({ low, high, values, timesMs }) => {
    let best = low;
    for (let i = low; i < high; i++) {
      const value = values[i]!;
      const known = values[best]!;
      const wins = isMax ? value >= known : value <= known;
      if (wins || Number.isNaN(known)) best = i;
    }
    return timesMs[best]! / 1000;
  });
}
