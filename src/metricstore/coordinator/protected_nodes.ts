/**
 * Keeps the shards told which hosts are not to be freed. Main thread only.
 *
 * While the provider fails, its last answer holds for one more retention period,
 * as metric-store 7.7 has it; after that no host is protected, so that a backend
 * that is gone for good does not fill the memory. Where it has not answered since
 * the start, nothing is freed for that long: a restart while the backend is down
 * costs no running job its samples. `memory-cap` frees protected hosts, too.
 */
import { monotonicMs, nowSec } from "../../base/clock.ts";
import { shardOf } from "../transport/messages.ts";
import type { EngineNotice } from "../engine/metric_engine.ts";
import type { NodeProvider, UsedNodes } from "../engine/node_provider.ts";

/** Shards look for samples to free once a minute. */
const INTERVAL_SEC = 60;
/** A retention of less than some minutes is asked about so many times within it. */
const ASKED_PER_RETENTION = 4;

/** Clusters with names of hosts, as one shard is told. */
export type ProtectedByCluster = readonly (readonly [
  cluster: string,
  hosts: readonly string[],
])[];

export interface ProtectedNodesOptions {
  readonly provider: NodeProvider;
  readonly shards: number;
  /** Above 0: without a retention nothing is freed. */
  readonly retentionSec: number;
  /** Hands one shard the hosts that it owns. */
  readonly tell: (shard: number, nodes: ProtectedByCluster) => Promise<unknown>;
  readonly notify: (notice: EngineNotice) => void;
}

export class ProtectedNodes {
  readonly #options: ProtectedNodesOptions;
  /** When the last answer came; before the first: when waiting for it began. */
  #heardMs = monotonicMs();
  #isKnown = false;
  #isFailing = false;
  #isStopped = false;
  #asking: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ProtectedNodesOptions) {
    this.#options = options;
  }

  /** Asks now, and again and again until `stop`. */
  start(): void {
    if (this.#isStopped) return;
    const intervalSec = Math.min(
      INTERVAL_SEC,
      Math.max(1, this.#options.retentionSec / ASKED_PER_RETENTION),
    );
    this.#timer = setTimeout(() => this.start(), intervalSec * 1000);
    // Shards that do not answer any more are reported elsewhere.
    this.refresh().catch(() => {});
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * Asks the provider and tells the shards. Resolves to whether anything is known;
   * rejects where a shard cannot be told.
   */
  refresh(): Promise<boolean> {
    return this.#asking ??= this.#refresh().finally(() => {
      this.#asking = undefined;
    });
  }

  async #refresh(): Promise<boolean> {
    const nodes = await this.#ask();
    if (nodes !== undefined) await this.#tellAll(nodes);
    return this.#isKnown;
  }

  /**
   * Returns the nodes to tell; `undefined` while those that the shards know still hold.
   */
  async #ask(): Promise<UsedNodes | undefined> {
    const { provider, retentionSec } = this.#options;
    try {
      const nodes = await provider.usedNodes(nowSec() - retentionSec);
      this.#heardMs = monotonicMs();
      this.#noteSuccess();
      return nodes;
    } catch (error) {
      this.#noteFailure(error);
      const isStale = monotonicMs() - this.#heardMs > retentionSec * 1000;
      return isStale ? NO_NODES : undefined;
    }
  }

  async #tellAll(nodes: UsedNodes): Promise<void> {
    const { shards, tell } = this.#options;
    const owned = (shard: number): ProtectedByCluster =>
      [...nodes].map(([cluster, hosts]) => [
        cluster,
        [...hosts].filter((host) =>
          shardOf("", cluster, host, shards) === shard
        ),
      ]);
    await Promise.all(
      Array.from({ length: shards }, (_, shard) => tell(shard, owned(shard))),
    );
    this.#isKnown = true;
  }

  #noteSuccess(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.notify({
      level: "warn",
      message: "the nodes of running jobs are known again",
      fields: {},
    });
  }

  /** Once, until it works again. */
  #noteFailure(error: unknown): void {
    if (this.#isFailing || this.#isStopped) return;
    this.#isFailing = true;
    this.#options.notify({
      level: "warn",
      message:
        "the backend does not tell the nodes of running jobs; what it said last holds for one retention period",
      fields: {
        reason: error instanceof Error ? error.message : String(error),
      },
    });
  }
}

const NO_NODES: UsedNodes = new Map();
