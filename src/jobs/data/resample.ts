/**
 * Thins the series of a job to a coarser step (job-api 4.5). Pure.
 */
import { lttb, resolutionError } from "../../metricstore/query/lttb.ts";
import type { JobMetric, Series } from "./job_data.ts";
import { leading, stepsOf } from "./leading_nulls.ts";

/** Fewer picks than this are no shape: every n-th value stands for the series. */
const MIN_PICKS = 3;

/**
 * The metric with a value each `resolutionSec`, where that is a multiple of its
 * own step and its longest series has `minimumPoints`; else as it is. Statistics
 * stay those of the native samples; series over series do not fit any more.
 */
export function resampleMetric(
  metric: JobMetric,
  resolutionSec: number,
  minimumPoints: number,
): JobMetric {
  const { timestep, unit } = metric;
  const longest = metric.series.reduce(
    (most, series) => Math.max(most, stepsOf(series)),
    0,
  );
  if (
    resolutionSec <= timestep || longest < minimumPoints ||
    resolutionError(resolutionSec, timestep) !== undefined
  ) return metric;
  const factor = resolutionSec / timestep;
  return {
    unit,
    timestep: resolutionSec,
    series: metric.series.map((series) => thinned(series, factor)),
  };
}

/**
 * Whole thinned steps without a sample stay a number; the rest, less than one step,
 * goes in front of the values.
 */
function thinned(series: Series, factor: number): Series {
  const { leadingNulls: nulls = 0, data: native, ...rest } = series;
  const left = nulls % factor;
  const leadingNulls = leading((nulls - left) / factor);
  const data = left === 0 ? native : new Float64Array(left + native.length);
  if (data !== native) data.fill(NaN, 0, left).set(native, left);
  const points = Math.floor(data.length / factor);
  if (points < MIN_PICKS) {
    const picks = data.filter((_, i) => i % factor === 0);
    return { ...rest, ...leadingNulls, data: picks };
  }
  const picks = new Float64Array(points);
  lttb(data, 0, data.length, points, picks);
  return { ...rest, ...leadingNulls, data: picks };
}
