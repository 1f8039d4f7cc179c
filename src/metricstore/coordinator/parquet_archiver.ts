/**
 * Archive mode: samples that age out are written to Parquet files before they may leave
 * memory. Main thread only; shards hand over blocks, a worker writes files.
 *
 * A run moves one limit forward for the whole store:
 *
 * 1. fence: shards refuse samples that could still change slots before the limit;
 *    batches that began before are waited for. Samples before the limit are final.
 * 2. For each cluster its slots in [largest limit among its files, limit), host by
 *    host in ascending order, into a file that appears whole or not at all.
 * 3. Only when all files are in place the shards may free the samples before the limit.
 *
 * A crash before a file has its name changes nothing: its samples are in log and
 * snapshots, and the next run writes them. After it, the name says that they are
 * archived. A restore may bring them back to memory, never to a second file.
 */
import { monotonicMs, nowSec } from "../../base/clock.ts";
import type {
  ArchiveOptions,
  ArchiveStats,
  EngineNotice,
  EngineOptions,
} from "../engine/metric_engine.ts";
import type { ShardReply } from "./shard_calls.ts";
import { type Ask, type Reply, shardOf } from "../transport/messages.ts";
import { slotSlackSec } from "../shard/archive_bounds.ts";
import { ParquetError } from "../parquet/parquet_error.ts";
import { ParquetWorkerClient } from "../parquet/parquet_worker_client.ts";

/** The longest time that a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** A failed run is not tried again before, however short memory is. */
const RETRY_MS = 5000;

type AskOf<Kind extends Reply["kind"]> = Extract<Ask, { kind: Kind }>;

/** The calls of the engine that a run needs. */
export interface ParquetSource {
  ask<Kind extends Reply["kind"]>(
    shard: number,
    ask: AskOf<Kind>,
  ): Promise<ShardReply<Kind>>;
  askAll<Kind extends Reply["kind"]>(
    ask: AskOf<Kind>,
  ): Promise<ShardReply<Kind>[]>;
  /** Resolves when every batch that is open now has ended. */
  batchesEnded(): Promise<void>;
}

/** A cluster with samples that are due. */
interface DueCluster {
  readonly instance: string;
  readonly cluster: string;
  readonly hosts: string[];
}

export class ParquetArchiver {
  readonly #options: EngineOptions;
  readonly #directory: string;
  readonly #intervalMs: number;
  readonly #slackSec: number;
  readonly #source: ParquetSource;
  readonly #notify: (notice: EngineNotice) => void;
  /** The largest limit among the files that were there at the start. */
  readonly #firstLimitSec: number;
  /** Limit of the last run that was finished. */
  #reachedSec = -Infinity;
  /** Limit that a shard short of memory asks for. */
  #wantedSec = -Infinity;
  #running: Promise<void> | undefined;
  #worker: ParquetWorkerClient | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  /** A shard that is short of memory is not listened to before. */
  #retryAtMs = 0;
  readonly #counts = { runs: 0, failures: 0, files: 0, rows: 0 };

  constructor(
    options: EngineOptions,
    archive: ArchiveOptions,
    source: ParquetSource,
    notify: (notice: EngineNotice) => void,
  ) {
    this.#options = options;
    this.#directory = archive.directory;
    this.#intervalMs = Math.min(archive.intervalSec * 1000, TIMER_MS_MAX);
    this.#slackSec = slotSlackSec(options.metrics);
    this.#source = source;
    this.#notify = notify;
    this.#firstLimitSec = archive.reachedSec ?? -Infinity;
  }

  get stats(): ArchiveStats {
    const { runs, failures, files, rows } = this.#counts;
    return {
      runsTotal: runs,
      failuresTotal: failures,
      filesTotal: files,
      rowsTotal: rows,
      reachedSec: Math.max(0, this.#reachedSec),
    };
  }

  /** Runs now, which finishes what an earlier process began, then every interval. */
  start(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.start(), this.#intervalMs);
    this.#runUnasked();
  }

  /** A shard is short of memory and could free what is before `limitSec`. */
  want(limitSec: number): void {
    this.#wantedSec = Math.max(this.#wantedSec, limitSec);
    // Shards repeat what they want; not before the first run, which comes anyhow.
    if (this.#timer === undefined || monotonicMs() < this.#retryAtMs) return;
    this.#runUnasked();
  }

  /** No more runs; the one under way is given up. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#worker?.end();
  }

  /** One run, or the rest of the one under way. Rejects if it fails; samples are kept then. */
  run(): Promise<void> {
    return this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  #runUnasked(): void {
    if (this.#isStopped || this.#running !== undefined) return;
    this.run().catch((error: unknown) => {
      if (!this.#isStopped) this.#noteFailure(error);
    });
  }

  #noteFailure(error: unknown): void {
    const path = error instanceof ParquetError ? error.path : "";
    this.#notify({
      level: "err",
      message: "the archive cannot be written; its samples are kept in memory",
      fields: {
        reason: error instanceof Error ? error.message : String(error),
        ...(path === "" ? {} : { file: path }),
      },
    });
  }

  /** Returns the limit of the samples that are due, seconds; fresh samples never are. */
  #limitSec(): number {
    const { retentionSec } = this.#options;
    const now = nowSec();
    const aged = retentionSec === 0
      ? -Infinity
      : now - retentionSec - this.#slackSec;
    const wanted = Math.min(this.#wantedSec, now - 2 * this.#slackSec);
    return Math.floor(Math.max(aged, wanted, this.#firstLimitSec));
  }

  async #run(): Promise<void> {
    const limitSec = this.#limitSec();
    if (limitSec <= this.#reachedSec) return;
    const startedMs = monotonicMs();
    this.#counts.runs++;
    let rows = 0;
    try {
      rows = await this.#archive(limitSec);
    } catch (error) {
      this.#counts.failures++;
      this.#retryAtMs = monotonicMs() + RETRY_MS;
      throw error;
    }
    await this.#source.askAll({ kind: "archive-done", toSec: limitSec });
    this.#reachedSec = limitSec;
    if (rows === 0) return;
    this.#notify({
      level: "info",
      message: "archived",
      fields: { rows, limitSec, ms: Math.round(monotonicMs() - startedMs) },
    });
  }

  /** Returns the number of rows written. */
  async #archive(limitSec: number): Promise<number> {
    await this.#source.askAll({
      kind: "archive-fence",
      oldestSec: limitSec + this.#slackSec,
    });
    await this.#source.batchesEnded();
    const clusters = mergeClusters(
      await this.#source.askAll({ kind: "archive-hosts", toSec: limitSec }),
    );
    if (clusters.length === 0) return 0;
    // A thread of its own for each run: its memory is not held between them.
    const worker = this.#worker = new ParquetWorkerClient();
    try {
      let rows = 0;
      for (const cluster of clusters) {
        rows += await this.#archiveCluster(worker, cluster, limitSec);
      }
      return rows;
    } finally {
      worker.end();
      this.#worker = undefined;
    }
  }

  async #archiveCluster(
    worker: ParquetWorkerClient,
    { instance, cluster, hosts }: DueCluster,
    toSec: number,
  ): Promise<number> {
    const directory = this.#directory;
    const reachedSec = await worker.call("open", {
      directory,
      instance,
      cluster,
      toSec,
    });
    if (reachedSec < toSec) {
      // JSON knows no infinity.
      const fromSec = Math.max(reachedSec, Number.MIN_SAFE_INTEGER);
      for (const host of hosts) {
        await this.#archiveHost(worker, {
          instance,
          cluster,
          host,
          fromSec,
          toSec,
        });
      }
    }
    const rows = await worker.call("finish", undefined);
    if (rows > 0) this.#counts.files++;
    this.#counts.rows += rows;
    return rows;
  }

  /** One answer of the shard at a time is in this thread. */
  async #archiveHost(
    worker: ParquetWorkerClient,
    place: Omit<AskOf<"archive-rows">, "kind" | "afterSeries">,
  ): Promise<void> {
    const { instance, cluster, host } = place;
    const shard = shardOf(instance, cluster, host, this.#options.shards);
    let afterSeries = -1;
    do {
      const { chunks, reply } = await this.#source.ask(shard, {
        kind: "archive-rows",
        ...place,
        afterSeries,
      });
      if (chunks.length > 0) {
        await worker.addSeries(chunks);
      }
      afterSeries = reply.last;
    } while (afterSeries >= 0);
    await worker.call("endHost", host);
  }
}

/** All shards together; hosts in ascending order of their UTF-16 code units. */
function mergeClusters(
  replies: readonly ShardReply<"archive-hosts">[],
): DueCluster[] {
  const merged = new Map<string, DueCluster>();
  for (const { reply } of replies) {
    for (const { instance, cluster, hosts } of reply.clusters) {
      const key = `${instance}\0${cluster}`;
      const known = merged.get(key);
      if (known === undefined) {
        merged.set(key, { instance, cluster, hosts: [...hosts] });
      } else known.hosts.push(...hosts);
    }
  }
  for (const { hosts } of merged.values()) hosts.sort();
  return [...merged.values()];
}
