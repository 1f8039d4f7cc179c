/**
 * Which metrics the store takes, with frequency and aggregation: those of
 * `config.json`, and those of the clusters' own configurations that it does not
 * name (settled 2). Pure.
 */
import type { Config } from "../settings/schema.ts";
import type { ConfigNote } from "../settings/notes.ts";
import type {
  MetricConfig,
  MetricTable,
} from "../../metricstore/engine/metric_engine.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterCatalog } from "./cluster_catalog.ts";

type Metrics = Record<string, MetricConfig>;

export interface StoreMetrics {
  readonly metrics: MetricTable;
  /** Where `config.json` and a cluster's configuration differ. */
  readonly notes: readonly ConfigNote[];
}

/** `config.json` wins for whatever it names. */
export function storeMetrics(
  config: Pick<Config, "metrics" | "clusters">,
  catalog: ClusterCatalog,
): StoreMetrics {
  const defaults = metricsOf(config.metrics);
  const clusters: Record<string, Metrics> = Object.fromEntries(
    Object.entries(config.clusters).map((
      [name, cluster],
    ) => [name, metricsOf(cluster.metrics)]),
  );
  const notes: ConfigNote[] = [];
  for (const cluster of catalog.clusters) {
    const own = new Map(Object.entries(clusters[cluster.name] ?? {}));
    const differences: string[] = [];
    for (const [name, wanted] of supplied(cluster)) {
      const chosen = own.get(name) ??
        (Object.hasOwn(defaults, name) ? defaults[name] : undefined);
      if (chosen === undefined) own.set(name, wanted);
      else differences.push(...difference(name, chosen, wanted));
    }
    clusters[cluster.name] = Object.fromEntries(own);
    if (differences.length > 0) {
      notes.push({
        level: "warn",
        message: `metrics of cluster ${cluster.name}: the configuration ` +
          `wins over its cluster.json in ${differences.join(", ")}`,
      });
    }
  }
  return { metrics: { defaults, clusters }, notes };
}

/** Whether the store would take anything at all. */
export function hasMetrics({ defaults, clusters }: MetricTable): boolean {
  return [defaults, ...Object.values(clusters)].some((metrics) =>
    Object.keys(metrics).length > 0
  );
}

function metricsOf(metrics: Config["metrics"]): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, { frequency, aggregation }]) => [
      name,
      { frequencySec: frequency, aggregation },
    ]),
  );
}

function supplied(cluster: Cluster): [string, MetricConfig][] {
  return cluster.metricConfig.map(({ name, timestep, aggregation }) => [name, {
    frequencySec: timestep,
    aggregation: aggregation === "" ? null : aggregation,
  }]);
}

function difference(
  name: string,
  chosen: MetricConfig,
  wanted: MetricConfig,
): string[] {
  const parts: string[] = [];
  if (chosen.frequencySec !== wanted.frequencySec) {
    parts.push(`frequency ${chosen.frequencySec}, not ${wanted.frequencySec}`);
  }
  if (chosen.aggregation !== wanted.aggregation) {
    parts.push(`aggregation ${chosen.aggregation}, not ${wanted.aggregation}`);
  }
  return parts.length === 0 ? [] : [`${name} (${parts.join("; ")})`];
}
