/**
 * What a shard sends: results to the main thread, lines to the shards that own
 * them. A full ring makes it wait; who waits keeps taking in the lines that other
 * shards send, so that two shards that fill each other's inbox do not deadlock
 * (settled 32). Owner thread only.
 */
import type { EngineNotice } from "../engine/metric_engine.ts";
import { Bell } from "../transport/bell.ts";
import {
  FORWARD_END,
  KIND,
  type Reply,
  WRITE_HEADER_BYTES,
} from "../transport/messages.ts";
import { RingProducer } from "../transport/ring.ts";
import type { OpenBatch } from "./open_batches.ts";
import type { ShardStart } from "./shard_wiring.ts";

/** Only a bound on a wake-up that never comes; the bell is what wakes. */
const WAIT_MS = 100;
const LF = 0x0a;
const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array(0);

export class ShardOutbox {
  readonly #toMain: RingProducer;
  readonly #toShard: readonly RingProducer[];
  readonly #mainBell: Bell;
  readonly #shardBells: readonly Bell[];
  readonly #ownBell: Bell;
  readonly #whileWaiting: () => void;

  /** `whileWaiting` takes in what other shards sent. */
  constructor(start: ShardStart, whileWaiting: () => void) {
    const { shard, wiring } = start;
    this.#toMain = new RingProducer(wiring.toMain[shard]!);
    this.#toShard = wiring.between[shard]!.map((ring) =>
      new RingProducer(ring)
    );
    this.#mainBell = new Bell(wiring.mainBell);
    this.#shardBells = wiring.shardBells.map((bell) => new Bell(bell));
    this.#ownBell = this.#shardBells[shard]!;
    this.#whileWaiting = whileWaiting;
  }

  get mainBell(): Bell {
    return this.#mainBell;
  }

  shardBell(shard: number): Bell {
    return this.#shardBells[shard]!;
  }

  /** A piece of an answer's JSON, cut to fit the ring. */
  chunk(request: number, json: Uint8Array): void {
    const size = this.#toMain.maxPayload;
    for (let from = 0; from < json.length; from += size) {
      this.send(KIND.CHUNK, request, 0, json.subarray(from, from + size));
    }
  }

  reply(request: number, reply: Reply): void {
    const json = ENCODER.encode(JSON.stringify(reply));
    // Lengths of many thousand queries may exceed a frame: the end is marked by aux.
    const size = this.#toMain.maxPayload;
    for (let from = 0; from < json.length; from += size) {
      const isEnd = from + size >= json.length;
      this.send(
        KIND.REPLY,
        request,
        isEnd ? 1 : 0,
        json.subarray(from, from + size),
      );
    }
  }

  /** A line for the operator. */
  notice(notice: EngineNotice): void {
    this.send(KIND.NOTICE, 0, 0, ENCODER.encode(JSON.stringify(notice)));
  }

  /** What was on disk is in memory. */
  restored(): void {
    this.send(KIND.RESTORED, 0, 0, NOTHING);
  }

  /** Other layouts are not needed any more, as far as this shard goes. */
  converted(): void {
    this.send(KIND.CONVERTED, 0, 0, NOTHING);
  }

  /** Copies one frame to the main thread, waiting for room. */
  send(kind: number, id: number, aux: number, payload: Uint8Array): void {
    for (;;) {
      const seen = this.#ownBell.count();
      if (this.#toMain.send(kind, id, aux, payload)) break;
      this.#mainBell.ring();
      this.#ownBell.wait(seen, WAIT_MS);
    }
    this.#mainBell.ring();
  }

  /**
   * Hands lines [start, end) of a part to their owner, cut at line breaks to fit
   * the ring. Each line is at most `LINE_BYTES_MAX`, which always fits.
   */
  forward(
    shard: number,
    id: number,
    batch: OpenBatch,
    bytes: Uint8Array,
    start: number,
    end: number,
    line: number,
  ): void {
    const header = headerOf(batch);
    const textMax = this.#toShard[shard]!.maxPayload - header.length;
    let from = start;
    while (from < end) {
      let to = end;
      if (end - from > textMax) {
        to = bytes.lastIndexOf(LF, from + textMax - 1) + 1;
      }
      this.#sendLines(shard, id, 0, header, line, bytes.subarray(from, to));
      batch.forwards++;
      if (batch.mark !== undefined) {
        const frames = batch.forwardedTo.get(shard) ?? 0;
        batch.forwardedTo.set(shard, frames + 1);
      }
      if (to < end) line += countLineBreaks(bytes, from, to);
      from = to;
    }
  }

  /**
   * Of a marked batch: hands over the lines of `bytes` that waited, and says that
   * this was all, so that whoever got lines of it may log the mark.
   */
  forwardRest(id: number, batch: OpenBatch, bytes: Uint8Array): void {
    for (const { shard, from, to, line } of batch.foreign) {
      this.forward(shard, id, batch, bytes, from, to, line);
    }
    const header = headerOf(batch);
    for (const [shard, frames] of batch.forwardedTo) {
      this.#sendLines(shard, id, FORWARD_END, header, frames, NOTHING);
      batch.forwards++;
    }
  }

  #sendLines(
    shard: number,
    id: number,
    aux: number,
    header: Uint8Array,
    line: number,
    lines: Uint8Array,
  ): void {
    const ring = this.#toShard[shard]!;
    const payloadBytes = header.length + lines.length;
    const at = this.#reserve(shard, payloadBytes);
    ring.bytes.set(header, at);
    ring.bytes.set(lines, at + header.length);
    new DataView(ring.bytes.buffer, ring.bytes.byteOffset + at + 8, 4)
      .setUint32(0, line, true);
    ring.commit(KIND.FORWARD, id, aux, payloadBytes);
    this.#shardBells[shard]!.ring();
  }

  #reserve(shard: number, payloadBytes: number): number {
    for (;;) {
      const seen = this.#ownBell.count();
      const at = this.#toShard[shard]!.reserve(payloadBytes);
      if (at >= 0) return at;
      this.#whileWaiting();
      this.#ownBell.wait(seen, WAIT_MS);
    }
  }
}

/** The header of the batch's frames; the number of the first line is still 0. */
function headerOf(batch: OpenBatch): Uint8Array {
  const { context, mark, nowSec } = batch;
  const { encoded } = context;
  const stream = ENCODER.encode(mark?.stream ?? "");
  const streamAt = WRITE_HEADER_BYTES + encoded.length;
  const bytes = new Uint8Array(streamAt + stream.length);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, nowSec, true);
  view.setUint32(12, encoded.length, true);
  view.setFloat64(16, mark?.sequence ?? 0, true);
  view.setUint16(24, stream.length, true);
  bytes.set(encoded, WRITE_HEADER_BYTES);
  bytes.set(stream, streamAt);
  return bytes;
}

function countLineBreaks(
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let count = 0;
  for (let i = from; i < to; i++) if (bytes[i] === LF) count++;
  return count;
}
