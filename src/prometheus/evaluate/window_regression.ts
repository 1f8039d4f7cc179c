/** Straight lines and smoothing over windows. Any thread. */
import { KahanSum } from "./kahan.ts";
import { failExecution } from "./query_error.ts";
import { formatFixed } from "../language/number_literal.ts";
import { reducing, type Window, type WindowKernel } from "./window.ts";

const sumX = new KahanSum();
const sumY = new KahanSum();
const sumXY = new KahanSum();
const sumX2 = new KahanSum();
/** What {@linkcode fitLine} found. */
const line = { slope: 0, intercept: 0 };

/** Least squares; the intercept is the value at `originMs`. */
function fitLine(window: Window, originMs: number): void {
  const { low, high, timesMs, values } = window;
  for (const sum of [sumX, sumY, sumXY, sumX2]) sum.set(0);
  const first = values[low]!;
  let isConstant = true;
  for (let i = low; i < high; i++) {
    const y = values[i]!;
    if (y !== first && i > low) isConstant = false;
    const x = (timesMs[i]! - originMs) / 1000;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (isConstant) {
    const isFinite = first !== Infinity && first !== -Infinity;
    line.slope = isFinite ? 0 : NaN;
    line.intercept = isFinite ? first : NaN;
    return;
  }
  const count = high - low;
  const x = sumX.sum + sumX.compensation;
  const y = sumY.sum + sumY.compensation;
  const covariance = sumXY.sum + sumXY.compensation - x * y / count;
  const variance = sumX2.sum + sumX2.compensation - x * x / count;
  line.slope = covariance / variance;
  line.intercept = y / count - line.slope * x / count;
}

export const derivKernel = reducing((window) => {
  fitLine(window, window.timesMs[window.low]!);
  return line.slope;
}, 2);

/** `ahead`: seconds from the time of evaluation, by step. */
export function predictLinearKernel(ahead: Float64Array): WindowKernel {
  return reducing((window) => {
    fitLine(window, window.evalMs);
    return line.slope * ahead[window.step]! + line.intercept;
  }, 2);
}

/** Holt's double exponential smoothing; both factors are between 0 and 1. */
export function smoothingKernel(
  smoothing: Float64Array,
  trend: Float64Array,
): WindowKernel {
  const reduce = ({ low, high, values, step }: Window) => {
    const smoothingFactor = checked("smoothing", "sf", smoothing[step]!);
    const trendFactor = checked("trend", "tf", trend[step]!);
    if (high - low < 2) return NaN;
    let before = 0;
    let smoothed = values[low]!;
    let slope = values[low + 1]! - values[low]!;
    for (let i = low + 1; i < high; i++) {
      const scaled = smoothingFactor * values[i]!;
      if (i > low + 1) {
        slope = trendFactor * (smoothed - before) + (1 - trendFactor) * slope;
      }
      const rest = (1 - smoothingFactor) * (smoothed + slope);
      before = smoothed;
      smoothed = scaled + rest;
    }
    return smoothed;
  };
  return reducing(reduce, 2);
}

function checked(name: string, short: string, factor: number): number {
  if (factor > 0 && factor < 1) return factor;
  return failExecution(
    `invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${
      formatFixed(factor)
    }`,
  );
}
