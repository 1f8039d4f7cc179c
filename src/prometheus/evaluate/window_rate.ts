/**
 * Differences over windows: rate, increase, delta, irate, idelta, changes, resets.
 * Extrapolation is that of Prometheus: to the borders of the window where samples
 * come close to them, else by half a distance, and never below zero of a counter.
 * Any thread.
 */
import {
  type Reducer,
  reduceWindows,
  reducing,
  Scratch,
  type SeriesSamples,
  type Window,
  type WindowKernel,
} from "./window.ts";

/** A border counts as close within this many distances between samples. */
const CLOSE = 1.1;

export interface RateKind {
  /** A value below the one before it means a reset. */
  readonly isCounter: boolean;
  readonly isPerSecond: boolean;
}

const scratch = new Scratch();

/** rate, increase and delta. */
export function rateKernel({ isCounter, isPerSecond }: RateKind): WindowKernel {
  return (samples, grid, row) => {
    const resets = isCounter ? findResets(samples) : NO_RESETS;
    let first = 0;
    let behind = 0;
    const reduce: Reducer = (window) => {
      const { low, high, values } = window;
      let difference = values[high - 1]! - values[low]!;
      // The reset at index i adds the value before it, i − 1.
      while (behind < resets.count && resets.at[behind]! < high) behind++;
      while (first < behind && resets.at[first]! <= low) first++;
      for (let i = first; i < behind; i++) {
        difference += values[resets.at[i]! - 1]!;
      }
      const factor = extrapolation(window, difference, isCounter);
      return difference *
        (isPerSecond ? factor / (grid.rangeMs / 1000) : factor);
    };
    reduceWindows(samples, grid, 2, reduce, row);
  };
}

/** By how much the difference over the samples grows for the whole window. */
function extrapolation(
  window: Window,
  difference: number,
  isCounter: boolean,
): number {
  const { low, high, timesMs, values } = window;
  const firstMs = timesMs[low]!;
  const lastMs = timesMs[high - 1]!;
  let toStart = (firstMs - window.startMs) / 1000;
  let toEnd = (window.endMs - lastMs) / 1000;
  const sampled = (lastMs - firstMs) / 1000;
  const distance = sampled / (high - low - 1);
  if (toStart >= distance * CLOSE) toStart = distance / 2;
  if (isCounter && difference > 0 && values[low]! >= 0) {
    const toZero = sampled * (values[low]! / difference);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= distance * CLOSE) toEnd = distance / 2;
  return sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
}

interface Resets {
  /** Indices of samples that are smaller than the one before, ascending. */
  readonly at: Int32Array;
  readonly count: number;
}

const NO_RESETS: Resets = { at: new Int32Array(0), count: 0 };

function findResets({ values, from, to }: SeriesSamples): Resets {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (values[i]! < values[i - 1]!) count++;
  if (count === 0) return NO_RESETS;
  const at = scratch.indices(count);
  count = 0;
  for (let i = from + 1; i < to; i++) {
    if (values[i]! < values[i - 1]!) at[count++] = i;
  }
  return { at, count };
}

/** The last two samples: their difference, per second for irate. */
export const irateKernel = reducing((window) => {
  const { high, timesMs, values } = window;
  const last = values[high - 1]!;
  const before = values[high - 2]!;
  const seconds = (timesMs[high - 1]! - timesMs[high - 2]!) / 1000;
  return (last < before ? last : last - before) / seconds;
}, 2);

export const ideltaKernel = reducing(
  ({ high, values }) => values[high - 1]! - values[high - 2]!,
  2,
);

/** Counts neighbours of which `differs` is true. */
function countingKernel(
  differs: (value: number, before: number) => boolean,
): WindowKernel {
  return (samples, grid, row) => {
    const { values, from, to } = samples;
    // Differences up to and with each sample.
    const until = scratch.indices(to - from);
    let count = 0;
    for (let i = from; i < to; i++) {
      if (i > from && differs(values[i]!, values[i - 1]!)) count++;
      until[i - from] = count;
    }
    const reduce: Reducer = ({ low, high }) =>
      until[high - 1 - from]! - until[low - from]!;
    reduceWindows(samples, grid, 1, reduce, row);
  };
}

export function isReset(value: number, before: number): boolean {
  return value < before;
}

/** From NaN to NaN is no change. */
export function isChange(value: number, before: number): boolean {
  return value !== before && !(Number.isNaN(value) && Number.isNaN(before));
}

export const resetsKernel = countingKernel(isReset);
export const changesKernel = countingKernel(isChange);
