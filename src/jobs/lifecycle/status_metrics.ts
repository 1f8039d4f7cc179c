/** Metrics of jobs and of their archive. Main thread. */
import type { Registry } from "prom-client";
import { registerCounter, registerGauge } from "../../base/metrics.ts";
import type { JobStatus } from "./services.ts";

export function registerJobMetrics(registry: Registry, jobs: JobStatus): void {
  registerCounter(
    registry,
    "node_states_passed_over_total",
    "Reported states of nodes that belong to no sub-cluster.",
    [],
    (counter) => counter.inc(jobs.passedOverNodes()),
  );
  registerCounter(
    registry,
    "job_read_waits_total",
    "Times that a piece of a list or of metrics of a job waited for its turn.",
    [],
    (counter) => counter.inc(jobs.reads.waitsTotal),
  );
  registerCounter(
    registry,
    "job_read_refusals_total",
    "Lists and metrics of jobs refused since their turn did not come in time.",
    [],
    (counter) => counter.inc(jobs.reads.refusalsTotal),
  );
  registerCounter(
    registry,
    "jobs_archived_total",
    "Jobs that were archived.",
    [],
    (counter) => counter.inc(jobs.archiver.archivedTotal),
  );
  registerCounter(
    registry,
    "jobs_archive_failed_attempts_total",
    "Attempts to archive a job that failed; they are repeated.",
    [],
    (counter) => counter.inc(jobs.archiver.failedAttemptsTotal),
  );
  registerCounter(
    registry,
    "jobs_archive_failures_total",
    "Jobs that could not be archived while their samples were there, and were given up.",
    [],
    (counter) => counter.inc(jobs.archiver.failedTotal),
  );
  registerGauge(
    registry,
    "jobs_archive_queue",
    "Jobs that have stopped and wait to be archived.",
    [],
    async (gauge) => gauge.set((await jobs.queue()).waiting),
  );
  registerGauge(
    registry,
    "jobs_archive_failing",
    "Those of them whose last attempt failed.",
    [],
    async (gauge) => gauge.set((await jobs.queue()).failing),
  );
  registerGauge(
    registry,
    "jobs_archive_oldest_timestamp_seconds",
    "When the job was stopped that has waited longest; 0: none waits.",
    [],
    async (gauge) => gauge.set((await jobs.queue()).oldestSince),
  );
  registerGauge(
    registry,
    "jobs_running",
    "Jobs that run.",
    [],
    async (gauge) => gauge.set(await jobs.running()),
  );
}
