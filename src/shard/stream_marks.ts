/**
 * How far the shard got in ordered streams of messages, so that a message that is
 * delivered again changes nothing. A mark goes to the log together with the last
 * lines of its batch; batches of one stream come one after the other. Owner thread
 * only.
 *
 * Invariant: with a mark of n, every line of this shard in messages up to n was
 * applied and is in the log. docs/decisions/0006-stream-marks.md has the proof.
 */
import type { StreamMark } from "../engine/metric_engine.ts";
import { ByteReader, ByteWriter } from "../persist/byte_text.ts";

/** Section of a snapshot: pairs of f64 sequence and text stream. */
export const MARKS_SECTION = 2;

/** Streams remembered; the one marked longest ago goes first. */
export const MARKS_MAX = 1024;

/** Sequences by stream. */
export type Marks = ReadonlyMap<string, number>;

export class StreamMarks {
  readonly #reached = new Map<string, number>();

  /** Whether a batch that ends with this mark was applied before. */
  covers({ stream, sequence }: StreamMark): boolean {
    return (this.#reached.get(stream) ?? 0) >= sequence;
  }

  /** What leads up to the mark is applied and logged, the mark included. */
  reach({ stream, sequence }: StreamMark): void {
    const before = this.#reached.get(stream) ?? 0;
    // Put at the end: the order is that of use.
    this.#reached.delete(stream);
    this.#reached.set(stream, Math.max(before, sequence));
    if (this.#reached.size <= MARKS_MAX) return;
    for (const oldest of this.#reached.keys()) {
      this.#reached.delete(oldest);
      return;
    }
  }

  /** Takes over what was on disk. */
  restore(marks: Marks): void {
    for (const [stream, sequence] of marks) this.reach({ stream, sequence });
  }

  /** The payload of a section; `undefined`: there is nothing to remember. */
  encode(): Uint8Array | undefined {
    if (this.#reached.size === 0) return undefined;
    const writer = new ByteWriter();
    for (const [stream, sequence] of this.#reached) {
      writer.f64(sequence);
      writer.text(stream);
    }
    return writer.bytes;
  }
}

/** Reads a section into `marks`, of two sequences of a stream the higher. */
export function readMarks(
  payload: Uint8Array,
  marks: Map<string, number>,
): void {
  const reader = new ByteReader(payload);
  while (!reader.isAtEnd) {
    const sequence = reader.f64();
    const stream = reader.text();
    if (!reader.isOk) throw new Error("BUG: a checked section is cut short");
    raise(marks, stream, sequence);
  }
}

/** Raises a mark where it is lower. */
export function raise(
  marks: Map<string, number>,
  stream: string,
  sequence: number,
): void {
  marks.set(stream, Math.max(marks.get(stream) ?? 0, sequence));
}

/**
 * What all shards of a layout had together: the lowest mark of each stream. One
 * that never saw a line of a stream has no mark, so nothing can be said of it.
 */
export function commonMarks(shards: readonly Marks[]): Map<string, number> {
  const [first, ...others] = shards;
  const common = new Map<string, number>();
  for (const [stream, sequence] of first ?? []) {
    const all = [sequence, ...others.map((one) => one.get(stream) ?? 0)];
    const lowest = Math.min(...all);
    if (lowest > 0) common.set(stream, lowest);
  }
  return common;
}
