/**
 * From a filter of jobs to SQL that reads no more of an index than it must.
 *
 * An index answers "these columns equal that, in the order of the list" in one scan.
 * A filter that allows several values is therefore cut into arms, each of which one
 * index answers so, and SQLite merges their sorted rows (`UNION ALL` under an
 * `ORDER BY`). Arms exclude each other, so nothing appears twice. With too many values
 * a condition is checked row by row instead, still in the index.
 *
 * Which index an arm uses is said with `INDEXED BY`: statistics of SQLite's own would
 * change plans as tables grow, and a plan that sorts a million rows is an outage.
 */
import { assert } from "../base/assert.ts";
import type { JobNumber } from "../base/job_number.ts";
import type { SqlValue } from "./connection.ts";
import { JOB_STATES, type JobState } from "./job_row.ts";

/** Arms of one query. Each makes all rows a little dearer. */
const ARMS_MAX = 256;

/** Own jobs and those of some projects. */
export interface JobVisibility {
  readonly user: string;
  readonly projects: readonly string[];
}

/** All that is given must hold. */
export interface JobFilter {
  /** One of them, as the batch system names them. */
  readonly jobIds?: readonly JobNumber[];
  /** One of these rows; `jobIds` is not looked at then. */
  readonly ids?: readonly number[];
  /** One of them. */
  readonly states?: readonly JobState[];
  readonly cluster?: string;
  /** One of them; for callers that may see no others. */
  readonly clusters?: readonly string[];
  readonly project?: string;
  readonly user?: string;
  /** Both ends are included. */
  readonly startTime?: { readonly from?: number; readonly to?: number };
  /** Absent: everything. */
  readonly visibleTo?: JobVisibility;
}

/** A place in a list: after this job. */
export interface JobCursor {
  readonly startTime: number;
  readonly id: number;
}

/** SQL text and the values of its marks. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

interface Arm {
  /** One of them; nothing else is looked up then, as few jobs have the same id. */
  readonly jobIds?: readonly JobNumber[];
  readonly ids?: readonly number[];
  readonly user?: string;
  readonly project?: string;
  readonly cluster?: string;
  readonly state?: JobState;
  /** Conditions that no index helps with. */
  readonly checks: readonly Sql[];
}

/** `start_time` and `id` of a page, the latest start first, then the highest id. */
export function pageSql(
  filter: JobFilter,
  page: {
    limit: number;
    offset: number;
    after: JobCursor | undefined;
    /** By start time, then by id; absent: `desc`. */
    order?: "asc" | "desc";
  },
): Sql | undefined {
  const arms = armsOf(filter);
  if (arms.length === 0) return undefined;
  const order = page.order ?? "desc";
  const range = rangeSql(filter, page.after, order);
  const selects = arms.map((arm) => armSql("start_time, id", arm, range));
  return {
    text: `${
      selects.map(({ text }) => text).join(" UNION ALL ")
    } ORDER BY start_time ${order}, id ${order} LIMIT ? OFFSET ?`,
    values: [
      ...selects.flatMap(({ values }) => values),
      page.limit,
      page.offset,
    ],
  };
}

/** The number of jobs, as `count`. */
export function countSql(filter: JobFilter): Sql | undefined {
  const arms = armsOf(filter);
  if (arms.length === 0) return undefined;
  const range = rangeSql(filter, undefined);
  const selects = arms.map((arm) => armSql("count(*) AS part", arm, range));
  return {
    text: `SELECT sum(part) AS count FROM (${
      selects.map(({ text }) => text).join(" UNION ALL ")
    })`,
    values: selects.flatMap(({ values }) => values),
  };
}

/** None: no job can match. */
function armsOf(filter: JobFilter): Arm[] {
  const { ids, jobIds } = filter;
  if (ids !== undefined) return armOfIds(filter, { ids });
  if (jobIds !== undefined) return armOfIds(filter, { jobIds });
  let arms = visibleArms(filter.visibleTo);
  const { user, project } = filter;
  if (user !== undefined) arms = demand(arms, "user", user);
  if (project !== undefined) arms = demand(arms, "project", project);
  const clusters = clustersOf(filter);
  if (clusters !== undefined) arms = narrow(arms, "cluster", clusters);
  const states = new Set(filter.states);
  if (filter.states !== undefined && states.size < JOB_STATES.length) {
    arms = narrow(arms, "state", [...states]);
  }
  return arms;
}

/** Ids are looked up in the index of the table's own rule; all else is checked. */
function armOfIds(
  filter: JobFilter,
  wanted: Pick<Arm, "jobIds" | "ids">,
): Arm[] {
  const checks: Sql[] = [];
  const { user, project, states, visibleTo } = filter;
  for (const [column, value] of [["hpc_user", user], ["project", project]]) {
    if (value !== undefined) {
      checks.push({ text: `${column} = ?`, values: [value] });
    }
  }
  for (
    const [column, values] of [
      ["cluster", clustersOf(filter)],
      ["job_state", states],
    ] as const
  ) {
    if (values !== undefined) checks.push(isOneOf(column, values));
  }
  if (visibleTo !== undefined) checks.push(isVisibleTo(visibleTo));
  return [{ ...wanted, checks }];
}

function isOneOf(column: string, values: readonly string[]): Sql {
  return {
    text: `${column} IN (SELECT value FROM json_each(?))`,
    values: [JSON.stringify(values)],
  };
}

function isVisibleTo({ user, projects }: JobVisibility): Sql {
  return {
    text: "(hpc_user = ? OR project IN (SELECT value FROM json_each(?)))",
    values: [user, JSON.stringify(projects)],
  };
}

function visibleArms(visibleTo: JobVisibility | undefined): Arm[] {
  if (visibleTo === undefined) return [{ checks: [] }];
  const { user } = visibleTo;
  const projects = [...new Set(visibleTo.projects)];
  if (projects.length >= ARMS_MAX) {
    return [{ checks: [isVisibleTo({ user, projects })] }];
  }
  const others = [{ text: "hpc_user <> ?", values: [user] }];
  return [
    { user, checks: [] },
    ...projects.map((project) => ({ project, checks: others })),
  ];
}

/** Arms that allow the value, narrowed to it. */
function demand(
  arms: readonly Arm[],
  key: "user" | "project",
  value: string,
): Arm[] {
  return arms.filter((arm) => arm[key] === undefined || arm[key] === value)
    .map((arm) => ({ ...arm, [key]: value }));
}

/** Each arm for each value; one arm that checks for them where that were too many. */
function narrow(
  arms: readonly Arm[],
  key: "cluster" | "state",
  values: readonly string[],
): Arm[] {
  // A scan of a user's or a project's jobs is short; more of them are no gain.
  const isWorthIt = values.length === 1 || key === "state" ||
    arms.every(isBroad);
  if (isWorthIt && arms.length * values.length <= ARMS_MAX) {
    return arms.flatMap((arm) =>
      values.map((value) => ({ ...arm, [key]: value }))
    );
  }
  const check = isOneOf(COLUMN[key], values);
  return arms.map((arm) => ({ ...arm, checks: [...arm.checks, check] }));
}

function isBroad(arm: Arm): boolean {
  return arm.user === undefined && arm.project === undefined;
}

function clustersOf({ cluster, clusters }: JobFilter): string[] | undefined {
  if (cluster === undefined) return clusters && [...new Set(clusters)];
  return clusters === undefined || clusters.includes(cluster) ? [cluster] : [];
}

const COLUMN = {
  user: "hpc_user",
  project: "project",
  cluster: "cluster",
  state: "job_state",
} as const;

function armSql(columns: string, arm: Arm, range: Sql): Sql {
  const conditions: Sql[] = [];
  if (arm.jobIds !== undefined) {
    conditions.push({
      text: "job_id IN (SELECT value FROM json_each(?))",
      values: [`[${arm.jobIds.join()}]`],
    });
  }
  if (arm.ids !== undefined) {
    conditions.push({
      text: "id IN (SELECT value FROM json_each(?))",
      values: [JSON.stringify(arm.ids)],
    });
  }
  for (const key of ["user", "project", "cluster", "state"] as const) {
    const value = arm[key];
    if (value === undefined) continue;
    conditions.push({ text: `${COLUMN[key]} = ?`, values: [value] });
  }
  conditions.push(...arm.checks, range);
  const where = conditions.map(({ text }) => text).filter((text) => text !== "")
    .join(" AND ");
  return {
    text: `SELECT ${columns} FROM job ${
      // The rows themselves are an index.
      arm.ids === undefined ? `INDEXED BY ${indexOf(arm)}` : "NOT INDEXED"}` +
      (where === "" ? "" : ` WHERE ${where}`),
    values: conditions.flatMap(({ values }) => values),
  };
}

/** The narrowest of the indexes; the schema's comment says what they have in common. */
function indexOf(arm: Arm): string {
  // SQLite's name of the index of UNIQUE (job_id, cluster, start_time).
  if (arm.jobIds !== undefined) return "sqlite_autoindex_job_1";
  const first = (["user", "project", "cluster"] as const)
    .find((key) => arm[key] !== undefined);
  if (arm.state === undefined) return `job_${first ?? "all"}`;
  return first === undefined ? "job_state" : `job_${first}_state`;
}

function rangeSql(
  { startTime }: JobFilter,
  after: JobCursor | undefined,
  order: "asc" | "desc" = "desc",
): Sql {
  const parts: string[] = [];
  const values: number[] = [];
  const add = (text: string, ...more: number[]) => {
    parts.push(text);
    values.push(...more);
  };
  if (startTime?.from !== undefined) add("start_time >= ?", startTime.from);
  if (startTime?.to !== undefined) add("start_time <= ?", startTime.to);
  if (after !== undefined) {
    const sign = order === "desc" ? "<" : ">";
    add(`(start_time, id) ${sign} (?, ?)`, after.startTime, after.id);
  }
  return { text: parts.join(" AND "), values };
}

/** Rows that a page may have; callers that want more come again with a cursor. */
export const PAGE_MAX = 1000;

/**
 * Asserts that a page has 1 to {@linkcode PAGE_MAX} jobs and an offset of at least 0.
 */
export function assertPage(limit: number, offset: number): void {
  assert(
    Number.isInteger(limit) && limit >= 1 && limit <= PAGE_MAX,
    `a page has 1 to ${PAGE_MAX} jobs, not ${limit}`,
  );
  assert(Number.isSafeInteger(offset) && offset >= 0, `offset ${offset}`);
}
