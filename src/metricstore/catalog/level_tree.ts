/**
 * Names to series: instance → cluster → host → level 3 (type) → level 4
 * (subtype). Any level from the host down may have series of its own and
 * children. Owner thread only.
 */

/** One node of the tree below the cluster. */
export interface Level {
  readonly id: number;
  readonly name: string;
  readonly parent: Level | undefined;
  readonly host: HostLevel;
  /** `type` or `stype` and its id as the first line gave them; empty for the host. */
  readonly labelType: string;
  readonly labelId: string;
  /** Metric id → series. */
  readonly series: Map<number, number>;
  children: Map<string, Level> | undefined;
}

/** A host; `instance` and `cluster` say where it hangs. */
export interface HostLevel extends Level {
  readonly instance: string;
  readonly cluster: string;
}

/** A type level or subtype level as a line names it. */
export interface LevelLabels {
  readonly type: string;
  readonly id: string;
}

type Hosts = Map<string, HostLevel>;

export class LevelTree {
  readonly #instances = new Map<string, Map<string, Hosts>>();
  readonly #levels: (Level | undefined)[] = [];
  readonly #freeIds: number[] = [];
  #hostCount = 0;
  #clusterChanges = 0;

  /** Grows whenever an instance gets a cluster or loses one. */
  get clusterChanges(): number {
    return this.#clusterChanges;
  }

  get hostCount(): number {
    return this.#hostCount;
  }

  /** The level with that id; ids of pruned levels are used again. */
  level(id: number): Level {
    const level = this.#levels[id];
    if (level === undefined) throw new Error(`BUG: no level has the id ${id}`);
    return level;
  }

  instances(): IterableIterator<string> {
    return this.#instances.keys();
  }

  clusters(
    instance: string,
  ): ReadonlyMap<string, ReadonlyMap<string, HostLevel>> {
    return this.#instances.get(instance) ?? NO_CLUSTERS;
  }

  hosts(instance: string, cluster: string): ReadonlyMap<string, HostLevel> {
    return this.#instances.get(instance)?.get(cluster) ?? NO_HOSTS;
  }

  host(instance: string, cluster: string, name: string): HostLevel | undefined {
    return this.#instances.get(instance)?.get(cluster)?.get(name);
  }

  addHost(instance: string, cluster: string, name: string): HostLevel {
    let clusters = this.#instances.get(instance);
    if (clusters === undefined) {
      this.#instances.set(instance, clusters = new Map());
    }
    let hosts = clusters.get(cluster);
    if (hosts === undefined) {
      clusters.set(cluster, hosts = new Map());
      this.#clusterChanges++;
    }
    const host: { -readonly [K in keyof HostLevel]: HostLevel[K] } = {
      id: this.#takeId(),
      name,
      parent: undefined,
      host: undefined as unknown as HostLevel,
      labelType: "",
      labelId: "",
      series: new Map(),
      children: undefined,
      instance,
      cluster,
    };
    host.host = host;
    hosts.set(name, host);
    this.#levels[host.id] = host;
    this.#hostCount++;
    return host;
  }

  /**
   * The child of that name, made if there is none. `undefined`: a child of the
   * same name was split into type and id differently (settled 1).
   */
  child(parent: Level, labels: LevelLabels): Level | undefined {
    const name = labels.type + labels.id;
    const known = parent.children?.get(name);
    if (known !== undefined) {
      return known.labelType === labels.type && known.labelId === labels.id
        ? known
        : undefined;
    }
    const level: Level = {
      id: this.#takeId(),
      name,
      parent,
      host: parent.host,
      labelType: labels.type,
      labelId: labels.id,
      series: new Map(),
      children: undefined,
    };
    (parent.children ??= new Map()).set(name, level);
    this.#levels[level.id] = level;
    return level;
  }

  /** Removes the level, and then its ancestors, as far as they hold nothing any more. */
  prune(level: Level): void {
    let at: Level | undefined = level;
    while (
      at !== undefined && at.series.size === 0 &&
      (at.children === undefined || at.children.size === 0)
    ) {
      const parent: Level | undefined = at.parent;
      if (parent === undefined) this.#removeHost(at.host);
      else parent.children?.delete(at.name);
      this.#levels[at.id] = undefined;
      this.#freeIds.push(at.id);
      at = parent;
    }
  }

  #removeHost(host: HostLevel): void {
    const clusters = this.#instances.get(host.instance);
    const hosts = clusters?.get(host.cluster);
    if (clusters === undefined || hosts === undefined) return;
    hosts.delete(host.name);
    this.#hostCount--;
    if (hosts.size === 0) {
      clusters.delete(host.cluster);
      this.#clusterChanges++;
    }
    if (clusters.size === 0) this.#instances.delete(host.instance);
  }

  #takeId(): number {
    return this.#freeIds.pop() ?? this.#levels.length;
  }
}

const NO_HOSTS: ReadonlyMap<string, HostLevel> = new Map();
const NO_CLUSTERS: ReadonlyMap<string, ReadonlyMap<string, HostLevel>> =
  new Map();

/**
 * The series of `metric` at a level: its own if it has one, else those of all its
 * children by the same rule (metric-store 4.2), appended to `out`.
 */
export function collectSeries(
  level: Level,
  metric: number,
  out: number[],
): void {
  const own = level.series.get(metric);
  if (own !== undefined) {
    out.push(own);
    return;
  }
  if (level.children === undefined) return;
  for (const child of level.children.values()) {
    collectSeries(child, metric, out);
  }
}

/** Adds the series at and below a level to `out`. */
export function collectAllSeries(level: Level, out: Set<number>): void {
  for (const series of level.series.values()) out.add(series);
  for (const child of level.children?.values() ?? []) {
    collectAllSeries(child, out);
  }
}
