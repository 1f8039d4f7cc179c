/** One job: what its page shows besides plots (web R12, R13). Main thread. */
import { z } from "zod";
import {
  isMetricScope,
  METRIC_SCOPES,
} from "../../config/clusters/metric_scope.ts";
import { ClientError } from "../../base/errors.ts";
import type { JobRow } from "../../db/job_row.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { archivedStatistics } from "../../jobs/api/answers.ts";
import { durationAt } from "../../jobs/data/job_answer.ts";
import type { JobServices } from "../../jobs/lifecycle/services.ts";
import { JOB_ID, requireJob } from "../../jobs/lifecycle/job_access.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import type {
  JobAnswer,
  MetricAnswer,
  StatisticsAnswer,
  StatisticsRow,
} from "../shared/answers.ts";
import { taggedJson } from "./entity_tag.ts";
import { rowAnswers } from "./job_list_routes.ts";
import { inScope, readJobMetrics } from "./job_metrics_reading.ts";
import { findPage } from "./job_search.ts";
import { type PageServices, webServices } from "./services.ts";

/** Jobs beside one on its nodes that are told. */
const NEIGHBOURS_MAX = 100;
/** Jobs that began earlier are not looked for beside a job. */
const NEIGHBOURS_SEC = 7 * 86_400;
/** The page of a job does not wait longer for its neighbours. */
const NEIGHBOURS_MS = 1000;

async function show(services: PageServices, call: ApiCall): Promise<ApiAnswer> {
  const { jobs: means } = services;
  const { tables, clusters } = means;
  const job = await requireJob(means, call, "E_NOT_FOUND");
  const [listed, names, statistics, sharedWith, previous, next, missing] =
    await Promise.all([
      tables.jobs.listed([job.id]),
      webServices(services).fullNames([job.user]),
      archivedStatistics(means, call.principal, [job]),
      neighboursOf(means, call, job),
      besideOf(means, call, job, "desc"),
      besideOf(means, call, job, "asc"),
      missingOf(means, call, job),
    ]);
  const [row] = await rowAnswers(services, call, listed);
  if (row === undefined) {
    throw new ClientError("E_NOT_FOUND", "the job was deleted just now");
  }
  const found = statistics.get(job.id);
  const answer: JobAnswer = {
    job: row,
    fullName: names.get(job.user) ?? "",
    metaData: job.metaData ?? {},
    resources: job.resources,
    statistics: found ?? {},
    sharedWith,
    ...(previous === undefined ? {} : { previous }),
    ...(next === undefined ? {} : { next }),
    archive: { state: archiveState(job) },
    missing: found === undefined
      ? missing
      : withoutStatistics(means, job, found),
    metrics: metricsOf(clusters, job),
  };
  return taggedJson(call, answer);
}

function archiveState(
  { jobState, monitoringStatus }: JobRow,
): JobAnswer["archive"]["state"] {
  if (monitoringStatus === 0) return "disabled";
  if (jobState === "running") return "memory";
  return ({ 1: "waiting", 2: "failed", 3: "archived" } as const)[
    monitoringStatus
  ];
}

/** The metrics of the job's sub-cluster, in the order of the configuration. */
function metricsOf(
  clusters: JobServices["clusters"],
  { cluster, subCluster }: JobRow,
): MetricAnswer[] {
  const metrics = clusters.subCluster(cluster, subCluster)?.metrics.values();
  return [...metrics ?? []].map(({ footprint, ...metric }) => ({
    ...metric,
    ...(footprint === "" ? {} : { footprint }),
  }));
}

/** The next job of the same user in a direction by start. */
async function besideOf(
  { tables }: JobServices,
  { principal }: ApiCall,
  job: JobRow,
  order: "asc" | "desc",
): Promise<number | undefined> {
  const { own, clusters } = principal.jobView();
  const { matches } = await tables.jobs.find({
    filter: {
      user: job.user,
      ...(own === undefined ? {} : { visibleTo: own }),
      ...(clusters === undefined ? {} : { clusters: [...clusters] }),
    },
    checks: [],
    rows: 1,
    after: { startTime: job.startTime, id: job.id },
    order,
    limit: 1,
  });
  return matches[0]?.id;
}

/** Jobs on the nodes of a shared job at its time: their names are for staff alone. */
async function neighboursOf(
  { tables }: JobServices,
  call: ApiCall,
  job: JobRow,
): Promise<JobAnswer["sharedWith"]> {
  if (job.shared === "none") return { count: 0 };
  let gone = false;
  call.whenGone(() => gone = true);
  const nowSec = Math.floor(call.nowMs / 1000);
  const isStaff = call.principal.jobView().own === undefined;
  const page = await findPage(tables.jobs, {
    filter: {
      cluster: job.cluster,
      startTime: {
        from: job.startTime - NEIGHBOURS_SEC,
        to: job.startTime + durationAt(job, nowSec),
      },
    },
    checks: [{
      kind: "beside",
      id: job.id,
      hosts: job.resources.map(({ hostname }) => hostname),
      fromSec: job.startTime,
      nowSec,
    }],
    order: "desc",
    limit: NEIGHBOURS_MAX,
    nowSec,
  }, { isGone: () => gone, searchMs: NEIGHBOURS_MS }).catch((error) => {
    // So many jobs began since that the page is better without.
    if (error instanceof ClientError && error.code === "E_UNPROCESSABLE") {
      return { jobs: [] };
    }
    throw error;
  });
  const count = page.jobs.length;
  if (!isStaff) return { count };
  const listed = await tables.jobs.listed(page.jobs.map(({ id }) => id));
  return {
    count,
    jobs: listed.map(({ id, jobId, user }) => ({
      id,
      jobId: String(jobId),
      user,
    })),
  };
}

/** Hosts of a running job that send nothing of a metric now. */
async function missingOf(
  { clusters, engine }: JobServices,
  { principal }: ApiCall,
  job: JobRow,
): Promise<Record<string, string[]>> {
  const subCluster = clusters.subCluster(job.cluster, job.subCluster);
  if (job.jobState !== "running" || subCluster === undefined) return {};
  if (engine.state !== "ready") return {};
  const metrics = [...subCluster.metrics.values()]
    .filter(({ scope }) => scope !== "accelerator" || job.numAcc > 0)
    .map(({ name }) => name);
  const health = await engine.health(
    principal.jobMetrics() ?? DEFAULT_SCOPE,
    job.cluster,
    job.resources.map(({ hostname }) => hostname),
    metrics,
  );
  const missing = new Map<string, string[]>();
  for (const [host, { missing: names }] of health) {
    for (const name of names) {
      const hosts = missing.get(name);
      if (hosts === undefined) missing.set(name, [host]);
      else hosts.push(host);
    }
  }
  return Object.fromEntries(missing);
}

/** Metrics that an archived job has nothing of, on any of its hosts. */
function withoutStatistics(
  { clusters }: JobServices,
  job: JobRow,
  statistics: Readonly<Record<string, unknown>>,
): Record<string, string[]> {
  const hosts = job.resources.map(({ hostname }) => hostname);
  return Object.fromEntries(
    metricsOf(clusters, job)
      .filter(({ name, scope }) =>
        !Object.hasOwn(statistics, name) &&
        (scope !== "accelerator" || job.numAcc > 0)
      ).map(({ name }) => [name, hosts]),
  );
}

async function statistics(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const job = await requireJob(services.jobs, call, "E_NOT_FOUND");
  const scope = call.search.get("scope") ?? "node";
  if (!isMetricScope(scope)) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `scope: one of ${METRIC_SCOPES.join(", ")} is expected, got ${
        JSON.stringify(scope.slice(0, 40))
      }`,
    );
  }
  const metrics = await webServices(services).seriesTurns.run(
    call.principal.shareKey,
    async () => {
      const reading = await readJobMetrics(services.jobs, call, job, { scope });
      call.whenGone(() => reading.close());
      const metrics: StatisticsAnswer["metrics"][number][] = [];
      try {
        for await (const named of reading.metrics) {
          const found = inScope(named, scope);
          if (found === undefined) continue;
          const [name, { unit, series }] = found;
          const rows = series.map((
            { hostname, id = "", statistics: { min, avg, max } },
          ): StatisticsRow => [hostname, id, min, avg, max]);
          metrics.push({ name: named.name, unit, scope: name, rows });
        }
      } finally {
        reading.close();
      }
      return metrics;
    },
  );
  const answer: StatisticsAnswer = { metrics };
  return json(200, answer, { "Cache-Control": "no-store" });
}

const jobSchema = z.looseObject({
  job: z.looseObject({ id: z.int(), jobId: z.string() }),
  metaData: z.record(z.string(), z.string()),
}).meta({ id: "WebJob" });

const statisticsSchema = z.object({
  metrics: z.array(z.looseObject({
    name: z.string(),
    scope: z.string(),
    rows: z.array(z.array(z.union([z.string(), z.number()]))).describe(
      "Host, id, least, mean, largest.",
    ),
  })),
}).meta({ id: "WebJobStatistics" });

const NO_JOB = { 404: "There is no such job, or it is not yours to see." };

export function jobPageRoutes(services: PageServices): readonly ApiRoute[] {
  const bound = bindTo(services);
  return [
    {
      kind: "api",
      group: "web",
      path: "/web/api/jobs/:id",
      name: "web-job",
      operations: {
        GET: {
          id: "webJob",
          summary: "A job with all that its page shows besides plots",
          parameters: [JOB_ID],
          answer: { type: JSON_TYPE, schema: jobSchema },
          errors: NO_JOB,
          handle: bound(show),
        },
      },
    },
    {
      kind: "api",
      group: "web",
      path: "/web/api/jobs/:id/statistics",
      name: "web-job-statistics",
      operations: {
        GET: {
          id: "webJobStatistics",
          summary: "Least, mean and largest value of each series of a job",
          parameters: [JOB_ID, {
            name: "scope",
            type: "string",
            rules: { enum: METRIC_SCOPES },
            description: "Absent: node.",
          }],
          answer: { type: JSON_TYPE, schema: statisticsSchema },
          errors: NO_JOB,
          handle: bound(statistics),
        },
      },
    },
  ];
}
