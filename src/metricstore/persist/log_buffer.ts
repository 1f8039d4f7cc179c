/**
 * One batch of a shard on its way to the log, built in the form in which it is
 * written: a sample that continues its run costs one compare and one store.
 * Owner thread only.
 *
 * Memory: the bytes of the largest recent batch, at most `KEPT_BYTES_MAX` between
 * batches.
 */
import { assert } from "../../base/assert.ts";
import { DictionaryWriter, type SeriesEntry } from "./series_dictionary.ts";
import {
  IDS_MAX,
  KIND,
  RECORD_HEADER_BYTES,
  RECORD_PAYLOAD_GOAL,
  RUN_HEADER_BYTES,
  sealRecord,
  WHOLE_PAYLOAD_BYTES,
} from "./wal_format.ts";

const FIRST_BYTES = 1 << 17;
/** About 500,000 samples; a larger buffer is given back after its batch. */
const KEPT_BYTES_MAX = 1 << 22;

// All positions below count words of eight bytes.
const RECORD_HEADER = RECORD_HEADER_BYTES / 8;
const RUN_HEADER = RUN_HEADER_BYTES / 8;
const WHOLE = RECORD_HEADER + WHOLE_PAYLOAD_BYTES / 8;
const RECORD_GOAL = (RECORD_HEADER_BYTES + RECORD_PAYLOAD_GOAL) / 8;
const NONE = -1;

export class LogBuffer {
  readonly #describe: (series: number) => SeriesEntry;
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #floats = new Float64Array(this.#bytes.buffer);
  /** Where the next value goes. */
  #at = 0;
  /** Values of the open run may be put below this. */
  #limit = 0;
  /** Start of the open SAMPLES record and of the run in it. */
  #record = NONE;
  #run = NONE;
  /** By series: its id in the segment plus 1; 0: not yet named there. */
  #ids = new Int32Array(1024);
  /** Value that `#ids` must have for a sample to continue the open run. */
  #next = NONE;
  #timeSec = NaN;
  #idCount = 0;
  #isWhole = false;
  readonly #dictionary = new DictionaryWriter();
  /** Series that this batch names. */
  #named: number[] = [];
  #joined = new Uint8Array(0);

  /** `describe` is asked for the names of a series when a segment first meets it. */
  constructor(describe: (series: number) => SeriesEntry) {
    this.#describe = describe;
  }

  get isEmpty(): boolean {
    return this.#at === 0 && this.#dictionary.isEmpty;
  }

  /** Bytes that the batch has so far. */
  get byteLength(): number {
    return this.#at * 8 + this.#dictionary.byteLength * 2;
  }

  /** Whether the segment's ids run out, so that another should follow. */
  get isShortOfIds(): boolean {
    return this.#idCount > IDS_MAX / 2;
  }

  /** Adds a sample. */
  append(series: number, timestampSec: number, value: number): void {
    // Fast path: the next series of the same scrape.
    if (
      this.#ids[series] === this.#next && timestampSec === this.#timeSec &&
      this.#at < this.#limit
    ) {
      this.#floats[this.#at++] = value;
      this.#next++;
      return;
    }
    this.#appendElsewhere(series, timestampSec, value);
  }

  #appendElsewhere(series: number, timestampSec: number, value: number): void {
    const id = this.#idOf(series);
    const isFull = this.#at + RUN_HEADER + 1 > this.#record + RECORD_GOAL;
    if (this.#record !== NONE && isFull) this.#closeRecord();
    this.#reserve(RECORD_HEADER + RUN_HEADER + 1);
    if (this.#record === NONE) {
      this.#record = this.#at;
      this.#at += RECORD_HEADER;
    }
    if (id + 1 !== this.#next || timestampSec !== this.#timeSec) {
      this.#closeRun();
      this.#run = this.#at;
      this.#view.setUint32(this.#at * 8, id, true);
      this.#floats[this.#at + 1] = timestampSec;
      this.#at += RUN_HEADER;
      this.#timeSec = timestampSec;
    }
    this.#floats[this.#at++] = value;
    this.#next = id + 2;
    this.#limit = Math.min(this.#floats.length, this.#record + RECORD_GOAL);
  }

  /** Adds a record of another kind; it stays in order with the samples. */
  addRecord(kind: number, payload: Uint8Array): void {
    assert(payload.length % 8 === 0, "payloads are whole words");
    this.#closeRecord();
    this.#reserve(RECORD_HEADER + payload.length / 8);
    const start = this.#at * 8;
    this.#bytes.set(payload, start + RECORD_HEADER_BYTES);
    const end = start + RECORD_HEADER_BYTES + payload.length;
    sealRecord(this.#bytes, this.#view, start, end, kind);
    this.#at = end / 8;
  }

  /** Marks the batch atomic: recovery applies all of its records or none. */
  makeWhole(): void {
    this.#isWhole = true;
  }

  /**
   * The batch as it goes to disk: names, samples, and the names once more; before
   * them, if it is to be found whole, how many bytes they are. The bytes are valid
   * until the next call.
   */
  finish(): Uint8Array {
    this.#closeRecord();
    const samples = this.#bytes.subarray(0, this.#at * 8);
    if (this.#dictionary.isEmpty && !this.#isWhole) return samples;
    const names = this.#dictionary.finish();
    const length = samples.length + names.length * 2;
    const head = this.#isWhole ? WHOLE * 8 : 0;
    if (this.#joined.length < head + length) {
      this.#joined = new Uint8Array(head + length);
    }
    const joined = this.#joined;
    if (this.#isWhole) {
      const view = new DataView(joined.buffer);
      view.setFloat64(RECORD_HEADER_BYTES, length, true);
      sealRecord(joined, view, 0, head, KIND.WHOLE);
    }
    joined.set(names, head);
    joined.set(samples, head + names.length);
    joined.set(names, head + names.length + samples.length);
    return joined.subarray(0, head + length);
  }

  /** The batch is in the log: begins the next. */
  accept(): void {
    this.#clear();
  }

  /** Forgets a batch that is not in the log, with the names it gave. */
  undo(): void {
    for (const series of this.#named) this.#ids[series] = 0;
    this.#idCount -= this.#named.length;
    this.#clear();
  }

  /** The next batch goes to another segment, which knows no names yet. */
  startSegment(): void {
    assert(this.isEmpty, "a batch lies within one segment");
    this.#ids.fill(0);
    this.#idCount = 0;
  }

  /** The series' number will mean another series. */
  forget(series: number): void {
    if (series < this.#ids.length) this.#ids[series] = 0;
  }

  #idOf(series: number): number {
    if (series >= this.#ids.length) this.#growIds(series + 1);
    const known = this.#ids[series]!;
    if (known !== 0) return known - 1;
    const id = this.#idCount++;
    assert(id < IDS_MAX, "segments end before their ids do");
    this.#dictionary.add(id, this.#describe(series));
    this.#ids[series] = id + 1;
    this.#named.push(series);
    return id;
  }

  #growIds(count: number): void {
    const grown = new Int32Array(Math.max(count, this.#ids.length * 2));
    grown.set(this.#ids);
    this.#ids = grown;
  }

  #closeRun(): void {
    if (this.#run === NONE) return;
    const count = this.#at - this.#run - RUN_HEADER;
    this.#view.setUint32(this.#run * 8 + 4, count, true);
    this.#run = NONE;
    this.#next = NONE;
  }

  #closeRecord(): void {
    this.#closeRun();
    this.#timeSec = NaN;
    if (this.#record === NONE) return;
    const start = this.#record * 8;
    sealRecord(this.#bytes, this.#view, start, this.#at * 8, KIND.SAMPLES);
    this.#record = NONE;
  }

  /** Makes room for `words` more. */
  #reserve(words: number): void {
    const needed = (this.#at + words) * 8;
    if (needed <= this.#bytes.length) return;
    const length = Math.max(needed, this.#bytes.length * 2);
    const grown = new Uint8Array(length);
    grown.set(this.#bytes.subarray(0, this.#at * 8));
    this.#use(grown);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#floats = new Float64Array(bytes.buffer);
  }

  #clear(): void {
    this.#record = NONE;
    this.#run = NONE;
    this.#next = NONE;
    this.#timeSec = NaN;
    this.#at = 0;
    this.#limit = 0;
    this.#named.length = 0;
    this.#isWhole = false;
    this.#dictionary.clear();
    if (this.#bytes.length > KEPT_BYTES_MAX) {
      this.#use(new Uint8Array(FIRST_BYTES));
    }
    if (this.#joined.length > KEPT_BYTES_MAX) this.#joined = new Uint8Array(0);
  }
}
