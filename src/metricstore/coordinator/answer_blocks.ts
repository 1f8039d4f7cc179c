/**
 * Memory for the bytes of large answers, used again and again. V8 collects the
 * whole heap after every 64 MB of new buffers, which some eight large answers take:
 * that cost the main thread a fifth of its time. Main thread only.
 *
 * Giving blocks back is optional: others are collected like other memory.
 */

/** Blocks kept for later, at most; beyond that they are collected. */
const KEPT_BYTES_MAX = 32 << 20;
/** Then blocks that are not in use go. */
const UNUSED_MS = 5000;

export class AnswerBlocks {
  readonly blockBytes: number;
  #free: Uint8Array<ArrayBuffer>[] = [];
  #wasUsed = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** How many blocks wait to be used again. */
  get kept(): number {
    return this.#free.length;
  }

  /** A block with anything in it. */
  take(): Uint8Array<ArrayBuffer> {
    this.#wasUsed = true;
    return this.#free.pop() ?? new Uint8Array(this.blockBytes);
  }

  /**
   * Takes back the blocks that these pieces begin; pieces of other memory are passed
   * over. The caller must not read or write them from now on.
   */
  give(pieces: readonly Uint8Array<ArrayBuffer>[]): void {
    const most = KEPT_BYTES_MAX / this.blockBytes;
    for (const { buffer } of pieces) {
      if (buffer.byteLength !== this.blockBytes) continue;
      if (this.#free.length === most) break;
      this.#free.push(new Uint8Array(buffer));
    }
    this.#timer ??= this.#dropLater();
  }

  #dropLater(): ReturnType<typeof setInterval> {
    this.#wasUsed = false;
    const timer = setInterval(() => {
      if (this.#wasUsed) {
        this.#wasUsed = false;
        return;
      }
      this.#free = [];
      clearInterval(timer);
      this.#timer = undefined;
    }, UNUSED_MS);
    Deno.unrefTimer(timer);
    return timer;
  }
}
