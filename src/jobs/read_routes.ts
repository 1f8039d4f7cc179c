/** One job and its metrics (job-api 2.7, 2.8, 4). Main thread. */
import { z } from "zod";
import { isMetricScope, METRIC_SCOPES } from "../cluster/metric_scope.ts";
import type { JobRow } from "../db/job_row.ts";
import { ClientError } from "../errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  json,
} from "../http/api_route.ts";
import type { JobData } from "../jobdata/job_data.ts";
import { jobRouteScopes } from "../jobdata/scope_requests.ts";
import { jobWithTags } from "./answers.ts";
import {
  writeMetaAndData,
  writeMetaAndList,
  writeMetricList,
  writtenAnswer,
} from "./data_answer.ts";
import { JOB_ID, metricScope, pathNumber, requireJob } from "./job_access.ts";
import type { JobMetricsQuestion } from "./job_metrics.ts";
import { metricNamesSchema } from "./job_requests.ts";
import {
  jobMetricsSchema,
  jobWithDataSchema,
  jobWithMetricsSchema,
} from "./job_schemas.ts";
import { decodeRequest } from "./request_json.ts";

const JSON_TYPE = "application/json";

/** What is the same in every question of a caller. */
function asked(
  call: ApiCall,
): Pick<JobMetricsQuestion, "scope" | "narrowed" | "nowSec"> {
  return {
    scope: metricScope(call.principal),
    narrowed: call.principal.jobView().narrowed,
    nowSec: Math.floor(call.nowMs / 1000),
  };
}

/** As the pages of one job want it: finer scopes where there is one node. */
function dataOfJob(
  call: ApiCall,
  job: JobRow,
  metrics: readonly string[] | undefined,
): Promise<JobData> {
  const service = call.services.jobs.metrics;
  return service.load(job, {
    metrics,
    request: jobRouteScopes(job),
    resolutionSec: service.clusterStepSec(job.cluster),
    ...asked(call),
  });
}

async function show(call: ApiCall): Promise<ApiAnswer> {
  const job = await requireJob(call, "E_UNPROCESSABLE");
  const meta = await jobWithTags(call, job);
  const data = call.search.get("all-metrics") === "true"
    ? await dataOfJob(call, job, undefined)
    : undefined;
  return writtenAnswer((out) => writeMetaAndData(out, meta, data));
}

async function showMetrics(call: ApiCall): Promise<ApiAnswer> {
  const job = await requireJob(call, "E_UNPROCESSABLE");
  const metrics = decodeRequest(metricNamesSchema, call.body);
  const meta = await jobWithTags(call, job);
  const data = await dataOfJob(call, job, metrics);
  return writtenAnswer((out) => writeMetaAndList(out, meta, data));
}

/**
 * Apart from a wrong scope everything is told with status 200: pages read the error
 * in the answer.
 */
async function metricsOnly(call: ApiCall): Promise<ApiAnswer> {
  const scopes = call.search.getAll("scope").map((word) => {
    if (isMetricScope(word)) return word;
    throw new ClientError(
      "E_BAD_REQUEST",
      `scope: one of ${METRIC_SCOPES.join(", ")} is expected, got ${
        JSON.stringify(word.slice(0, 40))
      }`,
    );
  });
  pathNumber(call, "id");
  const metrics = call.search.getAll("metric");
  try {
    const job = await requireJob(call, "E_UNPROCESSABLE");
    const { metrics: service } = call.services.jobs;
    const data = await service.load(job, {
      metrics: metrics.length === 0 ? undefined : metrics,
      request: { scopes },
      resolutionSec: service.resamplingSec,
      ...asked(call),
    });
    return writtenAnswer((out) => {
      out.raw(`{"data":{"jobMetrics":`);
      writeMetricList(out, data);
      out.raw(`},"error":null}`);
    });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    call.services.jobs.log.info("metrics of a job are not answered", {
      path: call.path,
      reason: error.message,
    });
    return json(200, { data: null, error: { message: error.message } });
  }
}

const SHOW: Omit<ApiOperation, "id"> = {
  summary: "A job, with all its metrics if asked for",
  parameters: [JOB_ID, {
    name: "all-metrics",
    type: "string",
    description: "`true`: `Data` has the metrics.",
  }],
  answer: { type: JSON_TYPE, schema: jobWithDataSchema },
  errors: { 422: "There is no such job, or it is not yours to see." },
  scope: "jobs:read",
  handle: show,
};

const SHOW_METRICS: Omit<ApiOperation, "id"> = {
  summary: "A job with some of its metrics",
  parameters: [JOB_ID],
  body: {
    type: JSON_TYPE,
    description: "Names of metrics; `null`: all.",
    schema: z.array(z.string()).nullable().meta({ id: "MetricNames" }),
    required: true,
  },
  answer: { type: JSON_TYPE, schema: jobWithMetricsSchema },
  errors: { 422: "There is no such job, or it is not yours to see." },
  scope: "jobs:read",
  handle: showMetrics,
};

const METRICS_ONLY: Omit<ApiOperation, "id"> = {
  summary: "Metrics of a job",
  description: "Errors come with status 200, in `error`.",
  parameters: [
    JOB_ID,
    {
      name: "metric",
      type: "string",
      repeated: true,
      description: "Names; none: all.",
    },
    {
      name: "scope",
      type: "string",
      rules: { enum: METRIC_SCOPES },
      repeated: true,
      description: "None: node, or all there are in the archive.",
    },
  ],
  answer: { type: JSON_TYPE, schema: jobMetricsSchema },
  scope: "jobs:read",
  handle: metricsOnly,
};

/** The same routes for programs and for users. */
function routesOf(group: "job" | "userapi"): ApiRoute[] {
  const [prefix, id] = group === "job"
    ? ["/api", "job"]
    : ["/userapi", "userJob"];
  return [
    {
      kind: "api",
      group,
      path: `${prefix}/jobs/metrics/:id`,
      name: `${group}-job-metrics`,
      operations: { GET: { id: `${id}Metrics`, ...METRICS_ONLY } },
    },
    {
      kind: "api",
      group,
      path: `${prefix}/jobs/:id`,
      name: `${group}-job`,
      operations: {
        GET: { id, ...SHOW },
        POST: { id: `${id}WithMetrics`, ...SHOW_METRICS },
      },
    },
  ];
}

export const readRoutes: readonly ApiRoute[] = [
  ...routesOf("job"),
  ...routesOf("userapi"),
];
