/**
 * Sums and means over windows. Where windows overlap much, a sum is put together of
 * two parts that are kept: the sums from each sample to a middle, and the sum from
 * the middle to the end of the window; so every sample is added twice, however many
 * windows it is in. Parts are (sum, compensation), and are merged as such: the result
 * is that of adding in order, but for the last bit. Any thread.
 */
import { meanOf, sumOf } from "./window_aggregates.ts";
import {
  type Reducer,
  reduceWindows,
  reducing,
  Scratch,
  type SeriesSamples,
  type WindowGrid,
  type WindowKernel,
} from "./window.ts";

/** Windows overlap enough when their width is this many steps. */
const OVERLAP_STEPS = 4;
/** Below this many samples a window is added up at once. */
const SAMPLES_MIN = 16;

const sums = new Scratch();
const compensations = new Scratch();

/** What {@linkcode SlidingSum.of} found. */
interface PartialSum {
  sum: number;
  compensation: number;
}

/** Sums of windows that only move forward, over finite values. */
class SlidingSum implements PartialSum {
  sum = 0;
  compensation = 0;
  readonly #values: Float64Array;
  readonly #from: number;
  /** By sample before the middle: what it and those up to the middle add up to. */
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  #middle: number;
  #behind: number;
  #backSum = 0;
  #backCompensation = 0;

  constructor({ values, from, to }: SeriesSamples) {
    this.#values = values;
    this.#from = from;
    this.#middle = from;
    this.#behind = from;
    this.#sums = sums.numbers(to - from);
    this.#compensations = compensations.numbers(to - from);
  }

  /** The sum from `low` to before `high`, in `sum` and `compensation`. */
  of(low: number, high: number): PartialSum {
    if (low >= this.#middle) this.#moveMiddle(low, high);
    for (; this.#behind < high; this.#behind++) {
      const value = this.#values[this.#behind]!;
      const total = this.#backSum + value;
      this.#backCompensation += lost(this.#backSum, value, total);
      this.#backSum = total;
    }
    if (low >= this.#middle) {
      this.sum = this.#backSum;
      this.compensation = this.#backCompensation;
      return this;
    }
    const front = this.#sums[low - this.#from]!;
    this.sum = front + this.#backSum;
    this.compensation = this.#compensations[low - this.#from]! +
      this.#backCompensation + lost(front, this.#backSum, this.sum);
    return this;
  }

  /** The middle becomes the end of this window. */
  #moveMiddle(low: number, high: number): void {
    let sum = 0;
    let compensation = 0;
    for (let i = high - 1; i >= low; i--) {
      const value = this.#values[i]!;
      const total = sum + value;
      compensation += lost(sum, value, total);
      sum = total;
      this.#sums[i - this.#from] = sum;
      this.#compensations[i - this.#from] = compensation;
    }
    this.#middle = high;
    this.#behind = high;
    this.#backSum = 0;
    this.#backCompensation = 0;
  }
}

/** What rounding took away from `a + b`. */
function lost(a: number, b: number, total: number): number {
  return Math.abs(a) >= Math.abs(b) ? (a - total) + b : (b - total) + a;
}

function slides(samples: SeriesSamples, grid: WindowGrid): boolean {
  const { values, timesMs, from, to } = samples;
  if (grid.stepMs === 0 || grid.rangeMs < OVERLAP_STEPS * grid.stepMs) {
    return false;
  }
  const spanMs = timesMs[to - 1]! - timesMs[from]!;
  if ((to - from) * Math.min(1, grid.rangeMs / spanMs) < SAMPLES_MIN) {
    return false;
  }
  for (let i = from; i < to; i++) {
    if (!Number.isFinite(values[i]!)) return false;
  }
  return true;
}

/** `direct` is used where windows hardly overlap, and where a sum is not finite. */
function slidingKernel(
  direct: (values: Float64Array, low: number, high: number) => number,
  finish: (partial: PartialSum, count: number) => number,
): WindowKernel {
  const plain = reducing(({ values, low, high }) => direct(values, low, high));
  return (samples, grid, row) => {
    if (samples.from === samples.to || !slides(samples, grid)) {
      plain(samples, grid, row);
      return;
    }
    const sliding = new SlidingSum(samples);
    const reduce: Reducer = ({ values, low, high }) => {
      const partial = sliding.of(low, high);
      return Number.isFinite(partial.sum) &&
          Number.isFinite(partial.compensation)
        ? finish(partial, high - low)
        : direct(values, low, high);
    };
    reduceWindows(samples, grid, 1, reduce, row);
  };
}

export const sumKernel = slidingKernel(
  sumOf,
  ({ sum, compensation }) => sum + compensation,
);
export const meanKernel = slidingKernel(
  meanOf,
  ({ sum, compensation }, count) => sum / count + compensation / count,
);
