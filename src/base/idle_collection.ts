/**
 * Gives memory back when there is time for it. Work leaves garbage, and V8
 * collects it once it has grown by a share of the heap: a small share costs a
 * fifth of the ingest rate, a large one keeps tens of megabytes that nobody uses.
 * So the share is left large, and what has gathered is collected as soon as a
 * second has passed in which the thread allocated next to nothing; not again before
 * long, unless much has gathered, since what was compiled for objects that are gone
 * goes with them (`base/last_few.ts`).
 */
import { getHeapStatistics } from "node:v8";

/** How often to look. */
export const LOOK_MS = 1000;
/** A second in which no more was allocated is one without work. */
const IDLE_BYTES = 512 << 10;
/** Less is not worth the pause: some 40 ms on the main thread. */
const WORTH_BYTES = 4 << 20;
/** So much is given back at once, however short ago the last time was. */
const MUCH_BYTES = 32 << 20;
/** Looks between two times otherwise: minutes. */
const SELDOM_LOOKS = 180;
/**
 * Idle looks after which it is done once more: memory kept for quick reuse, such as
 * that of answers, is free after up to ten seconds, and no counter shows that.
 */
const AGAIN_LOOKS = 15;

/** Collects on this thread if it is idle and that pays. Call it every `LOOK_MS`. */
export type IdleCollection = () => void;

/**
 * For the calling thread. Needs `--expose-gc`, as the `start` task has it; without,
 * V8 alone decides and nothing is done here.
 */
export function createIdleCollection(): IdleCollection {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return () => {};
  const watch = new IdleWatch();
  return () => {
    if (!watch.look(usedBytes())) return;
    gc();
    watch.collected(usedBytes());
  };
}

function usedBytes(): number {
  const heap = getHeapStatistics();
  return heap.used_heap_size + heap.external_memory;
}

/** Decides when a collection pays, from the bytes in use at every look. */
export class IdleWatch {
  #before = 0;
  #least = 0;
  #idleLooks = 0;
  #isDueAgain = false;
  #looksSince = SELDOM_LOOKS;

  /** Whether to collect now. */
  look(used: number): boolean {
    const isIdle = Math.abs(used - this.#before) < IDLE_BYTES;
    this.#before = used;
    // V8 may have collected by itself.
    this.#least = Math.min(this.#least, used);
    this.#idleLooks = isIdle ? this.#idleLooks + 1 : 0;
    this.#looksSince++;
    const worth = this.#looksSince > SELDOM_LOOKS ? WORTH_BYTES : MUCH_BYTES;
    if (isIdle && used - this.#least > worth) {
      this.#isDueAgain = true;
      this.#looksSince = 0;
      return true;
    }
    if (!this.#isDueAgain || this.#idleLooks < AGAIN_LOOKS) return false;
    this.#isDueAgain = false;
    return true;
  }

  /** After a collection. */
  collected(used: number): void {
    this.#before = used;
    this.#least = used;
  }
}
