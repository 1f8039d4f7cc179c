/** Order statistics over windows. Any thread. */
import { quantileOfSorted, sortNaNFirst } from "./quantile.ts";
import {
  type Reducer,
  reduceWindows,
  reducing,
  Scratch,
  type SeriesSamples,
  type Window,
  type WindowKernel,
} from "./window.ts";

/** Windows overlap enough when their width is this many steps. */
const OVERLAP_STEPS = 4;

const scratch = new Scratch();

function sortedWindow({ low, high, values }: Window): Float64Array {
  const sorted = scratch.numbers(high - low).subarray(0, high - low);
  sorted.set(values.subarray(low, high));
  sortNaNFirst(sorted);
  return sorted;
}

/** The values of a window that moves forward, kept sorted. */
class SortedWindow {
  readonly #values: Float64Array;
  /** NaN is counted, not kept. */
  readonly #sorted: Float64Array;
  #count = 0;
  #nans = 0;
  #low: number;
  #high: number;

  constructor({ values, from, to }: SeriesSamples) {
    this.#values = values;
    this.#sorted = scratch.numbers(to - from);
    this.#low = from;
    this.#high = from;
  }

  /** Windows have to move forward. */
  quantile(phi: number, low: number, high: number): number {
    for (; this.#low < Math.min(low, this.#high); this.#low++) {
      this.#remove(this.#values[this.#low]!);
    }
    this.#low = low;
    if (this.#high < low) this.#high = low;
    if (this.#count === 0 && this.#nans === 0) this.#fill(high);
    for (; this.#high < high; this.#high++) {
      this.#insert(this.#values[this.#high]!);
    }
    const length = high - low;
    if (this.#nans === 0 || !(phi >= 0 && phi <= 1)) {
      return quantileOfSorted(phi, this.#sorted, length);
    }
    const at = (rank: number) =>
      rank < this.#nans ? NaN : this.#sorted[rank - this.#nans]!;
    const rank = phi * (length - 1);
    const lower = Math.floor(rank);
    const weight = rank - lower;
    return at(lower) * (1 - weight) +
      at(Math.min(length - 1, lower + 1)) * weight;
  }

  /** Takes all values of a window at once. */
  #fill(high: number): void {
    for (; this.#high < high; this.#high++) {
      const value = this.#values[this.#high]!;
      if (Number.isNaN(value)) this.#nans++;
      else this.#sorted[this.#count++] = value;
    }
    this.#sorted.subarray(0, this.#count).sort();
  }

  #insert(value: number): void {
    if (Number.isNaN(value)) {
      this.#nans++;
      return;
    }
    const at = this.#place(value);
    this.#sorted.copyWithin(at + 1, at, this.#count++);
    this.#sorted[at] = value;
  }

  #remove(value: number): void {
    if (Number.isNaN(value)) {
      this.#nans--;
      return;
    }
    const at = this.#place(value);
    this.#sorted.copyWithin(at, at + 1, this.#count--);
  }

  /** Index of the first value that is not smaller. */
  #place(value: number): number {
    let from = 0;
    let to = this.#count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#sorted[middle]! < value) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** `phi` by step. */
export function quantileKernel(phi: Float64Array): WindowKernel {
  return (samples, grid, row) => {
    const isSliding = grid.stepMs > 0 &&
      grid.rangeMs >= OVERLAP_STEPS * grid.stepMs;
    const sorted = isSliding ? new SortedWindow(samples) : undefined;
    const reduce: Reducer = (window) =>
      sorted === undefined
        ? quantileOfSorted(phi[window.step]!, sortedWindow(window))
        : sorted.quantile(phi[window.step]!, window.low, window.high);
    reduceWindows(samples, grid, 1, reduce, row);
  };
}

/** Median of the distances from the median; NaN where a sample is. */
export const medianDeviationKernel = reducing((window) => {
  const sorted = sortedWindow(window);
  if (Number.isNaN(sorted[0]!)) return NaN;
  const median = quantileOfSorted(0.5, sorted);
  for (let i = 0; i < sorted.length; i++) {
    sorted[i] = Math.abs(sorted[i]! - median);
  }
  sorted.sort();
  return quantileOfSorted(0.5, sorted);
});
