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
import { assert } from "../assert.ts";

export interface Metric {
  readonly id: number;
  readonly name: string;
  readonly frequencySec: number;
  readonly aggregation: Aggregation;
}

export class MetricCatalog {
  readonly #defaults: ReadonlyMap<string, Metric>;
  readonly #clusters = new Map<string, ReadonlyMap<string, Metric>>();
  readonly #byId: Metric[] = [];
  readonly #names = new Set<string>();

  constructor(table: MetricTable) {
    this.#defaults = this.#register(table.defaults, new Map());
    for (const [cluster, metrics] of Object.entries(table.clusters)) {
      this.#clusters.set(cluster, this.#register(metrics, this.#defaults));
    }
  }

  #register(
    metrics: Readonly<Record<string, MetricConfig>>,
    base: ReadonlyMap<string, Metric>,
  ): ReadonlyMap<string, Metric> {
    const all = new Map(base);
    for (const [name, config] of Object.entries(metrics)) {
      const metric = { id: this.#byId.length, name, ...config };
      this.#byId.push(metric);
      this.#names.add(name);
      all.set(name, metric);
    }
    return all;
  }

  /** The metrics of a cluster by name. */
  of(cluster: string): ReadonlyMap<string, Metric> {
    return this.#clusters.get(cluster) ?? this.#defaults;
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
