/** Configured clusters, and the states of their nodes (job-api 2.13, 9.1). Main thread. */
import { z } from "zod";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  empty,
  json,
} from "../http/api_route.ts";
import { nodeStateSchema } from "./job_requests.ts";
import { takeNodeStates } from "./node_states.ts";

const clustersSchema = z.object({
  clusters: z.array(z.looseObject({ name: z.string() })).describe(
    "As their `cluster.json` says, with what follows for each sub-cluster.",
  ),
}).meta({ id: "Clusters" });

function listClusters(call: ApiCall): ApiAnswer {
  const name = call.search.get("cluster");
  const { clusters } = call.services.jobs.clusters.toJson(name ?? undefined);
  const view = call.principal.jobView();
  return json(200, {
    clusters: clusters.filter((cluster) =>
      view.clusters === undefined || view.clusters.has(String(cluster.name))
    ),
  });
}

async function takeStates(call: ApiCall): Promise<ApiAnswer> {
  await takeNodeStates(
    call.services.jobs,
    call.body,
    Math.floor(call.nowMs / 1000),
    call.principal.jobView().clusters,
  );
  return empty(200);
}

const NODE_STATES: Omit<ApiOperation, "id"> = {
  summary: "States of nodes, as the batch system sees them",
  body: {
    type: "application/json",
    schema: nodeStateSchema.meta({ id: "NodeStates" }),
    required: true,
  },
  answer: { description: "Taken; no body." },
  scope: "jobs:write",
  handle: takeStates,
};

export const clusterRoutes: readonly ApiRoute[] = [
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
        answer: { type: "application/json", schema: clustersSchema },
        scope: "jobs:read",
        handle: listClusters,
      },
    },
  },
  {
    kind: "api",
    group: "job",
    path: "/api/nodestate",
    name: "node-state",
    operations: {
      POST: { id: "nodeState", ...NODE_STATES },
      PUT: { id: "nodeStateByPut", ...NODE_STATES },
    },
  },
];
