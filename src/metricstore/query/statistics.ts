/**
 * Average, minimum and maximum of a range of samples. Runs in shard workers,
 * over native points, never over resampled ones.
 */

import { GAP, THOUSANDTHS_MAX } from "../store/block_thousandths.ts";

/** All NaN (JSON `null`) where there is no value. */
export interface Statistics {
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

/** So many halves of 16 bits add up within 32 bits. */
const HALVES_MAX = 1 << 15;

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

/** The same for the first `count` integers, thousandths of the values, GAP for none. */
export function statisticsOfThousandths(
  integers: Int32Array,
  count: number,
): Statistics {
  let sum = 0;
  let present = 0;
  let min = THOUSANDTHS_MAX;
  let max = -THOUSANDTHS_MAX;
  for (let start = 0; start < count; start += HALVES_MAX) {
    const end = Math.min(count, start + HALVES_MAX);
    // In halves sums stay within 32 bits; `| 0` spares the check that they do.
    let high = 0;
    let low = 0;
    for (let i = start; i < end; i++) {
      const integer = integers[i]!;
      if (integer === GAP) continue;
      high = (high + (integer >> 16)) | 0;
      low = (low + (integer & 0xffff)) | 0;
      present = (present + 1) | 0;
      if (integer < min) min = integer;
      if (integer > max) max = integer;
    }
    sum += high * 2 ** 16 + low;
  }
  if (present === 0) return { avg: NaN, min: NaN, max: NaN };
  return { avg: sum / 1000 / present, min: min / 1000, max: max / 1000 };
}
