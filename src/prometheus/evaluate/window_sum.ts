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

/**
 * Sums of windows that only move forward, over finite values. A sum that overflowed
 * stays so until the middle has passed; it is not used.
 */
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

/** What is not finite is left out of sums, and counted. */
class Infinities {
  /** By sample: how many there are up to and with it. */
  readonly #nans: Float64Array;
  readonly #positive: Float64Array;
  readonly #negative: Float64Array;
  readonly #from: number;

  constructor({ values, from, to }: SeriesSamples) {
    this.#from = from;
    this.#nans = new Float64Array(to - from + 1);
    this.#positive = new Float64Array(to - from + 1);
    this.#negative = new Float64Array(to - from + 1);
    for (let i = 0; i < to - from; i++) {
      const value = values[from + i]!;
      this.#nans[i + 1] = this.#nans[i]! + (value !== value ? 1 : 0);
      this.#positive[i + 1] = this.#positive[i]! + (value === Infinity ? 1 : 0);
      this.#negative[i + 1] = this.#negative[i]! +
        (value === -Infinity ? 1 : 0);
    }
  }

  /** What they add up to; `undefined`: the window has none. */
  of(low: number, high: number): number | undefined {
    const from = low - this.#from;
    const to = high - this.#from;
    const hasPositive = this.#positive[to]! > this.#positive[from]!;
    const hasNegative = this.#negative[to]! > this.#negative[from]!;
    if (this.#nans[to]! > this.#nans[from]!) return NaN;
    if (hasPositive) return hasNegative ? NaN : Infinity;
    return hasNegative ? -Infinity : undefined;
  }
}

function slides(samples: SeriesSamples, grid: WindowGrid): boolean {
  const { timesMs, from, to } = samples;
  if (grid.stepMs === 0 || grid.rangeMs < OVERLAP_STEPS * grid.stepMs) {
    return false;
  }
  const spanMs = timesMs[to - 1]! - timesMs[from]!;
  return (to - from) * Math.min(1, grid.rangeMs / spanMs) >= SAMPLES_MIN;
}

/** The series with 0 in place of what is not finite. */
function finiteOnly(samples: SeriesSamples): SeriesSamples {
  const values = samples.values.map((value) =>
    Number.isFinite(value) ? value : 0
  );
  return { ...samples, values };
}

function hasInfinities({ values, from, to }: SeriesSamples): boolean {
  for (let i = from; i < to; i++) if (!Number.isFinite(values[i]!)) return true;
  return false;
}

/** `direct` is used where windows hardly overlap, and where a sum is too large. */
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
    const infinities = hasInfinities(samples)
      ? new Infinities(samples)
      : undefined;
    const sliding = new SlidingSum(
      infinities === undefined ? samples : finiteOnly(samples),
    );
    const reduce: Reducer = ({ values, low, high }) => {
      const partial = sliding.of(low, high);
      const infinite = infinities?.of(low, high);
      if (infinite !== undefined) return infinite;
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
