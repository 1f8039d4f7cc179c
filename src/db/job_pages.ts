/**
 * Any number of jobs, a page in memory at a time. Works on the table itself and on the
 * one behind the database worker alike.
 */
import { type JobCursor, type JobFilter, PAGE_MAX } from "./job_filter.ts";
import type { JobRow } from "./job_row.ts";
import type { JobPage } from "./job_search.ts";

interface JobLister {
  list(filter: JobFilter, page: JobPage): JobRow[] | Promise<JobRow[]>;
}

export interface JobRange {
  /** Jobs that are skipped first. */
  readonly offset?: number;
  /** Jobs at most; absent: all. */
  readonly limit?: number;
  readonly withMetaData?: boolean;
}

/**
 * Yields the jobs of a list page by page. Changes between two pages neither repeat nor
 * skip a job.
 */
export async function* jobPages(
  jobs: JobLister,
  filter: JobFilter,
  range: JobRange = {},
): AsyncGenerator<JobRow[]> {
  const { withMetaData = false } = range;
  let left = range.limit ?? Infinity;
  let offset = range.offset ?? 0;
  let after: JobCursor | undefined;
  while (left > 0) {
    const limit = Math.min(left, PAGE_MAX);
    const page = await jobs.list(filter, {
      limit,
      offset,
      withMetaData,
      ...(after === undefined ? {} : { after }),
    });
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    left -= limit;
    offset = 0;
    const last = page.at(-1);
    after = last && { startTime: last.startTime, id: last.id };
  }
}
