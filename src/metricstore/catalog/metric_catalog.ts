/**
 * The configured metrics, looked up by cluster and name (settled 2). A metric's
 * id is stable for the life of the process; clusters without an overriding entry
 * share the default's.
 */
import type {
  Aggregation,
  MetricConfig,
  MetricTable,
} from "../engine/metric_engine.ts";
import { assert } from "../../base/assert.ts";

export interface Metric {
  readonly id: number;
  readonly name: string;
  readonly frequencySec: number;
  readonly aggregation: Aggregation;
}

export class MetricCatalog {
  readonly #defaults = new Map<string, Metric>();
  readonly #clusters = new Map<string, Map<string, Metric>>();
  readonly #byId: Metric[] = [];
  readonly #names = new Set<string>();

  constructor(table: MetricTable) {
    this.#register(table.defaults, this.#defaults);
    for (const [cluster, metrics] of Object.entries(table.clusters)) {
      const own = new Map(this.#defaults);
      this.#register(metrics, own);
      this.#clusters.set(cluster, own);
    }
  }

  /**
   * Adds further metrics. Known ones stay: a cluster that has a metric of that name
   * keeps its own.
   */
  add(table: MetricTable): void {
    for (const [cluster, metrics] of Object.entries(table.clusters)) {
      const own = this.#clusters.get(cluster) ?? new Map(this.#defaults);
      this.#register(without(metrics, own), own);
      this.#clusters.set(cluster, own);
    }
    const fresh = new Map<string, Metric>();
    this.#register(without(table.defaults, this.#defaults), fresh);
    for (const metrics of [this.#defaults, ...this.#clusters.values()]) {
      for (const [name, metric] of fresh) {
        if (!metrics.has(name)) metrics.set(name, metric);
      }
    }
  }

  #register(
    metrics: Readonly<Record<string, MetricConfig>>,
    into: Map<string, Metric>,
  ): void {
    for (const [name, config] of Object.entries(metrics)) {
      const metric = { id: this.#byId.length, name, ...config };
      this.#byId.push(metric);
      this.#names.add(name);
      into.set(name, metric);
    }
  }

  /** The metrics of a cluster by name. */
  of(cluster: string): ReadonlyMap<string, Metric> {
    return this.#clusters.get(cluster) ?? this.#defaults;
  }

  /** Whether the cluster has metrics of its own, as configured ones do. */
  hasCluster(cluster: string): boolean {
    return this.#clusters.has(cluster);
  }

  metric(id: number): Metric {
    const metric = this.#byId[id];
    assert(metric !== undefined, `no metric has the id ${id}`);
    return metric;
  }

  /** Whether any cluster has a metric of that name. */
  knows(name: string): boolean {
    return this.#names.has(name);
  }
}

function without(
  metrics: Readonly<Record<string, MetricConfig>>,
  known: ReadonlyMap<string, Metric>,
): Record<string, MetricConfig> {
  return Object.fromEntries(
    Object.entries(metrics).filter(([name]) => !known.has(name)),
  );
}
