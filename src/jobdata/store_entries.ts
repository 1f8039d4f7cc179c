/** From the engine's answer to series of a job. Pure. */
import type { JsonBody } from "../engine/metric_engine.ts";
import type { Series, SeriesStatistics } from "./job_data.ts";
import type { PlannedSeries } from "./scope_plan.ts";

/** One entry of an answer (metric-store 5.3). */
export interface Entry {
  readonly error?: string;
  readonly data?: readonly (number | null)[];
  /** Seconds; of the first value. */
  readonly from: number;
  /** Seconds between two values. */
  readonly resolution: number;
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** The first entry of each query; `undefined`: it has none. */
export function readEntries(
  { chunks }: JsonBody,
): readonly (Entry | undefined)[] {
  const decoder = new TextDecoder();
  let text = "";
  for (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  const { results } = JSON.parse(text) as {
    readonly results: readonly (readonly Entry[] | null)[];
  };
  return results.map((entries) => entries?.[0]);
}

/** Steps of the job before the first value of an entry that has any (job-api O20). */
export function stepsBefore(
  { data = [], from, resolution }: Entry,
  startTime: number,
  durationSec: number,
): number {
  if (data.length === 0) return 0;
  const steps = Math.floor((from - startTime) / resolution);
  return Math.max(0, Math.min(steps, Math.ceil(durationSec / resolution)));
}

/** `padding` steps without a value come first. */
export function seriesOf(
  entry: Entry,
  { hostname, id }: Pick<PlannedSeries, "hostname" | "id">,
  padding: number,
): Series {
  const { data = [] } = entry;
  const values = new Float64Array(padding + data.length).fill(NaN, 0, padding);
  for (let i = 0; i < data.length; i++) values[padding + i] = data[i] ?? NaN;
  return {
    hostname,
    ...(id === undefined ? {} : { id }),
    statistics: statisticsOf(entry),
    data: values,
  };
}

/** All three are 0 where one of them has no value. */
function statisticsOf({ min, avg, max }: Entry): SeriesStatistics {
  return min === null || avg === null || max === null
    ? { min: 0, avg: 0, max: 0 }
    : { min, avg, max };
}
