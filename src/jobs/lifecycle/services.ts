/** The services that routes and background work of the job API use. Main thread. */
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { QueueCounts } from "../../db/archive_queue_table.ts";
import type { DatabaseClient } from "../../db/remote.ts";
import type { JobArchiveClient } from "../archive/job_archive_client.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { Log } from "../../base/log.ts";
import type { JobArchiverStats } from "./archiver.ts";
import type { JobMetrics } from "./job_metrics.ts";
import type { PassedOverNodes } from "./passed_over_nodes.ts";
import type { JobTimes } from "./host_times.ts";
import type { JobReads } from "./job_reads.ts";

/** The tables of the database that have to do with jobs and nodes. */
export type JobTables = Pick<
  DatabaseClient,
  "jobs" | "tags" | "nodes" | "archiveQueue"
>;

export type JobLog = Pick<Log, "info" | "warn" | "err">;

export interface JobServices {
  readonly tables: JobTables;
  readonly clusters: ClusterCatalog;
  readonly archive: JobArchiveClient;
  readonly metrics: JobMetrics;
  /** Turns of those who read long answers. */
  readonly reads: JobReads;
  readonly engine: MetricEngine;
  /** Hosts and times of the store that people may see. */
  readonly times: JobTimes;
  readonly log: JobLog;
  /** Tells the archiver that a job waits. */
  readonly wakeArchiver: () => void;
  /** Reported nodes that belong nowhere. */
  readonly passedOverNodes: PassedOverNodes;
  /** Newest states of a node that are kept; absent: those that the retention leaves. */
  readonly nodeStatesMax?: number | undefined;
  /** With `api-subjects` jobs start and stop by message alone. */
  readonly startsByHttp: boolean;
  /** `""`: machine states are not kept. */
  readonly machineStateDir: string;
}

/** Status of the job API as a whole. */
export interface JobStatus {
  readonly archiver: Readonly<JobArchiverStats>;
  /** Jobs that wait to be archived; NaN while the database does not answer. */
  queue(): Promise<QueueCounts>;
  /** Running jobs, likewise. */
  running(): Promise<number>;
  /** States of nodes that were passed over since the start. */
  passedOverNodes(): number;
  /** Pieces of long answers that are read at a time. */
  readonly reads: Pick<JobReads["places"], "waitsTotal" | "refusalsTotal">;
}
