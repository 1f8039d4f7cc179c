/**
 * Brings the metrics of a job from the store into the archive, metric by metric, so
 * that jobs of any size fit through. Main thread.
 */
import type { SubCluster } from "../../config/clusters/cluster.ts";
import type { QueuedJob } from "../../db/archive_queue_table.ts";
import type { JobRow } from "../../db/job_row.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobArchiveClient } from "../archive/job_archive_client.ts";
import type { NamedMetric } from "../data/job_data.ts";
import { jobStatistics } from "../data/job_statistics.ts";
import { DATA_START } from "../data/leading_nulls.ts";
import { openJobData } from "../data/load_job_data.ts";
import type { ScopeRequest } from "../data/scope_plan.ts";
import { archivedScopes } from "../data/scope_requests.ts";
import type { JobStatisticsByMetric } from "../data/job_answer.ts";
import type { JobLog, JobTables } from "./services.ts";

/** Key of a job's metadata: the scopes archived of one that is too large for all. */
export const ARCHIVED_SCOPES = "archivedScopes";
/** The coarsest there is; metrics of nodes fit whatever the job. */
const COARSEST: ScopeRequest = { scopes: ["node"] };

export interface ArchivedMetrics {
  /** With the metadata that were added. */
  readonly job: JobRow;
  readonly statistics: JobStatisticsByMetric;
}

interface Parts {
  readonly tables: Pick<JobTables, "jobs">;
  readonly archive: Pick<JobArchiveClient, "write">;
  readonly engine: Pick<MetricEngine, "query">;
  readonly log: JobLog;
}

/**
 * Archives the job with all samples there are, or, where it is too large for that,
 * with those of whole nodes. Rejects where store or archive fail.
 */
export async function archiveMetrics(
  parts: Parts,
  queued: QueuedJob,
  subCluster: SubCluster,
): Promise<ArchivedMetrics> {
  const { job } = queued;
  try {
    return await write(parts, queued, subCluster, archivedScopes(job), {});
  } catch (error) {
    const isTooLarge = error instanceof ClientError &&
      error.code === "E_TOO_MANY_SAMPLES";
    if (!isTooLarge) throw error;
    parts.log.warn("a job is archived with the metrics of its nodes only", {
      job: job.jobId,
      cluster: job.cluster,
      reason: error.message,
    });
    return await write(parts, queued, subCluster, COARSEST, {
      [ARCHIVED_SCOPES]: COARSEST.scopes.join(" "),
    });
  }
}

async function write(
  { tables, archive, engine, log }: Parts,
  { job: stopped, tags }: QueuedJob,
  subCluster: SubCluster,
  request: ScopeRequest,
  added: Readonly<Record<string, string>>,
): Promise<ArchivedMetrics> {
  const { dataStart, metrics, problems } = await openJobData(
    engine,
    DEFAULT_SCOPE,
    stopped,
    subCluster,
    { request, withData: true, resolutionSec: 0, minimumPoints: 0 },
  );
  const statistics: Record<string, JobStatisticsByMetric[string]> = {};
  async function* counted(): AsyncGenerator<NamedMetric, void> {
    for await (const metric of metrics) {
      const data = new Map([[metric.name, metric.scopes]]);
      Object.assign(
        statistics,
        jobStatistics(data, subCluster, stopped.numNodes),
      );
      yield metric;
    }
  }
  const words = {
    ...added,
    ...(dataStart === undefined ? {} : { [DATA_START]: String(dataStart) }),
  };
  // The row goes first: an edit of the job from now on edits the archived job as well.
  for (const [key, word] of Object.entries(words)) {
    await tables.jobs.updateMetadata(stopped.id, key, word);
  }
  const job = Object.keys(words).length === 0
    ? stopped
    : { ...stopped, metaData: { ...stopped.metaData, ...words } };
  await archive.write(job, counted(), () => ({ job, tags, statistics }));
  for (const problem of problems) {
    log.warn("an archived job lacks a series", {
      job: job.jobId,
      cluster: job.cluster,
      problem,
    });
  }
  return { job, statistics };
}
