/**
 * The parameters of a list of jobs as conditions of the database, as far as the caller
 * may see them (web 4.4). Pure.
 */
import type { Principal } from "../../access/mod.ts";
import { ClientError } from "../../base/errors.ts";
import { parseJobNumber } from "../../base/job_number.ts";
import type { JobCheck } from "../../db/job_checks.ts";
import {
  type JobSort,
  SORT_COLUMNS,
  type SortedJob,
} from "../../db/job_finder.ts";
import type { JobFilter } from "../../db/job_filter.ts";
import { mayReadTag } from "../../jobs/lifecycle/tag_rules.ts";
import {
  FILTER_KEYS,
  type JobFilterUrl,
  type NameMatch,
  type NumberRange,
  parseJobFilter,
  START_RANGE_SEC,
} from "../shared/job_filter_url.ts";

export const PAGE_SIZES_MAX = 200;
const PAGE_SIZE = 50;

/** The conditions of a list. */
export interface JobConditions {
  readonly filter: JobFilter;
  readonly checks: readonly JobCheck[];
}

/** A place in a list that pages begin at. */
export interface PagePlace extends SortedJob {
  /** When the list was begun: durations of running jobs are those of then. */
  readonly nowSec: number;
}

/** One page of a list. */
export interface JobPageQuestion extends JobConditions {
  /** Absent: by start time. */
  readonly sort?: JobSort;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly after?: PagePlace;
  readonly before?: PagePlace;
  readonly nowSec: number;
}

export interface QuestionContext {
  readonly principal: Principal;
  readonly nowSec: number;
  readonly shortJobSec: number;
}

const PAGE_KEYS = new Set(["sort", "order", "limit", "after", "before"]);

/** Throws `E_BAD_REQUEST` naming the key and its value. */
export function parsePage(
  search: URLSearchParams,
  context: QuestionContext,
): JobPageQuestion {
  refuseUnknown(search, PAGE_KEYS);
  const after = placeOf("after", search.get("after"));
  const before = placeOf("before", search.get("before"));
  if (after !== undefined && before !== undefined) {
    throw bad("before", search.get("before") ?? "", "after is given, too");
  }
  const nowSec = after?.nowSec ?? before?.nowSec ?? context.nowSec;
  const sort = sortOf(search.get("sort") ?? "startTime", nowSec);
  return {
    ...conditionsOf(search, context),
    ...(sort === undefined ? {} : { sort }),
    order: orderOf(search.get("order") ?? "desc"),
    limit: limitOf(search.get("limit") ?? String(PAGE_SIZE)),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    nowSec,
  };
}

/** The conditions alone. Throws as {@linkcode parsePage} does. */
export function parseConditions(
  search: URLSearchParams,
  context: QuestionContext,
): JobConditions {
  refuseUnknown(search, new Set());
  return conditionsOf(search, context);
}

function refuseUnknown(
  search: URLSearchParams,
  known: ReadonlySet<string>,
): void {
  for (const [key, value] of search) {
    if (FILTER_KEYS.has(key)) continue;
    if (!known.has(key)) throw bad(key, value, "not a key of this list");
    if (search.getAll(key).length > 1) throw bad(key, value, "given twice");
  }
}

function conditionsOf(
  search: URLSearchParams,
  context: QuestionContext,
): JobConditions {
  const { filter, problems } = parseJobFilter(search);
  const [problem] = problems;
  if (problem !== undefined) {
    throw bad(problem.key, problem.value, problem.message);
  }
  for (const key of ["level", "schedule", "missing"] as const) {
    if (filter[key] === undefined) continue;
    throw bad(key, search.get(key) ?? "", "this filter is not served yet");
  }
  const { own, clusters } = context.principal.jobView();
  return {
    filter: {
      ...indexed(filter, context.nowSec),
      ...(own === undefined ? {} : { visibleTo: own }),
      ...(clusters === undefined ? {} : { clusters: [...clusters] }),
    },
    checks: checksOf(filter, context),
  };
}

/** The conditions that indexes answer. */
function indexed(url: JobFilterUrl, nowSec: number): JobFilter {
  const { cluster, state, project, user, jobId, dbId, startTime } = url;
  return {
    ...(cluster === undefined ? {} : { cluster }),
    ...(state === undefined ? {} : { states: state }),
    ...(project?.match === "eq" ? { project: project.name } : {}),
    ...(user?.match === "eq" ? { user: user.name } : {}),
    ...(jobId === undefined
      ? {}
      // The codec lets integers of 64 bits through alone.
      : { jobIds: jobId.map((digits) => parseJobNumber(digits) ?? 0) }),
    ...(dbId === undefined ? {} : { ids: dbId }),
    ...(startTime === undefined ? {} : {
      startTime: "last" in startTime
        ? { from: nowSec - START_RANGE_SEC[startTime.last] }
        : startTime,
    }),
  };
}

function checksOf(
  url: JobFilterUrl,
  { principal, nowSec, shortJobSec }: QuestionContext,
): JobCheck[] {
  const checks: JobCheck[] = [];
  for (const column of ["subCluster", "partition", "shared"] as const) {
    const text = url[column];
    if (text !== undefined) checks.push({ kind: "equal", column, text });
  }
  checks.push(...nameChecks("project", url.project));
  checks.push(...nameChecks("user", url.user));
  // With both, ids of rows are what the index is asked for.
  if (url.dbId !== undefined && url.jobId !== undefined) {
    checks.push({
      kind: "jobIds",
      ids: url.jobId.map((digits) => parseJobNumber(digits) ?? 0),
    });
  }
  if (url.jobName !== undefined) {
    checks.push({ kind: "contains", column: "jobName", text: url.jobName });
  }
  if (url.arrayJobId !== undefined) {
    checks.push({
      kind: "arrayJobId",
      id: parseJobNumber(url.arrayJobId) ?? 0,
    });
  }
  if (url.node !== undefined) checks.push({ kind: "node", ...url.node });
  if (url.duration !== undefined) {
    checks.push({ kind: "duration", range: url.duration, nowSec });
  }
  const ranges = [
    ["numNodes", url.numNodes],
    ["numHwthreads", url.numHWThreads],
    ["numAcc", url.numAccelerators],
    ["energy", url.energy],
  ] as const;
  for (const [column, range] of ranges) {
    if (range !== undefined) checks.push({ kind: "range", column, range });
  }
  for (const { name, ...range } of url.stat ?? []) {
    checks.push({ kind: "footprint", name, range: range as NumberRange });
  }
  const scopes = ["global", "admin", principal.ownTagScope ?? ""]
    .filter((scope) => mayReadTag(principal, scope));
  for (const id of url.tag ?? []) checks.push({ kind: "tag", id, scopes });
  if (url.short !== undefined) {
    checks.push({
      kind: "short",
      sec: shortJobSec,
      isShort: url.short === "only",
    });
  }
  return checks;
}

function nameChecks(
  column: "project" | "user",
  match: NameMatch | undefined,
): JobCheck[] {
  switch (match?.match) {
    case "contains":
      return [{ kind: "contains", column, text: match.name }];
    case "in":
      return [{ kind: "among", column, texts: match.names }];
    default:
      return [];
  }
}

const FOOTPRINT_NAME = /^.{1,1000}_(?:avg|min|max)$/s;

/** `undefined`: by start time. */
function sortOf(word: string, nowSec: number): JobSort | undefined {
  if (word === "startTime") return undefined;
  const column = (Object.keys(SORT_COLUMNS) as (keyof typeof SORT_COLUMNS)[])
    .find((known) => known === word);
  if (column !== undefined) return { by: column, nowSec };
  if (FOOTPRINT_NAME.test(word)) return { footprint: word };
  throw bad(
    "sort",
    word,
    `one of startTime, ${
      Object.keys(SORT_COLUMNS).join(", ")
    } or a name of the footprint, as flops_any_avg, is expected`,
  );
}

function orderOf(word: string): "asc" | "desc" {
  if (word === "asc" || word === "desc") return word;
  throw bad("order", word, "asc or desc is expected");
}

function limitOf(word: string): number {
  const limit = /^\d{1,4}$/.test(word) ? Number(word) : 0;
  if (limit >= 1 && limit <= PAGE_SIZES_MAX) return limit;
  throw bad(
    "limit",
    word,
    `an integer from 1 to ${PAGE_SIZES_MAX} is expected`,
  );
}

const PLACE = /^(NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)_(\d{1,16})_(\d{1,12})$/;

/** The text of a place that {@linkcode parsePage} reads. */
export function placeText({ key, id, nowSec }: PagePlace): string {
  return `${key}_${id}_${nowSec}`;
}

function placeOf(key: string, text: string | null): PagePlace | undefined {
  if (text === null || text === "") return undefined;
  const match = PLACE.exec(text);
  if (match === null) {
    throw bad(key, text, "a place of this list is expected, as it told them");
  }
  return {
    key: Number(match[1]),
    id: Number(match[2]),
    nowSec: Number(match[3]),
  };
}

function bad(key: string, value: string, what: string): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `${key}: ${what}, got ${JSON.stringify(value.slice(0, 60))}`,
  );
}
