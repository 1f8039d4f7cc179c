/**
 * Tells the main thread which clusters this shard has hosts of, when that changed.
 * Owner thread only. Costs a comparison where nothing changed.
 */
import type { LevelTree } from "../catalog/level_tree.ts";
import { CLUSTER_GONE, CLUSTER_THERE, KIND } from "../transport/messages.ts";
import type { ShardOutbox } from "./shard_outbox.ts";

const ENCODER = new TextEncoder();

export class ClusterEvents {
  readonly #tree: LevelTree;
  readonly #outbox: Pick<ShardOutbox, "send">;
  readonly #told = new Set<string>();
  #changesSeen = 0;

  constructor(tree: LevelTree, outbox: Pick<ShardOutbox, "send">) {
    this.#tree = tree;
    this.#outbox = outbox;
  }

  /** To be called before a write is acknowledged, and when house-keeping was done. */
  tell(): void {
    if (this.#tree.clusterChanges === this.#changesSeen) return;
    this.#changesSeen = this.#tree.clusterChanges;
    const now = new Set<string>();
    for (const instance of this.#tree.instances()) {
      for (const cluster of this.#tree.clusters(instance).keys()) {
        now.add(cluster);
      }
    }
    for (const cluster of now.difference(this.#told)) {
      this.#told.add(cluster);
      this.#send(cluster, CLUSTER_THERE);
    }
    for (const cluster of this.#told.difference(now)) {
      this.#told.delete(cluster);
      this.#send(cluster, CLUSTER_GONE);
    }
  }

  #send(cluster: string, aux: number): void {
    this.#outbox.send(KIND.CLUSTER, 0, aux, ENCODER.encode(cluster));
  }
}
