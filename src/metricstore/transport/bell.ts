/**
 * How a thread that waits for several rings is woken: one counter a thread, rung
 * after every frame sent to it and after every frame taken out of a full ring it
 * writes to. Nothing is lost between looking and sleeping, because the sleeper
 * names the count it saw before it looked.
 *
 * | offset | bytes | field    |                                     |
 * | ------ | ----- | -------- | ----------------------------------- |
 * | 0      | 4     | COUNT    | rung by anyone                      |
 * | 4      | 4     | SLEEPING | 1 while the owner waits             |
 */
import { setImmediate } from "node:timers";

const COUNT = 0;
const SLEEPING = 1;

/** Returns the shared memory of a {@linkcode Bell}: 64 bytes, a cache line. */
export function createBell(): SharedArrayBuffer {
  return new SharedArrayBuffer(64);
}

export class Bell {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  ring(): void {
    Atomics.add(this.#words, COUNT, 1);
    if (Atomics.load(this.#words, SLEEPING) === 1) {
      Atomics.notify(this.#words, COUNT);
    }
  }

  /** The count to name when waiting; take it before looking at the rings. */
  count(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** Blocks this thread until the count differs from `seen`, or for `timeoutMs`. */
  wait(seen: number, timeoutMs: number): void {
    Atomics.store(this.#words, SLEEPING, 1);
    Atomics.wait(this.#words, COUNT, seen, timeoutMs);
    Atomics.store(this.#words, SLEEPING, 0);
  }

  /**
   * `wait` for a thread that also waits asynchronously: `ring` goes on waking that
   * other wait, too.
   */
  waitBriefly(seen: number, timeoutMs: number): void {
    Atomics.store(this.#words, SLEEPING, 1);
    Atomics.wait(this.#words, COUNT, seen, timeoutMs);
  }

  /**
   * The same without blocking: a promise, or `undefined` where the count differs
   * from `seen` already and there is nothing to wait for.
   */
  waitAsync(seen: number): Promise<void> | undefined {
    Atomics.store(this.#words, SLEEPING, 1);
    const waiting = Atomics.waitAsync(this.#words, COUNT, seen);
    if (!waiting.async) {
      Atomics.store(this.#words, SLEEPING, 0);
      return undefined;
    }
    return waiting.value.then(() => {
      Atomics.store(this.#words, SLEEPING, 0);
    });
  }
}

/** Looks without a wait after which other events get their chance. */
const LOOKS_MAX = 16;

/**
 * Calls `takeAll` whenever the bell was rung, until `isOver`: the loop of a thread
 * that has an event loop.
 */
export async function listenTo(
  bell: Bell,
  takeAll: () => void,
  isOver: () => boolean = () => false,
): Promise<void> {
  let looks = 0;
  while (!isOver()) {
    const seen = bell.count();
    takeAll();
    const rung = bell.waitAsync(seen);
    if (rung !== undefined) {
      await rung;
      looks = 0;
    } else if (++looks === LOOKS_MAX) {
      // A bell that never stops ringing must not keep sockets from being served.
      await new Promise((resolve) => setImmediate(resolve));
      looks = 0;
    }
  }
}
