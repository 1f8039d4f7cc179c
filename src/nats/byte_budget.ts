/**
 * A bound on the bytes of messages that were received and are not yet stored, over all
 * subscriptions. Main thread only. Invariant: `inUse` is the sum of all taken amounts
 * minus those given back.
 */
import { assert } from "../base/assert.ts";

export class ByteBudget {
  readonly capacity: number;
  #inUse = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** Below it a refused message may count on room again. */
  get isHalfFree(): boolean {
    return this.#inUse <= this.capacity / 2;
  }

  /** Takes bytes if they fit. */
  tryTake(bytes: number): boolean {
    if (this.#inUse + bytes > this.capacity) return false;
    this.#inUse += bytes;
    return true;
  }

  /** Counts bytes that are there already, such as those asked for from a stream. */
  take(bytes: number): void {
    this.#inUse += bytes;
  }

  give(bytes: number): void {
    this.#inUse -= bytes;
    assert(this.#inUse >= 0, "more bytes given back than were taken");
    if (this.isHalfFree) {
      for (const resume of this.#waiting.splice(0)) resume();
    }
  }

  /** Resolves when half of it is free. */
  halfFree(): Promise<void> {
    if (this.isHalfFree) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
