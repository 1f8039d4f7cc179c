/**
 * The other bodies of the job API: stopping, tagging, editing and deleting jobs,
 * states of nodes (job-api 2.5, 2.7, 2.9 to 2.11, 9.1). Each is a schema for
 * `decodeRequest`; the same serve for messages. Pure.
 */
import type { z } from "zod";
import { JOB_STATES, type JobState } from "../../db/job_row.ts";
import { int64, listOf, longId, object, text } from "./request_json.ts";

/**
 * How a job is named where its row is not known. The check that `jobId` is there
 * is the schema's; that it is known is the table's.
 */
const jobKey = {
  jobId: longId(),
  cluster: text.optional(),
  startTime: int64.optional().describe("Unix time in seconds."),
};

/** States in which a job goes on: it cannot be stopped with them. */
const UNFINISHED: readonly JobState[] = ["running", "pending", "suspended"];

export type FinalState = Exclude<
  JobState,
  "running" | "pending" | "suspended"
>;

const FINAL_STATES = JOB_STATES.filter((state): state is FinalState =>
  !UNFINISHED.includes(state)
);

/**
 * Slurm's words for a job that is back in the queue: the run that was reported has
 * ended, and the job may run again under the same id.
 */
const REQUEUED: ReadonlySet<string> = new Set([
  "pending",
  "requeued",
  "requeue_hold",
  "special_exit",
  "revoked",
]);

/**
 * `jobState` is checked by {@linkcode finalState} only, since an unknown job (404)
 * and one that has stopped (422) come before a bad state (400).
 */
export const stopJobSchema = object({
  ...jobKey,
  jobState: text.default("completed"),
  stopTime: int64.default(0).describe("Unix time in seconds."),
});
export type StopJob = z.output<typeof stopJobSchema>;

/**
 * The state that a run is stopped with; a requeued one counts as preempted.
 * `unfinished`: a job in that state goes on. `undefined`: there is no such state.
 */
export function finalState(
  state: string,
): FinalState | "unfinished" | undefined {
  if (state === "") return "completed";
  if (REQUEUED.has(state)) return "preempted";
  return UNFINISHED.some((one) => one === state)
    ? "unfinished"
    : FINAL_STATES.find((one) => one === state);
}

export const deleteJobSchema = object(jobKey);

/** Tags to put on a job or to take off. */
export const tagsSchema = listOf(object({
  type: text.nonempty({ error: "is empty" }),
  name: text.nonempty({ error: "is empty" }),
  scope: text.default("").describe("Empty: `global` where tags are added."),
}));

const metaEntry = object({
  key: text.nonempty({ error: "is empty" }),
  value: text.default(""),
});

/** One entry of a job's metadata. */
export const editMetaSchema = metaEntry;

/** The same of a job named by its key. */
export const editMetaByKeySchema = object({ ...jobKey, payload: metaEntry });

/** Names of metrics; absent (`null`): all. */
export const metricNamesSchema = listOf(text).optional();

const nodeReport = object({
  hostname: text.default(""),
  states: listOf(text).default([]),
  cpusAllocated: int64.default(0),
  memoryAllocated: int64.default(0),
  gpusAllocated: int64.default(0),
  jobsRunning: int64.default(0),
});

/** States of nodes, as the batch system sees them. */
export const nodeStateSchema = object({
  cluster: text.default(""),
  nodes: listOf(nodeReport).default([]),
});

/** The changes of a user; the first that is not empty counts, in this order. */
export const userChangeSchema = object({
  "add-role": text.default(""),
  "remove-role": text.default(""),
  "add-project": text.default(""),
  "remove-project": text.default(""),
});
