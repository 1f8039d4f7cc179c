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
  type Row,
  Scratch,
  type SeriesSamples,
  type WindowGrid,
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
    const perWindow = isPerSecond ? grid.rangeMs / 1000 : 1;
    fillRates(samples, grid, resets, isCounter, perWindow, row);
  };
}

/** Fast path: one pass over samples and resets for all windows. */
function fillRates(
  samples: SeriesSamples,
  grid: WindowGrid,
  resets: Resets,
  isCounter: boolean,
  perWindow: number,
  row: Row,
): void {
  const { timesMs, values, from, to } = samples;
  const { count, firstEndMs, stepMs, rangeMs } = grid;
  const { values: cells, present, start } = row;
  let low = from;
  let high = from;
  let firstReset = 0;
  let behindReset = 0;
  for (let step = 0; step < count; step++) {
    const endMs = firstEndMs + step * stepMs;
    const startMs = endMs - rangeMs;
    while (high < to && timesMs[high]! <= endMs) high++;
    while (low < high && timesMs[low]! <= startMs) low++;
    if (high - low < 2) continue;
    const firstMs = timesMs[low]!;
    const lastMs = timesMs[high - 1]!;
    const first = values[low]!;
    let difference = values[high - 1]! - first;
    // The reset at index i adds the value before it, i − 1.
    while (behindReset < resets.count && resets.at[behindReset]! < high) {
      behindReset++;
    }
    while (firstReset < behindReset && resets.at[firstReset]! <= low) {
      firstReset++;
    }
    for (let i = firstReset; i < behindReset; i++) {
      difference += values[resets.at[i]! - 1]!;
    }
    const factor = extrapolation(
      firstMs - startMs,
      lastMs - firstMs,
      endMs - lastMs,
      high - low - 1,
      isCounter && difference > 0 && first >= 0 ? first / difference : Infinity,
    );
    cells[start + step] = difference * (factor / perWindow);
    present[start + step] = 1;
  }
}

/**
 * By how much the difference over the samples grows for the whole window. Times are
 * milliseconds; a counter was zero `toZero` times the sampled time before.
 */
function extrapolation(
  toStartMs: number,
  sampledMs: number,
  toEndMs: number,
  distances: number,
  toZero: number,
): number {
  const sampled = sampledMs / 1000;
  const distance = sampled / distances;
  let toStart = toStartMs / 1000;
  let toEnd = toEndMs / 1000;
  if (toStart >= distance * CLOSE) toStart = distance / 2;
  if (sampled * toZero < toStart) toStart = sampled * toZero;
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
