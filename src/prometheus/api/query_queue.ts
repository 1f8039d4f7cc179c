/**
 * Which questions are evaluated now: a few at a time, those of one caller after the
 * other, callers in turns, so that a dashboard of forty panels does not hold up
 * somebody else's one. Main thread.
 *
 * A caller with nothing under way does not wait for the long questions of others: as
 * many again may run for such callers. Where too many wait, those of the caller with
 * most of them are refused.
 */
import { ClientError } from "../../base/errors.ts";

interface Waiting {
  start(): void;
  refuse(reason: unknown): void;
}

export class QueryQueue {
  readonly #concurrency: number;
  readonly #max: number;
  /** By caller, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #runningOf = new Map<string, number>();
  #count = 0;
  #running = 0;

  /**
   * At most `concurrency` run, and as many of callers who have no other; at most `max`
   * wait.
   */
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
   * wait, and with the signal's reason where it says that nobody waits any more.
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
      this.#leave(caller);
      this.#next();
    }
  }

  #mayStart(caller: string): boolean {
    const isFirst = !this.#runningOf.has(caller);
    return this.#running < this.#concurrency * (isFirst ? 2 : 1);
  }

  #enter(caller: string): void {
    this.#running++;
    this.#runningOf.set(caller, (this.#runningOf.get(caller) ?? 0) + 1);
  }

  #leave(caller: string): void {
    this.#running--;
    const left = this.#runningOf.get(caller)! - 1;
    if (left === 0) this.#runningOf.delete(caller);
    else this.#runningOf.set(caller, left);
  }

  #turn(caller: string, signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (this.#mayStart(caller)) {
      this.#enter(caller);
      return undefined;
    }
    if (this.#count >= this.#max) this.#makeRoom(caller);
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
        refuse: (reason) => {
          signal.removeEventListener("abort", leave);
          reject(reason);
        },
      };
      const own = this.#waiting.get(caller);
      if (own === undefined) this.#waiting.set(caller, [one]);
      else own.push(one);
      this.#count++;
      signal.addEventListener("abort", leave);
    });
  }

  /** Refuses the newest question of whoever has most, or throws where that is the caller. */
  #makeRoom(caller: string): void {
    let largest = caller;
    let most = (this.#waiting.get(caller)?.length ?? 0) + 1;
    for (const [other, { length }] of this.#waiting) {
      if (length > most) [largest, most] = [other, length];
    }
    const refusal = new ClientError(
      "E_RATE",
      `too many outstanding requests: ${this.#count} queries wait`,
      { retryAfterSec: 1 },
    );
    if (largest === caller) throw refusal;
    const last = this.#waiting.get(largest)!.at(-1)!;
    this.#remove(largest, last);
    last.refuse(refusal);
  }

  #remove(caller: string, one: Waiting): void {
    const own = this.#waiting.get(caller);
    const at = own?.indexOf(one) ?? -1;
    if (own === undefined || at < 0) return;
    own.splice(at, 1);
    if (own.length === 0) this.#waiting.delete(caller);
    this.#count--;
  }

  /** Starts what may start, in the order of turns. */
  #next(): void {
    for (const [caller, own] of [...this.#waiting]) {
      if (!this.#mayStart(caller)) continue;
      const one = own.shift()!;
      // A caller that had its turn comes last.
      this.#waiting.delete(caller);
      if (own.length > 0) this.#waiting.set(caller, own);
      this.#count--;
      this.#enter(caller);
      one.start();
    }
  }
}
