/**
 * Batches into the store: takes WRITE and FORWARD frames, joins cut lines, and
 * reports what became of the lines. Owner thread only.
 */
import { KeyTable } from "../ingest/key_table.ts";
import { assert } from "../../base/assert.ts";
import { LastFew } from "../../base/last_few.ts";
import type { StreamMark } from "../engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import { type Forward, LineIngest } from "../ingest/line_ingest.ts";
import { SlowLines } from "../ingest/slow_line.ts";
import {
  DONE_OF_BATCH,
  DONE_OF_FORWARD,
  FORWARD_END,
  KIND,
  PART_ABORT,
  PART_FIRST,
  PART_LAST,
  type WriteDone,
} from "../transport/messages.ts";
import type { RingConsumer } from "../transport/ring.ts";
import { sequenceOf, textStart } from "../transport/write_header.ts";
import {
  CARRY_BYTES_MAX,
  type OpenBatch,
  OpenBatches,
} from "./open_batches.ts";
import {
  copyOf,
  type PartFrame,
  PostponedParts,
  type RestOfPart,
} from "./postponed_parts.ts";
import { ForeignLines } from "./foreign_lines.ts";
import type { ClusterEvents } from "./cluster_events.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import { HeldLines } from "./held_lines.ts";
import type { ShardPersistence } from "./shard_persistence.ts";
import type { ShardOutbox } from "./shard_outbox.ts";
import type { StatsBlock } from "../transport/shard_stats.ts";
import type { ShardStart } from "../transport/shard_wiring.ts";
import type { StreamMarks } from "./stream_marks.ts";

const LF = 0x0a;
/** Bytes behind scratch memory that stop a scan for digits. */
const SLACK = 64;
const ENCODER = new TextEncoder();
/**
 * Lines that are read in full before others get a turn, if any wait: some 3 ms. A line
 * of a known series takes a hundredth of the time and counts for nothing.
 */
const SLICE_LINES = 256;

/** Ends the work on lines that lie in `source`. */
type Settle = (source: Uint8Array, view: DataView) => void;

/** Two shards that each think the other owns a host would never end. */
const REFUSE_FORWARD: Forward = () =>
  assert(false, "a line was forwarded to a shard that does not own it");

export interface ShardWritesOptions {
  readonly start: ShardStart;
  readonly registry: SeriesRegistry;
  readonly outbox: ShardOutbox;
  readonly stats: StatsBlock;
  readonly clusterEvents: ClusterEvents;
  readonly persistence: ShardPersistence | undefined;
  readonly marks: StreamMarks;
  /** The oldest time that an instance may still write, seconds. */
  readonly horizon: (nowSec: number, instance: string) => number;
  /** Whether anything has come that the part under way keeps waiting. */
  readonly othersWait: () => boolean;
}

export class ShardWrites {
  readonly #registry: SeriesRegistry;
  readonly #outbox: ShardOutbox;
  readonly #stats: StatsBlock;
  readonly #clusterEvents: ClusterEvents;
  readonly #persistence: ShardPersistence | undefined;
  readonly #horizon: (nowSec: number, instance: string) => number;
  readonly #keys = new KeyTable();
  readonly #ingest: LineIngest;
  readonly #marks: StreamMarks;
  readonly #held = new HeldLines();
  readonly #batches: OpenBatches;
  readonly #foreign: ForeignLines;
  readonly #gather: Forward;
  readonly #postponed = new PostponedParts();
  readonly #shouldPause: () => boolean;
  /** Lines read in full since the last look whether others wait. */
  #slowLines = 0;
  /** So that the code compiled for them stays. */
  readonly #kept = new LastFew<OpenBatch>();
  /** Where a carried piece is joined with the part that continues it. */
  #scratch = new Uint8Array(0);

  constructor(options: ShardWritesOptions) {
    const { start, registry, persistence, marks } = options;
    this.#shouldPause = () => {
      if (++this.#slowLines < SLICE_LINES) return false;
      this.#slowLines = 0;
      return options.othersWait();
    };
    this.#marks = marks;
    this.#batches = new OpenBatches(marks);
    this.#horizon = options.horizon;
    this.#persistence = persistence;
    this.#registry = registry;
    this.#outbox = options.outbox;
    this.#stats = options.stats;
    this.#clusterEvents = options.clusterEvents;
    const engine = start.wiring.options;
    this.#foreign = new ForeignLines(engine.shards);
    this.#gather = this.#foreign.add.bind(this.#foreign);
    const log = persistence?.wal.batch;
    const slow = new SlowLines(
      registry,
      this.#keys,
      { shard: start.shard, ...engine },
      log,
    );
    this.#ingest = new LineIngest(
      this.#keys,
      slow,
      registry.table,
      engine.maxFutureSec,
      log,
    );
  }

  /** Whether parts from the main thread should wait in the inbox. */
  get isFull(): boolean {
    return this.#postponed.isFull;
  }

  /** A part of a batch from the main thread. Parts that take long wait for their turn. */
  takePart(frame: PartFrame): void {
    // Marked batches keep their order with those of other shards.
    if (!this.#postponed.isEmpty && sequenceOf(frame) === 0) {
      const instance = this.#batches.instanceOf(frame);
      if (this.#postponed.has(instance)) {
        return this.#postponed.add(instance, frame);
      }
    }
    this.#readPart(frame);
  }

  /**
   * Goes on with a part that waits for its turn, for some milliseconds. `failed` is told
   * of a batch that goes wrong. Returns false if none waits.
   */
  resume(failed: (id: number, error: unknown) => void): boolean {
    const part = this.#postponed.take();
    if (part === undefined) return false;
    try {
      if (part.kind === "whole") this.#readPart(part.frame);
      else this.#readRest(part);
    } catch (error) {
      failed(part.kind === "whole" ? part.frame.id : part.id, error);
    }
    return true;
  }

  #readPart(frame: PartFrame): void {
    const { id, aux } = frame;
    const isLast = (aux & PART_LAST) !== 0;
    this.#slowLines = 0;
    const batch = (aux & PART_FIRST) !== 0
      ? this.#batches.begin(frame, this.#horizon, this.#shouldPause)
      : this.#batches.get(id);
    // A part of a batch that failed before.
    if (batch === undefined) return;
    if ((aux & PART_ABORT) !== 0) return this.#batches.drop(id);
    if (!isLast) this.#batches.keep(id, batch);
    this.#ofBatch(id, batch, isLast, (settle) => {
      if (batch.mark !== undefined && !isLast) {
        this.#hold(frame, id, batch.mark);
        return false;
      }
      return this.#take(frame, id, batch, isLast, this.#gather, settle);
    });
  }

  #readRest(rest: RestOfPart): void {
    const { id, batch, isLast, bytes, view, end } = rest;
    this.#slowLines = 0;
    this.#ofBatch(id, batch, isLast, (settle) => {
      const at = this.#apply(
        bytes,
        view,
        rest.at,
        end,
        batch,
        isLast,
        this.#gather,
      );
      settle(bytes, view);
      if (at === undefined) return false;
      this.#postponed.addRest(batch.context.instance, { ...rest, at });
      return true;
    });
  }

  /**
   * Lets `work` apply lines of a batch, and ends the batch behind its last line. `work`
   * returns whether it has left lines for later.
   */
  #ofBatch(
    id: number,
    batch: OpenBatch,
    isLast: boolean,
    work: (settle: Settle) => boolean,
  ): void {
    const failures = this.#persistence?.failures;
    let isPaused = false;
    try {
      isPaused = work((source, view) => {
        const send = () =>
          this.#outbox.forward(id, batch, source, view, this.#foreign);
        // Lines of a marked batch leave once those of this shard are in the log.
        if (batch.mark === undefined) send();
        this.#commit(batch, failures, isLast);
        if (batch.mark !== undefined) {
          send();
          this.#outbox.endForward(id, batch);
        }
      });
    } catch (error) {
      this.#batches.drop(id);
      this.#foreign.clear();
      throw error;
    }
    if (!isPaused && (isLast || batch.isGivenUp)) {
      this.#batches.drop(id);
      this.#done(id, DONE_OF_BATCH, batch);
    }
  }

  /** Lines that another shard found to be ours. */
  takeForward(frame: RingConsumer): void {
    const { id } = frame;
    const batch = this.#batches.begin(frame, this.#horizon);
    const failures = this.#persistence?.failures;
    const isEnd = (frame.aux & FORWARD_END) !== 0;
    if (batch.mark !== undefined && !isEnd) this.#hold(frame, id, batch.mark);
    else {
      const commit = () => this.#commit(batch, failures, isEnd);
      this.#take(frame, id, batch, true, REFUSE_FORWARD, commit);
    }
    this.#done(id, DONE_OF_FORWARD, batch);
  }

  #hold(frame: PartFrame, id: number, mark: StreamMark): void {
    const lines = frame.bytes.subarray(textStart(frame), frame.end);
    this.#held.add(mark.stream, id, lines);
  }

  /** Into the log with it, at the end of a marked batch together with the mark. */
  #commit(
    batch: OpenBatch,
    failuresBefore: number | undefined,
    isEnd: boolean,
  ): void {
    const persistence = this.#persistence;
    const mark = isEnd && !batch.isReplay ? batch.mark : undefined;
    if (mark !== undefined && persistence?.failures === failuresBefore) {
      persistence?.wal.mark({ key: mark.stream, value: mark.sequence });
    }
    persistence?.commit(failuresBefore);
    if (mark !== undefined) this.#marks.reach(mark);
  }

  /**
   * Applies the lines; `settle` gets the bytes in which they lie, before these go.
   * Returns whether lines are left for later.
   */
  #take(
    frame: PartFrame,
    id: number,
    batch: OpenBatch,
    isLast: boolean,
    forward: Forward,
    settle: Settle,
  ): boolean {
    let start = textStart(frame);
    const { end } = frame;
    if (batch.isSkipping) {
      start = this.#skipLine(frame.bytes, start, end, batch);
    }
    const before = this.#before(id, batch, forward === REFUSE_FORWARD);
    if (before === undefined) {
      const { bytes, view } = frame;
      const at = this.#apply(bytes, view, start, end, batch, isLast, forward);
      settle(bytes, view);
      return this.#postpone(id, batch, isLast, bytes, at, end);
    }
    const length = before.bytes + end - start;
    // A scratch of its own: frames of other shards may come in between.
    const scratch = this.#takeScratch(length + SLACK);
    let at = 0;
    for (const piece of before.pieces) {
      scratch.set(piece, at);
      at += piece.length;
    }
    scratch.set(frame.bytes.subarray(start, end), at);
    scratch.fill(0, length, length + SLACK);
    const view = new DataView(scratch.buffer);
    const paused = this.#apply(
      scratch,
      view,
      0,
      length,
      batch,
      isLast,
      forward,
    );
    settle(scratch, view);
    this.#scratch = scratch;
    return this.#postpone(id, batch, isLast, scratch, paused, length);
  }

  /** Keeps lines for later if reading has paused at `from`; `undefined`: it has not. */
  #postpone(
    id: number,
    batch: OpenBatch,
    isLast: boolean,
    bytes: Uint8Array,
    from: number | undefined,
    end: number,
  ): boolean {
    if (from === undefined) return false;
    this.#postponed.addRest(batch.context.instance, {
      kind: "rest",
      ...{ id, batch, isLast },
      ...copyOf(bytes, from, end),
      at: 0,
      end: end - from,
    });
    return true;
  }

  /**
   * Returns the bytes kept to go in front of the frame; `undefined` if there are none.
   */
  #before(
    id: number,
    batch: OpenBatch,
    isForward: boolean,
  ): { pieces: readonly Uint8Array[]; bytes: number } | undefined {
    const { carry, mark } = batch;
    if (mark !== undefined) {
      const held = this.#held.take(mark.stream, id);
      // A mark stands for all lines before it: none may have failed on the way.
      if (isForward && held.pieces.length !== batch.line) {
        throw new ClientError("E_OVERLOAD", "a part of the batch was lost");
      }
      batch.line = 1;
      return held.bytes === 0 ? undefined : held;
    }
    if (carry === undefined) return undefined;
    batch.carry = undefined;
    return { pieces: [carry], bytes: carry.length };
  }

  #takeScratch(bytes: number): Uint8Array<ArrayBuffer> {
    const scratch = this.#scratch;
    this.#scratch = new Uint8Array(0);
    return scratch.length >= bytes
      ? scratch as Uint8Array<ArrayBuffer>
      : new Uint8Array(bytes);
  }

  /** Returns where reading has paused, `undefined` if it came to the end. */
  #apply(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    batch: OpenBatch,
    isLast: boolean,
    forward: Forward,
  ): number | undefined {
    for (let from = start;;) {
      const consumed = this.#ingest.ingest(
        bytes,
        view,
        from,
        end,
        isLast,
        batch,
        forward,
      );
      if (batch.isPaused === true) {
        batch.isPaused = false;
        return consumed;
      }
      if (consumed >= end) return undefined;
      if (end - consumed <= CARRY_BYTES_MAX) {
        batch.carry = bytes.slice(consumed, end);
        return undefined;
      }
      if (!bytes.subarray(consumed, end).includes(LF)) break;
      // A string that is never closed: it ends with its line, the rest is good.
      batch.strictLine = batch.line;
      from = consumed;
    }
    batch.isSkipping = true;
    batch.tally.reject(
      batch.line,
      "line-too-long",
      () => `no end of the line within ${CARRY_BYTES_MAX} bytes`,
    );
    return undefined;
  }

  /** Goes on behind the end of the line that was given up. */
  #skipLine(
    bytes: Uint8Array,
    start: number,
    end: number,
    batch: OpenBatch,
  ): number {
    const at = bytes.subarray(start, end).indexOf(LF);
    if (at < 0) return end;
    batch.isSkipping = false;
    batch.line++;
    return start + at + 1;
  }

  #done(id: number, aux: number, batch: OpenBatch): void {
    this.#kept.keep(batch);
    const { tally, forwards } = batch;
    if (batch.isReplay) tally.nameReplayed();
    this.#clusterEvents.tell();
    this.#stats.add("linesTotal", tally.lines);
    this.#stats.add("storedTotal", tally.stored);
    const done: WriteDone = {
      lines: tally.lines,
      stored: tally.stored,
      forwards,
      rejected: tally.rejected,
      skipped: tally.skipped,
      errors: tally.errors,
      ...(batch.isGivenUp ? { givenUpAt: batch.line - 1 } : {}),
      unknown: tally.unknown.clusters,
    };
    const counts = new Uint8Array(
      Uint32Array.of(done.lines, done.stored, forwards).buffer,
    );
    if (!tally.hasDetail) {
      return this.#outbox.send(KIND.WRITE_DONE, id, aux, counts);
    }
    this.#stats.addReasons(tally.rejected, tally.skipped);
    const json = ENCODER.encode(JSON.stringify(done));
    this.#outbox.send(KIND.WRITE_DONE, id, aux, json);
  }

  /**
   * Forgets the keys when too many of them mean series that have ended, or when
   * nothing more can be kept; then the ids of ended series may be used again, and
   * `beforeReuse` is told of them.
   */
  tidyKeys(beforeReuse: (ended: readonly number[]) => void): void {
    const ended = this.#registry.ended.length;
    const isStale = ended > 0 && ended * 4 > this.#keys.size;
    if (!isStale && !this.#keys.isFull && !this.#batches.contextsAreFull) {
      return;
    }
    this.#keys.clear();
    this.#batches.clearContexts();
    this.#ingest.forgetPrediction();
    for (const series of this.#registry.ended) {
      this.#persistence?.wal.batch.forget(series);
    }
    beforeReuse(this.#registry.ended);
    this.#registry.recycleEnded();
  }
}
