/**
 * A queue of frames between two threads, in shared memory: one producer, one
 * consumer, roles never change. Frames lie contiguous, so that the consumer can
 * work on them where they are.
 *
 * | offset | bytes    | field   | written by | published by             |
 * | ------ | -------- | ------- | ---------- | ------------------------ |
 * | 0      | 4        | HEAD    | producer   | `Atomics.store`          |
 * | 64     | 4        | TAIL    | consumer   | `Atomics.store`          |
 * | 68     | 4        | WAITING | both       | 1: producer wants room   |
 * | 128    | capacity | frames  | producer   | the store to HEAD        |
 * | end    | 64       | zeroes  | nobody     | stops scans at the edge  |
 *
 * HEAD and TAIL count bytes modulo 2^32. A frame is a header of four uint32
 * (payload bytes, kind, id, aux), then the payload, padded to 16 bytes. Where a
 * frame does not fit before the end, a filler frame covers the rest.
 */
import { assert } from "../../base/assert.ts";

const HEAD_WORD = 0;
const TAIL_WORD = 16;
const WAITING_WORD = 17;
const DATA_AT = 128;
const SLACK = 64;
const HEADER_BYTES = 16;
const FILLER = 0xffffffff;

/** Shared memory for a ring; `capacity` is a power of two, at least 4 KiB. */
export function createRing(capacity: number): SharedArrayBuffer {
  assert(
    Number.isInteger(capacity) && capacity >= 4096 &&
      (capacity & (capacity - 1)) === 0,
    `ring capacity must be a power of two of at least 4096, is ${capacity}`,
  );
  return new SharedArrayBuffer(DATA_AT + capacity + SLACK);
}

function capacityOf(memory: SharedArrayBuffer): number {
  const capacity = memory.byteLength - DATA_AT - SLACK;
  assert(
    capacity >= 4096 && (capacity & (capacity - 1)) === 0,
    "memory is not a ring",
  );
  return capacity;
}

/** The writing end. */
export class RingProducer {
  /** The frame area; `reserve` returns offsets into it. */
  readonly bytes: Uint8Array;
  readonly #control: Int32Array;
  readonly #header: Uint32Array;
  readonly #capacity: number;
  #head: number;
  #reservedAt = -1;
  #reservedBytes = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#capacity = capacityOf(memory);
    this.#control = new Int32Array(memory, 0, DATA_AT / 4);
    this.bytes = new Uint8Array(memory, DATA_AT);
    this.#header = new Uint32Array(memory, DATA_AT, this.#capacity / 4);
    this.#head = Atomics.load(this.#control, HEAD_WORD) >>> 0;
  }

  /** The largest payload that is sure to fit an empty ring. */
  get maxPayload(): number {
    return this.#capacity / 4;
  }

  /** Bytes not consumed yet, at most a moment old. */
  get pending(): number {
    return (this.#head - Atomics.load(this.#control, TAIL_WORD)) >>> 0;
  }

  /**
   * Room for a payload: its offset in `bytes`, or -1 while the ring is too full; the
   * consumer's `release` then says that the producer waits.
   */
  reserve(payloadBytes: number): number {
    const at = this.#tryReserve(payloadBytes);
    if (at >= 0) return at;
    Atomics.store(this.#control, WAITING_WORD, 1);
    // A release that came before the flag could be seen is found here.
    return this.#tryReserve(payloadBytes);
  }

  #tryReserve(payloadBytes: number): number {
    assert(
      payloadBytes <= this.maxPayload,
      `payload of ${payloadBytes} bytes exceeds ${this.maxPayload}`,
    );
    const size = frameSize(payloadBytes);
    const free = this.#capacity - this.pending;
    const at = this.#head & (this.#capacity - 1);
    const toEnd = this.#capacity - at;
    if (size <= toEnd) {
      if (size > free) return -1;
      this.#reservedAt = at;
    } else {
      if (toEnd + size > free) return -1;
      this.#header[at >> 2] = FILLER;
      this.#head = (this.#head + toEnd) >>> 0;
      Atomics.store(this.#control, HEAD_WORD, this.#head | 0);
      this.#reservedAt = 0;
    }
    this.#reservedBytes = payloadBytes;
    return this.#reservedAt + HEADER_BYTES;
  }

  /** Publishes the reserved frame; `payloadBytes` may be less than was reserved. */
  commit(kind: number, id: number, aux: number, payloadBytes: number): void {
    assert(
      this.#reservedAt >= 0 && payloadBytes <= this.#reservedBytes,
      "commit without a reservation",
    );
    const header = this.#reservedAt >> 2;
    this.#header[header] = payloadBytes;
    this.#header[header + 1] = kind;
    this.#header[header + 2] = id;
    this.#header[header + 3] = aux;
    this.#reservedAt = -1;
    this.#head = (this.#head + frameSize(payloadBytes)) >>> 0;
    Atomics.store(this.#control, HEAD_WORD, this.#head | 0);
  }

  /** Copies a frame in; `false` while the ring is too full. */
  send(kind: number, id: number, aux: number, payload: Uint8Array): boolean {
    const at = this.reserve(payload.length);
    if (at < 0) return false;
    this.bytes.set(payload, at);
    this.commit(kind, id, aux, payload.length);
    return true;
  }
}

/** The reading end. */
export class RingConsumer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The frame found by `next`; its payload is valid until `release`. */
  kind = 0;
  id = 0;
  aux = 0;
  start = 0;
  end = 0;
  readonly #control: Int32Array;
  readonly #header: Uint32Array;
  readonly #capacity: number;
  #tail: number;
  #isHeld = false;

  constructor(memory: SharedArrayBuffer) {
    this.#capacity = capacityOf(memory);
    this.#control = new Int32Array(memory, 0, DATA_AT / 4);
    this.bytes = new Uint8Array(memory, DATA_AT);
    this.view = new DataView(memory, DATA_AT);
    this.#header = new Uint32Array(memory, DATA_AT, this.#capacity / 4);
    this.#tail = Atomics.load(this.#control, TAIL_WORD) >>> 0;
  }

  /** Whether frames wait behind the one that `next` found and `release` has not freed. */
  get hasMore(): boolean {
    return this.pending > (this.#isHeld ? frameSize(this.end - this.start) : 0);
  }

  /** Bytes waiting, at most a moment old. */
  get pending(): number {
    return (Atomics.load(this.#control, HEAD_WORD) - this.#tail) >>> 0;
  }

  /** Looks at the oldest frame; `false`: there is none. */
  next(): boolean {
    for (;;) {
      if (this.pending === 0) return false;
      const at = this.#tail & (this.#capacity - 1);
      const payloadBytes = this.#header[at >> 2]!;
      if (payloadBytes === FILLER) {
        this.#advance(this.#capacity - at);
        continue;
      }
      assert(payloadBytes <= this.#capacity / 4, "frame length is impossible");
      this.kind = this.#header[(at >> 2) + 1]!;
      this.id = this.#header[(at >> 2) + 2]!;
      this.aux = this.#header[(at >> 2) + 3]!;
      this.start = at + HEADER_BYTES;
      this.end = this.start + payloadBytes;
      this.#isHeld = true;
      return true;
    }
  }

  /** Gives the frame's memory back. `true`: the producer waits for room, wake it. */
  release(): boolean {
    this.#isHeld = false;
    this.#advance(frameSize(this.end - this.start));
    return Atomics.exchange(this.#control, WAITING_WORD, 0) === 1;
  }

  /** A copy of the payload in memory of this thread. */
  payload(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(this.start, this.end));
  }

  #advance(bytes: number): void {
    this.#tail = (this.#tail + bytes) >>> 0;
    Atomics.store(this.#control, TAIL_WORD, this.#tail | 0);
  }
}

function frameSize(payloadBytes: number): number {
  return (HEADER_BYTES + payloadBytes + 15) & ~15;
}
