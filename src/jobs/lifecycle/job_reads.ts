/**
 * Bounds the readers of long answers of the job API and the memory of these answers:
 * lists and metrics of jobs are read piece by piece, and each piece waits for its turn.
 * Main thread.
 *
 * Two things are shared. Places: pieces that are being read at a time, so that readers
 * cannot keep each other, shards, archive and database busy. Bytes: pieces that were
 * read and are not yet sent, so that clients that do not read cannot fill the memory.
 * Neither is held while the other is waited for, except by a principal that has no
 * other answer under way.
 */
import { assert } from "../../base/assert.ts";
import { ClientError } from "../../base/errors.ts";
import { type Claim, SharedPool } from "../../base/shared_pool.ts";

/** Twice the pieces read at a time: the half is for machines, which read nothing here. */
const PLACES = 8;
/** Bytes held by all answers; a piece may exceed the rest, one a principal. */
const BYTES = 256 << 20;
/** Bytes assumed of a piece whose size is not known yet. */
const PIECE_BYTES = 1 << 20;
/** Before the first piece; then there is the answer to finish. */
const WAIT_MS = 20_000;

export interface JobReadsOptions {
  readonly places?: number;
  readonly bytes?: number;
  readonly waitMs?: number;
}

export class JobReads {
  readonly places: SharedPool;
  readonly bytes: SharedPool;

  constructor(options: JobReadsOptions = {}) {
    const { places = PLACES, bytes = BYTES, waitMs = WAIT_MS } = options;
    this.places = new SharedPool({
      what: "lists and metrics of jobs being read",
      capacity: places,
      waitMs,
    });
    this.bytes = new SharedPool({
      what: "bytes of lists and metrics of jobs in memory",
      capacity: bytes,
      waitMs,
    });
  }

  /** An answer to `who`; it must be closed. */
  open(who: string): JobReading {
    return new JobReading(this, who);
  }
}

/** One answer that is being read. */
export class JobReading {
  readonly #reads: JobReads;
  readonly #who: string;
  readonly #bytes: Claim;
  readonly #closed = new AbortController();
  #place: Claim | undefined;
  #begun = false;

  constructor(reads: JobReads, who: string) {
    this.#reads = reads;
    this.#who = who;
    this.#bytes = reads.bytes.claim(who, "read");
  }

  /** Aborted when the rest is not wanted. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /**
   * Returns the result of `read` when it is this answer's turn; the piece of the turn
   * before counts as gone. Rejects with `E_OVERLOAD` if the first turn does not come in
   * time.
   */
  async turn<Piece>(
    read: () => Promise<Piece>,
    bytesOf: (piece: Piece) => number,
  ): Promise<Piece> {
    assert(this.#place === undefined, "pieces are read one at a time");
    this.signal.throwIfAborted();
    this.#bytes.release(this.#bytes.held);
    await this.#take(this.#bytes, PIECE_BYTES);
    const place = this.#place = this.#reads.places.claim(this.#who, "read");
    try {
      await this.#take(place, 1);
      const piece = await read();
      const more = bytesOf(piece) - PIECE_BYTES;
      if (more > 0) this.#bytes.add(more);
      else this.#bytes.release(-more);
      this.#begun = true;
      return piece;
    } finally {
      this.#place = undefined;
      place.close();
    }
  }

  /** Gives everything back; a waiting turn is rejected. */
  close(): void {
    this.#closed.abort();
    this.#place?.close();
    this.#bytes.close();
  }

  /** Once the answer has begun it is finished, however long that takes. */
  async #take(claim: Claim, amount: number): Promise<void> {
    for (;;) {
      try {
        return await claim.take(amount);
      } catch (error) {
        this.signal.throwIfAborted();
        const isOverload = error instanceof ClientError &&
          error.code === "E_OVERLOAD";
        if (!this.#begun || !isOverload) throw error;
      }
    }
  }
}
