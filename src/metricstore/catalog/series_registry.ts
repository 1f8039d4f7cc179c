/**
 * One shard's series by name: joins the tree of names, the metric catalogue and
 * the table of samples, and keeps the limits on their number. Owner thread only.
 */
import type { EngineOptions } from "../engine/metric_engine.ts";
import type { SeriesEntry } from "../persist/series_dictionary.ts";
import { OWNERS_MAX } from "../store/layout.ts";
import { levelOf, metricOf, oldestRun } from "../store/records.ts";
import {
  type HostLevel,
  type Level,
  type LevelLabels,
  LevelTree,
} from "./level_tree.ts";
import { type Metric, MetricCatalog } from "./metric_catalog.ts";
import {
  createInstanceCounts,
  InstanceCounts,
} from "../transport/instance_counts.ts";
import { SeriesTable } from "../store/series_table.ts";

/**
 * Clusters without metrics of their own that an instance may have in a shard: a writer
 * of any cluster can name new ones, and each is known to the whole process.
 */
export const CLUSTERS_MAX = 1000;

/** Counters that all shards share, so that limits hold for the store as a whole. */
export const SHARED_SERIES = 0;
export const SHARED_HOSTS = 1;

/** Where a sample belongs, as its line names it. */
export interface SeriesName {
  readonly instance: string;
  readonly cluster: string;
  readonly host: string;
  readonly level: LevelLabels | undefined;
  readonly sublevel: LevelLabels | undefined;
  readonly metric: Metric;
}

export type Refusal =
  | "ambiguous-level"
  | "max-series"
  | "instance-series"
  | "max-hosts"
  | "max-clusters"
  | "memory-cap";

export class SeriesRegistry {
  readonly table = new SeriesTable();
  readonly tree = new LevelTree();
  readonly catalog: MetricCatalog;
  /** Series that ended since their ids were last recycled. */
  readonly ended: number[] = [];
  /**
   * Returns whether memory allows another series of an owner. The memory guard sets it.
   */
  hasRoomFor: (owner: number) => boolean = () => true;
  /** The instances by owner; the default one is 0. */
  readonly owners: string[] = [""];
  readonly #ownerOf = new Map([["", 0]]);
  readonly #shared: Int32Array;
  readonly #instances: InstanceCounts;
  readonly #maxSeries: number;
  readonly #maxHosts: number;

  /** `shared` and `instances` count for all shards; one alone may have its own. */
  constructor(
    options: EngineOptions,
    shared: Int32Array,
    instances = new InstanceCounts(createInstanceCounts()),
  ) {
    this.#instances = instances;
    this.catalog = new MetricCatalog(options.metrics);
    this.#shared = shared;
    this.#maxSeries = options.maxSeries === 0 ? Infinity : options.maxSeries;
    this.#maxHosts = options.maxHosts === 0 ? Infinity : options.maxHosts;
  }

  /**
   * The series of that name, made if there is none; or why it may not be made.
   * `instanceMax`: series that a named instance may have; 0: any number.
   * `clustersMax`: clusters of the instance with which no new one is made.
   */
  resolve(
    name: SeriesName,
    instanceMax = 0,
    clustersMax = Infinity,
  ): number | Refusal {
    const host = this.#host(name, clustersMax);
    if (typeof host === "string") return host;
    const level = this.#level(host, name);
    const known = level?.series.get(name.metric.id);
    if (known !== undefined) return known;
    const series = level === undefined
      ? "ambiguous-level"
      : this.#create(level, name.metric, instanceMax);
    // A refused line leaves no level behind.
    if (typeof series === "string") this.#prune(level ?? host);
    return series;
  }

  /**
   * The same for a series as it is named on disk, in any cluster: what was stored is
   * taken back. `undefined`: its metric is not configured.
   */
  resolveEntry(entry: SeriesEntry): number | Refusal | undefined {
    const metric = this.catalog.of(entry.cluster).get(entry.metric);
    if (metric === undefined) return undefined;
    return this.resolve({
      instance: entry.instance,
      cluster: entry.cluster,
      host: entry.host,
      level: labelsOrNone(entry.type, entry.typeId),
      sublevel: labelsOrNone(entry.subtype, entry.subtypeId),
      metric,
    });
  }

  /** The name of a series as it is kept on disk. */
  describe(series: number): SeriesEntry {
    const level = this.tree.level(levelOf(this.table, series));
    const metric = this.catalog.metric(metricOf(this.table, series));
    const { host } = level;
    // A host has no parent, a type level the host, a subtype level both.
    const sublevel = level.parent?.parent === undefined ? undefined : level;
    const typeLevel = sublevel === undefined ? level : level.parent!;
    return {
      instance: host.instance,
      cluster: host.cluster,
      host: host.name,
      type: typeLevel.labelType,
      typeId: typeLevel.labelId,
      subtype: sublevel?.labelType ?? "",
      subtypeId: sublevel?.labelId ?? "",
      metric: metric.name,
      frequencySec: metric.frequencySec,
    };
  }

  #host(name: SeriesName, clustersMax: number): HostLevel | Refusal {
    const { instance, cluster, host } = name;
    const known = this.tree.host(instance, cluster, host);
    if (known !== undefined) return known;
    const clusters = this.tree.clusters(instance);
    if (
      clusters.size >= clustersMax && !clusters.has(cluster) &&
      !this.catalog.hasCluster(cluster)
    ) return "max-clusters";
    const hosts = Atomics.add(this.#shared, SHARED_HOSTS, 1) + 1;
    if (hosts > this.#maxHosts) {
      Atomics.sub(this.#shared, SHARED_HOSTS, 1);
      return "max-hosts";
    }
    return this.tree.addHost(instance, cluster, host);
  }

  #level(host: HostLevel, name: SeriesName): Level | undefined {
    if (name.level === undefined) return host;
    const level = this.tree.child(host, name.level);
    return level === undefined || name.sublevel === undefined
      ? level
      : this.tree.child(level, name.sublevel);
  }

  #create(
    level: Level,
    metric: Metric,
    instanceMax: number,
  ): number | Refusal {
    const { instance } = level.host;
    const owner = this.ownerOf(instance);
    if (!this.hasRoomFor(owner)) return "memory-cap";
    if (!this.#instances.add(instance, instanceMax)) return "instance-series";
    const count = Atomics.add(this.#shared, SHARED_SERIES, 1) + 1;
    const series = count > this.#maxSeries
      ? undefined
      : this.table.create(metric.frequencySec, metric.id, level.id, owner);
    if (series === undefined) {
      Atomics.sub(this.#shared, SHARED_SERIES, 1);
      this.#instances.remove(instance);
      return "max-series";
    }
    level.series.set(metric.id, series);
    return series;
  }

  /** Returns the owner that an instance's series are counted for. Names stay known. */
  ownerOf(instance: string): number {
    let owner = this.#ownerOf.get(instance);
    if (owner === undefined) {
      // Instances beyond the number of owners share the last owner.
      owner = Math.min(this.owners.length, OWNERS_MAX - 1);
      this.owners[owner] = instance;
      this.#ownerOf.set(instance, owner);
    }
    return owner;
  }

  /** Removes runs that ended before `endSec`; a series without runs ends, empty levels go. */
  freeBefore(series: number, endSec: number): number {
    const removed = this.table.freeBefore(series, endSec);
    if (removed > 0) this.endIfEmpty(series);
    return removed;
  }

  /** Ends a series without runs: all were removed, or there was no room for its first. */
  endIfEmpty(series: number): void {
    if (oldestRun(this.table, series) !== 0) return;
    const level = this.tree.level(levelOf(this.table, series));
    level.series.delete(metricOf(this.table, series));
    this.table.end(series);
    this.ended.push(series);
    Atomics.sub(this.#shared, SHARED_SERIES, 1);
    this.#instances.remove(level.host.instance);
    this.#prune(level);
  }

  #prune(level: Level): void {
    const hosts = this.tree.hostCount;
    this.tree.prune(level);
    if (this.tree.hostCount < hosts) {
      Atomics.sub(this.#shared, SHARED_HOSTS, 1);
    }
  }

  /** Makes the ids of ended series available again; nothing may refer to them any more. */
  recycleEnded(): void {
    this.table.recycle(this.ended);
    this.ended.length = 0;
  }
}

function labelsOrNone(type: string, id: string): LevelLabels | undefined {
  return type === "" && id === "" ? undefined : { type, id };
}
