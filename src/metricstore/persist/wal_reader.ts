/**
 * Reads one log segment, damaged or not. Runs anywhere; it never throws because of a
 * file's content or an unreadable part.
 *
 * Behind damage it goes on at the next record whose magic, length and checksum
 * fit. Since names are written twice, a gap costs the samples in it and nothing
 * else: at the first gap the rest of the segment is searched for names once.
 *
 * Memory: a window of 4 MiB (two after damage). Values are handed over where
 * they lie in it, without a copy.
 */
import { assert } from "../../base/assert.ts";
import {
  checkHeader,
  type FileOwner,
  HEADER_BYTES,
  previousBytesOf,
} from "./file_header.ts";
import type { Files } from "./files.ts";
import { RecordScan } from "./record_scan.ts";
import { newReport, noteGap, type SegmentReport } from "./segment_report.ts";
import {
  dictionaryIds,
  readDictionary,
  type SeriesEntry,
} from "./series_dictionary.ts";
import {
  IDS_MAX,
  KIND,
  RECORD_HEADER_BYTES,
  RUN_HEADER_BYTES,
  WAL_FORMAT,
} from "./wal_format.ts";
import {
  decodeFree,
  decodeFreeSeries,
  decodeMark,
  type FreeRecord,
  type FreeSeriesRecord,
  type MarkRecord,
} from "./wal_records.ts";

/** Receives the records of a segment, in the order in which they were written. */
export interface WalHandler {
  /**
   * The name of an id, before any sample of it. Ids count from 0 in every
   * segment anew and are never used twice in one.
   */
  series(id: number, entry: SeriesEntry): void;
  /**
   * `count` values of one time, for the ids from `firstId` on:
   * `values[at + i]` belongs to `firstId + i`. Valid during the call.
   */
  samples(
    firstId: number,
    count: number,
    timestampSec: number,
    values: Float64Array,
    at: number,
  ): void;
  free(record: FreeRecord): void;
  freeSeries(record: FreeSeriesRecord): void;
  mark(record: MarkRecord): void;
}

/** Reads the segment of `owner` at `path`. Throws a `StorageError` if it cannot be opened. */
export function readSegment(
  files: Files,
  path: string,
  owner: FileOwner,
  handler: WalHandler,
): SegmentReport {
  return new SegmentReader(files, path, owner, handler).read();
}

/**
 * Whether the file ends within a batch of which all or nothing counts. By length
 * alone: a damaged record inside costs no more than itself.
 */
function isCutOff(scan: RecordScan): boolean {
  if (scan.kind !== KIND.WHOLE) return false;
  const behind = scan.floats[scan.payloadStart >> 3]!;
  const start = scan.at + RECORD_HEADER_BYTES + scan.payloadBytes;
  return start + behind > scan.fileBytes;
}

class SegmentReader {
  readonly #files: Files;
  readonly #path: string;
  readonly #owner: FileOwner;
  readonly #handler: WalHandler;
  readonly #report: SegmentReport;
  /** By id: 1 once its name was handed over. */
  #isNamed = new Uint8Array(1024);
  /** All ids below this are named. */
  #namedBelow = 0;
  #hasCollectedNames = false;

  constructor(
    files: Files,
    path: string,
    owner: FileOwner,
    handler: WalHandler,
  ) {
    this.#files = files;
    this.#path = path;
    this.#owner = owner;
    this.#handler = handler;
    this.#report = newReport(path, owner.segment);
  }

  read(): SegmentReport {
    const scan = new RecordScan(this.#files, this.#path);
    try {
      this.#report.fileBytes = scan.fileBytes;
      const header = scan.head(HEADER_BYTES);
      this.#report.header = checkHeader(header, WAL_FORMAT, this.#owner);
      if (this.#report.header === "good") {
        this.#report.previousBytes = previousBytesOf(header);
      }
      if (this.#report.header !== "unknown-version") this.#readRecords(scan);
      this.#report.unreadableBytes = scan.unreadableBytes;
    } finally {
      scan.close();
    }
    return this.#report;
  }

  #readRecords(scan: RecordScan): void {
    const report = this.#report;
    let end = Math.min(HEADER_BYTES, report.fileBytes);
    if (report.header === "damaged") {
      // Nothing but a torn header: a crash while the segment was made.
      if (!scan.next(HEADER_BYTES)) {
        report.tornTailBytes = report.fileBytes;
        return;
      }
      noteGap(report, 0, HEADER_BYTES);
    }
    while (scan.next(end)) {
      if (scan.at > end) this.#passGap(end, scan.at);
      end = scan.at;
      // The process was killed while it wrote this batch.
      if (isCutOff(scan)) break;
      this.#take(scan);
      end = scan.at + RECORD_HEADER_BYTES + scan.payloadBytes;
    }
    report.goodBytes = end;
    report.tornTailBytes = report.fileBytes - end;
  }

  #passGap(from: number, to: number): void {
    if (!this.#hasCollectedNames) this.#collectNames(to);
    this.#hasCollectedNames = true;
    noteGap(this.#report, from, to - from);
  }

  /** Hands over all names that are written at or behind `from`. */
  #collectNames(from: number): void {
    const scan = new RecordScan(this.#files, this.#path);
    try {
      for (let at = from; scan.next(at);) {
        if (scan.kind === KIND.SERIES) this.#takeSeries(scan.payload());
        at = scan.at + RECORD_HEADER_BYTES + scan.payloadBytes;
      }
    } finally {
      scan.close();
    }
  }

  #take(scan: RecordScan): void {
    const report = this.#report;
    report.records++;
    switch (scan.kind) {
      case KIND.SAMPLES:
        return this.#takeSamples(scan);
      case KIND.SERIES:
        if (!this.#takeSeries(scan.payload())) report.malformedRecords++;
        return;
      case KIND.FREE: {
        const record = decodeFree(scan.payload());
        if (record === undefined) report.malformedRecords++;
        else this.#handler.free(record);
        return;
      }
      case KIND.FREE_SERIES: {
        const record = decodeFreeSeries(scan.payload());
        if (record === undefined) report.malformedRecords++;
        else this.#handler.freeSeries(record);
        return;
      }
      case KIND.MARK: {
        const record = decodeMark(scan.payload());
        if (record === undefined) report.malformedRecords++;
        else this.#handler.mark(record);
        return;
      }
      case KIND.WHOLE:
        return;
      default:
        report.unknownRecords++;
    }
  }

  /** Fast path: once per run, not per sample. */
  #takeSamples(scan: RecordScan): void {
    const { words, floats } = scan;
    const end = scan.payloadEnd >> 3;
    let at = scan.payloadStart >> 3;
    while (at < end) {
      const firstId = words[at * 2]!;
      const count = words[at * 2 + 1]!;
      const first = at + RUN_HEADER_BYTES / 8;
      if (count === 0 || first + count > end || firstId + count > IDS_MAX) {
        this.#report.malformedRecords++;
        return;
      }
      if (firstId + count <= this.#namedBelow) {
        this.#report.samples += count;
        this.#handler.samples(firstId, count, floats[at + 1]!, floats, first);
      } else {
        this.#takeNamed(firstId, count, floats[at + 1]!, floats, first);
      }
      at = first + count;
    }
  }

  /** Hands over the stretches of a run whose names are known. */
  #takeNamed(
    firstId: number,
    count: number,
    timestampSec: number,
    values: Float64Array,
    at: number,
  ): void {
    let from = 0;
    while (from < count) {
      const isNamed = this.#isNamed[firstId + from] === 1;
      let to = from + 1;
      while (
        to < count && (this.#isNamed[firstId + to] === 1) === isNamed
      ) to++;
      if (isNamed) {
        this.#report.samples += to - from;
        this.#handler.samples(
          firstId + from,
          to - from,
          timestampSec,
          values,
          at + from,
        );
      } else {
        this.#report.namelessSamples += to - from;
      }
      from = to;
    }
  }

  #takeSeries(payload: Uint8Array): boolean {
    // The second copy of names is read only where the first was lost.
    const ids = dictionaryIds(payload);
    if (ids.first + ids.count <= this.#namedBelow) return true;
    return readDictionary(payload, (id, entry) => {
      this.#nameOnce(id, entry);
    });
  }

  #nameOnce(id: number, entry: SeriesEntry): void {
    assert(id < IDS_MAX, "ids are checked when they are read");
    if (this.#isNamed[id] === 1) return;
    if (id >= this.#isNamed.length) {
      const grown = new Uint8Array(Math.max(id + 1, this.#isNamed.length * 2));
      grown.set(this.#isNamed);
      this.#isNamed = grown;
    }
    this.#isNamed[id] = 1;
    while (this.#isNamed[this.#namedBelow] === 1) this.#namedBelow++;
    this.#handler.series(id, entry);
  }
}
