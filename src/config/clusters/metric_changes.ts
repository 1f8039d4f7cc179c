/**
 * What another reading of the configuration means for a store that runs: metrics may
 * be added to it; others stay what they are until a restart, since series that are
 * there were made by them. Pure.
 */
import type {
  MetricConfig,
  MetricTable,
} from "../../metricstore/engine/metric_engine.ts";

/** How metrics that hold in every cluster are told. */
const EVERY_CLUSTER = "*";

export interface MetricChanges {
  /** What is new, in the form of the whole. */
  readonly added: MetricTable;
  /** `CLUSTER/METRIC` of what is new. */
  readonly addedNames: readonly string[];
  /** Why it cannot be done: what is in force and what was read. */
  readonly conflicts: readonly string[];
  /** `CLUSTER/METRIC` of what is in force and was not read. */
  readonly missing: readonly string[];
}

/** `inForce`: what the store has; `read`: what it would have after a restart. */
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
    // What every cluster gets is told once.
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

/** What is in force once the additions are made. */
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
