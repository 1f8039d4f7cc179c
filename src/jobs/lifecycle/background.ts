/**
 * Scheduled work on jobs and nodes: durations and footprints of running jobs, jobs over
 * their walltime, old node states and archived jobs (job-api 3.3, 6, 9.1). Main thread.
 */
import { nowSec } from "../../base/clock.ts";
import type { Config } from "../../config/settings/mod.ts";
import { jobPages } from "../../db/job_pages.ts";
import { inSlices } from "../../db/job_slices.ts";
import type { JobRow, NamedNumbers } from "../../db/job_row.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import { applyRetention } from "../archive/retention.ts";
import { jobFootprint, jobStatistics } from "../data/job_statistics.ts";
import { loadJobData } from "../data/load_job_data.ts";
import { errorText } from "../../base/log.ts";
import { durationAt } from "../data/job_answer.ts";
import { keepNodeStates } from "./node_retention.ts";
import type { Schedule } from "./schedule.ts";
import type { JobServices } from "./services.ts";

/** Younger jobs have no footprint yet. */
const FOOTPRINT_AGE_SEC = 600;
const DAY_SEC = 86_400;

type BackgroundConfig = Pick<Config, "main" | "cron" | "archive">;

/** Adds the scheduled work that the configuration asks for. */
export function scheduleJobWork(
  schedule: Pick<Schedule, "every" | "daily">,
  config: BackgroundConfig,
  services: JobServices,
): void {
  const { main, cron, archive } = config;
  const { jobs } = services.tables;
  schedule.every(
    cron["duration-worker"],
    "durations",
    () => inSlices((after) => jobs.updateDurations(nowSec(), after)),
  );
  schedule.every(
    cron["footprint-worker"],
    "footprints",
    () => updateFootprints(services),
  );
  const graceSec = main["stop-jobs-exceeding-walltime"];
  if (graceSec > 0) {
    schedule.daily(3, "walltime", () => failOverdue(services, graceSec));
  }
  const states = main["nodestate-retention"];
  if (states !== undefined) {
    schedule.daily(
      2,
      "node states",
      () => keepNodeStates(services, states, nowSec()),
    );
  }
  if (archive.compression > 0) {
    schedule.daily(
      5,
      "compression",
      () => services.archive.compress(nowSec() - archive.compression * DAY_SEC),
    );
  }
  if (archive.retention.policy !== "none") {
    schedule.daily(
      4,
      "archive retention",
      () => applyArchiveRetention(services, archive),
    );
  }
}

/**
 * Stores footprints of jobs that have run for a while, from the metrics of their nodes
 * so far.
 */
export async function updateFootprints(
  services: Pick<JobServices, "tables" | "clusters" | "engine" | "log">,
): Promise<void> {
  const { jobs } = services.tables;
  const filter = {
    states: ["running" as const],
    startTime: { to: nowSec() - FOOTPRINT_AGE_SEC },
  };
  for await (const page of jobPages(jobs, filter)) {
    const footprints = new Map<number, NamedNumbers>();
    for (const job of page) {
      const footprint = await footprintOf(services, job);
      if (footprint !== undefined) footprints.set(job.id, footprint);
    }
    if (footprints.size > 0) await jobs.setFootprints(footprints);
  }
}

async function footprintOf(
  { clusters, engine, log }: Pick<JobServices, "clusters" | "engine" | "log">,
  job: JobRow,
): Promise<NamedNumbers | undefined> {
  const subCluster = clusters.subCluster(job.cluster, job.subCluster);
  if (subCluster === undefined || subCluster.footprint.length === 0) {
    return undefined;
  }
  try {
    const { data } = await loadJobData(
      engine,
      DEFAULT_SCOPE,
      { ...job, duration: durationAt(job, nowSec()) },
      subCluster,
      {
        metrics: subCluster.footprint,
        request: { scopes: ["node"] },
        withData: false,
        resolutionSec: 0,
        minimumPoints: 0,
      },
    );
    return jobFootprint(
      jobStatistics(data, subCluster, job.numNodes),
      subCluster,
    );
  } catch (error) {
    log.warn("a running job has no footprint", {
      job: job.jobId,
      cluster: job.cluster,
      error: errorText(error),
    });
    return undefined;
  }
}

async function failOverdue(
  { tables, log }: Pick<JobServices, "tables" | "log">,
  graceSec: number,
): Promise<void> {
  const count = await tables.jobs.failOverdue(nowSec(), graceSec);
  if (count > 0) log.info("jobs over their walltime have failed", { count });
}

async function applyArchiveRetention(
  { tables, archive, log }: Pick<JobServices, "tables" | "archive" | "log">,
  { retention }: BackgroundConfig["archive"],
): Promise<void> {
  const { policy } = retention;
  if (policy === "none") return;
  const report = await applyRetention(
    {
      policy,
      ageDays: retention.age,
      omitTagged: retention["omit-tagged"],
      includeDb: retention["include-db"],
      targetRoot: retention["target-path"] ?? "",
    },
    tables.jobs,
    archive,
    nowSec(),
    ({ jobId, cluster }, error) =>
      log.err("an old job stays where it is", {
        job: jobId,
        cluster,
        error: errorText(error),
      }),
  );
  log.info("old jobs were treated", { policy, ...report });
}
