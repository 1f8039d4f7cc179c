/**
 * Facts about the hosts of a share (those that hash to one shard of some number of
 * shards): every line of theirs in messages of a stream up to a sequence is applied and
 * stored. A fact stays true for any later number of shards, so facts of several
 * directories can be put together. Pure.
 */
import { shardOf } from "./messages.ts";

/** The hosts of shard `shard` of `shards`. */
export interface ShardSlot {
  readonly shard: number;
  readonly shards: number;
}

export interface StreamProgress extends ShardSlot {
  readonly sequence: number;
}

/** Facts by stream, of each share the one that says most. */
export class ProgressByStream {
  readonly #streams = new Map<string, Map<string, StreamProgress>>();

  add(stream: string, fact: StreamProgress): void {
    let facts = this.#streams.get(stream);
    if (facts === undefined) this.#streams.set(stream, facts = new Map());
    const share = `${fact.shard}/${fact.shards}`;
    if ((facts.get(share)?.sequence ?? 0) >= fact.sequence) return;
    facts.set(share, fact);
  }

  *streams(): Generator<[stream: string, facts: StreamProgress[]]> {
    for (const [stream, facts] of this.#streams) {
      yield [stream, [...facts.values()]];
    }
  }
}

/** The highest sequence that one layout's facts, or its only one, prove for the whole share. */
export function provenFor(
  share: ShardSlot,
  facts: readonly StreamProgress[],
): number {
  let proven = 0;
  for (const [shards, some] of Map.groupBy(facts, (fact) => fact.shards)) {
    const related = some.filter((fact) => mayShareHosts(fact, share));
    // Shards without a fact prove nothing, so all related shards must be present.
    const needed = shards / greatestDivisor(shards, share.shards);
    if (related.length < needed) continue;
    const lowest = Math.min(...related.map(({ sequence }) => sequence));
    proven = Math.max(proven, lowest);
  }
  return proven;
}

/** Whether a host can be in both: shards are remainders of one hash. */
export function mayShareHosts(a: ShardSlot, b: ShardSlot): boolean {
  const divisor = greatestDivisor(a.shards, b.shards);
  return a.shard % divisor === b.shard % divisor;
}

/** Returns whether a host belongs to the share. */
export function isIn(
  share: ShardSlot,
  instance: string,
  cluster: string,
  host: string,
): boolean {
  return shardOf(instance, cluster, host, share.shards) === share.shard;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
