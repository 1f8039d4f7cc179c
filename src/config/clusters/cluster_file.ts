/** From the text of a `cluster.json` to a {@linkcode Cluster}. Pure. */
import { ConfigError } from "../settings/config_error.ts";
import type { ConfigNote } from "../settings/notes.ts";
import { ConfigSource, type ReadText } from "../settings/source.ts";
import type { Cluster, ClusterMetric, SubCluster } from "./cluster.ts";
import { type ClusterFile, clusterSchema } from "./cluster_schema.ts";
import { Topology } from "./topology.ts";

type MetricInFile = ClusterFile["metricConfig"][number];
type SubClusterInFile = ClusterFile["subClusters"][number];

export interface ReadCluster {
  readonly cluster: Cluster;
  /** To be logged. */
  readonly notes: readonly ConfigNote[];
}

/** Throws a {@linkcode ConfigError} that lists every problem of the file. */
export function readClusterFile(
  file: string,
  read: ReadText = Deno.readTextFileSync,
): ReadCluster {
  const source = new ConfigSource(file, [], read);
  const result = clusterSchema.safeParse(source.value);
  if (result.success) {
    return {
      cluster: deriveCluster(result.data),
      notes: oddAggregations(file, source, result.data),
    };
  }
  const problems = result.error.issues.map((issue) =>
    source.problem(
      issue.path.map((key) => typeof key === "number" ? key : String(key)),
      undefined,
      issue.message,
    )
  );
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  throw new ConfigError(problems);
}

/** cc-backend takes any text and fails when values are to be combined. */
function oddAggregations(
  file: string,
  source: ConfigSource,
  { metricConfig }: ClusterFile,
): ConfigNote[] {
  return metricConfig.flatMap(({ name, aggregation }, i) => {
    const given = source.at(["metricConfig", i, "aggregation"]) ?? "";
    return given === aggregation ? [] : [{
      level: "warn",
      message: `${file}: aggregation of ${name}: ${
        JSON.stringify(given)
      } is not known, its values cannot be combined`,
    }];
  });
}

function deriveCluster(file: ClusterFile): Cluster {
  return {
    name: file.name,
    subClusters: file.subClusters.map((subCluster) =>
      deriveSubCluster(subCluster, file.metricConfig)
    ),
    metricConfig: file.metricConfig,
  };
}

/**
 * Metrics with this sub-cluster's traits. Metrics that the file lists for the
 * sub-cluster itself come first and win, so that an answer of `/api/clusters/` can be
 * used as a file again.
 */
function deriveSubCluster(
  { metricConfig, topology, footprint, energyFootprint, ...rest }:
    SubClusterInFile,
  clusterMetrics: readonly MetricInFile[],
): SubCluster {
  const metrics = new Map<string, ClusterMetric>();
  for (const metric of metricConfig) {
    metrics.set(metric.name, { ...metric, restrict: false });
  }
  for (const metric of clusterMetrics) {
    if (metrics.has(metric.name)) continue;
    const derived = metricIn(rest.name, metric);
    if (derived !== undefined) metrics.set(metric.name, derived);
  }
  const all = [...metrics.values()];
  return {
    ...rest,
    topology: new Topology(topology),
    metrics,
    footprint: union(footprint, all.filter((metric) => metric.footprint)),
    energyFootprint: union(energyFootprint, all.filter(({ energy }) => energy)),
  };
}

/** A metric as the sub-cluster has it; `undefined`: it does not. */
function metricIn(
  subCluster: string,
  { subClusters, ...metric }: MetricInFile,
): ClusterMetric | undefined {
  const override = subClusters.find(({ name }) => name === subCluster);
  if (override?.remove === true) return undefined;
  if (override === undefined) return { ...metric, restrict: false };
  const { peak, normal, caution, alert, footprint, energy, lowerIsBetter } =
    override;
  return {
    ...metric,
    peak,
    normal,
    caution,
    alert,
    footprint,
    energy,
    lowerIsBetter,
    restrict: false,
  };
}

function union(
  names: readonly string[],
  metrics: readonly ClusterMetric[],
): string[] {
  return [...new Set([...names, ...metrics.map(({ name }) => name)])];
}
