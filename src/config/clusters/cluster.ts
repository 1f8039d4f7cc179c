/**
 * A cluster: its kinds of nodes (sub-clusters) and its metrics. Plain data in the names
 * of `cluster.json`, except where a comment says more; optional parts of the file have
 * become their defaults.
 */
import type { MetricScope } from "./metric_scope.ts";
import type { Topology } from "./topology.ts";

export interface Unit {
  readonly base: string;
  readonly prefix?: string;
}

export interface MetricValue {
  readonly unit: Unit;
  readonly value: number;
}

/** Which statistic of a metric is its footprint; `""`: it has none. */
export const FOOTPRINTS = ["", "avg", "min", "max"] as const;
export type Footprint = typeof FOOTPRINTS[number];

/** Whether a metric is power (W) or energy; `""`: neither. */
export const ENERGY_KINDS = ["", "power", "energy"] as const;
export type EnergyKind = typeof ENERGY_KINDS[number];

/** The properties of a metric that can differ between sub-clusters of a cluster. */
export interface MetricTraits {
  readonly peak: number;
  readonly normal: number;
  readonly caution: number;
  readonly alert: number;
  readonly footprint: Footprint;
  readonly energy: EnergyKind;
  readonly lowerIsBetter: boolean;
  readonly restrict: boolean;
}

/** A metric as it is in one sub-cluster, or in the cluster as a whole. */
export interface ClusterMetric extends MetricTraits {
  readonly name: string;
  readonly unit: Unit;
  /** The level at which it is measured. */
  readonly scope: MetricScope;
  /** Seconds between two samples. */
  readonly timestep: number;
  /** `""`: values of several units are not combined. */
  readonly aggregation: "sum" | "avg" | "";
}

/** Replaces all traits of a metric in one sub-cluster. */
export interface MetricOverride extends MetricTraits {
  readonly name: string;
  readonly unit: Unit;
  /** The sub-cluster does not have the metric. */
  readonly remove: boolean;
}

export interface SubCluster {
  readonly name: string;
  /** Expression for the names of its nodes (nodes_expression.ts). */
  readonly nodes: string;
  readonly processorType: string;
  readonly socketsPerNode: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  readonly flopRateScalar: MetricValue;
  readonly flopRateSimd: MetricValue;
  readonly memoryBandwidth: MetricValue;
  readonly topology: Topology;
  /** Derived: its metrics by name, overrides applied, in the order of the file. */
  readonly metrics: ReadonlyMap<string, ClusterMetric>;
  /** Names of metrics that have a footprint. */
  readonly footprint: readonly string[];
  /** Names of metrics that are power or energy. */
  readonly energyFootprint: readonly string[];
}

export interface Cluster {
  readonly name: string;
  readonly subClusters: readonly SubCluster[];
  readonly metricConfig: readonly (ClusterMetric & {
    readonly subClusters: readonly MetricOverride[];
  })[];
}
