/**
 * Puts the job API together: tables, archive, metrics, and scheduled work. Main thread,
 * at start.
 */
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { Config } from "../../config/settings/mod.ts";
import type { QueueCounts } from "../../db/archive_queue_table.ts";
import { nowSec } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { JobArchiveClient } from "../archive/job_archive_client.ts";
import { JobArchiver } from "./archiver.ts";
import { scheduleJobWork } from "./background.ts";
import { JobMetrics } from "./job_metrics.ts";
import { PassedOverNodes } from "./passed_over_nodes.ts";
import { JobReads } from "./job_reads.ts";
import { JobTimes, tellingTables } from "./host_times.ts";
import { Schedule } from "./schedule.ts";
import type { JobLog, JobServices, JobStatus, JobTables } from "./services.ts";

/** Between an attempt to archive a job that failed and the next one; doubled then. */
const RETRY_MS = 10_000;

/** States of a node that are kept without a configured retention: a week of minutes. */
const NODE_STATES_MAX = 7 * 24 * 60;

export interface JobApiOptions {
  readonly config: Pick<Config, "main" | "cron" | "archive" | "metric-store">;
  readonly tables: JobTables;
  readonly clusters: ClusterCatalog;
  readonly archive: JobArchiveClient;
  readonly engine: MetricEngine;
  readonly log: JobLog;
}

export interface JobApi {
  readonly services: JobServices;
  readonly status: JobStatus;
  /** Another process has changed the database: it may have asked for a retry. */
  retryArchive(): void;
  /** Resolves when what is under way is done; jobs that wait are archived after the next start. */
  close(): Promise<void>;
}

/** Starts the job API: its archiver and its scheduled work begin at once. */
export function startJobApi(options: JobApiOptions): JobApi {
  const { config, clusters, archive, engine, log } = options;
  const retentionSec = config["metric-store"]["retention-in-memory"];
  const times = new JobTimes({
    tables: options.tables,
    retentionSec,
    now: nowSec,
  });
  const tables = tellingTables(options.tables, times);
  const archiver = new JobArchiver({
    tables,
    archive,
    clusters,
    engine,
    log,
    retryMs: RETRY_MS,
    retentionSec,
  });
  const services: JobServices = {
    tables,
    clusters,
    archive,
    engine,
    times,
    log,
    metrics: new JobMetrics({
      engine,
      archive,
      clusters,
      resampling: config.main.resampling,
      onProblem: (job, problem) =>
        log.info("a job lacks a series", {
          job: job.jobId,
          cluster: job.cluster,
          problem,
        }),
    }),
    passedOverNodes: new PassedOverNodes(log),
    nodeStatesMax: config.main["nodestate-retention"] === undefined
      ? NODE_STATES_MAX
      : undefined,
    reads: new JobReads(),
    wakeArchiver: () => archiver.wake(),
    startsByHttp: config.main["api-subjects"] === undefined,
    machineStateDir: config.main["machine-state-dir"],
  };
  const schedule = new Schedule(log);
  scheduleJobWork(schedule, config, services);
  archiver.start();
  return {
    services,
    status: {
      archiver: archiver.stats,
      queue: () => tables.archiveQueue.counts().catch(notCounted),
      passedOverNodes: () => services.passedOverNodes.count,
      reads: services.reads.places,
      running: () => tables.jobs.count({ states: ["running"] }).catch(notKnown),
    },
    retryArchive: () => archiver.retry(),
    async close() {
      await Promise.all([archiver.close(), schedule.close()]);
      await archive.close();
    },
  };
}

function notCounted(error: unknown): QueueCounts {
  const count = notKnown(error);
  return { waiting: count, failing: count, oldestSince: count, nextAt: count };
}

/** A database without room for more calls does not hide the other metrics. */
function notKnown(error: unknown): number {
  if (error instanceof ClientError) return NaN;
  throw error;
}
