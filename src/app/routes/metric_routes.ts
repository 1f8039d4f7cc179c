/** The table of the metric routes: method, path, schemas, and who may. */
import { JSON_TYPE } from "../../http/api_route.ts";
import { z } from "zod";
import {
  handleDebug,
  handleFree,
  selectorsSchema,
} from "./maintenance_routes.ts";
import {
  handleHealth,
  healthAnswerSchema,
  healthRequestSchema,
} from "./health_route.ts";
import { queryRequestSchema } from "./query_request.ts";
import { handleQuery } from "./query_route.ts";
import {
  type MetricRoute,
  type Operation,
  type OtherAnswer,
  SAFE_INTEGER,
} from "../../http/route.ts";
import type { MetricServices } from "./services.ts";
import { handleWrite, refusedWriteSchema } from "./write_route.ts";

const TEXT_TYPE = "text/plain";

const entrySchema = z.object({
  error: z.string().optional().describe("Why there is no result."),
  data: z.array(z.number().nullable()).optional(),
  from: z.int(),
  to: z.int(),
  resolution: z.int().describe("Seconds between two points."),
  avg: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  members: z.array(z.int()).optional().describe(
    "With `missing: skip`: smallest and largest number of values combined.",
  ),
}).meta({ id: "QueryEntry" });

const queryAnswerSchema = z.object({
  queries: z.array(z.looseObject({})).optional().describe(
    "All queries, where `for-all-nodes` added some.",
  ),
  results: z.array(z.array(entrySchema)).describe(
    "One list for each query, in their order.",
  ),
}).meta({ id: "QueryAnswer" });

const debugAnswerSchema = z.object({
  data: z.looseObject({}).describe(
    "For each level its metrics, as lists of runs with `start`, `len` and " +
      "`end`, and its children.",
  ),
}).meta({ id: "DebugAnswer" });

function refusal(description: string): OtherAnswer {
  return { type: JSON_TYPE, description, schema: refusedWriteSchema };
}

const QUERY_EXAMPLE = {
  cluster: "fritz",
  from: 1725620000,
  to: 1725623600,
  queries: [{ metric: "cpu_load", host: "f0201" }],
};

function query(id: string): Operation {
  return {
    id,
    summary: "Read series",
    description:
      "Many queries in one request. What cannot be answered carries an " +
      "`error` in its place; the status is 200 all the same.",
    body: {
      type: JSON_TYPE,
      schema: queryRequestSchema,
      example: QUERY_EXAMPLE,
      required: true,
    },
    answer: { type: JSON_TYPE, schema: queryAnswerSchema },
    errors: {
      422: "The request would read too many samples, or name too many series.",
    },
  };
}

function health(
  id: string,
  description = "Asked by the body, or without one by the parameters.",
): Operation {
  return {
    id,
    summary: "State of nodes",
    description,
    parameters: [
      { name: "cluster", type: "string", description: "Name of the cluster." },
      {
        name: "node",
        type: "string",
        repeated: true,
        description: "Name of a node.",
      },
      {
        name: "metric-names",
        type: "string",
        repeated: true,
        description: "Expected metrics; none: all of the cluster.",
      },
    ],
    body: { type: JSON_TYPE, schema: healthRequestSchema, required: false },
    answer: { type: JSON_TYPE, schema: healthAnswerSchema },
    errors: { 422: "Nodes times names of metrics are too many." },
  };
}

/** The metric store: samples in, series out, and its upkeep. */
export function metricRoutes(
  services: MetricServices,
): readonly MetricRoute[] {
  return [
    {
      kind: "metric",
      path: "/api/write",
      name: "write",
      access: "write",
      getWithBody: true,
      handle: (exchange) => handleWrite(services, exchange),
      operations: {
        POST: {
          id: "write",
          summary: "Store samples",
          description:
            "Good lines are stored whatever their neighbours are. Lines passed " +
            "over without being wrong are counted in the header `X-Skipped`, and " +
            "the first metrics that no configuration names are told in " +
            "`X-Skipped-Names`. " +
            "GET with a body does the same.",
          parameters: [{
            name: "cluster",
            type: "string",
            description: "Cluster of the lines that name none.",
          }],
          body: {
            type: TEXT_TYPE,
            description: "Line protocol, also compressed with gzip or zstd.",
            example: "cpu_load,cluster=fritz,hostname=f0201,type=node " +
              "value=1.25 1725620476\n",
            required: false,
          },
          answer: { description: "Stored; no body." },
          errors: {
            400: refusal("The request is wrong, or some of its lines are."),
            403: refusal(
              "The credential does not allow this, or not for all of the lines.",
            ),
            429: refusal(
              "There was no room for some of the lines, or they came too fast; " +
                "try again after `Retry-After`.",
            ),
          },
        },
      },
    },
    {
      kind: "metric",
      path: "/api/query",
      name: "query",
      access: "query",
      handle: (exchange) => handleQuery(services, exchange),
      operations: { GET: query("query"), POST: query("queryByPost") },
    },
    {
      kind: "metric",
      path: "/api/healthcheck",
      name: "healthcheck",
      access: "health",
      handle: (exchange) => handleHealth(services, exchange),
      operations: {
        GET: health("health"),
        POST: health(
          "healthByPost",
          "Asked by the body, or without one by the parameters. A body with " +
            "states of nodes is taken as `/api/nodestate` takes it: the role " +
            "`api` is needed, and the answer has no body.",
        ),
      },
    },
    {
      kind: "metric",
      path: "/api/free",
      name: "free",
      access: "free",
      handle: (exchange) => handleFree(services, exchange),
      operations: {
        POST: {
          id: "free",
          summary: "Free memory of old samples",
          parameters: [{
            name: "to",
            type: "integer",
            rules: SAFE_INTEGER,
            required: true,
            description: "Unix time in seconds; what ended before it goes.",
          }],
          body: { type: JSON_TYPE, schema: selectorsSchema, required: true },
          answer: { type: TEXT_TYPE, example: "buffers freed: 3\n" },
        },
      },
    },
    {
      kind: "metric",
      path: "/api/debug",
      name: "debug",
      access: "debug",
      handle: (exchange) => handleDebug(services, exchange),
      operations: {
        GET: {
          id: "debug",
          summary: "What is in memory",
          parameters: [{
            name: "selector",
            type: "string",
            description: "Names with colons between them; absent: everything.",
          }],
          answer: { type: JSON_TYPE, schema: debugAnswerSchema },
        },
      },
    },
  ];
}
