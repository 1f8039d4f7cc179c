/**
 * The metric engine on worker shards: hands batches to the shards, fans questions
 * out to them and merges the answers. Main thread only; it never parses samples.
 *
 *     batch ─► shard of its first line ─► owners ─► reports ─► one report
 *     query ─► owners of its hosts ─► pieces of JSON ─► one body
 */
import { ParquetArchiver } from "./parquet_archiver.ts";
import { nowSec } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";
import type { HeldLock } from "../persist/directory_lock.ts";
import { InstanceCounts } from "../transport/instance_counts.ts";
import type { ShardSlot } from "../transport/stream_progress.ts";
import { StatsBlock } from "../transport/shard_stats.ts";
import { createWiring, type Wiring } from "../transport/shard_wiring.ts";
import { type Ask, type Reply, shardOf } from "../transport/messages.ts";
import type { DataScope } from "../engine/data_scope.ts";
import { AnswerBlocks } from "./answer_blocks.ts";
import { healthOfNodes } from "./health_call.ts";
import { mergeDebug } from "./merge_debug.ts";
import type {
  ArchiveStats,
  Batch,
  BatchOptions,
  EngineNotice,
  EngineOptions,
  EngineState,
  JsonBody,
  MetricTable,
  NodeHealth,
  QueryRequest,
  ShardStats,
  StoreEngine,
} from "../engine/metric_engine.ts";
import type { NodeProvider } from "../engine/node_provider.ts";
import { type QueryShards, queryShards } from "./query_call.ts";
import {
  demandAllTimes,
  demandCluster,
  dumpedClusters,
  encodeBatchContext,
  wholeView,
} from "./scope_checks.ts";
import { Evaluators } from "./evaluators.ts";
import type { QueryAnswer, QueryJob } from "../engine/query_jobs.ts";
import { OutgoingBatches } from "./outgoing_batches.ts";
import { OutgoingBatch } from "./outgoing_batch.ts";
import { guessShard } from "./route_hint.ts";
import { ShardCalls, type ShardReply } from "./shard_calls.ts";
import { ShardWorkers } from "./shard_workers.ts";
import { ProtectedNodes } from "./protected_nodes.ts";
import { removeLayouts } from "./store_layouts.ts";
import { StoredClusters } from "./stored_clusters.ts";

/** Bytes of a large answer that are written to a socket at a time. */
const ANSWER_BLOCK_BYTES = 1 << 20;

/** Each path once: the same one again would walk over all that is below for nothing. */
function distinctPaths(
  paths: readonly (readonly string[])[],
): (readonly string[])[] {
  return [
    ...new Map(paths.map((path) => [JSON.stringify(path), path])).values(),
  ];
}

/** Made by `startEngine`, which sees to the directories first. */
export class ShardedEngine implements StoreEngine {
  state: EngineState = "restoring";
  readonly clusters = new StoredClusters();
  readonly #options: EngineOptions;
  readonly #wiring: Wiring;
  readonly #workers: ShardWorkers;
  readonly #evaluators: Evaluators;
  readonly #stats: readonly StatsBlock[];
  readonly #calls: ShardCalls;
  readonly #queryShards: QueryShards;
  readonly #notify: (notice: EngineNotice) => void;
  readonly #openBatches = new OutgoingBatches();
  readonly #parquetArchiver: ParquetArchiver | undefined;
  readonly #instances: InstanceCounts;
  readonly #protectedNodes: ProtectedNodes | undefined;
  readonly #lock: HeldLock | undefined;
  /** Resolves when questions are answered. */
  readonly #ready = Promise.withResolvers<void>();
  /** Shards that are still taking back what is on disk. */
  #restoring: number;
  /** Shards whose hosts other layouts are still needed for. */
  #converting: number;

  constructor(
    options: EngineOptions,
    directories: readonly ShardSlot[],
    notify: (notice: EngineNotice) => void,
    nodes: NodeProvider | undefined,
    lock: HeldLock | undefined,
  ) {
    this.#options = options;
    this.#lock = lock;
    this.#notify = notify;
    this.#restoring = options.shards;
    this.#wiring = createWiring(options, directories);
    this.#converting = this.#otherLayouts().length > 0 ? options.shards : 0;
    this.#calls = new ShardCalls(this.#wiring, {
      notice: notify,
      restored: () => this.#noteRestored(),
      converted: () => this.#noteConverted(),
      archiveWanted: (limitSec) => this.#parquetArchiver?.want(limitSec),
      cluster: (shard, cluster, exists) =>
        this.clusters.note(shard, cluster, exists),
    });
    this.#parquetArchiver = options.archive && new ParquetArchiver(
      options,
      options.archive,
      {
        ask: (shard, ask) => this.#ask(shard, ask),
        askAll: (ask) => this.#askAll(ask),
        batchesEnded: () => this.#openBatches.allEnded(),
      },
      notify,
    );
    const { retentionSec, shards } = options;
    this.#protectedNodes = nodes === undefined || retentionSec === 0
      ? undefined
      : new ProtectedNodes({
        provider: nodes,
        shards,
        retentionSec,
        tell: (shard, nodes) => this.#ask(shard, { kind: "protect", nodes }),
        notify,
      });
    this.#queryShards = {
      maxQuerySamples: options.maxQuerySamples,
      blocks: new AnswerBlocks(ANSWER_BLOCK_BYTES),
      ownerOf: (...names) => this.#ownerOf(...names),
      hosts: (ask) => this.#hosts(ask),
      ask: (shard, ask) => this.#ask(shard, ask),
      linger: (asked) => this.#calls.linger(asked),
      recycle: (chunks) => this.#calls.recycle(chunks),
    };
    this.#ready.promise.catch(() => {}); // Only a clean-up waits for it.
    this.#instances = new InstanceCounts(this.#wiring.instances);
    this.#stats = this.#wiring.stats.map((memory) => new StatsBlock(memory));
    this.#workers = new ShardWorkers(
      this.#wiring,
      (shard, reason) => this.#lose(`shard ${shard}`, reason),
    );
    this.#evaluators = new Evaluators(
      this.#wiring,
      (index, reason) => this.#lose(`evaluator ${index}`, reason),
    );
  }

  async start(): Promise<void> {
    void this.#calls.listen();
    await Promise.all([this.#workers.start(), this.#evaluators.start()]);
  }

  async evaluate(
    scope: DataScope,
    job: QueryJob,
    signal?: AbortSignal,
  ): Promise<QueryAnswer> {
    this.#checkServing();
    demandAllTimes(scope);
    const { instance } = scope;
    const asked = { instance, ...wholeView(scope) };
    return await this.#evaluators.ask(asked, job, signal);
  }

  openBatch(options: BatchOptions): Batch {
    // During a restore batches wait in the inboxes.
    if (this.state !== "restoring") this.#checkServing();
    const id = this.#calls.takeId();
    const { defaultCluster, mark, mayBeGivenUp = false, scope } = options;
    return new OutgoingBatch({
      id,
      context: encodeBatchContext(scope, defaultCluster),
      mark,
      mayBeGivenUp,
      nowSec: nowSec(),
      pickShard: (start) => this.#calls.links[this.laneOf(options, start)]!,
      awaitReport: () =>
        this.#openBatches.begin(id, this.#calls.awaitReport(id)),
      forget: () => {
        this.#calls.abandon(id);
        this.#openBatches.end(id);
      },
    });
  }

  laneOf({ scope, defaultCluster }: BatchOptions, start: Uint8Array): number {
    const shards = this.#calls.links.length;
    return guessShard(start, scope.instance, defaultCluster, shards);
  }

  async query(scope: DataScope, request: QueryRequest): Promise<JsonBody> {
    this.#checkServing();
    return await queryShards(this.#queryShards, scope, request);
  }

  #ownerOf(instance: string, cluster: string, host: string): number {
    return shardOf(instance, cluster, host, this.#calls.links.length);
  }

  async #hosts(ask: Extract<Ask, { kind: "hosts" }>): Promise<string[]> {
    const replies = await this.#askAll(ask);
    return replies.flatMap(({ reply }) => reply.hosts).sort();
  }

  async free(
    scope: DataScope,
    selectors: readonly (readonly string[])[],
    toSec: number,
  ): Promise<number> {
    demandAllTimes(scope);
    for (const [cluster] of selectors) {
      if (cluster !== undefined) demandCluster(scope, cluster);
    }
    const replies = await this.#askAll({
      kind: "free",
      instance: scope.instance,
      ...wholeView(scope),
      selectors: distinctPaths(selectors),
      toSec,
    });
    return replies.reduce((sum, { reply }) => sum + reply.removed, 0);
  }

  async debug(
    scope: DataScope,
    selector: readonly string[],
  ): Promise<JsonBody> {
    demandAllTimes(scope);
    const replies = await this.#askAll({
      kind: "debug",
      instance: scope.instance,
      ...dumpedClusters(scope, selector[0]),
      selector,
    });
    return mergeDebug(replies, selector);
  }

  async health(
    scope: DataScope,
    cluster: string,
    nodes: readonly string[],
    metrics: readonly string[] | undefined,
  ): Promise<ReadonlyMap<string, NodeHealth>> {
    this.#checkServing();
    return await healthOfNodes(
      {
        ownerOf: (host) => this.#ownerOf(scope.instance, cluster, host),
        ask: (shard, ask) => this.#ask(shard, ask),
      },
      scope,
      { cluster, nodes, metrics },
    );
  }

  get instanceSeries(): ReadonlyMap<string, number> {
    return this.#instances.read();
  }

  get unknownMetricLines(): ReadonlyMap<string, number> {
    return this.#calls.unknownMetrics.lines;
  }

  get archive(): ArchiveStats | undefined {
    return this.#parquetArchiver?.stats;
  }

  async addMetrics(added: MetricTable): Promise<void> {
    this.#evaluators.addMetrics(added);
    await this.#askAll({ kind: "metrics", added });
  }

  async cleanUp(): Promise<void> {
    await this.#ready.promise;
    if (await this.#protectedNodes?.refresh() === false) {
      throw new Error("it is not known which nodes have running jobs");
    }
    await this.#parquetArchiver?.run();
    await this.#askAll({ kind: "clean-up" });
  }

  stats(): readonly ShardStats[] {
    return this.#stats.map((block, shard) =>
      block.read(shard, this.#calls.links[shard]!.inboxBytes)
    );
  }

  async close(): Promise<void> {
    if (this.state === "stopping") return;
    const isAlive = this.state !== "failed";
    this.state = "stopping";
    this.#parquetArchiver?.stop();
    this.#protectedNodes?.stop();
    this.#evaluators.close();
    this.#ready.reject(this.#notServing());
    // Questions keep their order behind the writes sent before.
    const closed = isAlive
      ? Promise.all(
        this.#calls.links.map((_, shard) =>
          this.#calls.send(shard, { kind: "close" })
        ),
      )
      : Promise.resolve();
    await this.#workers.end(closed);
    this.#lock?.release();
  }

  #checkServing(): void {
    if (this.state !== "ready") throw this.#notServing();
  }

  #notServing(): ClientError {
    return new ClientError("E_NOT_READY", `the metric store is ${this.state}`, {
      retryAfterSec: 1,
    });
  }

  async #askAll<Kind extends Reply["kind"]>(
    ask: Extract<Ask, { kind: Kind }>,
  ): Promise<ShardReply<Kind>[]> {
    return await Promise.all(
      this.#calls.links.map((_, shard) => this.#ask<Kind>(shard, ask)),
    );
  }

  async #ask<Kind extends Reply["kind"]>(
    shard: number,
    ask: Extract<Ask, { kind: Kind }>,
  ): Promise<ShardReply<Kind>> {
    this.#checkServing();
    return await this.#calls.send<Kind>(shard, ask);
  }

  #noteRestored(): void {
    this.#restoring--;
    if (this.#restoring === 0 && this.state === "restoring") {
      this.state = "ready";
      this.#ready.resolve();
      this.#protectedNodes?.start();
      this.#parquetArchiver?.start();
    }
  }

  /** Other numbers of shards under which samples are on disk. */
  #otherLayouts(): number[] {
    const counts = this.#wiring.directories.map(({ shards }) => shards);
    return [...new Set(counts)]
      .filter((count) => count !== this.#options.shards);
  }

  #noteConverted(): void {
    this.#converting--;
    if (this.#converting > 0) return;
    const { directory } = this.#options.persistence!;
    try {
      removeLayouts(directory, this.#otherLayouts());
    } catch (error) {
      // They are read again at the next start, which changes nothing.
      this.#notify({
        level: "warn",
        message: "files of another number of workers cannot be removed",
        fields: { directory, reason: String(error) },
      });
    }
  }

  /** A dead shard took its hosts with it: nothing is served that could be half true. */
  #lose(worker: string, reason: string): void {
    this.state = "failed";
    this.#notify({
      level: "crit",
      message: "a worker of the store is lost",
      fields: { worker, reason },
    });
    const error = new ClientError(
      "E_SHARD_LOST",
      `${worker} is lost: ${reason}`,
    );
    this.#calls.fail(error);
    this.#evaluators.close();
    this.#ready.reject(error);
  }
}
