/** One job and its metrics (job-api 2.7, 2.8, 4). Main thread. */
import type { JobServices } from "../lifecycle/services.ts";
import { z } from "zod";
import {
  isMetricScope,
  METRIC_SCOPES,
} from "../../config/clusters/metric_scope.ts";
import type { JobRow } from "../../db/job_row.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { DATA_START } from "../data/leading_nulls.ts";
import { jobRouteScopes } from "../data/scope_requests.ts";
import { jobWithTags } from "./answers.ts";
import { type AskedMetrics, metricsOf } from "./asked_metrics.ts";
import {
  writeMetaAndData,
  writeMetaAndList,
  writeMetricList,
  writtenAnswer,
} from "./data_answer.ts";
import { JOB_ID, pathNumber, requireJob } from "../lifecycle/job_access.ts";
import type { JobAnswer } from "../data/job_answer.ts";
import { metricNamesSchema } from "../lifecycle/job_requests.ts";
import {
  jobMetricsSchema,
  jobWithDataSchema,
  jobWithMetricsSchema,
} from "../lifecycle/job_schemas.ts";
import { decodeRequest } from "../lifecycle/request_json.ts";

/** As the pages of one job want it: finer scopes where there is one node. */
function dataOfJob(
  services: JobServices,
  call: ApiCall,
  job: JobRow,
  metrics: readonly string[] | undefined,
): Promise<AskedMetrics> {
  return metricsOf(services, call, job, {
    metrics,
    request: jobRouteScopes(job),
    resolutionSec: services.metrics.clusterStepSec(job.cluster),
  });
}

/** With where its series begin, if that is not where the job began. */
function withDataStart(
  meta: JobAnswer,
  { dataStart }: AskedMetrics,
): JobAnswer {
  return dataStart === undefined ? meta : {
    ...meta,
    metaData: { ...meta.metaData, [DATA_START]: String(dataStart) },
  };
}

/** A reading with nothing to close. */
const NOTHING_OPEN = { close() {} };

async function show(services: JobServices, call: ApiCall): Promise<ApiAnswer> {
  const job = await requireJob(services, call, "E_UNPROCESSABLE");
  const meta = await jobWithTags(services, call, job);
  if (call.search.get("all-metrics") !== "true") {
    return writtenAnswer(
      NOTHING_OPEN,
      (out) => writeMetaAndData(out, meta, undefined),
    );
  }
  const data = await dataOfJob(services, call, job, undefined);
  return writtenAnswer(
    data,
    (out) => writeMetaAndData(out, withDataStart(meta, data), data.metrics),
  );
}

async function showMetrics(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const job = await requireJob(services, call, "E_UNPROCESSABLE");
  const metrics = decodeRequest(metricNamesSchema, call.body);
  const meta = await jobWithTags(services, call, job);
  const data = await dataOfJob(services, call, job, metrics);
  return writtenAnswer(
    data,
    (out) => writeMetaAndList(out, withDataStart(meta, data), data.metrics),
  );
}

/**
 * Apart from a wrong scope everything is told with status 200: pages read the error
 * in the answer.
 */
async function metricsOnly(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
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
    const job = await requireJob(services, call, "E_UNPROCESSABLE");
    const data = await metricsOf(services, call, job, {
      metrics: metrics.length === 0 ? undefined : metrics,
      request: { scopes },
      resolutionSec: services.metrics.resamplingSec,
    });
    return writtenAnswer(data, async function* (out) {
      out.raw(`{"data":{"jobMetrics":`);
      yield* writeMetricList(out, data.metrics);
      out.raw(`},"error":null}`);
    });
  } catch (error) {
    const isTold = error instanceof ClientError && error.code !== "E_OVERLOAD";
    if (!isTold) throw error;
    services.log.info("metrics of a job are not answered", {
      path: call.path,
      reason: error.message,
    });
    return json(200, { data: null, error: { message: error.message } });
  }
}

const SHOW: Omit<ApiOperation, "id" | "handle"> = {
  summary: "A job, with all its metrics if asked for",
  parameters: [JOB_ID, {
    name: "all-metrics",
    type: "string",
    description: "`true`: `Data` has the metrics.",
  }],
  answer: { type: JSON_TYPE, schema: jobWithDataSchema },
  errors: { 422: "There is no such job, or it is not yours to see." },
  scope: "jobs:read",
};

const SHOW_METRICS: Omit<ApiOperation, "id" | "handle"> = {
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
};

const METRICS_ONLY: Omit<ApiOperation, "id" | "handle"> = {
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
};

/** The same routes for programs and for users. */
function routesOf(
  services: JobServices,
  group: "job" | "userapi",
): ApiRoute[] {
  const bind = bindTo(services);
  const [prefix, id] = group === "job"
    ? ["/api", "job"]
    : ["/userapi", "userJob"];
  return [
    {
      kind: "api",
      group,
      path: `${prefix}/jobs/metrics/:id`,
      name: `${group}-job-metrics`,
      operations: {
        GET: { id: `${id}Metrics`, ...METRICS_ONLY, handle: bind(metricsOnly) },
      },
    },
    {
      kind: "api",
      group,
      path: `${prefix}/jobs/:id`,
      name: `${group}-job`,
      operations: {
        GET: { id, ...SHOW, handle: bind(show) },
        POST: {
          id: `${id}WithMetrics`,
          ...SHOW_METRICS,
          handle: bind(showMetrics),
        },
      },
    },
  ];
}

export function readRoutes(services: JobServices): readonly ApiRoute[] {
  return [...routesOf(services, "job"), ...routesOf(services, "userapi")];
}
