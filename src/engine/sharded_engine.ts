/**
 * The metric engine on worker shards: hands batches to the shards, fans questions
 * out to them and merges the answers. Main thread only; it never parses samples.
 *
 *     batch ─► shard of its first line ─► owners ─► reports ─► one report
 *     query ─► owners of its hosts ─► pieces of JSON ─► one body
 */
import { setImmediate } from "node:timers";
import { monotonicMs, nowSec } from "../clock.ts";
import { ClientError, type ErrorCode, STATUS_BY_CODE } from "../errors.ts";
import { DENO_FILES } from "../persist/files.ts";
import { makeShardDirectory } from "../persist/shard_directory.ts";
import { StatsBlock } from "../shard/shard_stats.ts";
import { createWiring, type Wiring } from "../shard/shard_wiring.ts";
import { Bell } from "../transport/bell.ts";
import {
  type Ask,
  DONE_OF_FORWARD,
  KIND,
  type Reply,
  shardOf,
} from "../transport/messages.ts";
import type { RingConsumer } from "../transport/ring.ts";
import { ANSWER_BYTES_MAX, answerTooLarge } from "../query/answer_queries.ts";
import { selectorCount } from "../query/select_series.ts";
import { bodyOf, mergeAnswers } from "./merge_answers.ts";
import type {
  Batch,
  BatchOptions,
  EngineNotice,
  EngineOptions,
  EngineState,
  JsonBody,
  MetricEngine,
  MetricQuery,
  NodeHealth,
  QueryRequest,
  ShardStats,
  WriteReport,
} from "./metric_engine.ts";
import { mergeDebug } from "./merge_debug.ts";
import { otherLayouts, removeLayouts } from "./store_layouts.ts";
import { OutgoingBatch } from "./outgoing_batch.ts";
import { guessShard } from "./route_hint.ts";
import { ShardLink } from "./shard_link.ts";
import { ShardWorkers } from "./shard_workers.ts";
import { parseWriteDone, ReportCollector } from "./write_reports.ts";

const ENCODER = new TextEncoder();
/** Turns without a wait after which other events get their chance. */
const TURNS_MAX = 16;

/** Entries of one request: hosts times metrics times ids. */
const ENTRIES_MAX = 1 << 20;
/** Bytes of answers that are being put together; more are refused with 503. */
const PENDING_BYTES_MAX = 1 << 30;
/** The main thread blocks no longer than this for an answer, and only when idle. */
const LINGER_MS = 0.2;
/** Larger requests are not answered that soon. */
const LINGER_QUERIES_MAX = 4;

/** An answer as one shard gave it. */
export interface ShardReply<Kind extends Reply["kind"]> {
  readonly chunks: readonly Uint8Array[];
  readonly reply: Extract<Reply, { kind: Kind }>;
}

/** Something a shard is to answer. */
interface Pending {
  readonly shard: number;
  readonly chunks: Uint8Array[];
  bytes: number;
  readonly text: TextDecoder;
  replyText: string;
  readonly report: ReportCollector | undefined;
  resolve(value: Reply | WriteReport): void;
  reject(reason: ClientError): void;
}

/** Starts the workers; resolves when all shards take work. */
export async function startEngine(
  options: EngineOptions,
  notify: (notice: EngineNotice) => void = () => {},
): Promise<MetricEngine> {
  const { persistence, shards } = options;
  if (persistence !== undefined) {
    // Here and not only in the workers: what is wrong with it stops the start.
    for (let shard = 0; shard < shards; shard++) {
      makeShardDirectory(DENO_FILES, persistence.directory, shards, shard);
    }
  }
  const others = persistence === undefined
    ? []
    : otherLayouts(persistence.directory, shards);
  const engine = new ShardedEngine(options, others, notify);
  await engine.start();
  return engine;
}

class ShardedEngine implements MetricEngine {
  state: EngineState = "restoring";
  readonly #options: EngineOptions;
  readonly #wiring: Wiring;
  readonly #workers: ShardWorkers;
  readonly #links: readonly ShardLink[];
  readonly #stats: readonly StatsBlock[];
  readonly #bell: Bell;
  readonly #pending = new Map<number, Pending>();
  readonly #notify: (notice: EngineNotice) => void;
  /** Shards that are still taking back what is on disk. */
  #restoring: number;
  /** Shards whose hosts other layouts are still needed for. */
  #converting: number;
  #pendingBytes = 0;
  #nextId = 1;

  constructor(
    options: EngineOptions,
    otherLayouts: readonly number[],
    notify: (notice: EngineNotice) => void,
  ) {
    this.#options = options;
    this.#notify = notify;
    this.#restoring = options.shards;
    this.#converting = otherLayouts.length > 0 ? options.shards : 0;
    this.#wiring = createWiring(options, otherLayouts);
    this.#bell = new Bell(this.#wiring.mainBell);
    this.#links = this.#wiring.toShard.map((_, shard) =>
      new ShardLink(this.#wiring, shard)
    );
    this.#stats = this.#wiring.stats.map((memory) => new StatsBlock(memory));
    this.#workers = new ShardWorkers(
      this.#wiring,
      (shard, reason) => this.#lose(shard, reason),
    );
  }

  async start(): Promise<void> {
    void this.#listen();
    await this.#workers.start();
  }

  openBatch(options: BatchOptions): Batch {
    // During a restore batches wait in the inboxes.
    if (this.state !== "restoring") this.#checkServing();
    const id = this.#takeId();
    return new OutgoingBatch({
      id,
      ...options,
      nowSec: nowSec(),
      pickShard: (start) =>
        this.#links[
          guessShard(
            start,
            options.instance,
            options.defaultCluster,
            this.#links.length,
          )
        ]!,
      awaitReport: () => this.#awaitReport(id),
      forget: () => this.#pending.delete(id),
    });
  }

  #awaitReport(id: number): Promise<WriteReport> {
    return new Promise<WriteReport>((resolve, reject) => {
      if (this.state === "failed") return reject(this.#notServing());
      this.#pending.set(id, {
        shard: -1,
        chunks: [],
        bytes: 0,
        text: new TextDecoder(),
        replyText: "",
        report: new ReportCollector(),
        resolve: (value) => resolve(value as WriteReport),
        reject,
      });
    });
  }

  async query(instance: string, request: QueryRequest): Promise<JsonBody> {
    this.#checkServing();
    const { forAllNodes, ...rest } = request;
    let queries = request.queries;
    let echo: readonly MetricQuery[] | undefined;
    if (forAllNodes !== undefined && forAllNodes.length > 0) {
      const hosts = await this.#hosts(instance, request.cluster);
      if (hosts.length > 0) {
        const generated = hosts.flatMap((host) =>
          forAllNodes.map((metric) => ({
            metric,
            host,
            resolution: 0,
            aggreg: false,
          }))
        );
        queries = echo = [...queries, ...generated];
      }
    }
    const entries = queries.reduce((sum, one) => sum + selectorCount(one), 0);
    if (entries > ENTRIES_MAX) {
      throw new ClientError(
        "E_TOO_MANY_SAMPLES",
        `the request asks for ${entries} entries, at most ${ENTRIES_MAX} are answered`,
      );
    }
    const shardOfQuery = queries.map((query) =>
      shardOf(instance, request.cluster, query.host, this.#links.length)
    );
    const shards = [...new Set(shardOfQuery)];
    const asked = Promise.all(shards.map((shard) =>
      this.#ask(shard, {
        kind: "query",
        instance,
        request: {
          ...rest,
          queries: queries.filter((_, i) => shardOfQuery[i] === shard),
        },
      })
    ));
    if (queries.length <= LINGER_QUERIES_MAX) this.#linger(shards.length);
    const replies = await asked;
    this.#checkSamples(
      replies.reduce((sum, { reply }) => sum + reply.samples, 0),
    );
    const bytes = replies.reduce(
      (sum, { chunks }) => sum + bodyOf(chunks).byteLength,
      0,
    );
    if (bytes > ANSWER_BYTES_MAX) throw answerTooLarge();
    return mergeAnswers(
      replies.map(({ chunks, reply }) => ({ chunks, lengths: reply.lengths })),
      shardOfQuery.map((shard) => shards.indexOf(shard)),
      echo,
    );
  }

  /** Each shard keeps to the limit by itself; together they may be over it. */
  #checkSamples(samples: number): void {
    const max = this.#options.maxQuerySamples;
    if (max === 0 || samples <= max) return;
    throw new ClientError(
      "E_TOO_MANY_SAMPLES",
      `the query reads more than ${max} samples (metric-store.max-query-samples)`,
    );
  }

  async #hosts(instance: string, cluster: string): Promise<string[]> {
    const replies = await this.#askAll({ kind: "hosts", instance, cluster });
    return replies.flatMap(({ reply }) => reply.hosts).sort();
  }

  async free(
    instance: string,
    selectors: readonly (readonly string[])[],
    toSec: number,
  ): Promise<number> {
    const replies = await this.#askAll({
      kind: "free",
      instance,
      selectors,
      toSec,
    });
    return replies.reduce((sum, { reply }) => sum + reply.removed, 0);
  }

  async debug(
    instance: string,
    selector: readonly string[],
  ): Promise<JsonBody> {
    return mergeDebug(
      await this.#askAll({ kind: "debug", instance, selector }),
      selector,
    );
  }

  async health(
    instance: string,
    cluster: string,
    nodes: readonly string[],
    metrics: readonly string[] | undefined,
  ): Promise<ReadonlyMap<string, NodeHealth>> {
    this.#checkServing();
    const byShard = Map.groupBy(
      nodes,
      (node) => shardOf(instance, cluster, node, this.#links.length),
    );
    const found = new Map<string, NodeHealth>();
    await Promise.all([...byShard].map(async ([shard, names]) => {
      const { reply } = await this.#ask(shard, {
        kind: "health",
        instance,
        cluster,
        nodes: names,
        metrics,
      });
      names.forEach((name, i) => found.set(name, reply.nodes[i]!));
    }));
    return found;
  }

  stats(): readonly ShardStats[] {
    return this.#stats.map((block, shard) =>
      block.read(shard, this.#links[shard]!.inboxBytes)
    );
  }

  async close(): Promise<void> {
    if (this.state === "stopping") return;
    const isAlive = this.state !== "failed";
    this.state = "stopping";
    // Questions keep their order behind the writes sent before.
    const closed = isAlive
      ? Promise.all(
        this.#links.map((_, shard) => this.#send(shard, { kind: "close" })),
      )
      : Promise.resolve();
    await this.#workers.end(closed);
  }

  #checkServing(): void {
    if (this.state !== "ready") throw this.#notServing();
  }

  #notServing(): ClientError {
    return new ClientError("E_NOT_READY", `the metric store is ${this.state}`, {
      retryAfterSec: 1,
    });
  }

  #takeId(): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffffffff ? 1 : id + 1;
    return id;
  }

  async #askAll<Kind extends Reply["kind"]>(
    ask: Extract<Ask, { kind: Kind }>,
  ): Promise<ShardReply<Kind>[]> {
    return await Promise.all(
      this.#links.map((_, shard) => this.#ask<Kind>(shard, ask)),
    );
  }

  async #ask<Kind extends Reply["kind"]>(
    shard: number,
    ask: Extract<Ask, { kind: Kind }>,
  ): Promise<ShardReply<Kind>> {
    this.#checkServing();
    return await this.#send<Kind>(shard, ask);
  }

  #send<Kind extends Reply["kind"]>(
    shard: number,
    ask: Ask,
  ): Promise<ShardReply<Kind>> {
    const id = this.#takeId();
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      this.#pending.set(id, {
        shard,
        chunks,
        bytes: 0,
        text: new TextDecoder(),
        replyText: "",
        report: undefined,
        // A shard answers each kind of question with its own kind of reply.
        resolve: (reply) =>
          resolve({ chunks, reply: reply as Extract<Reply, { kind: Kind }> }),
        reject,
      });
      this.#links[shard]!.ask(id, ENCODER.encode(JSON.stringify(ask)));
    });
  }

  /** Takes what the shards send, for as long as there are shards. */
  async #listen(): Promise<void> {
    let turns = 0;
    while (this.state !== "failed") {
      const seen = this.#bell.count();
      this.#takeAll();
      const rung = this.#bell.waitAsync(seen);
      if (rung !== undefined) {
        await rung;
        turns = 0;
      } else if (++turns === TURNS_MAX) {
        // A bell that never stops ringing must not keep sockets from being served.
        await new Promise((resolve) => setImmediate(resolve));
        turns = 0;
      }
    }
  }

  #takeAll(): void {
    for (const link of this.#links) {
      while (link.incoming.next()) {
        this.#receive(link.incoming);
        link.release();
      }
      link.resume();
    }
  }

  /**
   * Waits for a quick answer on the spot where the server has nothing else to do:
   * waking the event loop costs about as much as all the rest of a small query.
   */
  #linger(asked: number): void {
    const deadlineMs = monotonicMs() + LINGER_MS;
    while (this.#pending.size === asked) {
      const seen = this.#bell.count();
      this.#takeAll();
      const leftMs = deadlineMs - monotonicMs();
      if (leftMs <= 0) return;
      if (this.#pending.size === asked) this.#bell.waitBriefly(seen, leftMs);
    }
  }

  #receive(frame: RingConsumer): void {
    if (frame.kind === KIND.NOTICE) {
      const text = new TextDecoder().decode(frame.payload());
      this.#notify(JSON.parse(text) as EngineNotice);
      return;
    }
    if (frame.kind === KIND.CONVERTED) {
      this.#converting--;
      if (this.#converting === 0) this.#removeOtherLayouts();
      return;
    }
    if (frame.kind === KIND.RESTORED) {
      this.#restoring--;
      if (this.#restoring === 0 && this.state === "restoring") {
        this.state = "ready";
      }
      return;
    }
    const pending = this.#pending.get(frame.id);
    // A batch that was broken off, or failed in another shard before.
    if (pending === undefined) return;
    switch (frame.kind) {
      case KIND.CHUNK:
        this.#addChunk(frame.id, pending, frame.payload());
        return;
      case KIND.WRITE_DONE: {
        const done = parseWriteDone(frame.payload());
        const report = pending.report!.add(
          done,
          frame.aux === DONE_OF_FORWARD,
        );
        if (report === undefined) return;
        this.#pending.delete(frame.id);
        pending.resolve(report);
        return;
      }
      case KIND.REPLY:
        pending.replyText += pending.text.decode(frame.payload(), {
          stream: frame.aux !== 1,
        });
        if (frame.aux !== 1) return;
        this.#forget(frame.id, pending);
        this.#settle(pending, JSON.parse(pending.replyText) as Reply);
    }
  }

  #addChunk(id: number, pending: Pending, chunk: Uint8Array): void {
    this.#pendingBytes += chunk.length;
    pending.bytes += chunk.length;
    pending.chunks.push(chunk);
    if (this.#pendingBytes <= PENDING_BYTES_MAX) return;
    this.#forget(id, pending);
    pending.reject(
      new ClientError("E_OVERLOAD", "too many large answers at a time", {
        retryAfterSec: 1,
      }),
    );
  }

  #forget(id: number, pending: Pending): void {
    this.#pending.delete(id);
    this.#pendingBytes -= pending.bytes;
  }

  #settle(pending: Pending, reply: Reply): void {
    if (reply.kind !== "error") return pending.resolve(reply);
    const code = reply.code in STATUS_BY_CODE
      ? reply.code as ErrorCode
      : "E_INTERNAL";
    pending.reject(new ClientError(code, reply.message));
  }

  #removeOtherLayouts(): void {
    const { directory } = this.#options.persistence!;
    const counts = this.#wiring.otherLayouts;
    try {
      removeLayouts(directory, counts);
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
  #lose(shard: number, reason: string): void {
    this.state = "failed";
    this.#notify({
      level: "crit",
      message: "a shard is lost",
      fields: { shard, reason },
    });
    for (const pending of this.#pending.values()) {
      pending.reject(
        new ClientError("E_SHARD_LOST", `shard ${shard} is lost: ${reason}`),
      );
    }
    this.#pending.clear();
  }
}
