/**
 * Lists and counts of jobs by any filter, slice by slice: between two slices others
 * have their turn at the database, and a search ends when its client goes (web 15.4).
 * Main thread.
 */
import { monotonicMs } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobCursor } from "../../db/job_filter.ts";
import {
  comparison,
  type JobSlice,
  type JobSliceRequest,
  type SortedJob,
} from "../../db/job_finder.ts";
import type { JobConditions, JobPageQuestion } from "./job_question.ts";

/** Jobs that a sort may look at: more of them would take seconds. */
export const SORTED_MAX = 200_000;
/** The longest that a search may take. */
const SEARCH_MS = 30_000;
/** The first slice is small: most filters find a page in it. */
const FIRST_ROWS = 1000;
/** So many keep the reading worker busy for some 50 ms. */
const ROWS_MAX = 5000;

/** The part of the table of jobs that searches ask. */
export interface SlicedJobs {
  find(request: JobSliceRequest): Promise<JobSlice>;
}

export interface SearchLimits {
  /** Whether nobody waits for the answer any more. */
  readonly isGone: () => boolean;
  readonly searchMs?: number;
  readonly sortedMax?: number;
}

/** Jobs of a page in the order of the list. */
export interface FoundPage {
  readonly jobs: readonly SortedJob[];
  /** Whether there are jobs in front of these and behind them. */
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
}

/**
 * The jobs of a page. Rejects with `E_UNPROCESSABLE` where too many would have to be
 * sorted, or where it takes too long.
 */
export async function findPage(
  jobs: SlicedJobs,
  question: JobPageQuestion,
  limits: SearchLimits,
): Promise<FoundPage> {
  const { limit, after, before } = question;
  const found = question.sort === undefined
    ? await byStart(jobs, question, limits)
    : await sorted(jobs, question, limits);
  const hasMore = found.length > limit;
  const page = found.slice(0, limit);
  return before === undefined
    ? { jobs: page, hasPrevious: after !== undefined, hasNext: hasMore }
    : { jobs: page.reverse(), hasPrevious: hasMore, hasNext: true };
}

/** One more than the page has, if there are so many. */
async function byStart(
  jobs: SlicedJobs,
  { filter, checks, order, limit, after, before }: JobPageQuestion,
  limits: SearchLimits,
): Promise<SortedJob[]> {
  const place = after ?? before;
  const direction = before === undefined
    ? order
    : order === "asc"
    ? "desc"
    : "asc";
  const found: SortedJob[] = [];
  const slices = slicesOf(jobs, limits, {
    filter,
    checks,
    order: direction,
    limit: limit + 1,
    rows: checks.length === 0 ? limit + 1 : FIRST_ROWS,
    ...(place === undefined
      ? {}
      : { after: { startTime: place.key, id: place.id } }),
  });
  for await (const { matches } of slices) {
    found.push(...matches);
    if (found.length > limit) break;
  }
  return found.slice(0, limit + 1);
}

async function sorted(
  jobs: SlicedJobs,
  { filter, checks, sort, order, limit, after, before }: JobPageQuestion,
  limits: SearchLimits,
): Promise<SortedJob[]> {
  const { sortedMax = SORTED_MAX } = limits;
  const backwards = before !== undefined;
  const compare = comparison(order, backwards);
  const beyond = after ?? before;
  let best: SortedJob[] = [];
  let count = 0;
  const slices = slicesOf(jobs, limits, {
    filter,
    checks,
    order: "desc",
    limit: limit + 1,
    rows: ROWS_MAX,
    sortOrder: order,
    backwards,
    ...(sort === undefined ? {} : { sort }),
    ...(beyond === undefined
      ? {}
      : { beyond: { id: beyond.id, key: beyond.key } }),
  });
  for await (const slice of slices) {
    count += slice.count;
    if (count > sortedMax) {
      throw new ClientError(
        "E_UNPROCESSABLE",
        `sort: more than ${sortedMax} jobs match; narrow the filter, as by startTime, or sort by startTime`,
      );
    }
    best = [...best, ...slice.matches].sort(compare).slice(0, limit + 1);
  }
  return best;
}

export interface JobCount {
  readonly count: number;
  /** Whether the count was not ended before its end; else there are at least so many. */
  readonly exact: boolean;
}

/** The number of jobs, as far as it can be found in the time. */
export async function countJobs(
  jobs: SlicedJobs & {
    count(filter: JobConditions["filter"]): Promise<number>;
  },
  { filter, checks }: JobConditions,
  limits: SearchLimits,
): Promise<JobCount> {
  if (checks.length === 0) {
    return { count: await jobs.count(filter), exact: true };
  }
  let count = 0;
  const slices = slicesOf(jobs, limits, {
    filter,
    checks,
    order: "desc",
    limit: 0,
    rows: ROWS_MAX,
  });
  try {
    for await (const slice of slices) count += slice.count;
    return { count, exact: true };
  } catch (error) {
    if (error instanceof TooLong) return { count, exact: false };
    throw error;
  }
}

class TooLong extends ClientError {
  constructor(searchMs: number) {
    super(
      "E_UNPROCESSABLE",
      `the search took longer than ${
        searchMs / 1000
      } s: narrow the filter, as by startTime`,
    );
  }
}

async function* slicesOf(
  jobs: SlicedJobs,
  { isGone, searchMs = SEARCH_MS }: SearchLimits,
  request: JobSliceRequest,
): AsyncGenerator<JobSlice, void> {
  const endMs = monotonicMs() + searchMs;
  let { rows } = request;
  let after: JobCursor | undefined = request.after;
  for (;;) {
    const slice: JobSlice = await jobs.find({
      ...request,
      rows,
      ...(after === undefined ? {} : { after }),
    });
    yield slice;
    if (slice.next === undefined) return;
    if (isGone()) {
      throw new ClientError("E_UNPROCESSABLE", "nobody waits for the search");
    }
    if (monotonicMs() > endMs) throw new TooLong(searchMs);
    after = slice.next;
    rows = Math.min(ROWS_MAX, rows * 4);
  }
}
