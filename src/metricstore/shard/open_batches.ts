/**
 * The batches that a shard is reading, and the piece of a cut line that waits for
 * its rest. Owner thread only.
 */
import { BatchTally } from "../ingest/batch_tally.ts";
import type { StreamMark } from "../engine/metric_engine.ts";
import type { IngestBatch } from "../ingest/line_ingest.ts";
import { type Context, KEYS_NOT_KEPT } from "../ingest/slow_line.ts";
import { LineNumbers } from "../ingest/line_numbers.ts";
import { type BatchContext, PART_MAY_GIVE_UP } from "../transport/messages.ts";
import type { PartFrame } from "./postponed_parts.ts";
import {
  contextOf,
  lineOf,
  nowSecOf,
  runsAt,
  runsOf,
  sequenceOf,
  streamOf,
} from "../transport/write_header.ts";
import type { StreamMarks } from "./stream_marks.ts";

/** More contexts are not remembered at a time, nor longer ones in all. */
const CONTEXTS_MAX = 1 << 14;
const CONTEXTS_BYTES_MAX = 4 << 20;

/** A string that is not closed within so many bytes is given up. */
export const CARRY_BYTES_MAX = 1 << 20;

export interface OpenBatch extends IngestBatch {
  /** Start of a line whose end has not come yet. */
  carry: Uint8Array | undefined;
  /** Inside a line that was given up: everything up to the next line break goes. */
  isSkipping: boolean;
  /** Frames sent to other shards. */
  forwards: number;
  /** Where the batch ends in its stream. */
  readonly mark: StreamMark | undefined;
  /** The mark was reached before: this shard passes its own lines over. */
  readonly isReplay: boolean;
  /** Frames of lines by shard, of a marked batch. */
  readonly forwardedTo: Map<number, number>;
}

export class OpenBatches {
  readonly #marks: StreamMarks;
  readonly #open = new Map<number, OpenBatch>();
  readonly #contexts = new Map<string, Context>();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #contextBytes = 0;
  /** Numbers are never used twice: a batch may outlive the table that knew its own. */
  #nextContext = 0;

  constructor(marks: StreamMarks) {
    this.#marks = marks;
  }

  /** Remembered contexts are full; the owner may clear them together with the keys. */
  get contextsAreFull(): boolean {
    return this.#contexts.size >= CONTEXTS_MAX ||
      this.#contextBytes >= CONTEXTS_BYTES_MAX;
  }

  /**
   * Forgets all contexts. Clear the key table with it: its records name contexts by
   * number.
   */
  clearContexts(): void {
    this.#contexts.clear();
    this.#contextBytes = 0;
  }

  /**
   * A batch as the header of a WRITE or FORWARD frame describes it. `horizon` tells
   * before which time samples are passed over, given the arrival.
   */
  begin(
    frame: PartFrame,
    horizon: (nowSec: number, instance: string) => number,
    shouldPause?: () => boolean,
  ): OpenBatch {
    const nowSec = nowSecOf(frame);
    const runs = runsOf(frame);
    const mark = this.#mark(frame);
    const isReplay = mark !== undefined && this.#marks.covers(mark);
    const wasApplied = mark === undefined || isReplay
      ? undefined
      : this.#marks.appliedHosts(mark);
    const context = this.#context(frame);
    return {
      context: wasApplied === undefined
        ? context
        : { ...context, id: KEYS_NOT_KEPT },
      tally: new BatchTally(),
      nowSec,
      oldestSec: isReplay ? Infinity : horizon(nowSec, context.instance),
      line: runs > 0 ? 0 : lineOf(frame),
      numbers: runs > 0
        ? new LineNumbers(frame.view, runsAt(frame), runs)
        : undefined,
      wasApplied,
      strictLine: 0,
      mayBeGivenUp: (frame.aux & PART_MAY_GIVE_UP) !== 0,
      isGivenUp: false,
      // A mark stands for all lines before it, so they are applied in one go.
      shouldPause: mark === undefined ? shouldPause : undefined,
      isPaused: false,
      carry: undefined,
      isSkipping: false,
      forwards: 0,
      mark,
      isReplay,
      forwardedTo: new Map(),
    };
  }

  keep(id: number, batch: OpenBatch): void {
    this.#open.set(id, batch);
  }

  get(id: number): OpenBatch | undefined {
    return this.#open.get(id);
  }

  drop(id: number): void {
    this.#open.delete(id);
  }

  #mark(frame: PartFrame): StreamMark | undefined {
    const sequence = sequenceOf(frame);
    if (sequence === 0) return undefined;
    return { stream: this.#decoder.decode(streamOf(frame)), sequence };
  }

  /** The instance that a frame belongs to. */
  instanceOf(frame: PartFrame): string {
    return this.#context(frame).instance;
  }

  #context(frame: PartFrame): Context {
    const encoded = contextOf(frame);
    const key = this.#decoder.decode(encoded);
    let context = this.#contexts.get(key);
    if (context === undefined) {
      const { clusters, maxSeries, ...names } = JSON.parse(key) as BatchContext;
      const id = this.contextsAreFull ? KEYS_NOT_KEPT : this.#nextContext++;
      context = {
        id,
        ...names,
        clusters: clusters && new Set(clusters),
        maxSeries: maxSeries ?? 0,
        encoded,
      };
      if (id >= 0) {
        this.#contexts.set(key, context);
        this.#contextBytes += encoded.length;
      }
    }
    return context;
  }
}
