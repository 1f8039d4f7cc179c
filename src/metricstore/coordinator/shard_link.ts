/**
 * The main thread's end of the line to one shard: sends frames, in order, and
 * keeps those that do not fit yet. Main thread only.
 */
import { setImmediate } from "node:timers";
import { Bell } from "../transport/bell.ts";
import { AUX_END, KIND } from "../transport/messages.ts";
import { RingConsumer, RingProducer } from "../transport/ring.ts";
import type { Wiring } from "../transport/shard_wiring.ts";

/**
 * Smaller frames wake the shard once for all of a turn: to wake it takes longer than
 * to send one.
 */
const SMALL_BYTES = 16 << 10;

/** Writes the payload of a frame at an offset. */
type Fill = (bytes: Uint8Array, at: number) => void;

interface Waiting {
  readonly kind: number;
  readonly id: number;
  readonly aux: number;
  readonly payloadBytes: number;
  readonly fill: Fill;
  readonly sent: () => void;
}

export class ShardLink {
  readonly incoming: RingConsumer;
  readonly #out: RingProducer;
  readonly #bell: Bell;
  readonly #waiting: Waiting[] = [];
  #ringsLater = false;

  constructor(wiring: Wiring, shard: number) {
    this.#out = new RingProducer(wiring.toShard[shard]!);
    this.incoming = new RingConsumer(wiring.toMain[shard]!);
    this.#bell = new Bell(wiring.shardBells[shard]!);
  }

  /** The largest payload of one frame. */
  get maxPayload(): number {
    return this.#out.maxPayload;
  }

  /** Bytes in the shard's inbox and in front of it. */
  get inboxBytes(): number {
    return this.#waiting.reduce(
      (sum, frame) => sum + frame.payloadBytes,
      this.#out.pending,
    );
  }

  /**
   * Sends a frame of `payloadBytes`, which `fill` writes now or, where the inbox is
   * full, once there is room: then a promise tells when.
   */
  send(
    kind: number,
    id: number,
    aux: number,
    payloadBytes: number,
    fill: Fill,
  ): Promise<void> | undefined {
    if (
      this.#waiting.length === 0 &&
      this.#trySend(kind, id, aux, payloadBytes, fill)
    ) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ kind, id, aux, payloadBytes, fill, sent: resolve });
    return promise;
  }

  #trySend(
    kind: number,
    id: number,
    aux: number,
    payloadBytes: number,
    fill: Fill,
  ): boolean {
    const at = this.#out.reserve(payloadBytes);
    if (at < 0) return false;
    fill(this.#out.bytes, at);
    this.#out.commit(kind, id, aux, payloadBytes);
    if (payloadBytes > SMALL_BYTES) this.ring();
    else if (!this.#ringsLater) {
      this.#ringsLater = true;
      setImmediate(() => {
        if (this.#ringsLater) this.ring();
      });
    }
    return true;
  }

  /** Wakes the shard for what was sent. */
  ring(): void {
    this.#ringsLater = false;
    this.#bell.ring();
  }

  /** Sends what waited, as far as there is room by now. */
  resume(): void {
    while (this.#waiting.length > 0) {
      const { kind, id, aux, payloadBytes, fill, sent } = this.#waiting[0]!;
      if (!this.#trySend(kind, id, aux, payloadBytes, fill)) return;
      this.#waiting.shift();
      sent();
    }
  }

  /** Sends an ask as JSON; longer ones than a frame go in several. */
  ask(id: number, json: Uint8Array): void {
    const size = this.maxPayload;
    for (let from = 0; from < json.length; from += size) {
      const piece = json.subarray(from, from + size);
      const isEnd = from + size >= json.length;
      void this.send(
        KIND.ASK,
        id,
        isEnd ? AUX_END : 0,
        piece.length,
        (bytes, at) => bytes.set(piece, at),
      );
    }
  }

  /** Gives the memory of the frame just read back to the shard. */
  release(): void {
    if (this.incoming.release()) this.#bell.ring();
  }
}
