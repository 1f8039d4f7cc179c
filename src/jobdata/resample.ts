/**
 * Thins the series of a job to a coarser step (job-api 4.5). Pure.
 */
import { lttb, resolutionError } from "../query/lttb.ts";
import type { JobMetric, Series } from "./job_data.ts";

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
    (most, { data }) => Math.max(most, data.length),
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

function thinned(series: Series, factor: number): Series {
  const { data } = series;
  const points = Math.floor(data.length / factor);
  if (points < MIN_PICKS) {
    return { ...series, data: data.filter((_, i) => i % factor === 0) };
  }
  const picks = new Float64Array(points);
  lttb(data, 0, data.length, points, picks);
  return { ...series, data: picks };
}
