/**
 * Clusters as `/api/clusters/` answers them (job-api 5.4): the file with
 * defaults filled in, and for each sub-cluster what was derived for it. Pure.
 */
import type {
  Cluster,
  ClusterMetric,
  MetricOverride,
  SubCluster,
} from "./cluster.ts";
import type { TopologyLists } from "./topology.ts";

/** Plain data for `JSON.stringify`. */
export function clusterJson(cluster: Cluster): Record<string, unknown> {
  return {
    name: cluster.name,
    metricConfig: cluster.metricConfig.map(({ subClusters, ...metric }) => ({
      ...metricJson(metric),
      ...unlessEmpty("subClusters", subClusters.map(overrideJson)),
    })),
    subClusters: cluster.subClusters.map(subClusterJson),
  };
}

function subClusterJson(of: SubCluster): Record<string, unknown> {
  return {
    name: of.name,
    nodes: of.nodes,
    processorType: of.processorType,
    topology: topologyJson(of.topology.lists),
    flopRateScalar: of.flopRateScalar,
    flopRateSimd: of.flopRateSimd,
    memoryBandwidth: of.memoryBandwidth,
    ...unlessEmpty("metricConfig", [...of.metrics.values()].map(metricJson)),
    ...unlessEmpty("footprint", of.footprint),
    ...unlessEmpty("energyFootprint", of.energyFootprint),
    socketsPerNode: of.socketsPerNode,
    coresPerSocket: of.coresPerSocket,
    threadsPerCore: of.threadsPerCore,
  };
}

function topologyJson(lists: TopologyLists): Record<string, unknown> {
  return {
    node: lists.node,
    socket: lists.socket,
    memoryDomain: lists.memoryDomain,
    ...unlessEmpty("die", lists.die),
    core: lists.core,
    ...unlessEmpty("accelerators", lists.accelerators),
  };
}

function metricJson(metric: ClusterMetric): Record<string, unknown> {
  const { footprint, ...rest } = metric;
  return { ...rest, ...(footprint === "" ? {} : { footprint }) };
}

function overrideJson(override: MetricOverride): Record<string, unknown> {
  const { footprint, ...rest } = override;
  return { ...rest, ...(footprint === "" ? {} : { footprint }) };
}

function unlessEmpty(
  key: string,
  list: readonly unknown[],
): Record<string, unknown> {
  return list.length === 0 ? {} : { [key]: list };
}
