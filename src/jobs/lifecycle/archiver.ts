/**
 * Archives jobs that have stopped: reads their metrics out of the store, hands them
 * to the archive's worker, and notes what came of it. The queue is in the database,
 * so a job that was stopped before a crash is archived after it. Main thread, one
 * job at a time.
 *
 * A failed job is tried again, after pauses that grow to ten minutes, for as long as
 * the store has the samples of the job. A job that fails alone pauses alone; where
 * two in a row fail, nothing is tried until a pause is over.
 */
import { isDeepStrictEqual } from "node:util";
import { nowSec } from "../../base/clock.ts";
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { QueuedJob } from "../../db/archive_queue_table.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { JobArchiveClient } from "../archive/job_archive_client.ts";
import { jobEnergy, jobFootprint } from "../data/job_statistics.ts";
import { errorText } from "../../base/log.ts";
import { archiveMetrics } from "./archive_metrics.ts";
import type { JobLog, JobTables } from "./services.ts";

const PAUSE_MS_MAX = 600_000;
/** Queued jobs read at a time. */
const BATCH_JOBS = 16;
/** Between two looks at whether the store is ready. */
const NOT_READY_MS = 100;

export interface JobArchiverOptions {
  readonly tables: Pick<JobTables, "archiveQueue" | "jobs">;
  readonly archive: Pick<JobArchiveClient, "write" | "editMeta">;
  readonly clusters: ClusterCatalog;
  readonly engine: MetricEngine;
  readonly log: JobLog;
  /** Between an attempt that failed and the next one; doubled from then on. */
  readonly retryMs: number;
  /** How long the store has the samples of a job; 0: as long as there is room. */
  readonly retentionSec: number;
}

export interface JobArchiverStats {
  archivedTotal: number;
  /** Attempts that failed. */
  failedAttemptsTotal: number;
  /** Jobs that were given up, since their samples were gone. */
  failedTotal: number;
}

/** The pause before the next look at the queue. */
interface Rest {
  readonly ms: number;
  /** Whether a job that is stopped meanwhile is a reason to look at once. */
  readonly isIdle: boolean;
}

export class JobArchiver {
  readonly stats: JobArchiverStats = {
    archivedTotal: 0,
    failedAttemptsTotal: 0,
    failedTotal: 0,
  };
  readonly #options: JobArchiverOptions;
  #isWoken = false;
  #isRetryWanted = false;
  #rest: Rest | undefined;
  #endRest: () => void = () => {};
  #isClosed = false;
  /** Two jobs in a row have failed so often since one was archived. */
  #failures = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: JobArchiverOptions) {
    this.#options = options;
  }

  /** Begins with the jobs that waited before the start. */
  start(): void {
    this.#running = this.#run();
  }

  /** A job waits. */
  wake(): void {
    this.#isWoken = true;
    if (this.#rest?.isIdle) this.#endRest();
  }

  /** Tries jobs that are due in the database now, also in the middle of a pause. */
  retry(): void {
    this.#isRetryWanted = true;
    this.#endRest();
  }

  /** Resolves when the job under way is done; the others wait for the next start. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#endRest();
    return this.#running;
  }

  async #run(): Promise<void> {
    // A restart often cures the failures before it.
    let isFirst = true;
    while (!this.#isClosed) {
      this.#isWoken = this.#isRetryWanted = false;
      let rest: Rest;
      try {
        if (isFirst) await this.#options.tables.archiveQueue.retryNow();
        isFirst = false;
        rest = await this.#drain();
      } catch (error) {
        this.#options.log.err("the archive's queue cannot be read", {
          error: errorText(error),
        });
        rest = { ms: this.#options.retryMs, isIdle: false };
      }
      await this.#restFor(rest);
    }
  }

  /** Waits for the pause, a job that is a reason to look, or `close()`. */
  async #restFor(rest: Rest): Promise<void> {
    if (this.#isClosed || this.#isRetryWanted) return;
    if (rest.isIdle && this.#isWoken) return;
    const over = Promise.withResolvers<void>();
    const timer = rest.ms === Infinity
      ? undefined
      : setTimeout(over.resolve, rest.ms);
    this.#rest = rest;
    this.#endRest = over.resolve;
    await over.promise;
    clearTimeout(timer);
    this.#rest = undefined;
  }

  /** Archives what is due, until nothing is or two jobs in a row have failed. */
  async #drain(): Promise<Rest> {
    const { archiveQueue } = this.#options.tables;
    let previousFailed = false;
    for (;;) {
      if (this.#options.engine.state !== "ready") {
        return { ms: NOT_READY_MS, isIdle: false };
      }
      const due = await archiveQueue.due(BATCH_JOBS, nowSec());
      if (due.length === 0) return await this.#untilDue();
      for (const queued of due) {
        if (this.#isClosed) return { ms: 0, isIdle: false };
        const isDone = await this.#archive(queued);
        if (isDone) {
          this.#noteSuccess();
          previousFailed = false;
        } else if (previousFailed) {
          return { ms: this.#pauseMs(this.#failures++), isIdle: false };
        } else previousFailed = true;
      }
    }
  }

  /** Nothing is due now. */
  async #untilDue(): Promise<Rest> {
    const { nextAt } = await this.#options.tables.archiveQueue.counts();
    const ms = nextAt === 0
      ? Infinity
      : Math.min(PAUSE_MS_MAX, Math.max(1, (nextAt - nowSec()) * 1000));
    return { ms, isIdle: true };
  }

  #pauseMs(failures: number): number {
    return Math.min(PAUSE_MS_MAX, this.#options.retryMs * 2 ** failures);
  }

  #noteSuccess(): void {
    this.stats.archivedTotal++;
    if (this.#failures > 0) this.#options.log.info("jobs are archived again");
    this.#failures = 0;
  }

  /** Archives a job. Returns false if that failed. */
  async #archive(queued: QueuedJob): Promise<boolean> {
    await this.#options.tables.archiveQueue.noteAttempt(queued.job.id);
    try {
      await this.#write(queued);
      const { id, jobId, cluster } = queued.job;
      this.#options.log.info("job archived", { job: jobId, cluster, id });
      return true;
    } catch (error) {
      this.stats.failedAttemptsTotal++;
      await this.#noteFailure(queued, errorText(error));
      return false;
    }
  }

  async #noteFailure(queued: QueuedJob, problem: string): Promise<void> {
    const { log, retentionSec, tables } = this.#options;
    const { job } = queued;
    const what = {
      job: job.jobId,
      cluster: job.cluster,
      attempt: queued.attempts + 1,
      error: problem,
    };
    const endSec = job.startTime + job.duration;
    if (retentionSec > 0 && endSec + retentionSec < nowSec()) {
      log.err(
        "a job cannot be archived and is given up: its samples are gone",
        what,
      );
      this.stats.failedTotal++;
      await tables.archiveQueue.finish(job.id, { monitoringStatus: 2 });
      return;
    }
    const pauseMs = this.#pauseMs(queued.attempts);
    const retryAt = nowSec() + Math.floor(pauseMs / 1000);
    await tables.archiveQueue.noteFailure(job.id, retryAt, problem);
    log.warn("a job cannot be archived and will be tried again", {
      ...what,
      retryInSec: Math.round(pauseMs / 1000),
    });
  }

  async #write(queued: QueuedJob): Promise<void> {
    const { job } = queued;
    const { archive, clusters, engine, log, tables } = this.#options;
    const subCluster = clusters.subCluster(job.cluster, job.subCluster);
    if (subCluster === undefined) {
      throw new Error(
        `sub-cluster ${job.subCluster} of ${job.cluster} is not configured`,
      );
    }
    const { job: archived, statistics } = await archiveMetrics(
      { tables, archive, engine, log },
      queued,
      subCluster,
    );
    await this.#catchUp({ ...queued, job: archived });
    await tables.archiveQueue.finish(job.id, {
      monitoringStatus: 3,
      footprint: jobFootprint(statistics, subCluster),
      ...jobEnergy(statistics, subCluster, job),
    });
  }

  /** Adds edits made since the job was read: they found no archived job to edit. */
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
