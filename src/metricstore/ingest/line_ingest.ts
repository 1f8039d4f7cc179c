/**
 * Line protocol into the store: the loop over a part of a batch. Owner thread
 * only.
 *
 * Fast path, one line: compare its key with the one that followed last time, read
 * the value and the timestamp, write the slot. No allocation, no strings.
 * Slow path (`slow_line.ts`): everything else.
 *
 * Lines of hosts that another shard owns are not read any further: a contiguous
 * range of them is handed to `forward`, and their owner counts them.
 */
import { assert } from "../../base/assert.ts";
import { FREQUENCY, RECORD_SHIFT } from "../store/layout.ts";
import type { SeriesTable } from "../store/series_table.ts";
import type { BatchTally } from "./batch_tally.ts";
import {
  hashKey,
  KEY_AT,
  KEY_BYTES,
  KEY_BYTES_MAX,
  KEY_CONTEXT,
  KEY_NEXT,
  KEY_SHIFT,
  KEY_TAIL,
  KEY_TARGET,
  type KeyTable,
} from "./key_table.ts";
import type { LineNumbers } from "./line_numbers.ts";
import { parseFieldValue, parseTimestampSec } from "./number_parse.ts";
import type { Context, SlowLines } from "./slow_line.ts";

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const MINUS = 0x2d;
const DOT = 0x2e;
const HASH = 0x23;

/** Powers of ten that are exact as doubles and enough for nine digits. */
const POW10 = new Float64Array(
  [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
);

/** Says of a host whether it is one of those that are meant. */
export type HostCheck = (
  instance: string,
  cluster: string,
  host: string,
) => boolean;

/** A batch on its way through this shard. */
export interface IngestBatch {
  readonly context: Context;
  readonly tally: BatchTally;
  /** Arrival; the time of lines without a timestamp. */
  readonly nowSec: number;
  /** Number of the line that comes next; with `numbers` an index into them. */
  line: number;
  /** Where lines of one frame come from all over a part; absent: one after the other. */
  readonly numbers: LineNumbers | undefined;
  /** Samples before it are passed over; -Infinity: none are. */
  readonly oldestSec: number;
  /**
   * The hosts whose lines were applied before, to be passed over; `undefined`: no
   * host's were. Asked where lines are read in full, so the batch needs a context
   * in which keys are not kept.
   */
  readonly wasApplied: HostCheck | undefined;
  /** A line in which strings may not contain line breaks; 0: none. */
  strictLine: number;
  /**
   * Asked after each line that was read in full: whether to stop behind it, since
   * others wait. Absent: never.
   */
  readonly shouldPause?: (() => boolean) | undefined;
  /** Whether reading has stopped for that; the lines behind come again. */
  isPaused?: boolean;
  /** Whether it may be given up where hardly a line of it can be read. */
  readonly mayBeGivenUp: boolean;
  /** It was: none of its further lines is read. */
  isGivenUp: boolean;
}

/** Called for every stored sample, before its batch is acknowledged. */
export interface SampleLog {
  append(series: number, timestampSec: number, value: number): void;
}

/**
 * Notes that bytes [start, end) of the part are `lines` lines of another shard's
 * hosts, the first of them numbered `line`.
 */
export type Forward = (
  shard: number,
  start: number,
  end: number,
  line: number,
  lines: number,
) => void;

export class LineIngest {
  readonly #keys: KeyTable;
  readonly #table: SeriesTable;
  readonly #slow: SlowLines;
  readonly #log: SampleLog | undefined;
  readonly #maxFutureSec: number;
  /** Key of the last line read, of any batch. */
  #lastKey = 0;

  constructor(
    keys: KeyTable,
    slow: SlowLines,
    table: SeriesTable,
    maxFutureSec: number,
    log?: SampleLog,
  ) {
    this.#keys = keys;
    this.#slow = slow;
    this.#log = log;
    this.#table = table;
    this.#maxFutureSec = maxFutureSec;
  }

  /** Forgets predictions; to be called when the key table was cleared. */
  forgetPrediction(): void {
    this.#lastKey = 0;
  }

  /**
   * Applies the lines in `bytes[start, end)`. Where `isFinal` is false the last
   * line may be cut: the return value is where the bytes begin that must come
   * again in front of the next part; `end` if none.
   *
   * `bytes` must have at least 64 readable bytes behind `end` that stop a scan for
   * digits, as rings and scratch memory have. `view` covers the same bytes.
   */
  ingest(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    isFinal: boolean,
    batch: IngestBatch,
    forward: Forward,
  ): number {
    const keys = this.#keys;
    const table = this.#table;
    const log = this.#log;
    const words = table.words;
    const tally = batch.tally;
    const context = batch.context.id;
    const nowSec = batch.nowSec;
    const oldest = batch.oldestSec;
    const newest = nowSec + this.#maxFutureSec;

    const { arena, records } = keys;
    let key = this.#lastKey;
    let line = batch.line;
    let stored = 0;
    // The timestamp read last and its ten digits, to recognise it unread.
    let time = 0;
    let time0 = 0, time1 = 0, time2 = 0;
    let hasTime = false;
    // Foreign lines not handed over yet.
    let foreignShard = -1, foreignStart = 0, foreignLine = 0;

    let at = start;
    while (at < end) {
      // 1. Which series? Fast path: the one that followed last time.
      const before = key;
      const predicted = records[(before << KEY_SHIFT) + KEY_NEXT]!;
      let valueAt = matchKey(
        view,
        at,
        end,
        records,
        arena,
        predicted << KEY_SHIFT,
        context,
      );
      let found = predicted;
      if (valueAt === 0) {
        valueAt = commonKeyEnd(bytes, at, end);
        if (valueAt !== 0) {
          const hash = hashKey(bytes, at, valueAt, context);
          found = keys.find(bytes, at, valueAt, hash, context);
          if (found !== 0) records[(before << KEY_SHIFT) + KEY_NEXT] = found;
          else valueAt = 0;
        }
      }

      let target = 0;
      // Start of the next line once everything in this one was understood.
      let next = 0;
      let value = 0;
      let timestamp = nowSec;
      if (valueAt !== 0) {
        key = found;
        target = records[(key << KEY_SHIFT) + KEY_TARGET]!;

        // 2. The value. Fast path: up to nine digits and a dot; else the full grammar.
        let p = valueAt;
        const isNegative = bytes[p] === MINUS;
        if (isNegative) p++;
        const digitsAt = p;
        let mantissa = 0;
        let digit = bytes[p]! - 48;
        while (digit >= 0 && digit <= 9) {
          mantissa = (Math.imul(mantissa, 10) + digit) | 0;
          digit = bytes[++p]! - 48;
        }
        let digits = p - digitsAt;
        let decimals = 0;
        let isPlain = digits > 0;
        if (bytes[p] === DOT) {
          const dotAt = p;
          digit = bytes[++p]! - 48;
          while (digit >= 0 && digit <= 9) {
            mantissa = (Math.imul(mantissa, 10) + digit) | 0;
            digit = bytes[++p]! - 48;
          }
          decimals = p - dotAt - 1;
          digits += decimals;
          isPlain = isPlain && decimals > 0;
        }
        if (isPlain && digits <= 9) {
          value = mantissa / POW10[decimals]!;
          if (isNegative) value = -value;
        } else {
          p = fieldEnd(bytes, valueAt, end);
          value = parseFieldValue(bytes, valueAt, p);
          if (value !== value) p = end;
        }

        // 3. The timestamp. Fast path: the same ten digits as the line before.
        const breakBytes = lineBreakBytes(bytes, p + 11);
        if (
          breakBytes > 0 && p + 11 + breakBytes <= end && bytes[p] === SPACE
        ) {
          p++;
          if (
            hasTime && view.getInt32(p, true) === time0 &&
            view.getInt32(p + 4, true) === time1 &&
            view.getInt16(p + 8, true) === time2
          ) {
            timestamp = time;
            next = p + 10 + breakBytes;
          } else {
            timestamp = parseTimestampSec(bytes, p, p + 10);
            if (timestamp === timestamp) {
              time = timestamp;
              time0 = view.getInt32(p, true);
              time1 = view.getInt32(p + 4, true);
              time2 = view.getInt16(p + 8, true);
              hasTime = true;
              next = p + 10 + breakBytes;
            }
          }
        } else if (p < end && bytes[p] === SPACE) {
          const timeEnd = fieldEnd(bytes, p + 1, end);
          const after = timeEnd + lineBreakBytes(bytes, timeEnd);
          if (after > timeEnd && after <= end) {
            timestamp = parseTimestampSec(bytes, p + 1, timeEnd);
            if (timestamp === timestamp) next = after;
          }
        } else if (p < end) {
          const after = p + lineBreakBytes(bytes, p);
          if (after > p && after <= end) next = after;
        }
      }

      // 4. Foreign lines end where something else begins.
      if (foreignShard >= 0 && (next === 0 || target !== ~foreignShard)) {
        forward(
          foreignShard,
          foreignStart,
          at,
          foreignLine,
          line - foreignLine,
        );
        foreignShard = -1;
      }

      // 5. Store. Fast path: a live series of ours, a time within the window.
      if (next !== 0) {
        if (target < 0) {
          if (foreignShard < 0) {
            foreignShard = ~target;
            foreignStart = at;
            foreignLine = line;
          }
          line++;
          at = next;
          continue;
        }
        if (timestamp < oldest || timestamp > newest) {
          tally.skip(timestamp < oldest ? "too-old" : "too-new");
          line++;
          at = next;
          continue;
        }
        if (
          words[(target << RECORD_SHIFT) + FREQUENCY] !== 0 &&
          table.write(target, timestamp, value)
        ) {
          log?.append(target, timestamp, value);
          stored++;
          line++;
          at = next;
          continue;
        }
      }

      // Slow path: first sight, odd shape, something wrong, nothing to store.
      const blank = blankLineEnd(bytes, at, end);
      if (blank !== 0) {
        line++;
        at = blank;
        continue;
      }
      const slow = this.#slow;
      const number = batch.numbers === undefined
        ? line
        : batch.numbers.of(line);
      batch.line = number;
      const owner = slow.take(bytes, at, end, isFinal, batch);
      if (slow.isIncomplete) break;
      if (slow.key !== 0) {
        if (valueAt === 0) {
          records[(before << KEY_SHIFT) + KEY_NEXT] = slow.key;
        }
        key = slow.key;
      }
      if (owner >= 0) {
        foreignShard = owner;
        foreignStart = at;
        foreignLine = line;
      }
      assert(slow.next > at, "a line must end behind its start");
      at = slow.next;
      line += batch.line - number;
      if (batch.isGivenUp) {
        at = end;
        break;
      }
      if (at < end && batch.shouldPause?.() === true) {
        batch.isPaused = true;
        break;
      }
    }
    if (foreignShard >= 0) {
      forward(
        foreignShard,
        foreignStart,
        Math.min(at, end),
        foreignLine,
        line - foreignLine,
      );
    }
    this.#lastKey = key;
    batch.line = line;
    tally.lines += stored;
    tally.stored += stored;
    return at;
  }
}

/**
 * Where the value begins if the line at `at` begins with the key whose record is
 * at `record`; else 0. Four bytes at a time, the last four overlapping.
 */
function matchKey(
  view: DataView,
  at: number,
  end: number,
  records: Int32Array,
  arena: Int32Array,
  record: number,
  context: number,
): number {
  const last = at + records[record + KEY_BYTES]! - 4;
  if (
    last + 4 >= end || records[record + KEY_CONTEXT] !== context ||
    view.getInt32(last, true) !== records[record + KEY_TAIL]
  ) return 0;
  let word = records[record + KEY_AT]!;
  for (let p = at; p < last; p += 4) {
    if (view.getInt32(p, true) !== arena[word++]) return 0;
  }
  return last + 4;
}

/**
 * Where the value begins if the line has the common shape `key value=…` with one
 * space and no escapes in front of it; else 0.
 */
function commonKeyEnd(bytes: Uint8Array, at: number, end: number): number {
  const stop = Math.min(end - 8, at + KEY_BYTES_MAX);
  for (let p = at; p < stop; p++) {
    const byte = bytes[p]!;
    if (byte > SPACE) {
      if (byte === 0x5c) return 0;
      continue;
    }
    if (
      byte === SPACE && p > at && bytes[p + 1] === 0x76 &&
      bytes[p + 2] === 0x61 && bytes[p + 3] === 0x6c &&
      bytes[p + 4] === 0x75 && bytes[p + 5] === 0x65 && bytes[p + 6] === 0x3d
    ) return p + 7;
    return 0;
  }
  return 0;
}

/** Bytes of the line break at `at`: 1 for LF, 2 for CR LF, 0 for none. */
function lineBreakBytes(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  if (byte === LF) return 1;
  return byte === CR && bytes[at + 1] === LF ? 2 : 0;
}

/** Where the next line begins if this one is blank or a comment; else 0. */
function blankLineEnd(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && bytes[p] === SPACE) p++;
  if (bytes[p] === HASH) {
    while (p < end && bytes[p] !== LF) p++;
  } else if (bytes[p] === CR) p++;
  return p < end && bytes[p] === LF ? p + 1 : 0;
}

/** End of a bare value: the next comma, space, CR or LF, at most `end`. */
function fieldEnd(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end) {
    const byte = bytes[p]!;
    if (byte === 0x2c || byte === SPACE || byte === 0x0d || byte === LF) break;
    p++;
  }
  return p;
}
