/**
 * Quantiles and fractions of a classic histogram at one step. Buckets are cumulative
 * counts by upper bound. Any thread.
 */

/** Relative differences up to this come from rounding and are passed over. */
const SAME = 1e-12;
const MIN_NORMAL = 2.2250738585072014e-308;

/** Reused for every step: `count` buckets, ascending bounds. */
export class Buckets {
  bounds: Float64Array;
  counts: Float64Array;
  count = 0;

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  clear(): void {
    this.count = 0;
  }

  /** Bounds come in ascending order; equal ones are added up. */
  add(bound: number, count: number): void {
    if (this.count > 0 && this.bounds[this.count - 1] === bound) {
      this.counts[this.count - 1]! += count;
      return;
    }
    this.bounds[this.count] = bound;
    this.counts[this.count++] = count;
  }

  get hasInfinity(): boolean {
    return this.count > 0 && this.bounds[this.count - 1] === Infinity;
  }
}

/** What had to be done to make counts grow. */
export interface Correction {
  minBucket: number;
  maxBucket: number;
  maxDifference: number;
}

/** The quantile, and how the buckets were corrected where that is worth a remark. */
export interface BucketQuantile {
  readonly value: number;
  readonly correction?: Correction;
}

/** Changes the counts: afterwards they never fall. */
export function bucketQuantile(phi: number, buckets: Buckets): BucketQuantile {
  if (Number.isNaN(phi)) return { value: NaN };
  if (phi < 0) return { value: -Infinity };
  if (phi > 1) return { value: Infinity };
  if (!buckets.hasInfinity) return { value: NaN };
  const correction = makeMonotonic(buckets);
  const value = quantileOf(phi, buckets);
  return correction === undefined ? { value } : { value, correction };
}

function quantileOf(phi: number, { bounds, counts, count }: Buckets): number {
  const observations = counts[count - 1]!;
  if (count < 2 || observations === 0) return NaN;
  let rank = phi * observations;
  const bucket = firstAtLeast(counts, count - 1, rank);
  // In the last bucket, up to +Inf, the bound before it is the best there is.
  if (bucket === count - 1) return bounds[count - 2]!;
  if (bucket === 0 && bounds[0]! <= 0) return bounds[0]!;
  const end = bounds[bucket]!;
  if (bucket === 0) return end * (rank / counts[0]!);
  const start = bounds[bucket - 1]!;
  rank -= counts[bucket - 1]!;
  const within = counts[bucket]! - counts[bucket - 1]!;
  return start + (end - start) * (rank / within);
}

/** As Go's `sort.Search`: `length` where there is none. */
function firstAtLeast(
  counts: Float64Array,
  length: number,
  rank: number,
): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (counts[middle]! >= rank) to = middle;
    else from = middle + 1;
  }
  return from;
}

function makeMonotonic({ bounds, counts, count }: Buckets):
  | Correction
  | undefined {
  let correction: Correction | undefined;
  let before = counts[0]!;
  for (let i = 1; i < count; i++) {
    const current = counts[i]!;
    if (current === before) continue;
    if (isAlmostEqual(before, current)) {
      counts[i] = before;
      continue;
    }
    if (!(current < before)) {
      before = current;
      continue;
    }
    counts[i] = before;
    correction ??= {
      minBucket: Infinity,
      maxBucket: -Infinity,
      maxDifference: 0,
    };
    correction.minBucket = Math.min(correction.minBucket, bounds[i]!);
    correction.maxBucket = Math.max(correction.maxBucket, bounds[i]!);
    correction.maxDifference = Math.max(
      correction.maxDifference,
      before - current,
    );
  }
  return correction;
}

function isAlmostEqual(a: number, b: number): boolean {
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < MIN_NORMAL) {
    return difference < SAME * MIN_NORMAL;
  }
  return difference / Math.min(sum, Number.MAX_VALUE) < SAME;
}

/** Which part of the observations lies between two values, linear within a bucket. */
export function bucketFraction(
  lower: number,
  upper: number,
  buckets: Buckets,
): number {
  const { counts, count } = buckets;
  if (!buckets.hasInfinity) return NaN;
  const observations = counts[count - 1]!;
  if (observations === 0 || Number.isNaN(lower) || Number.isNaN(upper)) {
    return NaN;
  }
  if (lower >= upper) return 0;
  const below = (value: number) =>
    Math.min(observationsBelow(value, buckets), observations);
  return (below(upper) - below(lower)) / observations;
}

function observationsBelow(
  value: number,
  { bounds, counts, count }: Buckets,
): number {
  let before = 0;
  let start = bounds[0]! <= 0 ? -Infinity : 0;
  for (let i = 0; i < count; i++) {
    if (i > 0) start = bounds[i - 1]!;
    const end = bounds[i]!;
    if (start >= value) return before;
    if (start < value && end > value) {
      // Within a bucket without a lower end nothing can be said of where.
      return start === -Infinity
        ? counts[i]!
        : before + (counts[i]! - before) * (value - start) / (end - start);
    }
    before = counts[i]!;
  }
  return counts[count - 1]!;
}
