/**
 * Anchored and smoothed ranges: the window's borders get a value, from the sample
 * before the border (anchored) or from a line between the samples on both sides
 * (smoothed), so nothing is extrapolated. Any thread.
 */
import type { RateKind } from "./window_rate.ts";
import { reduceWindows, type Window, type WindowKernel } from "./window.ts";

export type ExtensionKind = "anchored" | "smoothed";

/** How far windows of a kind reach beyond their borders. */
export interface Reach {
  readonly beforeMs: number;
  readonly behindMs: number;
}

/** Functions that a kind may be used with, sorted. */
export const EXTENSION_FUNCTIONS: Readonly<
  Record<ExtensionKind, readonly string[]>
> = {
  anchored: ["changes", "delta", "increase", "rate", "resets"],
  smoothed: ["delta", "increase", "rate"],
};

/** Calls `reduce` with windows that reach as far; absent where it returns undefined. */
function reduceReaching(
  reach: Reach,
  reduce: (window: Window) => number | undefined,
): WindowKernel {
  return (samples, grid, row) => {
    const wide = {
      ...grid,
      firstEndMs: grid.firstEndMs + reach.behindMs,
      rangeMs: grid.rangeMs + reach.beforeMs + reach.behindMs,
    };
    const absent: number[] = [];
    const { firstStep } = grid;
    reduceWindows(samples, wide, 1, (window) => {
      window.startMs += reach.beforeMs;
      window.endMs -= reach.behindMs;
      const value = reduce(window);
      if (value === undefined) absent.push(window.step - firstStep);
      return value ?? 0;
    }, row);
    for (const step of absent) row.present[row.start + step] = 0;
  };
}

/** rate, increase and delta of an extended range. */
export function extendedRateKernel(
  kind: ExtensionKind,
  rate: RateKind,
  reach: Reach,
  rangeMs: number,
): WindowKernel {
  return reduceReaching(reach, (window) => {
    const difference = extendedDifference(window, kind, rate.isCounter);
    return difference === undefined || !rate.isPerSecond
      ? difference
      : difference / (rangeMs / 1000);
  });
}

function extendedDifference(
  window: Window,
  kind: ExtensionKind,
  isCounter: boolean,
): number | undefined {
  const { timesMs, values, low, high, startMs, endMs } = window;
  const isSmoothed = kind === "smoothed";
  let last = high - 1;
  // The last sample at or before the start, if there is one, else the first.
  let first = Math.max(low, search(timesMs, low, last, startMs, false) - 1);
  if (isSmoothed) last = search(timesMs, low, last, endMs, true);
  if (timesMs[last]! <= startMs) return undefined;
  if (isSmoothed && timesMs[first]! > endMs) return undefined;
  const left = isSmoothed && timesMs[first]! < startMs
    ? interpolate(window, first, startMs, isCounter)
    : values[first]!;
  const right = isSmoothed && last > low && timesMs[last]! > endMs
    ? interpolate(window, last - 1, endMs, isCounter)
    : values[last]!;
  let difference = right - left;
  if (!isCounter) return difference;
  if (timesMs[first]! <= startMs) first++;
  if (timesMs[last]! >= endMs) last--;
  let before = left;
  for (let i = first; i <= last; i++) {
    if (values[i]! < before) difference += before;
    before = values[i]!;
  }
  if (right < before) difference += before;
  return difference;
}

/** First index from `low` to before `high` whose time is later than (or at) `timeMs`; else `high`. */
function search(
  timesMs: Float64Array,
  low: number,
  high: number,
  timeMs: number,
  orAt: boolean,
): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const time = timesMs[middle]!;
    if (time > timeMs || (orAt && time === timeMs)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** On the line from sample `index` to the next; a counter that fell begins at 0. */
function interpolate(
  { timesMs, values }: Pick<Window, "timesMs" | "values">,
  index: number,
  timeMs: number,
  isCounter: boolean,
): number {
  let from = values[index]!;
  const to = values[index + 1]!;
  if (isCounter && to < from) from = 0;
  return from + (to - from) * (timeMs - timesMs[index]!) /
      (timesMs[index + 1]! - timesMs[index]!);
}

/** changes and resets of an anchored range: the sample before the border counts too. */
export function anchoredCountKernel(
  differs: (value: number, before: number) => boolean,
  reach: Reach,
): WindowKernel {
  return reduceReaching(reach, (window) => {
    const { timesMs, values, low, high, startMs } = window;
    const within = search(timesMs, low, high, startMs, false);
    if (within >= high) return undefined;
    let count = 0;
    for (let i = Math.max(low, within - 1) + 1; i < high; i++) {
      if (differs(values[i]!, values[i - 1]!)) count++;
    }
    return count;
  });
}

/** A smoothed instant selector: on the line between the samples around each step. */
export function smoothedValueKernel(reach: Reach): WindowKernel {
  return reduceReaching(reach, (window) => {
    const { timesMs, values, low, high, endMs } = window;
    const next = search(timesMs, low, high, endMs, true);
    if (next < high && timesMs[next] === endMs) return values[next];
    if (next === low) return undefined;
    return next < high
      ? interpolate(window, next - 1, endMs, false)
      : values[next - 1];
  });
}

/** The samples of an extended range selector alone: borders get samples of their own. */
export function extendSamples(
  samples: Pick<Window, "timesMs" | "values" | "low" | "high">,
  startMs: number,
  endMs: number,
  kind: ExtensionKind,
): { timesMs: number[]; values: number[] } | undefined {
  const { timesMs, values, low, high } = samples;
  const isSmoothed = kind === "smoothed";
  let last = high - 1;
  let first = Math.max(low, search(timesMs, low, last, startMs, false) - 1);
  if (isSmoothed) last = search(timesMs, low, last, endMs, true);
  if (timesMs[last]! <= startMs) return undefined;
  const left = isSmoothed && timesMs[first]! < startMs
    ? interpolate(samples, first, startMs, false)
    : values[first]!;
  const right = isSmoothed && last > low && timesMs[last]! > endMs
    ? interpolate(samples, last - 1, endMs, false)
    : values[last]!;
  if (timesMs[first]! <= startMs) first++;
  if (timesMs[last]! >= endMs) last--;
  return {
    timesMs: [startMs, ...timesMs.subarray(first, last + 1), endMs],
    values: [left, ...values.subarray(first, last + 1), right],
  };
}
