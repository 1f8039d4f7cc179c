/**
 * The series of one shard: records, hot tiles, runs, and everything that writes
 * them. It knows no names and no clock. Owner thread only.
 *
 * Cost of a sample: one record, one slot (fast path); every 64th sample of a
 * series also seals a page.
 *
 * Slots hold float64; NaN means "no value". One value a slot, the last to arrive.
 */
import { assert } from "../../base/assert.ts";
import {
  FREQUENCY,
  HEAD,
  LANE_MASK,
  LANE_SHIFT,
  LANES,
  LENGTH,
  LEVEL,
  METRIC,
  NEXT_SLOT,
  OLDEST,
  OWNER,
  OWNERS_MAX,
  PAGE_MASK,
  PAGE_SHIFT,
  PAGE_SLOTS,
  phaseOf,
  RECORD_SHIFT,
  RECORD_WORDS,
  RUN_FIRST,
  RUN_LENGTH,
  RUN_NEXT,
  RUN_OWNER,
  RUN_PAGE_COUNT,
  RUN_PAGES,
  RUN_PREV,
  RUN_SLOTS,
  RUN_START,
  SHARD_RUNS_MAX,
  SHARD_SERIES_MAX,
  TILE_SHIFT,
} from "./layout.ts";
import { PAGE, SealedPages, THAWED_PAGES_MAX } from "./sealed_pages.ts";

const RUN_BYTES = RECORD_WORDS * 4;
/** A record and a hot lane. */
export const SERIES_BYTES = RECORD_WORDS * 4 + PAGE_SLOTS * 8;

export class SeriesTable {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly hot: Float64Array;
  readonly runWords: Int32Array;
  readonly runFloats: Float64Array;
  /** Its `ownedBytes` tells what blocks and runs each owner has. */
  readonly pages: SealedPages;
  /** Series of each owner; a record and a hot lane each. */
  readonly ownedSeries = new Int32Array(OWNERS_MAX);

  /** Ids below this have been handed out at least once. */
  #seriesEnd = 0;
  #freeSeries: number[] = [];
  #seriesCount = 0;
  /** Run 0 is reserved: it stands for "none". */
  #runsEnd = 1;
  #freeRun = 0;
  #runCount = 0;

  constructor(
    seriesMax = SHARD_SERIES_MAX,
    runsMax = SHARD_RUNS_MAX,
    thawedMax = THAWED_PAGES_MAX,
  ) {
    assert(
      seriesMax % LANES === 0,
      `series come in tiles of ${LANES}, not ${seriesMax}`,
    );
    const records = new SharedArrayBuffer(seriesMax * RECORD_WORDS * 4);
    this.words = new Int32Array(records);
    this.floats = new Float64Array(records);
    this.hot = new Float64Array(
      new SharedArrayBuffer(seriesMax * PAGE_SLOTS * 8),
    );
    const runs = new SharedArrayBuffer(runsMax * RECORD_WORDS * 4);
    this.runWords = new Int32Array(runs);
    this.runFloats = new Float64Array(runs);
    this.pages = new SealedPages(this.runWords, thawedMax);
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  get runCount(): number {
    return this.#runCount;
  }

  /** Ids of series are below this; some of them may be free. */
  get seriesEnd(): number {
    return this.#seriesEnd;
  }

  /** Bytes that hold samples: sealed blocks, open pages, the hot lanes of the series in use. */
  get sampleBytes(): number {
    return this.pages.pool.used +
      (this.#seriesCount + this.pages.thawedCount) * PAGE_SLOTS * 8;
  }

  /** Bytes taken from the system for samples and records; they are never given back. */
  get reservedBytes(): number {
    return this.pages.pool.touched + this.pages.thawedBytes +
      this.#seriesEnd * PAGE_SLOTS * 8 +
      (this.#seriesEnd + this.#runsEnd) * RECORD_WORDS * 4;
  }

  /** A new series without samples; `undefined`: the table is full. */
  create(
    frequencySec: number,
    metric: number,
    level: number,
    owner = 0,
  ): number | undefined {
    assert(
      Number.isInteger(frequencySec) && frequencySec > 0,
      `frequency must be a positive integer, is ${frequencySec}`,
    );
    let series = this.#freeSeries.pop();
    if (series === undefined) {
      if ((this.#seriesEnd + 1) * RECORD_WORDS > this.words.length) {
        return undefined;
      }
      series = this.#seriesEnd++;
    }
    const at = series << RECORD_SHIFT;
    this.words.fill(0, at, at + RECORD_WORDS);
    this.words[at + FREQUENCY] = frequencySec;
    this.words[at + METRIC] = metric;
    this.words[at + LEVEL] = level;
    this.words[at + OWNER] = owner;
    this.ownedSeries[owner]!++;
    this.floats[(at >> 1) + NEXT_SLOT] = Infinity;
    this.#seriesCount++;
    return series;
  }

  /**
   * Ends a series that has no runs. Its id must not be used again before
   * `recycle` is told that nothing refers to it any more.
   */
  end(series: number): void {
    const at = series << RECORD_SHIFT;
    assert(this.words[at + HEAD] === 0, "a series with runs cannot end");
    this.words[at + FREQUENCY] = 0;
    this.ownedSeries[this.words[at + OWNER]!]!--;
    this.#seriesCount--;
  }

  /** Makes the ids of ended series available to `create`. */
  recycle(ended: readonly number[]): void {
    for (const series of ended) this.#freeSeries.push(series);
  }

  isAlive(series: number): boolean {
    return this.words[(series << RECORD_SHIFT) + FREQUENCY] !== 0;
  }

  /**
   * Stores one sample. The caller has checked the admission window. `false`: no
   * room for another run, the sample is not stored.
   */
  write(series: number, timestampSec: number, value: number): boolean {
    const at = series << RECORD_SHIFT;
    const words = this.words;
    const ahead = timestampSec - this.floats[(at >> 1) + NEXT_SLOT]!;
    const length = words[at + LENGTH]!;
    // Fast path: the slot after the newest, within the hot page.
    if (
      ahead >= 0 && ahead < words[at + FREQUENCY]! &&
      (length & PAGE_MASK) !== 0
    ) {
      this.hot[hotIndex(series, length)] = value;
      words[at + LENGTH] = length + 1;
      this.floats[(at >> 1) + NEXT_SLOT]! += words[at + FREQUENCY]!;
      return true;
    }
    return this.#writeElsewhere(series, timestampSec, value);
  }

  /** Slow path: first sample, page or run boundary, gap, overwrite, late sample. */
  #writeElsewhere(
    series: number,
    timestampSec: number,
    value: number,
  ): boolean {
    const at = series << RECORD_SHIFT;
    const frequency = this.words[at + FREQUENCY]!;
    const head = this.words[at + HEAD]!;
    if (head === 0) return this.#startRun(series, timestampSec, value);
    const slot = Math.floor(
      (timestampSec - this.runStart(head)) / frequency,
    );
    if (slot < 0) return this.#writeLate(series, timestampSec, value);
    if (slot >= RUN_SLOTS) {
      return this.#startRun(series, timestampSec, value);
    }
    const length = this.words[at + LENGTH]!;
    if (slot < length) {
      this.#writeHeadSlot(series, head, slot, value);
      return true;
    }
    this.#extendHead(series, head, length, slot);
    this.hot[hotIndex(series, slot)] = value;
    this.words[at + LENGTH] = slot + 1;
    this.floats[(at >> 1) + NEXT_SLOT] = this.runStart(head) +
      (slot + 1) * frequency;
    return true;
  }

  /** Overwrites a slot of the head run below its length. */
  #writeHeadSlot(
    series: number,
    head: number,
    slot: number,
    value: number,
  ): void {
    const run = head << RECORD_SHIFT;
    const length = this.words[(series << RECORD_SHIFT) + LENGTH]!;
    if (slot >> PAGE_SHIFT === (length - 1) >> PAGE_SHIFT) {
      this.hot[hotIndex(series, slot)] = value;
    } else this.#writeLeft(run, slot, value);
    if (slot < this.runWords[run + RUN_FIRST]!) {
      this.runWords[run + RUN_FIRST] = slot;
    }
  }

  /** Writes one slot of a page that the series has left. */
  #writeLeft(run: number, slot: number, value: number): void {
    this.pages.write(run + RUN_PAGES + (slot >> PAGE_SHIFT), slot, value);
  }

  /** Makes `slot` the next to be written: seals pages that are left, empties what is skipped. */
  #extendHead(
    series: number,
    head: number,
    length: number,
    slot: number,
  ): void {
    const page = slot >> PAGE_SHIFT;
    let from = length;
    if ((length - 1) >> PAGE_SHIFT !== page) {
      this.#sealHot(series, head, length);
      from = page << PAGE_SHIFT;
    }
    for (let i = from; i < slot; i++) this.hot[hotIndex(series, i)] = NaN;
  }

  /** Moves the hot page, which ends at slot `length`, into the pool. */
  #sealHot(series: number, head: number, length: number): void {
    if (this.takeHot(series, length) === 0) return;
    const page = (length - 1) >> PAGE_SHIFT;
    this.pages.seal((head << RECORD_SHIFT) + RUN_PAGES + page);
  }

  /** Copies the hot page, which ends at slot `length`, to PAGE. Returns how many values it has. */
  takeHot(series: number, length: number): number {
    const rows = length === 0 ? 0 : ((length - 1) & PAGE_MASK) + 1;
    const from = hotIndex(series, 0);
    const hot = this.hot;
    let values = 0;
    for (let row = 0; row < rows; row++) {
      const value = hot[from + (row << LANE_SHIFT)]!;
      PAGE[row] = value;
      if (value === value) values++;
    }
    for (let row = rows; row < PAGE_SLOTS; row++) PAGE[row] = NaN;
    return values;
  }

  /** Begins a new head run whose phase this sample fixes. */
  #startRun(series: number, timestampSec: number, value: number): boolean {
    const run = this.allocateRun(series);
    if (run === 0) return false;
    const at = series << RECORD_SHIFT;
    const frequency = this.words[at + FREQUENCY]!;
    const head = this.words[at + HEAD]!;
    const start = timestampSec - phaseOf(frequency);
    this.runFloats[((run << RECORD_SHIFT) >> 1) + RUN_START] = start;
    if (head === 0) this.words[at + OLDEST] = run;
    else {
      const length = this.words[at + LENGTH]!;
      this.#sealHot(series, head, length);
      this.runWords[(head << RECORD_SHIFT) + RUN_LENGTH] = length;
      this.runWords[(head << RECORD_SHIFT) + RUN_NEXT] = run;
      this.runWords[(run << RECORD_SHIFT) + RUN_PREV] = head;
    }
    this.words[at + HEAD] = run;
    this.words[at + LENGTH] = 1;
    this.floats[(at >> 1) + NEXT_SLOT] = start + frequency;
    this.hot[hotIndex(series, 0)] = value;
    return true;
  }

  /**
   * A sample before the head run: into the run that covers it, else into a new
   * run that ends where the next begins. The new run lies so that it reaches up to
   * its successor if that is within 512 slots, so that a history sent backwards
   * fills runs instead of making one a sample.
   */
  #writeLate(series: number, timestampSec: number, value: number): boolean {
    const at = series << RECORD_SHIFT;
    const frequency = this.words[at + FREQUENCY]!;
    let next = this.words[at + HEAD]!;
    let run = this.runWords[(next << RECORD_SHIFT) + RUN_PREV]!;
    while (
      run !== 0 &&
      timestampSec < this.runStart(run)
    ) {
      next = run;
      run = this.runWords[(run << RECORD_SHIFT) + RUN_PREV]!;
    }
    if (run !== 0) {
      const slot = Math.floor(
        (timestampSec - this.runStart(run)) /
          frequency,
      );
      if (slot < RUN_SLOTS) {
        this.#writeLateSlot(run << RECORD_SHIFT, slot, value);
        return true;
      }
    }
    const created = this.allocateRun(series);
    if (created === 0) return false;
    const sampleStart = timestampSec - phaseOf(frequency);
    const nextStart = this.runStart(next);
    const slotsToNext = Math.ceil((nextStart - sampleStart) / frequency);
    let slot = slotsToNext <= RUN_SLOTS ? RUN_SLOTS - slotsToNext : 0;
    if (run !== 0) {
      // It must not begin before its predecessor's slots end.
      const previousEnd = this.runStart(run) +
        RUN_SLOTS * frequency;
      slot = Math.max(
        0,
        Math.min(slot, Math.floor((sampleStart - previousEnd) / frequency)),
      );
    }
    const createdAt = created << RECORD_SHIFT;
    this.runFloats[(createdAt >> 1) + RUN_START] = sampleStart -
      slot * frequency;
    this.runWords[createdAt + RUN_FIRST] = slot;
    this.runWords[createdAt + RUN_LENGTH] = slot;
    this.runWords[createdAt + RUN_PREV] = run;
    this.runWords[createdAt + RUN_NEXT] = next;
    this.runWords[(next << RECORD_SHIFT) + RUN_PREV] = created;
    if (run === 0) this.words[at + OLDEST] = created;
    else this.runWords[(run << RECORD_SHIFT) + RUN_NEXT] = created;
    this.#writeLateSlot(createdAt, slot, value);
    return true;
  }

  #writeLateSlot(run: number, slot: number, value: number): void {
    this.#writeLeft(run, slot, value);
    if (slot < this.runWords[run + RUN_FIRST]!) {
      this.runWords[run + RUN_FIRST] = slot;
    }
    if (slot >= this.runWords[run + RUN_LENGTH]!) {
      this.runWords[run + RUN_LENGTH] = slot + 1;
    }
  }

  /** A zeroed run record for a series, 0: none left. */
  allocateRun(series: number): number {
    let run = this.#freeRun;
    if (run !== 0) {
      this.#freeRun = this.runWords[(run << RECORD_SHIFT) + RUN_NEXT]!;
    } else {
      if ((this.#runsEnd + 1) * RECORD_WORDS > this.runWords.length) return 0;
      run = this.#runsEnd++;
    }
    const at = run << RECORD_SHIFT;
    this.runWords.fill(0, at, at + RECORD_WORDS);
    this.runWords[at + RUN_OWNER] = this
      .words[(series << RECORD_SHIFT) + OWNER]!;
    this.pages.own(at, RUN_BYTES);
    this.#runCount++;
    return run;
  }

  /** Start of a run's slot 0, seconds. */
  runStart(run: number): number {
    return this.runFloats[((run << RECORD_SHIFT) >> 1) + RUN_START]!;
  }

  /** Slots of a run up to the last in use. */
  runLength(series: number, run: number): number {
    const at = series << RECORD_SHIFT;
    return run === this.words[at + HEAD]
      ? this.words[at + LENGTH]!
      : this.runWords[(run << RECORD_SHIFT) + RUN_LENGTH]!;
  }

  /**
   * Removes the runs whose end (start of the slot after the last, by nominal
   * time) is before `endSec`, oldest first. Returns how many.
   */
  freeBefore(series: number, endSec: number): number {
    const at = series << RECORD_SHIFT;
    const frequency = this.words[at + FREQUENCY]!;
    const half = phaseOf(frequency);
    let removed = 0;
    for (;;) {
      const run = this.words[at + OLDEST]!;
      if (run === 0) return removed;
      const end = this.runStart(run) + half +
        this.runLength(series, run) * frequency;
      if (end >= endSec) return removed;
      this.#removeOldest(series, run);
      removed++;
    }
  }

  /**
   * Gives back the sealed pages of the oldest run whose slots all lie before
   * `horizonSec`. The same horizon hid them from readers before.
   */
  trimBefore(series: number, horizonSec: number): void {
    const at = series << RECORD_SHIFT;
    const run = this.words[at + OLDEST]!;
    if (run === 0) return;
    const runAt = run << RECORD_SHIFT;
    const frequency = this.words[at + FREQUENCY]!;
    const slots = Math.floor(
      (horizonSec - this.runStart(run) - phaseOf(frequency)) /
        frequency,
    );
    const length = this.runLength(series, run);
    const pages = Math.min(slots, length - 1) >> PAGE_SHIFT;
    for (let i = 0; i < pages; i++) this.pages.drop(runAt + RUN_PAGES + i);
    if (pages > 0) {
      this.runWords[runAt + RUN_FIRST] = Math.max(
        this.runWords[runAt + RUN_FIRST]!,
        pages << PAGE_SHIFT,
      );
    }
  }

  #removeOldest(series: number, run: number): void {
    const at = series << RECORD_SHIFT;
    const runAt = run << RECORD_SHIFT;
    for (let i = 0; i < RUN_PAGE_COUNT; i++) {
      this.pages.drop(runAt + RUN_PAGES + i);
    }
    this.pages.own(runAt, -RUN_BYTES);
    const next = this.runWords[runAt + RUN_NEXT]!;
    this.words[at + OLDEST] = next;
    if (next === 0) {
      this.words[at + HEAD] = 0;
      this.words[at + LENGTH] = 0;
      this.floats[(at >> 1) + NEXT_SLOT] = Infinity;
    } else this.runWords[(next << RECORD_SHIFT) + RUN_PREV] = 0;
    this.runWords[runAt + RUN_NEXT] = this.#freeRun;
    this.#freeRun = run;
    this.#runCount--;
  }
}

/** Index of a slot of the series' hot page; only the slot's row within the page counts. */
export function hotIndex(series: number, slot: number): number {
  return ((series >>> LANE_SHIFT) << TILE_SHIFT) +
    ((slot & PAGE_MASK) << LANE_SHIFT) + (series & LANE_MASK);
}
