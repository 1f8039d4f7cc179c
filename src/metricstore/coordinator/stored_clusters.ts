/**
 * Which clusters have samples in memory, of any instance, as the shards tell when
 * that changes. Main thread.
 */

import type { ClusterPresence } from "../engine/metric_engine.ts";

type ClusterWatcher = Parameters<ClusterPresence["watch"]>[0];

export class StoredClusters implements ClusterPresence {
  /** Shards that have some, by cluster. */
  readonly #shards = new Map<string, Set<number>>();
  readonly #watchers: ClusterWatcher[] = [];

  /** A shard has samples of the cluster, or none any more. */
  note(shard: number, cluster: string, exists: boolean): void {
    const shards = this.#shards.get(cluster);
    if (exists) {
      if (shards !== undefined) {
        shards.add(shard);
        return;
      }
      this.#shards.set(cluster, new Set([shard]));
      for (const watcher of this.#watchers) watcher(cluster);
      return;
    }
    shards?.delete(shard);
    if (shards?.size === 0) this.#shards.delete(cluster);
  }

  get names(): readonly string[] {
    return [...this.#shards.keys()].sort();
  }

  watch(watcher: ClusterWatcher): void {
    this.#watchers.push(watcher);
    for (const name of this.names) watcher(name);
  }
}
