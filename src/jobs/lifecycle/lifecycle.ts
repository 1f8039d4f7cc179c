/**
 * Jobs begin and end: by HTTP and by message the same way (job-api 2.4, 2.5, 8.1).
 * Main thread.
 */
import type { Principal } from "../../access/mod.ts";
import type { JobRow } from "../../db/job_row.ts";
import type { StopJudgement, StopOutcome } from "../../db/job_table.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobNumber } from "../../base/job_number.ts";
import { clustersOf } from "./job_access.ts";
import { isTooFarAhead, tooFarAhead } from "./job_times.ts";
import { finalState, stopJobSchema } from "./job_requests.ts";
import { decodeRequest } from "./request_json.ts";
import type { JobServices } from "./services.ts";
import { decodeStartJob } from "./start_job_request.ts";
import { mayWriteTag } from "./tag_rules.ts";

/**
 * Stores a running job and its tags, all or nothing. Rejects with a `ClientError`:
 * 400 for a request that is wrong, 403 for a tag or cluster that is not the
 * sender's, 422 for a job that is known already.
 */
export async function startJob(
  services: Pick<JobServices, "tables" | "clusters" | "log">,
  sender: Principal,
  body: Uint8Array | string,
  nowSec: number,
): Promise<void> {
  const { job, tags } = decodeStartJob(body, services.clusters, nowSec);
  const { clusters } = clustersOf(sender);
  if (clusters !== undefined && !clusters.includes(job.cluster)) {
    throw new ClientError(
      "E_FORBIDDEN",
      `cluster: no realm for ${JSON.stringify(job.cluster)}`,
    );
  }
  const foreign = tags.find(({ scope }) => !mayWriteTag(sender, scope));
  if (foreign !== undefined) {
    throw new ClientError(
      "E_FORBIDDEN",
      `tags: scope ${JSON.stringify(foreign.scope)} is not yours to write`,
    );
  }
  const { id, isNew } = await services.tables.jobs.start(job, tags);
  if (isNew) {
    services.log.info("job started", {
      job: job.jobId,
      cluster: job.cluster,
      id,
      nodes: job.numNodes,
      by: sender.name,
    });
    return;
  }
  throw new ClientError(
    "E_UNPROCESSABLE",
    `jobId: ${job.jobId} of ${job.cluster} is known already (database id ${id})`,
  );
}

/**
 * Notes that a job has ended, and lets it be archived; resolves to the job as it is
 * then. Rejects with a `ClientError`: 404 for no such job, 422 for one that does not
 * run or a state in which it goes on, 400 for a wrong time or state.
 */
export async function stopJob(
  services: Pick<JobServices, "tables" | "wakeArchiver" | "log">,
  sender: Principal,
  body: Uint8Array | string,
  nowSec: number,
): Promise<JobRow> {
  const { jobState, stopTime, ...given } = decodeRequest(stopJobSchema, body);
  const request = { ...given, ...clustersOf(sender), stopTime };
  const { jobs } = services.tables;
  const state = finalState(jobState);
  const isAhead = isTooFarAhead(stopTime, nowSec);
  const outcome = state === undefined || state === "unfinished" || isAhead
    ? await jobs.judgeStop(request)
    : await jobs.stop({ ...request, jobState: state });
  if (outcome.kind !== "stopped") {
    throw notStopped(outcome, { ...request, jobState, isAhead });
  }
  const { job } = outcome;
  services.log.info("job stopped", {
    job: job.jobId,
    cluster: job.cluster,
    id: job.id,
    state: job.jobState,
    by: sender.name,
  });
  if (job.monitoringStatus !== 0) services.wakeArchiver();
  return job;
}

/** The first reason why a stop does nothing, in the order of the contract. */
function notStopped(
  outcome: Exclude<StopOutcome, { kind: "stopped" }> | StopJudgement,
  { jobId, stopTime, jobState, isAhead }: {
    readonly jobId: JobNumber;
    readonly stopTime: number;
    readonly jobState: string;
    readonly isAhead: boolean;
  },
): ClientError {
  if (outcome.kind === "not-found") {
    return new ClientError("E_NOT_FOUND", `jobId: there is no job ${jobId}`);
  }
  const { job } = outcome;
  const what = `job ${jobId} of ${job.cluster}`;
  if (outcome.kind === "not-running") {
    return new ClientError(
      "E_UNPROCESSABLE",
      `jobId: ${what} does not run any more (${job.jobState})`,
    );
  }
  const state = JSON.stringify(jobState.slice(0, 40));
  if (finalState(jobState) === "unfinished") {
    return new ClientError(
      "E_UNPROCESSABLE",
      `jobState: ${what} goes on in the state ${state}`,
    );
  }
  if (isAhead) return tooFarAhead("stopTime", stopTime);
  if (outcome.kind !== "may-stop") {
    const why = outcome.kind === "too-early"
      ? `started at ${job.startTime}`
      : `started at ${job.startTime}, its duration would not fit into 32 bits`;
    return new ClientError(
      "E_BAD_REQUEST",
      `stopTime: ${what} ${why}, got ${stopTime}`,
    );
  }
  return new ClientError(
    "E_BAD_REQUEST",
    `jobState: a state that a job ends with is expected, got ${state}`,
  );
}
