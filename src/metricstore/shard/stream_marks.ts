/**
 * How far the shard got in ordered streams of messages, so that a message that is
 * delivered again changes nothing. A mark goes to the log in one write with the
 * lines of its batch; batches of one stream come one after the other. Owner thread
 * only.
 *
 * Invariant: with a mark of n, every line of this shard in messages up to n was applied
 * and is in the log. Knowledge about single hosts beyond it, from other numbers of
 * shards, is kept as facts until the mark reaches them.
 * docs/decisions/0006-stream-marks.md has the proof.
 */
import type { StreamMark } from "../engine/metric_engine.ts";
import type { HostCheck } from "../ingest/line_ingest.ts";
import { ByteReader, ByteWriter } from "../persist/byte_text.ts";
import {
  isIn,
  mayShareHosts,
  type ProgressByStream,
  provenFor,
  type ShardSlot,
  type StreamProgress,
} from "../transport/stream_progress.ts";

/** Section of a snapshot: pairs of f64 sequence and text stream. */
export const MARKS_SECTION = 2;
/**
 * Section of a snapshot, facts: for each stream its text and u32 number of facts,
 * then for each of them f64 sequence, u32 shard, u32 shards.
 */
export const FACTS_SECTION = 3;

/** Streams remembered; the one marked longest ago goes first. */
export const MARKS_MAX = 1024;
/** Facts kept of a stream, the highest: two layouts of as many workers as there can be. */
export const FACTS_MAX = 512;

const NO_FACTS: readonly StreamProgress[] = [];

interface Progress {
  /** 0: not known for all hosts. */
  readonly reached: number;
  /** All of them above `reached`. */
  readonly facts: readonly StreamProgress[];
}

export class StreamMarks {
  readonly #share: ShardSlot;
  readonly #streams = new Map<string, Progress>();

  /** `share`: the hosts of this shard. */
  constructor(share: ShardSlot) {
    this.#share = share;
  }

  /** Whether a batch that ends with this mark was applied before. */
  covers({ stream, sequence }: StreamMark): boolean {
    return (this.#streams.get(stream)?.reached ?? 0) >= sequence;
  }

  /**
   * Tells of single hosts whether the batch that ends with this mark was applied to
   * them before; `undefined`: to none.
   */
  appliedHosts({ stream, sequence }: StreamMark): HostCheck | undefined {
    const known = this.#streams.get(stream)?.facts ?? NO_FACTS;
    if (known.length === 0) return undefined;
    const facts = known.filter((fact) => fact.sequence >= sequence);
    if (facts.length === 0) return undefined;
    return (instance, cluster, host) =>
      facts.some((fact) => isIn(fact, instance, cluster, host));
  }

  /** Raises a mark: all lines up to it are applied and logged, the mark included. */
  reach({ stream, sequence }: StreamMark): void {
    const before = this.#streams.get(stream);
    const reached = Math.max(before?.reached ?? 0, sequence);
    this.#put(stream, { reached, facts: above(reached, before?.facts) });
  }

  /** Takes over what was on disk: of this shard, and of all shards of other layouts. */
  restore(known: ProgressByStream): void {
    for (const [stream, facts] of known.streams()) {
      const reached = provenFor(this.#share, facts);
      const kept = above(reached, facts)
        .filter((fact) => mayShareHosts(fact, this.#share))
        .sort((a, b) => b.sequence - a.sequence)
        .slice(0, FACTS_MAX);
      if (reached > 0 || kept.length > 0) {
        this.#put(stream, { reached, facts: kept });
      }
    }
  }

  #put(stream: string, progress: Progress): void {
    // Put at the end: the order is that of use.
    this.#streams.delete(stream);
    this.#streams.set(stream, progress);
    if (this.#streams.size <= MARKS_MAX) return;
    for (const oldest of this.#streams.keys()) {
      this.#streams.delete(oldest);
      return;
    }
  }

  /** Yields the marks for a snapshot: kinds and payloads of sections. */
  *sections(): Generator<[kind: number, payload: Uint8Array]> {
    const marks = new ByteWriter();
    const facts = new ByteWriter();
    for (const [stream, progress] of this.#streams) {
      if (progress.reached > 0) {
        marks.f64(progress.reached);
        marks.text(stream);
      }
      if (progress.facts.length > 0) writeFacts(facts, stream, progress.facts);
    }
    if (marks.length > 0) yield [MARKS_SECTION, marks.bytes];
    if (facts.length > 0) yield [FACTS_SECTION, facts.bytes];
  }
}

function above(
  reached: number,
  facts: readonly StreamProgress[] = NO_FACTS,
): StreamProgress[] {
  return facts.filter((fact) => fact.sequence > reached);
}

function writeFacts(
  writer: ByteWriter,
  stream: string,
  facts: readonly StreamProgress[],
): void {
  writer.text(stream);
  writer.u32(facts.length);
  for (const { sequence, shard, shards } of facts) {
    writer.f64(sequence);
    writer.u32(shard);
    writer.u32(shards);
  }
}

/** Adds what a section of marks says, written by the shard of that share. */
export function readMarks(
  payload: Uint8Array,
  share: ShardSlot,
  known: ProgressByStream,
): void {
  const reader = new ByteReader(payload);
  while (!reader.isAtEnd) {
    const sequence = reader.f64();
    const stream = reader.text();
    checkRead(reader);
    known.add(stream, { ...share, sequence });
  }
}

/** Adds what a section of facts says. */
export function readFacts(payload: Uint8Array, known: ProgressByStream): void {
  const reader = new ByteReader(payload);
  while (!reader.isAtEnd) {
    const stream = reader.text();
    const count = reader.u32();
    for (let i = 0; i < count; i++) {
      const sequence = reader.f64();
      const shard = reader.u32();
      const shards = reader.u32();
      checkRead(reader);
      known.add(stream, { sequence, shard, shards });
    }
  }
}

function checkRead(reader: ByteReader): void {
  if (!reader.isOk) throw new Error("BUG: a checked section is cut short");
}
