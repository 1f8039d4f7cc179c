/**
 * Average, minimum and maximum of a range of samples. Runs in shard workers,
 * over native points, never over resampled ones.
 */

/** All NaN (JSON `null`) where there is no value. */
export interface Statistics {
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Fast path. Looks at `count` values from index `from` on and passes over NaN.
 * The sum runs from left to right, so that averages equal the upstream server's.
 */
export function statistics(
  values: Float64Array,
  from: number,
  count: number,
): Statistics {
  const end = from + count;
  let sum = 0;
  let present = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = from; i < end; i++) {
    const value = values[i]!;
    if (value !== value) continue;
    sum += value;
    present++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (present === 0) return { avg: NaN, min: NaN, max: NaN };
  return { avg: sum / present, min, max };
}
