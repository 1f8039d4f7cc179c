/**
 * Lines of marked batches that wait for the end of their batch, so that they and
 * the mark are one write to the log: a kill finds all of them there or none. Owner
 * thread only.
 *
 * Memory: one batch a stream at a time, as large as its source makes it.
 */
interface Held {
  readonly batch: number;
  readonly pieces: Uint8Array[];
  bytes: number;
}

export class HeldLines {
  readonly #held = new Map<string, Held>();

  /** Keeps a copy of a piece. Pieces of an earlier batch of the stream are dropped. */
  add(stream: string, batch: number, piece: Uint8Array): void {
    let held = this.#held.get(stream);
    if (held?.batch !== batch) {
      held = { batch, pieces: [], bytes: 0 };
      this.#held.set(stream, held);
    }
    held.pieces.push(piece.slice());
    held.bytes += piece.length;
  }

  /** Gives the pieces of the batch and forgets them. */
  take(
    stream: string,
    batch: number,
  ): { readonly pieces: readonly Uint8Array[]; readonly bytes: number } {
    const held = this.#held.get(stream);
    if (held?.batch !== batch) return { pieces: [], bytes: 0 };
    this.#held.delete(stream);
    return held;
  }
}
