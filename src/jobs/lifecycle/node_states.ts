/**
 * States of nodes as the batch system reports them, with the health the metric
 * store sees (job-api 9.1). Main thread.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { z } from "zod";
import type { SubCluster } from "../../config/clusters/cluster.ts";
import type { NodeReport, NodeState } from "../../db/node_table.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import type { NodeHealth } from "../../metricstore/engine/metric_engine.ts";
import { errorText } from "../../base/log.ts";
import { nodeStateSchema } from "./job_requests.ts";
import { decodeRequest } from "./request_json.ts";
import type { JobServices } from "./services.ts";

export type NodeServices = Pick<
  JobServices,
  | "tables"
  | "clusters"
  | "engine"
  | "log"
  | "passedOverNodes"
  | "nodeStatesMax"
>;

type NodeStateRequest = z.output<typeof nodeStateSchema>;
type ReportedNode = NodeStateRequest["nodes"][number];
type KnownNode = ReportedNode & { readonly subCluster: SubCluster };

/** Nodes looked up before others get their turn: a millisecond or two. */
const SLICE_NODES = 500;

/**
 * Notes what a report says. Throws `E_BAD_REQUEST` for one that is wrong; that it
 * cannot be stored is only logged, since the sender could do nothing about it.
 * `allowed`: clusters that the sender may report of; absent: all.
 */
export async function takeNodeStates(
  services: NodeServices,
  body: Uint8Array | string,
  nowSec: number,
  allowed?: ReadonlySet<string>,
): Promise<void> {
  const request = decodeRequest(nodeStateSchema, body);
  const { cluster } = request;
  const { log, passedOverNodes } = services;
  if (allowed !== undefined && !allowed.has(cluster)) {
    passedOverNodes.note(
      "states of nodes of a foreign cluster are passed over",
      cluster,
      request.nodes.map(({ hostname }) => hostname),
    );
    return;
  }
  try {
    await store(services, request, nowSec);
  } catch (error) {
    log.err("states of nodes are not stored", {
      cluster,
      error: errorText(error),
    });
  }
}

/** The same for a report whose sender tries again: rejects where it cannot be stored. */
export async function storeNodeStates(
  services: NodeServices,
  body: Uint8Array | string,
  timeSec: number,
): Promise<void> {
  await store(services, decodeRequest(nodeStateSchema, body), timeSec);
}

async function store(
  services: NodeServices,
  { cluster, nodes }: NodeStateRequest,
  timeSec: number,
): Promise<void> {
  const known = await knownNodes(services, cluster, nodes);
  if (known.length === 0) return;
  const health = await healthOf(services, cluster, known);
  const reports = known.map((node): NodeReport => ({
    hostname: node.hostname,
    subCluster: node.subCluster.name,
    state: stateOf(node.states),
    ...judged(stateOf(node.states), health.get(node.hostname)),
    jobsRunning: node.jobsRunning,
    cpusAllocated: node.cpusAllocated,
    memoryAllocated: node.memoryAllocated,
    gpusAllocated: node.gpusAllocated,
  }));
  await services.tables.nodes.report(
    cluster,
    timeSec,
    reports,
    services.nodeStatesMax,
  );
}

/** The nodes that a sub-cluster has, each once: of several the last counts. */
async function knownNodes(
  { clusters, passedOverNodes }: NodeServices,
  cluster: string,
  nodes: readonly ReportedNode[],
): Promise<KnownNode[]> {
  const known: KnownNode[] = [];
  const unknown: string[] = [];
  const unique = new Map(nodes.map((node) => [node.hostname, node]));
  let looked = 0;
  for (const node of unique.values()) {
    if (++looked % SLICE_NODES === 0) await nextTurn();
    const subCluster = clusters.subClusterOfNode(cluster, node.hostname);
    if (subCluster === undefined) unknown.push(node.hostname);
    else known.push({ ...node, subCluster });
  }
  if (unknown.length > 0) {
    passedOverNodes.note(
      "nodes without a sub-cluster are passed over",
      cluster,
      unknown,
    );
  }
  return known;
}

/**
 * Returns the state by the first rule that applies; the case of the words does not
 * matter.
 */
export function stateOf(states: readonly string[]): NodeState {
  const words = new Set(states.map((word) => word.toLowerCase()));
  if (words.has("allocated")) return "allocated";
  if (words.has("reserved")) return "reserved";
  if (words.has("idle") && words.has("down")) return "down";
  if (words.has("idle")) return "idle";
  if (words.has("down")) return "down";
  return words.has("mixed") ? "mixed" : "unknown";
}

/** A node that is down owes no metrics. */
function judged(
  state: NodeState,
  health: NodeHealth | undefined,
): Pick<NodeReport, "health" | "healthMetrics"> {
  const none = { missing: [], degraded: [] };
  if (state === "down") return { health: "full", healthMetrics: none };
  if (health === undefined || !health.known) {
    return { health: "failed", healthMetrics: none };
  }
  const { missing, degraded } = health;
  return { health: health.state, healthMetrics: { missing, degraded } };
}

/**
 * Returns the health of nodes in the metric store, by host; empty while it cannot be
 * asked.
 */
async function healthOf(
  { engine, log }: NodeServices,
  cluster: string,
  nodes: readonly {
    readonly hostname: string;
    readonly subCluster: SubCluster;
  }[],
): Promise<ReadonlyMap<string, NodeHealth>> {
  const found = new Map<string, NodeHealth>();
  for (
    const [subCluster, some] of Map.groupBy(nodes, (node) => node.subCluster)
  ) {
    try {
      const health = await engine.health(
        DEFAULT_SCOPE,
        cluster,
        some.map(({ hostname }) => hostname),
        [...subCluster.metrics.keys()],
      );
      for (const [host, one] of health) found.set(host, one);
    } catch (error) {
      log.warn("the health of nodes is not known", {
        cluster,
        error: errorText(error),
      });
    }
  }
  return found;
}
