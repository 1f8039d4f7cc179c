/**
 * Archives jobs that have stopped: reads their metrics out of the store, hands them
 * to the archive's worker, and notes what came of it. The queue is in the database,
 * so a job that was stopped before a crash is archived after it. Main thread, one
 * job at a time.
 */
import { isDeepStrictEqual } from "node:util";
import type { ClusterCatalog } from "../cluster/cluster_catalog.ts";
import type { QueuedJob } from "../db/archive_queue_table.ts";
import { DEFAULT_SCOPE } from "../engine/data_scope.ts";
import type { MetricEngine } from "../engine/metric_engine.ts";
import type { JobArchiveClient } from "../jobarchive/job_archive_client.ts";
import {
  jobEnergy,
  jobFootprint,
  jobStatistics,
} from "../jobdata/job_statistics.ts";
import { loadJobData } from "../jobdata/load_job_data.ts";
import { archivedScopes } from "../jobdata/scope_requests.ts";
import { errorText } from "../log.ts";
import type { JobLog, JobTables } from "./services.ts";

/** Then it is given up: what fails three times will not do better. */
const ATTEMPTS_MAX = 3;
/** Queued jobs read at a time. */
const BATCH_JOBS = 16;
/** Between two looks at whether the store is ready. */
const NOT_READY_MS = 100;

export interface JobArchiverOptions {
  readonly tables: Pick<JobTables, "archiveQueue">;
  readonly archive: Pick<JobArchiveClient, "write" | "editMeta">;
  readonly clusters: ClusterCatalog;
  readonly engine: MetricEngine;
  readonly log: JobLog;
  /** Between an attempt that failed and the next one. */
  readonly retryMs: number;
}

export interface JobArchiverStats {
  archivedTotal: number;
  failedTotal: number;
}

export class JobArchiver {
  readonly stats: JobArchiverStats = { archivedTotal: 0, failedTotal: 0 };
  readonly #options: JobArchiverOptions;
  #wake = Promise.withResolvers<void>();
  #endPause: () => void = () => {};
  #isClosed = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: JobArchiverOptions) {
    this.#options = options;
  }

  /** Begins with what waited before the start. */
  start(): void {
    this.#running = this.#run();
  }

  /** A job waits. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Resolves when the job under way is done; the others wait for the next start. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#wake.resolve();
    this.#endPause();
    return this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#wake = Promise.withResolvers<void>();
      const goOn = await this.#drain().catch((error) => {
        this.#options.log.err("the archive's queue cannot be read", {
          error: errorText(error),
        });
        return "later" as const;
      });
      if (this.#isClosed) return;
      if (goOn === "empty") await this.#wake.promise;
      else {
        const { retryMs } = this.#options;
        await this.#pause(goOn === "later" ? retryMs : NOT_READY_MS);
      }
    }
  }

  /** Until it is worth another try, or the end. */
  async #pause(ms: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    this.#endPause = late.resolve;
    await late.promise;
    clearTimeout(timer);
  }

  /**
   * Archives what waits; `later`: something has to wait for better times. A job that
   * fails alone keeps nobody waiting; two in a row mean that none would do better.
   */
  async #drain(): Promise<"later" | "not ready" | "empty"> {
    const { archiveQueue } = this.#options.tables;
    let failed: QueuedJob | undefined;
    let previousFailed = false;
    for (;;) {
      if (this.#isClosed) return "empty";
      if (this.#options.engine.state !== "ready") return "not ready";
      const waiting = await archiveQueue.waiting(BATCH_JOBS, failed);
      if (waiting.length === 0) return failed === undefined ? "empty" : "later";
      for (const queued of waiting) {
        if (this.#isClosed) return "empty";
        const isDone = await this.#archive(queued);
        if (isDone) previousFailed = false;
        else if (previousFailed) return "later";
        else {
          previousFailed = true;
          failed = queued;
        }
      }
    }
  }

  /** False: it failed, and will be tried again. */
  async #archive(queued: QueuedJob): Promise<boolean> {
    const { archiveQueue } = this.#options.tables;
    const { job } = queued;
    const { log } = this.#options;
    const what = { job: job.jobId, cluster: job.cluster };
    await archiveQueue.noteAttempt(job.id);
    try {
      await this.#write(queued);
      this.stats.archivedTotal++;
      log.info("job archived", { ...what, id: job.id });
      return true;
    } catch (error) {
      const isLast = queued.attempts + 1 >= ATTEMPTS_MAX;
      log[isLast ? "err" : "warn"]("a job cannot be archived", {
        ...what,
        attempt: queued.attempts + 1,
        error: errorText(error),
      });
      if (!isLast) return false;
      this.stats.failedTotal++;
      await archiveQueue.finish(job.id, { monitoringStatus: 2 });
      return true;
    }
  }

  async #write(queued: QueuedJob): Promise<void> {
    const { job, tags } = queued;
    const { archive, clusters, engine, log, tables } = this.#options;
    const subCluster = clusters.subCluster(job.cluster, job.subCluster);
    if (subCluster === undefined) {
      throw new Error(
        `sub-cluster ${job.subCluster} of ${job.cluster} is not configured`,
      );
    }
    const { data, problems } = await loadJobData(
      engine,
      DEFAULT_SCOPE,
      job,
      subCluster,
      {
        request: archivedScopes(job),
        withData: true,
        resolutionSec: 0,
        minimumPoints: 0,
      },
    );
    for (const problem of problems) {
      log.warn("an archived job lacks a series", {
        job: job.jobId,
        cluster: job.cluster,
        problem,
      });
    }
    const statistics = jobStatistics(data, subCluster, job.numNodes);
    await archive.write({ job, tags, statistics }, data);
    await this.#catchUp(queued);
    await tables.archiveQueue.finish(job.id, {
      monitoringStatus: 3,
      footprint: jobFootprint(statistics, subCluster),
      ...jobEnergy(statistics, subCluster, job),
    });
  }

  /** Whoever edited the job since it was read found no archive to edit as well. */
  async #catchUp({ job, tags }: QueuedJob): Promise<void> {
    const { archive, tables } = this.#options;
    const now = await tables.archiveQueue.current(job.id);
    if (now === undefined) return;
    const { metaData } = now.job;
    if (
      isDeepStrictEqual(now.tags, tags) &&
      isDeepStrictEqual(metaData, job.metaData)
    ) return;
    await archive.editMeta(job, { tags: now.tags, metaData: metaData ?? {} });
  }
}
