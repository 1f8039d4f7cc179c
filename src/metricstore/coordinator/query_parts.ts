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

  /** `hosts` have been asked for by no query: each is asked for each of `metrics`. */
  constructor(
    queries: readonly MetricQuery[],
    forAll: HostsByMetrics,
    ownerOf: (host: string) => number,
  ) {
    for (const query of queries) this.owners.push(ownerOf(query.host));
    this.#cutQueries(queries);
    this.#cutHosts(forAll, ownerOf);
  }

  slicesOf(shard: number): readonly QuerySlice[] {
    return this.#slices.get(shard) ?? [];
  }

  #cutQueries(queries: readonly MetricQuery[]): void {
    const open = new Map<number, { queries: MetricQuery[]; ids: number }>();
    for (let i = 0; i < queries.length; i++) {
      const shard = this.owners[i]!;
      let slice = open.get(shard);
      if (slice === undefined) open.set(shard, slice = { queries: [], ids: 0 });
      slice.queries.push(queries[i]!);
      slice.ids += idCount(queries[i]!);
      if (slice.queries.length < SLICE_QUERIES && slice.ids < SLICE_IDS) {
        continue;
      }
      this.#add(shard, { queries: slice.queries });
      open.delete(shard);
    }
    for (const [shard, slice] of open) {
      this.#add(shard, { queries: slice.queries });
    }
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
