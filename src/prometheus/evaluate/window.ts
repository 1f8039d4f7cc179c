/**
 * Windows over the samples of one series: window k ends at `firstEndMs + k * stepMs`,
 * is open on the left and closed on the right. Ends only grow, so every sample is
 * passed twice at most, however many windows there are. Any thread.
 */

export interface WindowGrid {
  readonly count: number;
  /** Which step of the query the first window belongs to. */
  readonly firstStep: number;
  readonly firstEndMs: number;
  /** 0: all windows are the same. */
  readonly stepMs: number;
  readonly rangeMs: number;
  /** When the first step is evaluated; windows may end elsewhere. */
  readonly evalStartMs: number;
  readonly evalStepMs: number;
}

/** Samples of one series without stale markers, from index `from` to before `to`. */
export interface SeriesSamples {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly from: number;
  readonly to: number;
}

/** One row of a result. */
export interface Row {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** Index of the cell of the first window. */
  readonly start: number;
}

/** A window that a reducer looks at; the same object for all of them. */
export interface Window {
  timesMs: Float64Array;
  values: Float64Array;
  /** First sample. */
  low: number;
  /** Behind the last sample. */
  high: number;
  startMs: number;
  endMs: number;
  step: number;
  evalMs: number;
}

/** The value of a window that has as many samples as the reducer needs. */
export type Reducer = (window: Window) => number;

/** Fills a row: `reduce` is called for every window of `minSamples` samples or more. */
export function reduceWindows(
  samples: SeriesSamples,
  grid: WindowGrid,
  minSamples: number,
  reduce: Reducer,
  row: Row,
): void {
  const { timesMs, from, to } = samples;
  const { count, firstEndMs, stepMs, rangeMs } = grid;
  const window: Window = {
    timesMs,
    values: samples.values,
    low: from,
    high: from,
    startMs: 0,
    endMs: 0,
    step: 0,
    evalMs: 0,
  };
  let low = from;
  let high = from;
  for (let step = 0; step < count; step++) {
    const endMs = firstEndMs + step * stepMs;
    const startMs = endMs - rangeMs;
    while (high < to && timesMs[high]! <= endMs) high++;
    while (low < high && timesMs[low]! <= startMs) low++;
    if (high - low < minSamples) continue;
    window.low = low;
    window.high = high;
    window.startMs = startMs;
    window.endMs = endMs;
    window.step = grid.firstStep + step;
    window.evalMs = grid.evalStartMs + step * grid.evalStepMs;
    row.values[row.start + step] = reduce(window);
    row.present[row.start + step] = 1;
  }
}

/**
 * A part of the windows: `count` of them from the one at `skipped` on. A kernel fills
 * the same cells of it as it would of the whole.
 */
export function partOf(
  grid: WindowGrid,
  skipped: number,
  count: number,
): WindowGrid {
  return {
    ...grid,
    count: Math.min(count, grid.count - skipped),
    firstStep: grid.firstStep + skipped,
    firstEndMs: grid.firstEndMs + skipped * grid.stepMs,
    evalStartMs: grid.evalStartMs + skipped * grid.evalStepMs,
  };
}

/** A function over windows: fills the row of one series. */
export type WindowKernel = (
  samples: SeriesSamples,
  grid: WindowGrid,
  row: Row,
) => void;

/** The kernel that calls a reducer. */
export function reducing(reduce: Reducer, minSamples = 1): WindowKernel {
  return (samples, grid, row) =>
    reduceWindows(samples, grid, minSamples, reduce, row);
}

/** Scratch memory that grows: contents are not kept. */
export class Scratch {
  #numbers = new Float64Array(256);
  #indices = new Int32Array(256);

  numbers(length: number): Float64Array {
    if (this.#numbers.length < length) {
      this.#numbers = new Float64Array(2 * length);
    }
    return this.#numbers;
  }

  indices(length: number): Int32Array {
    if (this.#indices.length < length) {
      this.#indices = new Int32Array(2 * length);
    }
    return this.#indices;
  }
}
