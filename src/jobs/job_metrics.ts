/**
 * The metrics of a job wherever they are: of a running job, and of one that
 * waits to be archived, in the metric store; of others in the archive (job-api
 * 4.2 to 4.5). Main thread.
 */
import type { ClusterCatalog } from "../cluster/cluster_catalog.ts";
import type { JobRow } from "../db/job_row.ts";
import type { DataScope } from "../engine/data_scope.ts";
import type { MetricEngine } from "../engine/metric_engine.ts";
import { ClientError } from "../errors.ts";
import type { JobArchiveClient } from "../jobarchive/job_archive_client.ts";
import { arrangeJobData, selectStored } from "../jobdata/arrange_job_data.ts";
import type { JobData } from "../jobdata/job_data.ts";
import { loadJobData } from "../jobdata/load_job_data.ts";
import type { ScopeRequest } from "../jobdata/scope_plan.ts";
import { durationAt } from "./job_answer.ts";

/** Series with fewer points are never thinned, unless configured otherwise. */
const MINIMUM_POINTS = 1000;

const NO_DATA: JobData = new Map();

export interface JobMetricsOptions {
  readonly engine: Pick<MetricEngine, "query">;
  readonly archive: Pick<JobArchiveClient, "readData">;
  readonly clusters: ClusterCatalog;
  /** `main.resampling`; absent: `/jobs/metrics` answers what was measured. */
  readonly resampling?: {
    readonly "minimum-points": number;
    readonly resolutions: readonly number[];
  } | undefined;
  /** Told why series are missing in an answer. */
  readonly onProblem: (job: JobRow, problem: string) => void;
}

export interface JobMetricsQuestion {
  /** Absent: all. */
  readonly metrics?: readonly string[] | undefined;
  /** No scopes: `node` from the store, all there are from the archive. */
  readonly request: ScopeRequest;
  readonly resolutionSec: number;
  /** Absent: the caller may not read metrics that labels protect. */
  readonly scope: DataScope;
  /** Labels narrow what the caller sees: nothing of the archive, which has none. */
  readonly narrowed: boolean;
  readonly nowSec: number;
}

export class JobMetrics {
  readonly #options: JobMetricsOptions;
  readonly #minimumPoints: number;
  /** Seconds between two values that `/jobs/metrics` answers; 0: as measured. */
  readonly resamplingSec: number;

  constructor(options: JobMetricsOptions) {
    this.#options = options;
    const { resampling } = options;
    this.#minimumPoints = resampling?.["minimum-points"] ?? MINIMUM_POINTS;
    this.resamplingSec = Math.max(0, ...resampling?.resolutions ?? []);
  }

  /** The largest step of a cluster's metrics, to which answers about one job are thinned. */
  clusterStepSec(cluster: string): number {
    const metrics = this.#options.clusters.get(cluster)?.metricConfig ?? [];
    return Math.max(0, ...metrics.map(({ timestep }) => timestep));
  }

  /** Nothing where there is no data; rejects where store or archive fail. */
  async load(job: JobRow, question: JobMetricsQuestion): Promise<JobData> {
    const isInStore = job.jobState === "running" || job.monitoringStatus === 1;
    return isInStore
      ? await this.#fromStore(job, question)
      : await this.#fromArchive(job, question);
  }

  async #fromStore(
    job: JobRow,
    question: JobMetricsQuestion,
  ): Promise<JobData> {
    const { engine, clusters } = this.#options;
    const subCluster = clusters.subCluster(job.cluster, job.subCluster);
    if (subCluster === undefined) return NO_DATA;
    const { data, problems } = await loadJobData(
      engine,
      question.scope,
      { ...job, duration: durationAt(job, question.nowSec) },
      subCluster,
      {
        metrics: question.metrics,
        request: question.request.scopes.length === 0
          ? { ...question.request, scopes: ["node"] }
          : question.request,
        withData: true,
        resolutionSec: question.resolutionSec,
        minimumPoints: this.#minimumPoints,
      },
    );
    for (const problem of problems) this.#options.onProblem(job, problem);
    return data;
  }

  async #fromArchive(
    job: JobRow,
    question: JobMetricsQuestion,
  ): Promise<JobData> {
    if (question.narrowed) return NO_DATA;
    const { metrics, request: { scopes }, resolutionSec } = question;
    let stored: JobData;
    try {
      stored = await this.#options.archive.readData(job);
    } catch (error) {
      // Monitoring was off, or archiving failed: then there is nothing.
      if (error instanceof ClientError && error.code === "E_NOT_FOUND") {
        return NO_DATA;
      }
      throw error;
    }
    return await arrangeJobData(
      selectStored(stored, job.resources, metrics, scopes),
      { scopes, resolutionSec, minimumPoints: this.#minimumPoints },
    );
  }
}
