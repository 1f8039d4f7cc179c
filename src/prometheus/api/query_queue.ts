/**
 * Which questions are evaluated now: a few at a time, those of one caller after the
 * other, callers in turns, so that a dashboard of forty panels does not hold up
 * somebody else's one. Main thread.
 */
import { ClientError } from "../../base/errors.ts";

interface Waiting {
  readonly start: () => void;
  readonly leave: () => void;
}

export class QueryQueue {
  readonly #concurrency: number;
  readonly #max: number;
  /** By caller, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  #count = 0;
  #running = 0;

  /** At most `concurrency` run and `max` wait. */
  constructor(concurrency: number, max: number) {
    this.#concurrency = concurrency;
    this.#max = max;
  }

  /** Questions that wait. */
  get waiting(): number {
    return this.#count;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Runs `work` when it is the caller's turn. Rejects with `E_RATE` where too many
   * wait, and with the signal's reason where the caller goes away before.
   */
  async run<T>(
    caller: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    await this.#turn(caller, signal);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #turn(caller: string, signal: AbortSignal): Promise<void> | undefined {
    if (this.#running < this.#concurrency) {
      this.#running++;
      return undefined;
    }
    if (this.#count >= this.#max) {
      throw new ClientError(
        "E_RATE",
        `too many outstanding requests: ${this.#count} queries wait`,
        { retryAfterSec: 1 },
      );
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(caller, one);
        reject(signal.reason);
      };
      const one: Waiting = {
        start: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
        leave,
      };
      const own = this.#waiting.get(caller);
      if (own === undefined) this.#waiting.set(caller, [one]);
      else own.push(one);
      this.#count++;
      signal.addEventListener("abort", leave);
    });
  }

  #remove(caller: string, one: Waiting): void {
    const own = this.#waiting.get(caller);
    const at = own?.indexOf(one) ?? -1;
    if (own === undefined || at < 0) return;
    own.splice(at, 1);
    if (own.length === 0) this.#waiting.delete(caller);
    this.#count--;
  }

  #next(): void {
    const first = this.#waiting.entries().next().value;
    if (first === undefined || this.#running >= this.#concurrency) return;
    const [caller, own] = first;
    const one = own.shift()!;
    // Whoever had a turn comes last.
    this.#waiting.delete(caller);
    if (own.length > 0) this.#waiting.set(caller, own);
    this.#count--;
    this.#running++;
    one.start();
  }
}
