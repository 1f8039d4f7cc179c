/**
 * Which clusters there are, and since when (settled 7): those with a cluster
 * configuration, those named in `config.json`, and those with stored samples. When
 * a cluster was first known is kept in the database, also when its samples are
 * gone. Main thread.
 */
import type { z } from "zod";
import { nowRfc3339 } from "../../base/clock.ts";
import type { RemoteTables } from "../../db/remote.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { clusterSchema } from "./schemas.ts";

export type Cluster = z.infer<typeof clusterSchema>;

/** Clusters without a configuration that are kept: any writer can name new ones. */
const STORED_MAX = 1000;

export interface KnownClustersOptions {
  readonly table: RemoteTables["clusters"];
  readonly engine: Pick<MetricEngine, "clusters" | "state">;
  /** Names of those with a configuration. */
  readonly configured: readonly string[];
  /** `main.base-url` */
  readonly baseUrl: string;
  readonly log: Pick<Log, "err" | "warnOnce">;
}

export class KnownClusters {
  readonly #options: KnownClustersOptions;
  #configured: ReadonlySet<string>;
  /** When each was first known. */
  readonly #since: Map<string, string>;

  private constructor(
    options: KnownClustersOptions,
    since: Map<string, string>,
  ) {
    this.#options = options;
    this.#configured = new Set(options.configured);
    this.#since = since;
  }

  /** Reads what was known before, and watches the engine from now on. */
  static async open(options: KnownClustersOptions): Promise<KnownClusters> {
    const { table, configured, engine } = options;
    await table.note(configured, nowRfc3339());
    const rows = await table.list();
    const known = new KnownClusters(
      options,
      new Map(rows.map(({ name, createdAt }) => [name, createdAt])),
    );
    engine.clusters.watch((cluster) => known.#note(cluster));
    return known;
  }

  /** Names of those with a configuration from now on. Rejects as the database does. */
  async configure(names: readonly string[]): Promise<void> {
    this.#configured = new Set(names);
    const fresh = [...this.#configured].filter((name) =>
      !this.#since.has(name)
    );
    const now = nowRfc3339();
    for (const name of fresh) this.#since.set(name, now);
    await this.#options.table.note(fresh, now);
  }

  /** By name. */
  list(): Cluster[] {
    return [...this.#names()].sort().map((name) => this.#describe(name));
  }

  /** Throws `E_NOT_FOUND`. */
  get(name: string): Cluster {
    if (this.has(name)) return this.#describe(name);
    throw new ClientError("E_NOT_FOUND", `there is no cluster ${name}`);
  }

  has(name: string): boolean {
    return this.#names().has(name);
  }

  /** While samples are being restored, what was known before is taken to be there. */
  #names(): ReadonlySet<string> {
    const { clusters, state } = this.#options.engine;
    const stored = state === "restoring"
      ? this.#since.keys()
      : clusters.names.filter((name) => this.#since.has(name));
    return new Set([...this.#configured, ...stored]);
  }

  #describe(name: string): Cluster {
    return {
      name,
      display_name: name,
      created_at: this.#since.get(name) ?? nowRfc3339(),
      kind: "cortex",
      base_url: this.#options.baseUrl,
    };
  }

  #note(cluster: string): void {
    if (this.#since.has(cluster)) return;
    if (this.#since.size - this.#configured.size >= STORED_MAX) {
      this.#options.log.warnOnce(
        "clusters noted",
        "no more clusters are noted than those known: a writer names new ones",
        { clusters: this.#since.size, cluster: cluster.slice(0, 64) },
      );
      return;
    }
    const now = nowRfc3339();
    this.#since.set(cluster, now);
    this.#options.table.note([cluster], now).catch((error) => {
      this.#options.log.err("when a cluster was first known is not kept", {
        cluster,
        error,
      });
    });
  }
}
