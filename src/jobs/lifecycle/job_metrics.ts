/**
 * The metrics of a job wherever they are: of a running job, and of one that
 * waits to be archived, in the metric store; of others in the archive (job-api
 * 4.2 to 4.5). Main thread.
 */
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { JobRow } from "../../db/job_row.ts";
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobArchiveClient } from "../archive/job_archive_client.ts";
import { arrangeMetric, inOrderOf } from "../data/arrange_job_data.ts";
import type { NamedMetric } from "../data/job_data.ts";
import { openJobData } from "../data/load_job_data.ts";
import type { ScopeRequest } from "../data/scope_plan.ts";
import { durationAt } from "../data/job_answer.ts";

/** Series with fewer points are never thinned, unless configured otherwise. */
const MINIMUM_POINTS = 1000;

export interface JobMetricsOptions {
  readonly engine: Pick<MetricEngine, "query">;
  readonly archive: Pick<JobArchiveClient, "readMetrics">;
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
  /** As in `JobDataView`. */
  readonly withoutStatisticsSeries?: boolean;
  /** Absent: the caller may not read metrics that labels protect. */
  readonly scope: DataScope;
  readonly nowSec: number;
  /** Aborted when the answer is not wanted any more. */
  readonly signal?: AbortSignal;
}

/** The metrics of a job that are being read; each is made when it is asked for. */
export interface OpenJobMetrics {
  /** As in `OpenJobData`; of an archived job its metadata have it. */
  readonly dataStart: number | undefined;
  readonly metrics: AsyncGenerator<NamedMetric, void>;
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

  /**
   * Nothing where there is no data; rejects, here or when a metric is asked for, where
   * store or archive fail.
   */
  async open(
    job: JobRow,
    question: JobMetricsQuestion,
  ): Promise<OpenJobMetrics> {
    const isInStore = job.jobState === "running" || job.monitoringStatus === 1;
    return isInStore
      ? await this.#fromStore(job, question)
      : { dataStart: undefined, metrics: this.#fromArchive(job, question) };
  }

  async #fromStore(
    job: JobRow,
    question: JobMetricsQuestion,
  ): Promise<OpenJobMetrics> {
    const { engine, clusters, onProblem } = this.#options;
    const subCluster = clusters.subCluster(job.cluster, job.subCluster);
    if (subCluster === undefined) {
      return { dataStart: undefined, metrics: nothing() };
    }
    const { dataStart, metrics, problems } = await openJobData(
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
        withoutStatisticsSeries: question.withoutStatisticsSeries,
        signal: question.signal,
      },
    );
    async function* toldProblems(): AsyncGenerator<NamedMetric, void> {
      yield* metrics;
      for (const problem of problems) onProblem(job, problem);
    }
    return { dataStart, metrics: toldProblems() };
  }

  async *#fromArchive(
    job: JobRow,
    question: JobMetricsQuestion,
  ): AsyncGenerator<NamedMetric, void> {
    const { metrics, request: { scopes }, resolutionSec } = question;
    const view = {
      scopes,
      resolutionSec,
      minimumPoints: this.#minimumPoints,
      withoutStatisticsSeries: question.withoutStatisticsSeries,
    };
    const stored = this.#options.archive.readMetrics(job, { metrics, scopes });
    try {
      for await (const metric of stored) {
        question.signal?.throwIfAborted();
        yield await arrangeMetric(inOrderOf(metric, job.resources), view);
      }
    } catch (error) {
      // Monitoring was off, or archiving failed: then there is nothing.
      const isNothing = error instanceof ClientError &&
        error.code === "E_NOT_FOUND";
      if (!isNothing) throw error;
    }
  }
}

async function* nothing(): AsyncGenerator<NamedMetric, void> {}
