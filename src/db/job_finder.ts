/**
 * Jobs by any condition, for people. The work is cut into slices, so that no other call
 * waits long, and a search ends once its answer is not wanted any more: a slice takes
 * some thousand jobs from the indexes and checks the other conditions on them. Part of
 * the job table.
 */
import { assert } from "../base/assert.ts";
import type { Connection, SqlValue } from "./connection.ts";
import { checkSql, DURATION_AT, type JobCheck } from "./job_checks.ts";
import { jobColumns, type JobRecord, jobRow } from "./job_columns.ts";
import { type JobCursor, type JobFilter, pageSql } from "./job_filter.ts";
import type { JobRow } from "./job_row.ts";

/** Jobs that one slice looks at, at most. */
export const SLICE_MAX = 20_000;
/** Matches that one slice gives, at most. */
export const MATCHES_MAX = 1000;

/** The values that jobs can be sorted by, besides their start. */
export const SORT_COLUMNS = {
  duration: DURATION_AT,
  numNodes: "num_nodes",
  numHwthreads: "num_hwthreads",
  numAcc: "num_acc",
  energy: "energy",
} as const;

/** A column, or a name of the footprint; jobs without it come last. */
export type JobSort =
  | { readonly by: keyof typeof SORT_COLUMNS; readonly nowSec: number }
  | { readonly footprint: string };

/** A job and the value that it is sorted by; NaN: it has none. */
export interface SortedJob {
  readonly id: number;
  readonly key: number;
}

export interface JobSliceRequest {
  readonly filter: JobFilter;
  readonly checks: readonly JobCheck[];
  /** Jobs that are looked at, at most {@linkcode SLICE_MAX}. */
  readonly rows: number;
  /** The slice begins behind this job. */
  readonly after?: JobCursor;
  /** The direction by start time in which the slices follow one another. */
  readonly order: "asc" | "desc";
  /** Matches that are given; all are counted. */
  readonly limit: number;
  /** Absent: by start time. */
  readonly sort?: JobSort;
  /** Only matches that come behind this one in the order of the sort. */
  readonly beyond?: SortedJob;
  /** The direction of the sort; absent: `desc`. */
  readonly sortOrder?: "asc" | "desc";
  /** Matches before `beyond`, the nearest first. */
  readonly backwards?: boolean;
}

export interface JobSlice {
  /** In their order. */
  readonly matches: readonly SortedJob[];
  /** Matches in the slice, given or not. */
  readonly count: number;
  /** The next slice begins here; absent: this was the last one. */
  readonly next?: JobCursor;
}

/** A job of a list, with those metadata that lists show. */
export type ListedJob = Omit<JobRow, "metaData"> & {
  readonly jobName: string;
  readonly note: string;
};

type ListedRecord = JobRecord & {
  readonly jobName: string | null;
  readonly note: string | null;
};

export class JobFinder {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  slice(request: JobSliceRequest): JobSlice {
    const { filter, rows, after, order, limit } = request;
    assert(rows >= 1 && rows <= SLICE_MAX, `a slice of ${rows} jobs`);
    assert(limit >= 0 && limit <= MATCHES_MAX, `${limit} matches`);
    const page = pageSql(filter, { limit: rows, offset: 0, after, order });
    if (page === undefined) return { matches: [], count: 0 };
    const found = this.#connection.prepare<Place>(page.text).all(
      ...page.values,
    );
    const last = found.length === rows ? found.at(-1) : undefined;
    return {
      ...this.#matches(request, found),
      ...(last === undefined
        ? {}
        : { next: { startTime: last.start_time, id: last.id } }),
    };
  }

  #matches(
    request: JobSliceRequest,
    found: readonly Place[],
  ): Pick<JobSlice, "matches" | "count"> {
    const { checks, limit, sort } = request;
    if (checks.length === 0 && sort === undefined) {
      return {
        matches: found.slice(0, limit).map(({ id, start_time: key }) => ({
          id,
          key,
        })),
        count: found.length,
      };
    }
    const conditions = checks.map(checkSql);
    const key = keySql(sort);
    const all = this.#connection.prepare<SortedJob>(
      `SELECT job.id AS id, ${key.text} AS key
       FROM json_each(?) AS wanted CROSS JOIN job ON job.id = wanted.value
       ${conditions.length === 0 ? "" : "WHERE "}${
        conditions.map(({ text }) => text).join(" AND ")
      }`,
    ).all(
      ...key.values,
      JSON.stringify(found.map(({ id }) => id)),
      ...conditions.flatMap(({ values }) => values),
    ).map((row) => ({ id: row.id, key: row.key ?? NaN }));
    if (sort === undefined) {
      return { matches: all.slice(0, limit), count: all.length };
    }
    const { beyond, sortOrder, backwards } = request;
    const compare = comparison(sortOrder, backwards);
    const matches =
      (beyond === undefined
        ? all
        : all.filter((one) => compare(one, beyond) > 0)).sort(compare)
        .slice(0, limit);
    return { matches, count: all.length };
  }

  /** Jobs in the order of the ids; those that are gone are left out. */
  listed(ids: readonly number[]): ListedJob[] {
    return this.#connection.prepare<ListedRecord>(
      `SELECT ${jobColumns(false, "job.")},
       meta_data ->> '$.jobName' AS jobName, meta_data ->> '$.message' AS note
       FROM json_each(?) AS wanted CROSS JOIN job ON job.id = wanted.value`,
    ).all(JSON.stringify(ids)).map(({ jobName, note, ...record }) => {
      const { metaData: _, ...job } = jobRow(record);
      return { ...job, jobName: jobName ?? "", note: note ?? "" };
    });
  }
}

interface Place {
  readonly start_time: number;
  readonly id: number;
}

function keySql(
  sort: JobSort | undefined,
): { readonly text: string; readonly values: readonly SqlValue[] } {
  if (sort === undefined) return { text: "start_time", values: [] };
  if ("footprint" in sort) {
    return {
      text: "(SELECT value FROM json_each(job.footprint) WHERE key = ?)",
      values: [sort.footprint],
    };
  }
  return {
    text: SORT_COLUMNS[sort.by],
    values: sort.by === "duration" ? [sort.nowSec] : [],
  };
}

/**
 * The order of a sort. Jobs without a value come last, whatever the direction.
 * `backwards`: from its end to its beginning.
 */
export function comparison(
  order: "asc" | "desc" = "desc",
  backwards = false,
): (a: SortedJob, b: SortedJob) => number {
  const sign = order === "asc" ? 1 : -1;
  const turn = backwards ? -1 : 1;
  return (a, b) => {
    const [aLacks, bLacks] = [Number.isNaN(a.key), Number.isNaN(b.key)];
    if (aLacks !== bLacks) return aLacks ? turn : -turn;
    const byKey = aLacks || a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
    return turn * sign * (byKey || a.id - b.id);
  };
}
