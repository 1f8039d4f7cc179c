/**
 * A bound on bytes in flight over all requests: a semaphore over bytes, first
 * come first served. Main thread only. Invariant: `inUse` is the sum of what was
 * granted and added, minus what was released.
 */
import { assert } from "../assert.ts";
import { ClientError } from "../errors.ts";
import { RETRY_AFTER_SEC } from "./limits.ts";

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

export class ByteGate {
  readonly capacity: number;
  readonly #waitMs: number;
  readonly #waiting: Waiter[] = [];
  #inUse = 0;
  #waitsTotal = 0;
  #refusalsTotal = 0;

  /** `capacity` in bytes; a request waits `waitMs` for room before it is refused. */
  constructor(capacity: number, waitMs: number) {
    this.capacity = capacity;
    this.#waitMs = waitMs;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** Requests that had to wait, and those that waited in vain. */
  get waitsTotal(): number {
    return this.#waitsTotal;
  }

  get refusalsTotal(): number {
    return this.#refusalsTotal;
  }

  /** Takes `bytes` at once if there is room and nobody waits. */
  tryAcquire(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false;
    this.#inUse += bytes;
    return true;
  }

  /**
   * Takes `bytes` more for a request that already holds some. It goes before
   * those waiting, since room comes from requests that finish.
   */
  tryGrow(bytes: number): boolean {
    if (!this.#fits(bytes)) return false;
    this.#inUse += bytes;
    return true;
  }

  /** Counts bytes that exist already, such as an answer waiting for a slow reader. */
  add(bytes: number): void {
    this.#inUse += bytes;
  }

  /** Waits for room; rejects with `E_OVERLOAD` when none came in time. */
  acquire(bytes: number, urgent = false): Promise<void> {
    this.#waitsTotal++;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        grant: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        this.#refusalsTotal++;
        reject(overloaded());
        // Those behind may be smaller and fit.
        this.#serve();
      }, this.#waitMs);
      if (urgent) this.#waiting.unshift(waiter);
      else this.#waiting.push(waiter);
      this.#serve();
    });
  }

  release(bytes: number): void {
    this.#inUse -= bytes;
    assert(this.#inUse >= 0, "more bytes released than were taken");
    if (this.#waiting.length > 0) this.#serve();
  }

  /** Counts a request that was refused for pressure elsewhere. */
  countRefusal(): void {
    this.#refusalsTotal++;
  }

  /** A request larger than everything may go when it is alone. */
  #fits(bytes: number): boolean {
    return this.#inUse + bytes <= this.capacity || this.#inUse === 0;
  }

  #serve(): void {
    for (
      let first = this.#waiting[0];
      first !== undefined && this.#fits(first.bytes);
      first = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#inUse += first.bytes;
      first.grant();
    }
  }
}

/** The answer to a request for which there was no room in time. */
export function overloaded(): ClientError {
  return new ClientError(
    "E_OVERLOAD",
    "too many bytes in flight, try again later",
    { retryAfterSec: RETRY_AFTER_SEC },
  );
}
