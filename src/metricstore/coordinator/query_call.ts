/**
 * A query request over the shards: how much it may become is known before anything
 * is made, each shard gets its part in slices, and the pieces of the answers are put
 * into the order of the request. Main thread only.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { answerTooLarge } from "../query/answer_queries.ts";
import { sampleLimit, tooManySamples } from "../engine/sample_limit.ts";
import { idCount, selectorCount } from "../query/select_series.ts";
import type { Ask, AskedTimes, AskedView } from "../transport/messages.ts";
import type { AnswerBlocks } from "./answer_blocks.ts";
import type { DataScope } from "../engine/data_scope.ts";
import { bodyOf, mergeAnswers, type ShardAnswer } from "./merge_answers.ts";
import type {
  JsonBody,
  MetricQuery,
  QueryRequest,
} from "../engine/metric_engine.ts";
import { inTurns } from "./in_turns.ts";
import { QueryParts, type QuerySlice } from "./query_parts.ts";
import {
  ANSWER_BYTES_MAX,
  boundProduct,
  charsOf,
  ENTRIES_MAX,
  IDS_MAX,
} from "../engine/request_bounds.ts";
import {
  demandCluster,
  timesOfCluster,
  viewOfCluster,
} from "./scope_checks.ts";
import type { ShardReply } from "./shard_calls.ts";

/** Larger requests are not answered that soon. */
const LINGER_QUERIES_MAX = 4;
/** Queries of an echo that are written at a time. */
const ECHO_QUERIES = 4096;

const ENCODER = new TextEncoder();

/** The calls of the engine that a query needs. */
export interface QueryShards {
  readonly maxQuerySamples: number;
  readonly blocks: AnswerBlocks;
  ownerOf(instance: string, cluster: string, host: string): number;
  /** Hosts of all shards, sorted. */
  hosts(ask: Extract<Ask, { kind: "hosts" }>): Promise<string[]>;
  ask(
    shard: number,
    ask: Extract<Ask, { kind: "query" }>,
  ): Promise<ShardReply<"query">>;
  /** So many shards may answer at once. */
  linger(asked: number): void;
  recycle(chunks: readonly Uint8Array<ArrayBuffer>[]): void;
}

/** The part of a scope that each shard needs. */
interface Visible {
  readonly instance: string;
  readonly view?: AskedView;
}

/** Answers the request within the scope. Rejects with a `ClientError`. */
export async function queryShards(
  shards: QueryShards,
  scope: DataScope,
  request: QueryRequest,
): Promise<JsonBody> {
  const { cluster } = request;
  demandCluster(scope, cluster);
  const times = timesOfCluster(scope, cluster);
  const visible = {
    instance: scope.instance,
    ...viewOfCluster(scope, cluster),
  };
  const metrics = [...new Set(request.forAllNodes)];
  const { queries } = request;
  const parts = new QueryParts((host) =>
    shards.ownerOf(scope.instance, cluster, host)
  );
  const bounds = new QueryBounds(scope);
  const cutting = inTurns(queries.length, (from, to) => {
    bounds.add(queries, from, to);
    parts.addQueries(queries, from, to);
  });
  if (cutting !== undefined) await cutting;
  const hosts = metrics.length === 0
    ? []
    : (await shards.hosts({ kind: "hosts", ...visible, cluster }))
      .filter((host) => times?.has(host) ?? true);
  boundHosts(bounds.entries, hosts, metrics);
  parts.end({ hosts, metrics });
  const asked = new AskedParts(shards, scope, visible, request, times);
  const answers = Promise.all(
    parts.shards.map((shard) => asked.shard(shard, parts.slicesOf(shard))),
  );
  if (parts.owners.length <= LINGER_QUERIES_MAX) {
    shards.linger(parts.shards.length);
  }
  const replies = await answers;
  const echo = hosts.length === 0
    ? []
    : await echoOf(request.queries, hosts, metrics);
  return await mergeAnswers(
    replies,
    parts.owners.map((shard) => parts.shards.indexOf(shard)),
    echo,
    shards.blocks,
  );
}

/** Counts the entries and ids that queries name, and holds them to their bounds. */
class QueryBounds {
  readonly #maxIds: number;
  #ids = 0;
  /** Entries that the queries seen so far are answered with. */
  entries = 0;

  constructor({ maxIds = IDS_MAX }: DataScope) {
    this.#maxIds = maxIds;
  }

  /** Adds the queries `[from, to)`. Throws where all name more than may be answered. */
  add(queries: readonly MetricQuery[], from: number, to: number): void {
    for (let i = from; i < to; i++) {
      this.entries += selectorCount(queries[i]!);
      this.#ids += idCount(queries[i]!);
    }
    if (to < queries.length) return;
    boundProduct(
      { max: this.#maxIds, of: "ids" },
      [{ count: this.#ids, of: "ids" }],
    );
    boundProduct(
      { max: ENTRIES_MAX, of: "entries" },
      [{ count: this.entries, of: "entries" }],
    );
  }
}

/** Throws where hosts times metrics, and the entries of the queries, are too many. */
function boundHosts(
  entries: number,
  hosts: readonly string[],
  metrics: readonly string[],
): void {
  boundProduct({ max: ENTRIES_MAX, of: "entries" }, [
    { count: hosts.length, of: "hosts" },
    { count: metrics.length, of: "metrics of for-all-nodes" },
  ], entries);
  // The answer repeats the names of both with each entry.
  boundProduct({ max: ANSWER_BYTES_MAX, of: "characters" }, [
    { count: hosts.length, of: "hosts" },
    { count: charsOf(metrics), of: "characters of names of metrics" },
  ], metrics.length * charsOf(hosts));
}

/**
 * The questions to the shards of one request, and the samples and bytes that all of
 * them have read.
 */
class AskedParts {
  readonly #shards: QueryShards;
  readonly #scope: DataScope;
  readonly #visible: Visible;
  readonly #request: Omit<QueryRequest, "forAllNodes" | "queries">;
  readonly #times: ReadonlyMap<string, readonly number[]> | undefined;
  #samples = 0;
  #bytes = 0;

  constructor(
    shards: QueryShards,
    scope: DataScope,
    visible: Visible,
    request: QueryRequest,
    times: ReadonlyMap<string, readonly number[]> | undefined,
  ) {
    this.#shards = shards;
    this.#scope = scope;
    this.#visible = visible;
    const { forAllNodes: _names, queries: _queries, ...rest } = request;
    this.#request = rest;
    this.#times = times;
  }

  /**
   * Asks one shard slice after slice and returns its answer. The first question is sent
   * at once.
   */
  async shard(
    shard: number,
    slices: readonly QuerySlice[],
  ): Promise<ShardAnswer> {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const lengths: number[] = [];
    for (const { queries, forAll } of slices) {
      const found = await this.#shards.ask(shard, {
        kind: "query",
        ...this.#visible,
        maxSamples: this.#scope.maxQuerySamples,
        request: { ...this.#request, queries },
        ...(forAll === undefined ? {} : { forAll }),
        ...this.#timesOf(queries, forAll?.hosts ?? []),
      });
      this.#count(found);
      for (const chunk of found.chunks) chunks.push(chunk);
      for (const length of found.reply.lengths) lengths.push(length);
    }
    return { chunks, lengths, release: () => this.#shards.recycle(chunks) };
  }

  /** Each question keeps to the limits by itself; together they may be over them. */
  #count({ chunks, reply }: ShardReply<"query">): void {
    this.#samples += reply.samples;
    this.#bytes += bodyOf(chunks).byteLength;
    const limit = sampleLimit(
      this.#shards.maxQuerySamples,
      this.#scope.maxQuerySamples,
    );
    if (this.#samples > limit.max) throw tooManySamples(limit);
    if (this.#bytes > ANSWER_BYTES_MAX) throw answerTooLarge();
  }

  #timesOf(
    queries: readonly MetricQuery[],
    hosts: readonly string[],
  ): { readonly times?: AskedTimes } {
    const byHost = this.#times;
    if (byHost === undefined) return {};
    const names = new Set([...queries.map(({ host }) => host), ...hosts]);
    const times: (readonly [string, readonly number[]])[] = [];
    for (const name of names) {
      const ofHost = byHost.get(name);
      if (ofHost !== undefined) times.push([name, ofHost]);
    }
    return { times };
  }
}

/** All queries as the answer repeats them, in pieces of JSON without brackets. */
async function echoOf(
  queries: readonly MetricQuery[],
  hosts: readonly string[],
  metrics: readonly string[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let open: unknown[] = [];
  const close = async () => {
    if (open.length === 0) return;
    const text = JSON.stringify(open).slice(1, -1);
    const piece = ENCODER.encode(pieces.length === 0 ? text : `,${text}`);
    bytes += piece.length;
    if (bytes > ANSWER_BYTES_MAX) throw answerTooLarge();
    const isFull = open.length >= ECHO_QUERIES;
    pieces.push(piece);
    open = [];
    if (isFull) await nextTurn();
  };
  for (const query of queries) {
    open.push(query);
    if (open.length >= ECHO_QUERIES) await close();
  }
  for (const host of hosts) {
    for (const metric of metrics) {
      open.push({ metric, host, resolution: 0, aggreg: false });
      if (open.length >= ECHO_QUERIES) await close();
    }
  }
  await close();
  return pieces;
}
