/**
 * Sends a shard's results to the main thread and lines to the shards that own them. A
 * full ring makes it wait. A waiting shard keeps taking in the lines that other shards
 * send, so that two shards that fill each other's inbox do not deadlock (settled 32).
 * Owner thread only.
 */
import type { EngineNotice } from "../engine/metric_engine.ts";
import { Bell } from "../transport/bell.ts";
import {
  AUX_END,
  FORWARD_END,
  KIND,
  type Reply,
} from "../transport/messages.ts";
import { RingProducer } from "../transport/ring.ts";
import {
  headBytes,
  RUN_BYTES,
  writeHead,
  type WriteHeader,
} from "../transport/write_header.ts";
import type { ForeignLines } from "./foreign_lines.ts";
import type { OpenBatch } from "./open_batches.ts";
import type { ShardStart } from "../transport/shard_wiring.ts";

/** Only a bound on a lost wake-up; the bell wakes the shard. */
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

  /** `whileWaiting` takes in the frames of other shards. */
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
        isEnd ? AUX_END : 0,
        json.subarray(from, from + size),
      );
    }
  }

  /** A line for the operator. */
  notice(notice: EngineNotice): void {
    this.send(KIND.NOTICE, 0, 0, ENCODER.encode(JSON.stringify(notice)));
  }

  /** Tells the main thread that all samples on disk are in memory. */
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
   * Hands the gathered lines of `bytes` to their owners, each in as few frames as its
   * bytes need, and forgets them. Waits for room, and takes in the frames of other
   * shards meanwhile. Each line is at most `LINE_BYTES_MAX`, which always fits.
   */
  forward(
    id: number,
    batch: OpenBatch,
    bytes: Uint8Array,
    view: DataView,
    foreign: ForeignLines,
  ): void {
    for (let shard = 0; shard < this.#toShard.length; shard++) {
      const stretches = foreign.count(shard);
      for (let sent = 0; sent < stretches;) {
        sent = this.#sendStretches(
          shard,
          id,
          batch,
          bytes,
          view,
          foreign,
          sent,
        );
        batch.forwards++;
        if (batch.mark !== undefined) {
          const frames = batch.forwardedTo.get(shard) ?? 0;
          batch.forwardedTo.set(shard, frames + 1);
        }
      }
    }
    foreign.clear();
  }

  /** Ends a marked batch: each shard that got lines of it may log the mark. */
  endForward(id: number, batch: OpenBatch): void {
    for (const [shard, frames] of batch.forwardedTo) {
      const header = headerOf(batch, frames, 0);
      const size = headBytes(header.context, header.stream, 0);
      const at = this.#reserve(shard, size);
      const ring = this.#toShard[shard]!;
      writeHead(ring.bytes, at, header);
      ring.commit(KIND.FORWARD, id, FORWARD_END, size);
      this.#shardBells[shard]!.ring();
      batch.forwards++;
    }
  }

  /** One frame of stretches from `first` on; returns the first that is not sent yet. */
  #sendStretches(
    shard: number,
    id: number,
    batch: OpenBatch,
    bytes: Uint8Array,
    view: DataView,
    foreign: ForeignLines,
    first: number,
  ): number {
    const ring = this.#toShard[shard]!;
    const empty = headerOf(batch, 0, 0);
    const room = ring.maxPayload -
      headBytes(empty.context, empty.stream, 0);
    const stretches = foreign.count(shard);
    let used = 0;
    let next = first;
    while (next < stretches) {
      const length = foreign.to(shard, next) - foreign.from(shard, next);
      if (used + RUN_BYTES + length > room) break;
      used += RUN_BYTES + length;
      next++;
    }
    // A stretch that no frame holds is cut behind a line.
    const cutAt = next > first ? -1 : bytes.lastIndexOf(
      LF,
      foreign.from(shard, first) + room - RUN_BYTES - 1,
    ) + 1;
    const runs = cutAt < 0 ? next - first : 1;
    if (cutAt >= 0) used = RUN_BYTES + cutAt - foreign.from(shard, first);

    const header = headerOf(batch, 0, runs);
    const payloadBytes = ring.maxPayload - room + used;
    const at = this.#reserve(shard, payloadBytes);
    let run = writeHead(ring.bytes, at, header);
    let to = run + runs * RUN_BYTES;
    const target = new DataView(ring.bytes.buffer, ring.bytes.byteOffset);
    for (let i = first; i < first + runs; i++) {
      const from = foreign.from(shard, i);
      const end = cutAt < 0 ? foreign.to(shard, i) : cutAt;
      const lines = cutAt < 0
        ? foreign.lines(shard, i)
        : countLineBreaks(bytes, from, end);
      target.setUint32(run, foreign.line(shard, i), true);
      target.setUint32(run + 4, lines, true);
      run += RUN_BYTES;
      copyLines(target, to, bytes, view, from, end);
      to += end - from;
      if (cutAt >= 0) {
        foreign.cut(shard, i, cutAt, foreign.line(shard, i) + lines);
      }
    }
    ring.commit(KIND.FORWARD, id, 0, payloadBytes);
    this.#shardBells[shard]!.ring();
    return next;
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

/** The header of the batch's frames to other shards. */
function headerOf(batch: OpenBatch, line: number, runs: number): WriteHeader {
  const { context, mark, nowSec } = batch;
  return {
    nowSec,
    line,
    context: context.encoded,
    stream: mark === undefined ? NOTHING : ENCODER.encode(mark.stream),
    sequence: mark?.sequence ?? 0,
    runs,
  };
}

/** Below this a loop is faster than a view of the source and `set`. */
const SHORT_BYTES = 512;

/** Copies `bytes[from, end)`, which `view` covers too, to `to` in `target`. */
function copyLines(
  target: DataView,
  to: number,
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
): void {
  if (end - from > SHORT_BYTES) {
    new Uint8Array(target.buffer, target.byteOffset + to, end - from)
      .set(bytes.subarray(from, end));
    return;
  }
  let p = from;
  for (; p + 4 <= end; p += 4, to += 4) {
    target.setInt32(to, view.getInt32(p, true), true);
  }
  for (; p < end; p++, to++) target.setUint8(to, bytes[p]!);
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
