/** Configured clusters, and the states of their nodes (job-api 2.13, 9.1). Main thread. */
import type { JobServices } from "../lifecycle/services.ts";
import { z } from "zod";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  bindTo,
  empty,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { NODE_STATES as NODE_STATE_WORDS } from "../../db/node_table.ts";
import { ClientError } from "../../base/errors.ts";
import { nodeStateSchema } from "../lifecycle/job_requests.ts";
import { takeNodeStates } from "../lifecycle/node_states.ts";

const clustersSchema = z.object({
  clusters: z.array(z.looseObject({ name: z.string() })).describe(
    "As their `cluster.json` says, with what follows for each sub-cluster.",
  ),
}).meta({ id: "Clusters" });

function listClusters(services: JobServices, call: ApiCall): ApiAnswer {
  const name = call.search.get("cluster");
  const { clusters } = services.clusters.toJson(name ?? undefined);
  const view = call.principal.jobView();
  return json(200, {
    clusters: clusters.filter((cluster) =>
      view.clusters === undefined || view.clusters.has(String(cluster.name))
    ),
  });
}

async function showState(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const [cluster, hostname] = ["cluster", "hostname"].map((key) => {
    const value = call.search.get(key) ?? "";
    if (value !== "") return value;
    throw new ClientError("E_BAD_REQUEST", `${key}: a name is needed`);
  }) as [string, string];
  const { clusters } = call.principal.jobView();
  const isOpen = clusters === undefined || clusters.has(cluster);
  const row = isOpen
    ? await services.tables.nodes.latestOf(cluster, hostname)
    : undefined;
  if (row === undefined) {
    throw new ClientError(
      "E_NOT_FOUND",
      `hostname: no state of ${JSON.stringify(hostname.slice(0, 60))} of ${
        JSON.stringify(cluster.slice(0, 60))
      } was reported`,
    );
  }
  const { id: _, ...state } = row;
  return json(200, state);
}

async function takeStates(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  await takeNodeStates(
    services,
    call.body,
    Math.floor(call.nowMs / 1000),
    call.principal.jobView().clusters,
  );
  return empty(200);
}

const nodeStateRowSchema = z.object({
  cluster: z.string(),
  hostname: z.string(),
  subCluster: z.string(),
  time: z.int().describe("When it was reported, Unix seconds."),
  state: z.enum(NODE_STATE_WORDS),
  health: z.enum(["full", "partial", "failed"]),
  healthMetrics: z.object({
    missing: z.array(z.string()),
    degraded: z.array(z.string()),
  }),
  jobsRunning: z.int(),
  cpusAllocated: z.int(),
  memoryAllocated: z.int().describe("MB."),
  gpusAllocated: z.int(),
}).meta({ id: "NodeState" });

const NODE_STATES: Omit<ApiOperation, "id" | "handle"> = {
  summary: "States of nodes, as the batch system sees them",
  body: {
    type: JSON_TYPE,
    schema: nodeStateSchema.meta({ id: "NodeStates" }),
    required: true,
  },
  answer: { description: "Taken; no body." },
  scope: "jobs:write",
};

export function clusterRoutes(services: JobServices): readonly ApiRoute[] {
  const bind = bindTo(services);
  return [
    {
      kind: "api",
      group: "job",
      path: "/api/clusters",
      name: "clusters",
      operations: {
        GET: {
          id: "clusters",
          summary: "Configured clusters",
          parameters: [{
            name: "cluster",
            type: "string",
            description: "Only this one.",
          }],
          answer: { type: JSON_TYPE, schema: clustersSchema },
          scope: "jobs:read",
          handle: bind(listClusters),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/nodestate",
      name: "node-state",
      operations: {
        GET: {
          id: "latestNodeState",
          summary: "What was reported last of a node",
          parameters: [
            {
              name: "cluster",
              type: "string",
              required: true,
              description: "Of this cluster.",
            },
            {
              name: "hostname",
              type: "string",
              required: true,
              description: "This node.",
            },
          ],
          answer: { type: JSON_TYPE, schema: nodeStateRowSchema },
          errors: { 404: "Nothing was reported of such a node." },
          scope: "jobs:read",
          handle: bind(showState),
        },
        POST: { id: "nodeState", ...NODE_STATES, handle: bind(takeStates) },
        PUT: { id: "nodeStateByPut", ...NODE_STATES, handle: bind(takeStates) },
      },
    },
  ];
}
