/** The query string of a job list (job-api 2.6). */
import { ClientError } from "../../base/errors.ts";
import { type JobNumber, parseJobNumber } from "../../base/job_number.ts";
import { JOB_STATES, type JobState } from "../../db/job_row.ts";

export interface JobListQuery {
  /** One of them, as the batch system names them. */
  readonly jobIds?: readonly JobNumber[];
  /** One of them; absent: of every state. */
  readonly states?: readonly JobState[];
  readonly cluster?: string;
  readonly project?: string;
  /** Both ends belong to it; Unix seconds. */
  readonly startTime?: { readonly from: number; readonly to: number };
  readonly items: number;
  /** From 1. */
  readonly page: number;
  readonly withMetadata: boolean;
}

const ITEMS = 25;

/** Throws `E_BAD_REQUEST` naming the key and its value. */
export function parseListQuery(search: URLSearchParams): JobListQuery {
  const states: JobState[] = [];
  const jobIds: JobNumber[] = [];
  const first = new Map<string, string>();
  for (const [key, value] of search) {
    if (key === "state") states.push(stateOf(value));
    else if (key === "job-id") jobIds.push(jobIdOf(value));
    else if (!KEYS.has(key)) throw bad(key, value, "not a key of this list");
    else if (!first.has(key)) first.set(key, value);
  }
  const startTime = first.get("start-time");
  return {
    ...(jobIds.length > 0 ? { jobIds: [...new Set(jobIds)] } : {}),
    ...(states.length > 0 ? { states: [...new Set(states)] } : {}),
    ...optional("cluster", first.get("cluster")),
    ...optional("project", first.get("project")),
    ...optional("startTime", startTime && timeRange(startTime)),
    items: positive("items-per-page", first.get("items-per-page"), ITEMS),
    page: positive("page", first.get("page"), 1),
    withMetadata: isOn(first.get("with-metadata")),
  };
}

const KEYS = new Set([
  "cluster",
  "project",
  "start-time",
  "items-per-page",
  "page",
  "with-metadata",
]);

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined | "",
): { [K in Key]?: Value } {
  return value === undefined || value === ""
    ? {}
    : { [key]: value } as { [K in Key]: Value };
}

function stateOf(value: string): JobState {
  const state = JOB_STATES.find((known) => known === value);
  if (state !== undefined) return state;
  throw bad("state", value, `one of ${JOB_STATES.join(", ")} is expected`);
}

function jobIdOf(value: string): JobNumber {
  const id = parseJobNumber(value);
  if (id !== undefined) return id;
  throw bad("job-id", value, "an integer of 64 bits is expected");
}

function timeRange(value: string): { from: number; to: number } {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(value);
  if (match === null) {
    throw bad("start-time", value, "<from>-<to> in Unix seconds is expected");
  }
  return { from: Number(match[1]), to: Number(match[2]) };
}

function positive(
  key: string,
  value: string | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  const number = /^\+?\d+$/.test(value) ? Number(value) : 0;
  if (number >= 1 && Number.isSafeInteger(number)) return number;
  throw bad(key, value, "an integer of at least 1 is expected");
}

/** Present means on, as upstream has it, but `false` and `0` mean what they say. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "false" && value !== "0";
}

function bad(key: string, value: string, what: string): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `${key}: ${what}, got ${JSON.stringify(value.slice(0, 60))}`,
  );
}
