/**
 * The messages of a durable consumer between their delivery and their
 * acknowledgement, in stream order: pure bookkeeping, see
 * docs/decisions/0006-stream-marks.md.
 *
 * Invariant: while `isWhole`, every outstanding message below the highest one
 * delivered is held, so that handing messages out in order skips none.
 */

/** The position of a delivered message. */
export interface Delivery {
  /** Sequence of the message in its stream. */
  readonly streamSequence: number;
  /** Counts deliveries of the consumer, repeated ones too. */
  readonly deliverySequence: number;
}

export class StreamWindow<Held extends Delivery> {
  /** By stream sequence: delivered and not acknowledged. */
  readonly #held = new Map<number, Held>();
  /** Sequences of `#held` that wait to be applied, ascending. */
  #waiting: number[] = [];
  /** Everything up to it that the consumer ever delivered is applied. */
  #applied = 0;
  /** The last of a batch that was handed out. */
  #handedOut = 0;
  #lastDelivery: number | undefined;
  #isWhole = false;
  /** Up to here messages may have been applied in part by an earlier process. */
  #doubtfulThrough = 0;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  get size(): number {
    return this.#held.size;
  }

  held(): Iterable<Held> {
    return this.#held.values();
  }

  /**
   * Something may be outstanding that is not held: hands out nothing until
   * `confirm`. `deliveredThrough`: the highest stream sequence that the consumer
   * delivered so far, to whomever.
   */
  doubt(deliveredThrough: number): void {
    this.#isWhole = false;
    this.#lastDelivery = undefined;
    this.#doubtfulThrough = Math.max(this.#doubtfulThrough, deliveredThrough);
  }

  /**
   * Compares the window with the broker's numbers: `outstanding` messages as of
   * delivery `lastDelivery`. Returns the number of missing messages. At 0 the window is
   * whole, unless it knows of a later delivery: then the broker must be asked again.
   */
  confirm(outstanding: number, lastDelivery: number): number {
    const missing = Math.max(0, outstanding - this.#held.size);
    if (missing > 0 || (this.#lastDelivery ?? 0) > lastDelivery) return missing;
    this.#lastDelivery = lastDelivery;
    this.#isWhole = true;
    return 0;
  }

  /**
   * Takes a delivery. "known": it is held already; "applied": it only wants its
   * acknowledgement.
   */
  take(message: Held): "new" | "known" | "applied" {
    const { streamSequence, deliverySequence } = message;
    const last = this.#lastDelivery;
    this.#lastDelivery = deliverySequence;
    // A delivery that never got here: it comes again, behind later ones.
    if (last !== undefined && deliverySequence !== last + 1) {
      this.#isWhole = false;
    }
    if (streamSequence <= this.#applied) return "applied";
    if (this.#held.has(streamSequence)) return "known";
    this.#held.set(streamSequence, message);
    const at = this.#waiting.findLastIndex((one) => one < streamSequence) + 1;
    this.#waiting.splice(at, 0, streamSequence);
    return "new";
  }

  /**
   * The messages to apply next, in stream order; `choose` says how many of those
   * that may share a batch do. Empty: none are certain to be the next.
   */
  next(choose: (candidates: readonly Held[]) => number): Held[] {
    const [first] = this.#waiting;
    if (!this.#isWhole || first === undefined) return [];
    const candidates = this.#waiting.map((sequence) =>
      this.#held.get(sequence)!
    );
    const count = first <= this.#doubtfulThrough ? 1 : choose(candidates);
    this.#waiting.splice(0, count);
    const batch = candidates.slice(0, count);
    this.#handedOut = batch.at(-1)?.streamSequence ?? this.#handedOut;
    return batch;
  }

  /** The messages last handed out are applied, and may be acknowledged. */
  settle(batch: readonly Held[]): void {
    for (const { streamSequence } of batch) this.#held.delete(streamSequence);
    this.#applied = Math.max(this.#applied, this.#handedOut);
  }

  /** Forgets messages that wait; they will be delivered again. Gives them back. */
  letGo(): Held[] {
    const forgotten = this.#waiting.map((sequence) =>
      this.#held.get(sequence)!
    );
    for (const sequence of this.#waiting) this.#held.delete(sequence);
    this.#waiting = [];
    this.#isWhole = false;
    return forgotten;
  }
}
