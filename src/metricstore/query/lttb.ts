/**
 * Resampling: when it happens, and largest-triangle-three-buckets with exactly
 * the picks of the upstream server, so that zoomed plots do not change.
 * Runs in shard workers.
 *
 * Source: Sveinn Steinarsson, "Downsampling Time Series for Visual
 * Representation", 2013. The order of the arithmetic is part of the contract.
 */

/** Series with fewer points are never resampled. */
export const MIN_RESAMPLED_POINTS = 1000;

/**
 * Why `frequencySec` cannot be resampled to `resolutionSec`, or `undefined`. The
 * answer does not depend on how many points there are.
 */
export function resolutionError(
  resolutionSec: number,
  frequencySec: number,
): string | undefined {
  if (resolutionSec <= frequencySec || resolutionSec % frequencySec === 0) {
    return undefined;
  }
  return `new sampling frequency (${resolutionSec}) must be a multiple of old frequency (${frequencySec})`;
}

/**
 * The number of points to hand to `lttb` for `count` points of `frequencySec`,
 * or 0: the points stay as they are. Needs a resolution without error.
 */
export function resampledPoints(
  count: number,
  resolutionSec: number,
  frequencySec: number,
): number {
  if (resolutionSec <= frequencySec || count < MIN_RESAMPLED_POINTS) return 0;
  return Math.floor(count / (resolutionSec / frequencySec));
}

/**
 * Fast path. Picks `points` of the `count` values from index `from` on, writes
 * them to the start of `out` and returns how many they are: the first and the
 * last are always among them, so never fewer than two. 1 <= `points` < `count`.
 * `out` may be `values` itself, as no pick is written past a value yet to be read.
 *
 * Where a triangle's area is NaN (the last pick, the bucket or the bucket after
 * it has a NaN), the last such value of the bucket is picked.
 */
export function lttb(
  values: Float64Array,
  from: number,
  count: number,
  points: number,
  out: Float64Array,
): number {
  const width = (count - 2) / (points - 2);
  const last = values[from + count - 1]!;
  let lo = 1;
  let mid = Math.floor(width) + 1;
  let picked = 0;
  let pickedValue = values[from]!;
  let written = 0;
  out[written++] = pickedValue;
  for (let i = 0; i < points - 2; i++) {
    let hi = Math.floor((i + 2) * width) + 1;
    if (hi >= count - 1) hi = count - 2;
    let sum = 0;
    for (let k = mid; k <= hi; k++) sum += values[from + k]!;
    const members = hi - mid + 1;
    // With no member both are NaN, as the empty mean is.
    const meanX = members > 0 ? (mid + hi) / 2 : NaN;
    const rise = sum / members - pickedValue;
    const run = picked - meanX;
    let pick = mid - 1;
    // If it is NaN, each area is, and the last of the bucket stays picked.
    if (rise === rise && run === run) {
      pick = largestTriangle(
        values,
        from,
        lo,
        mid,
        picked,
        pickedValue,
        rise,
        run,
      );
    }
    picked = pick;
    pickedValue = values[from + pick]!;
    out[written++] = pickedValue;
    lo = mid;
    mid = hi;
  }
  out[written++] = last;
  return written;
}

/** The index of `lo` to `mid - 1` with the largest area, or the last whose area is NaN. */
function largestTriangle(
  values: Float64Array,
  from: number,
  lo: number,
  mid: number,
  picked: number,
  pickedValue: number,
  rise: number,
  run: number,
): number {
  let best = -1;
  let pick = 0;
  let lastNaN = -1;
  for (let k = lo; k < mid; k++) {
    const doubled = (picked - k) * rise -
      run * (values[from + k]! - pickedValue);
    const area = Math.abs(doubled) * 0.5;
    if (area > best) {
      best = area;
      pick = k;
    } else if (area !== area) {
      lastNaN = k;
    }
  }
  return lastNaN >= 0 ? lastNaN : pick;
}
