/**
 * Splits a query request into the parts of each shard. Shards get their part in slices,
 * and the main thread does other things between two: a slice is written as JSON in some
 * milliseconds. Main thread only.
 */
import { idCount } from "../query/select_series.ts";
import type { HostsByMetrics } from "../query/answer_queries.ts";
import type { MetricQuery } from "../engine/metric_engine.ts";

/** Queries and ids of a slice, and entries that hosts times metrics make. */
const SLICE_QUERIES = 4096;
const SLICE_IDS = 1 << 16;
const SLICE_ENTRIES = 1 << 16;

/** The part that one shard is asked at a time. */
export interface QuerySlice {
  readonly queries: readonly MetricQuery[];
  readonly forAll?: HostsByMetrics;
}

export class QueryParts {
  /** By shard, in the order of the request. */
  readonly #slices = new Map<number, QuerySlice[]>();
  /** The shard that gives each entry list of the answer, in order. */
  readonly owners: number[] = [];
  /** The shards asked, in the order in which they are named first. */
  readonly shards: number[] = [];

  /** Slices that take further queries, by shard. */
  readonly #open = new Map<number, { queries: MetricQuery[]; ids: number }>();
  readonly #ownerOf: (host: string) => number;

  constructor(ownerOf: (host: string) => number) {
    this.#ownerOf = ownerOf;
  }

  /** Cuts the queries `[from, to)`, which follow those cut before. */
  addQueries(queries: readonly MetricQuery[], from: number, to: number): void {
    for (let i = from; i < to; i++) this.#addQuery(queries[i]!);
  }

  /**
   * Ends the queries. `hosts` have been asked for by no query: each is asked for each of
   * `metrics`.
   */
  end(forAll: HostsByMetrics): void {
    for (const [shard, slice] of this.#open) {
      this.#add(shard, { queries: slice.queries });
    }
    this.#open.clear();
    this.#cutHosts(forAll, this.#ownerOf);
  }

  slicesOf(shard: number): readonly QuerySlice[] {
    return this.#slices.get(shard) ?? [];
  }

  #addQuery(query: MetricQuery): void {
    const shard = this.#ownerOf(query.host);
    this.owners.push(shard);
    let slice = this.#open.get(shard);
    if (slice === undefined) {
      this.#open.set(shard, slice = { queries: [], ids: 0 });
    }
    slice.queries.push(query);
    slice.ids += idCount(query);
    if (slice.queries.length < SLICE_QUERIES && slice.ids < SLICE_IDS) return;
    this.#add(shard, { queries: slice.queries });
    this.#open.delete(shard);
  }

  #cutHosts(
    { hosts, metrics }: HostsByMetrics,
    ownerOf: (host: string) => number,
  ): void {
    if (metrics.length === 0) return;
    const byShard = new Map<number, string[]>();
    for (const host of hosts) {
      const shard = ownerOf(host);
      for (let i = 0; i < metrics.length; i++) this.owners.push(shard);
      let own = byShard.get(shard);
      if (own === undefined) byShard.set(shard, own = []);
      own.push(host);
    }
    const atOnce = Math.max(1, Math.floor(SLICE_ENTRIES / metrics.length));
    for (const [shard, own] of byShard) {
      for (let at = 0; at < own.length; at += atOnce) {
        const some = own.slice(at, at + atOnce);
        this.#add(shard, { queries: [], forAll: { hosts: some, metrics } });
      }
    }
  }

  #add(shard: number, slice: QuerySlice): void {
    const known = this.#slices.get(shard);
    if (known !== undefined) known.push(slice);
    else {
      this.#slices.set(shard, [slice]);
      this.shards.push(shard);
    }
  }
}
