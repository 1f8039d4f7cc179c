/** Steps of a job that come before the samples of a series. Pure. */
import type { Series } from "./job_data.ts";

/**
 * So many leading nulls are written in front of a series: two weeks of minutes, two
 * days of ten seconds. A series with more begins at its first sample, as upstream's.
 */
export const LEADING_NULLS_MAX = 20_000;

/**
 * Key of a job's metadata: where the series begin of which more steps than that would
 * come first, Unix seconds. Absent: all begin at the start of the job.
 */
export const DATA_START = "dataStart";

/** Steps of the job that a series covers, with and without values. */
export function stepsOf(
  { leadingNulls = 0, data }: Pick<Series, "leadingNulls" | "data">,
): number {
  return leadingNulls + data.length;
}

/** The property of a series; none where there is nothing to tell. */
export function leading(
  nulls: number,
): { readonly leadingNulls?: number } {
  return nulls === 0 ? {} : { leadingNulls: nulls };
}

/** How many of so many leading nulls are written. */
export function writtenNulls(leadingNulls = 0): number {
  return leadingNulls > LEADING_NULLS_MAX ? 0 : leadingNulls;
}
