/**
 * Compares a new configuration of metrics with the one in force. A running store
 * accepts new metrics; changed ones wait for a restart, since existing series were made
 * with the old settings. Pure.
 */
import type {
  MetricConfig,
  MetricTable,
} from "../../metricstore/engine/metric_engine.ts";

/** How metrics that hold in every cluster are told. */
const EVERY_CLUSTER = "*";

export interface MetricChanges {
  /** The new metrics, as a table of their own. */
  readonly added: MetricTable;
  /** The new metrics as `CLUSTER/METRIC`. */
  readonly addedNames: readonly string[];
  /** Changes that need a restart, each with the value in force and the value read. */
  readonly conflicts: readonly string[];
  /** Metrics in force that were not read, as `CLUSTER/METRIC`. */
  readonly missing: readonly string[];
}

/**
 * Compares the store's metrics (`inForce`) with those that a restart would give it
 * (`read`).
 */
export function compareMetrics(
  inForce: MetricTable,
  read: MetricTable,
): MetricChanges {
  const clusters = new Set([
    ...Object.keys(inForce.clusters),
    ...Object.keys(read.clusters),
  ]);
  const defaults = compare(EVERY_CLUSTER, inForce.defaults, read.defaults);
  const parts = [...clusters].sort().map((cluster) => {
    const part = compare(
      cluster,
      { ...inForce.defaults, ...inForce.clusters[cluster] },
      { ...read.defaults, ...read.clusters[cluster] },
    );
    // A metric that all clusters get is told once.
    const added = withoutNames(part.added, defaults.added);
    return { ...part, cluster, added };
  });
  const all = [{ ...defaults, cluster: EVERY_CLUSTER }, ...parts];
  return {
    added: {
      defaults: defaults.added,
      clusters: Object.fromEntries(
        parts.filter(({ added }) => Object.keys(added).length > 0)
          .map(({ cluster, added }) => [cluster, added]),
      ),
    },
    addedNames: all.flatMap(({ cluster, added }) =>
      Object.keys(added).map((name) => `${cluster}/${name}`)
    ),
    conflicts: [...new Set(all.flatMap(({ conflicts }) => conflicts))],
    missing: all.flatMap(({ missing }) => missing),
  };
}

/** Returns the metrics in force once `added` are added. */
export function withMetrics(
  inForce: MetricTable,
  added: MetricTable,
): MetricTable {
  const clusters: Record<string, Readonly<Record<string, MetricConfig>>> = {
    ...inForce.clusters,
  };
  for (const [cluster, metrics] of Object.entries(added.clusters)) {
    clusters[cluster] = { ...clusters[cluster], ...metrics };
  }
  return { defaults: { ...inForce.defaults, ...added.defaults }, clusters };
}

type Metrics = Readonly<Record<string, MetricConfig>>;

function compare(cluster: string, old: Metrics, read: Metrics) {
  const added: Record<string, MetricConfig> = {};
  const conflicts: string[] = [];
  for (const [name, wanted] of Object.entries(read)) {
    const known = Object.hasOwn(old, name) ? old[name] : undefined;
    if (known === undefined) added[name] = wanted;
    else if (textOf(known) !== textOf(wanted)) {
      conflicts.push(
        `metric ${cluster}/${name} is kept with ${textOf(known)}, not ${
          textOf(wanted)
        }, until a restart`,
      );
    }
  }
  const missing = Object.keys(old).filter((name) => !Object.hasOwn(read, name))
    .map((name) => `${cluster}/${name}`);
  return { added, conflicts, missing };
}

function textOf({ frequencySec, aggregation }: MetricConfig): string {
  return `frequency ${frequencySec}, aggregation ${aggregation}`;
}

function withoutNames(metrics: Metrics, others: Metrics): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).filter(([name, config]) =>
      !Object.hasOwn(others, name) || textOf(others[name]!) !== textOf(config)
    ),
  );
}
