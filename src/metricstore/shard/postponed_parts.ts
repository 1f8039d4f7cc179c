/**
 * Parts of batches whose lines take long, such as series at first sight: each instance
 * has a queue, and a piece of one part is applied between the frames of others. So an
 * instance that brings thousands of new series waits for itself. Owner thread only.
 *
 * Invariant: parts of an instance keep their order, since a part waits behind those of
 * its instance.
 */
import type { RingConsumer } from "../transport/ring.ts";
import type { OpenBatch } from "./open_batches.ts";

/** Bytes behind a text that stop a scan for digits. */
const SLACK_BYTES = 64;
/** Bytes of parts that wait; further ones wait in the inbox of the shard. */
const POSTPONED_BYTES_MAX = 32 << 20;

/** A frame of a part, where it lies now. */
export type PartFrame = Pick<
  RingConsumer,
  "bytes" | "view" | "start" | "end" | "id" | "aux"
>;

/** A part that waits as a whole. */
interface WholePart {
  readonly kind: "whole";
  readonly frame: PartFrame;
}

/** Lines of a part that were not applied yet: `bytes[at, end)`. */
export interface RestOfPart {
  readonly kind: "rest";
  readonly id: number;
  readonly batch: OpenBatch;
  readonly isLast: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  at: number;
  readonly end: number;
}

export type Postponed = WholePart | RestOfPart;

export class PostponedParts {
  /** By instance, in the order in which the instances have their turns. */
  readonly #queues = new Map<string, Postponed[]>();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  /** Whether no further part should be taken from the inbox. */
  get isFull(): boolean {
    return this.#bytes >= POSTPONED_BYTES_MAX;
  }

  /** Whether parts of the instance wait. */
  has(instance: string): boolean {
    return this.#queues.has(instance);
  }

  /** Copies a part and puts it behind those of its instance. */
  add(instance: string, { bytes, start, end, id, aux }: PartFrame): void {
    const copy = copyOf(bytes, start, end);
    const part: WholePart = {
      kind: "whole",
      frame: { ...copy, start: 0, end: end - start, id, aux },
    };
    this.#bytes += part.frame.bytes.length;
    const queue = this.#queues.get(instance);
    if (queue === undefined) this.#queues.set(instance, [part]);
    else queue.push(part);
  }

  /** Puts the rest of a part before all others of its instance. */
  addRest(instance: string, rest: RestOfPart): void {
    this.#bytes += rest.bytes.length;
    const queue = this.#queues.get(instance);
    if (queue === undefined) this.#queues.set(instance, [rest]);
    else queue.unshift(rest);
  }

  /** Takes the next part of the instance whose turn it is; `undefined`: none waits. */
  take(): Postponed | undefined {
    const first = this.#queues.entries().next().value;
    if (first === undefined) return undefined;
    const [instance, queue] = first;
    const part = queue.shift()!;
    this.#bytes -= part.kind === "rest"
      ? part.bytes.length
      : part.frame.bytes.length;
    this.#queues.delete(instance);
    if (queue.length > 0) this.#queues.set(instance, queue);
    return part;
  }
}

/** Bytes of a text, and room behind them, in memory of their own. */
export function copyOf(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly view: DataView } {
  const copy = new Uint8Array(end - start + SLACK_BYTES);
  copy.set(bytes.subarray(start, end));
  return { bytes: copy, view: new DataView(copy.buffer) };
}
