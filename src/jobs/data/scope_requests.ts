/** Which scopes the routes and the archive ask of a job's metrics (job-api 4.4). Pure. */
import type { ScopeRequest } from "./scope_plan.ts";

/** Jobs of more nodes have no values below the node in the archive. */
const MAX_NODES_WITH_CORES = 8;

interface JobSize {
  readonly numNodes: number;
  readonly numAcc: number;
}

/** `GET` and `POST /jobs/{id}`: accelerators too, which upstream leaves out (job-api O41). */
export function jobRouteScopes({ numNodes, numAcc }: JobSize): ScopeRequest {
  return {
    scopes: [numNodes === 1 ? "core" : "node"],
    acceleratorMetrics: numAcc > 0,
  };
}

/**
 * Returns the scopes that are archived. A request for `accelerator` means threads for
 * metrics of threads. For jobs of many nodes that would be too much to keep, so these
 * get it for metrics of accelerators only.
 */
export function archivedScopes({ numNodes, numAcc }: JobSize): ScopeRequest {
  if (numNodes > MAX_NODES_WITH_CORES) {
    return { scopes: ["node"], acceleratorMetrics: numAcc > 0 };
  }
  return {
    scopes: numAcc > 0 ? ["node", "core", "accelerator"] : ["node", "core"],
  };
}
