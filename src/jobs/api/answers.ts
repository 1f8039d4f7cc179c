/**
 * Jobs as answers: with the tags that the caller may see and the parts that a route
 * adds.
 */
import type { Principal } from "../../access/mod.ts";
import type { JobRow, TagRow } from "../../db/job_row.ts";
import type { ApiCall } from "../../http/api_route.ts";
import {
  type JobAnswer,
  jobAnswer,
  type JobStatisticsByMetric,
} from "../data/job_answer.ts";
import type { JobServices } from "../lifecycle/services.ts";
import { visibleTags } from "../lifecycle/tag_rules.ts";

export interface ShownParts {
  readonly tags?: readonly TagRow[];
  readonly withMetaData?: boolean;
  readonly statistics?: JobStatisticsByMetric | null;
}

/**
 * Returns one job as an answer; without its footprint if the caller sees metrics by
 * label only.
 */
export function shownJob(
  call: Pick<ApiCall, "principal" | "nowMs">,
  job: JobRow,
  parts: ShownParts = {},
): JobAnswer {
  return jobAnswer(job, {
    nowSec: Math.floor(call.nowMs / 1000),
    ...parts,
    ...(parts.tags ? { tags: visibleTags(call.principal, parts.tags) } : {}),
  });
}

/** All tags of a job, visible or not. */
export async function tagsOf(
  { tables }: Pick<JobServices, "tables">,
  { id }: JobRow,
): Promise<readonly TagRow[]> {
  return (await tables.tags.forJobs([id])).get(id) ?? [];
}

/** One job with its visible tags and its metadata. */
export async function jobWithTags(
  services: Pick<JobServices, "tables">,
  call: ApiCall,
  job: JobRow,
): Promise<JobAnswer> {
  const tags = await tagsOf(services, job);
  return shownJob(call, job, { tags, withMetaData: true });
}

/** Statistics of the archived ones among some jobs, by id; a bad file gives none. */
export async function archivedStatistics(
  services: Pick<JobServices, "archive" | "log">,
  principal: Principal,
  jobs: readonly JobRow[],
): Promise<ReadonlyMap<number, JobStatisticsByMetric>> {
  const found = new Map<number, JobStatisticsByMetric>();
  if (principal.jobMetrics() === undefined) return found;
  const archived = jobs.filter((job) => job.monitoringStatus === 3);
  const answers = await services.archive.readStatistics(
    archived.map(({ cluster, jobId, startTime }) => ({
      cluster,
      jobId,
      startTime,
    })),
  );
  answers.forEach((answer, i) => {
    const job = archived[i]!;
    if (answer.statistics !== null) found.set(job.id, answer.statistics);
    else {
      services.log.warn("an archived job is not readable", {
        job: job.jobId,
        cluster: job.cluster,
        reason: answer.reason,
      });
    }
  });
  return found;
}
