/**
 * Jobs begin and end: by HTTP and by message the same way (job-api 2.4, 2.5, 8.1).
 * Main thread.
 */
import type { Principal } from "../auth/mod.ts";
import type { JobRow } from "../db/job_row.ts";
import type { StopOutcome } from "../db/job_table.ts";
import { ClientError } from "../errors.ts";
import { clustersOf } from "./job_access.ts";
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
  services: Pick<JobServices, "tables" | "clusters">,
  sender: Principal,
  body: Uint8Array | string,
): Promise<void> {
  const { job, tags } = decodeStartJob(body, services.clusters);
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
  if (isNew) return;
  throw new ClientError(
    "E_UNPROCESSABLE",
    `jobId: ${job.jobId} of ${job.cluster} is known already (database id ${id})`,
  );
}

/**
 * Notes that a job has ended, and lets it be archived; resolves to the job as
 * it is then. Rejects with a `ClientError`: 404 for no such job, 422 for one
 * that does not run, 400 for a wrong time or state.
 */
export async function stopJob(
  services: Pick<JobServices, "tables" | "wakeArchiver">,
  sender: Principal,
  body: Uint8Array | string,
): Promise<JobRow> {
  const { jobState, stopTime, ...given } = decodeRequest(stopJobSchema, body);
  const key = { ...given, ...clustersOf(sender) };
  const { jobs } = services.tables;
  const state = finalState(jobState);
  if (state === undefined) {
    const job = await jobs.findForStop(key);
    checkStop(job?.jobState === "running" ? "stopped" : "not-running", job, {
      ...key,
      stopTime,
    });
    throw new ClientError(
      "E_BAD_REQUEST",
      `jobState: a state that a job ends with is expected, got ${
        JSON.stringify(jobState.slice(0, 40))
      }`,
    );
  }
  const outcome = await jobs.stop({ ...key, stopTime, jobState: state });
  const job = outcome.kind === "not-found" ? undefined : outcome.job;
  const stopped = checkStop(outcome.kind, job, { ...key, stopTime });
  if (stopped.monitoringStatus !== 0) services.wakeArchiver();
  return stopped;
}

/** The job that was stopped, or could be; throws the reason why not. */
function checkStop(
  kind: StopOutcome["kind"],
  job: JobRow | undefined,
  { jobId, stopTime }: { readonly jobId: number; readonly stopTime: number },
): JobRow {
  if (job === undefined) {
    throw new ClientError("E_NOT_FOUND", `jobId: there is no job ${jobId}`);
  }
  const what = `job ${jobId} of ${job.cluster}`;
  if (kind === "not-running") {
    throw new ClientError(
      "E_UNPROCESSABLE",
      `jobId: ${what} does not run any more (${job.jobState})`,
    );
  }
  if (stopTime < job.startTime) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `stopTime: ${what} started at ${job.startTime}, got ${stopTime}`,
    );
  }
  return job;
}
