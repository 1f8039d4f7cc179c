/**
 * The log of one shard: batches become records at the end of the newest segment,
 * one write call each. Owner thread only.
 *
 * Invariants:
 * - After `commit` the batch is with the operating system: it outlives the
 *   process. After `sync` everything committed outlives a power cut.
 * - A failed `commit` leaves nothing of its batch that a reader would find: the
 *   segment is cut back, or, when that fails too, given up and never continued;
 *   its torn end is skipped on reading. The next `commit` tries again, so
 *   writing resumes by itself when there is room.
 * - Memory may therefore be ahead of the log by samples that are not acknowledged. A
 *   client that repeats its batch changes nothing: one value a slot, the last in
 *   arrival order.
 * - A failed `sync` is never repeated on the same file: the system may have
 *   thrown the unwritten pages away and would report success. The segment is
 *   given up and `needsSnapshot` stays set until a snapshot stands in for it.
 */
import { assert } from "../../base/assert.ts";
import { encodeHeader } from "./file_header.ts";
import { segmentName } from "./filenames.ts";
import type { Files, OpenFile } from "./files.ts";
import { LogBuffer } from "./log_buffer.ts";
import type { SeriesEntry } from "./series_dictionary.ts";
import { orStorageError, StorageError } from "./storage_error.ts";
import { KIND, WAL_FORMAT } from "./wal_format.ts";
import {
  encodeFree,
  encodeFreeSeries,
  encodeMark,
  type FreeRecord,
  type FreeSeriesRecord,
  type MarkRecord,
} from "./wal_records.ts";
import { writeAll } from "./write_all.ts";

export const SEGMENT_BYTES = 64 << 20;
/** Full segments that wait for a sync; more are synced when they fill up. */
const UNSYNCED_MAX = 4;

/** Where a log goes on after a start. */
export interface WalResume {
  /** Number of the first segment to write: above every one that is there. */
  readonly nextSegment: number;
  /** Up to where the segment before that one is good; 0: there is none. */
  readonly previousBytes: number;
  /** The samples read are not safe from a power cut before a snapshot is made. */
  readonly needsSnapshot: boolean;
}

/** An empty directory. */
export const NEW_LOG: WalResume = {
  nextSegment: 1,
  previousBytes: 0,
  needsSnapshot: false,
};

export interface WalOptions {
  readonly files: Files;
  /** The shard's directory; it exists. */
  readonly directory: string;
  readonly shard: number;
  readonly shardCount: number;
  /** Where recovery says that the log goes on. */
  readonly resume: WalResume;
  /** A segment that reaches this is the last batch's; default 64 MiB. */
  readonly segmentBytes?: number;
  /** The names of a series, asked when a segment first meets it. */
  readonly describe: (series: number) => SeriesEntry;
}

export interface WalPosition {
  readonly segment: number;
  readonly offset: number;
}

interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: OpenFile;
}

export class WalWriter {
  /** The batch that the next `commit` writes; samples go straight in here. */
  readonly batch: LogBuffer;
  readonly #options: WalOptions;
  /** Number of the segment that the next batch goes to. */
  #segment: number;
  #open: Segment | undefined;
  /** Where the last good record of the open segment ends. */
  #end = 0;
  /** Where the last good record of the segment before ends. */
  #previousBytes: number;
  #isOpenSynced = true;
  /** Full segments that no sync has seen yet. */
  readonly #unsynced: Segment[] = [];
  #isDirectorySynced = true;
  /** A snapshot before this segment holds the samples that a failed sync left unsafe. */
  #healedBy: number | undefined;
  #committedBytes = 0;

  constructor(options: WalOptions) {
    this.#options = options;
    const { nextSegment, previousBytes, needsSnapshot } = options.resume;
    this.#segment = nextSegment;
    this.#previousBytes = previousBytes;
    if (needsSnapshot) this.#healedBy = nextSegment;
    this.batch = new LogBuffer(options.describe);
  }

  /** Where the next batch goes. */
  get position(): WalPosition {
    return { segment: this.#segment, offset: this.#end };
  }

  /** Bytes committed since the start; only grows. */
  get committedBytes(): number {
    return this.#committedBytes;
  }

  /**
   * Whether a sync failed and its samples are safe from a power cut only once a
   * snapshot was made; until then `sync` throws.
   */
  get needsSnapshot(): boolean {
    return this.#healedBy !== undefined;
  }

  free(record: FreeRecord): void {
    this.batch.addRecord(KIND.FREE, encodeFree(record));
  }

  freeSeries(record: FreeSeriesRecord): void {
    this.batch.addRecord(KIND.FREE_SERIES, encodeFreeSeries(record));
  }

  /**
   * Logs a mark with the batch. After a kill the log has all of the batch, the mark
   * included, or nothing of it.
   */
  mark(record: MarkRecord): void {
    this.batch.addRecord(KIND.MARK, encodeMark(record));
    this.batch.makeWhole();
  }

  /**
   * Hands the batch to the operating system and begins the next. Throws a
   * `StorageError`; the batch is then not in the log, and not kept either.
   */
  commit(): void {
    if (this.batch.isEmpty) return;
    const bytes = this.batch.finish();
    try {
      this.#open ??= this.#create();
      this.#isOpenSynced = false;
      writeAll(this.#open.file, bytes);
      this.#end += bytes.length;
      this.#committedBytes += bytes.length;
    } catch (error) {
      this.batch.undo();
      const path = this.#pathOf(this.#segment);
      this.#repair();
      throw new StorageError("the log cannot be written", path, error);
    }
    this.batch.accept();
    const isFull = this.#end >= (this.#options.segmentBytes ?? SEGMENT_BYTES) ||
      this.batch.isShortOfIds;
    if (!isFull) return;
    this.#leaveSegment();
    // The next `sync` reports a failure here; the batch is in the log.
    if (this.#unsynced.length > UNSYNCED_MAX) this.#syncOldest();
  }

  /** Forgets what was added since the last `commit`. */
  discard(): void {
    this.batch.undo();
  }

  /**
   * Returns when everything committed is on the device, else throws a
   * `StorageError`: then nothing may be said about what was committed since the
   * last time it returned, until a snapshot was made.
   */
  sync(): void {
    assert(this.batch.isEmpty, "a batch is committed before it is synced");
    let failure: unknown;
    while (this.#unsynced.length > 0) failure = this.#syncOldest() ?? failure;
    failure = this.#syncOpen() ?? failure;
    const { directory, files } = this.#options;
    if (!this.#isDirectorySynced) {
      orStorageError("the log's directory cannot be synced", directory, () => {
        files.syncDirectory(directory);
      });
      this.#isDirectorySynced = true;
    }
    if (this.#healedBy === undefined) return;
    throw new StorageError(
      "the log cannot be synced",
      directory,
      failure ?? new Error("an earlier sync failed, a snapshot must be made"),
    );
  }

  /**
   * Ends the open segment and returns the number of the next: everything committed so
   * far lies before it. A snapshot begins with it.
   */
  cut(): number {
    assert(this.batch.isEmpty, "a batch is committed before the log is cut");
    if (this.#open !== undefined) this.#leaveSegment();
    return this.#segment;
  }

  /** A snapshot before `segment`, holding all that lies before it, is durable. */
  snapshotFinished(segment: number): void {
    if (segment >= (this.#healedBy ?? Infinity)) this.#healedBy = undefined;
  }

  /** Syncs and closes. The files are closed even if it throws. */
  close(): void {
    if (this.#open !== undefined) this.#leaveSegment();
    this.sync();
  }

  #pathOf(segment: number): string {
    return `${this.#options.directory}/${segmentName(segment)}`;
  }

  #create(): Segment {
    const { files, shard, shardCount } = this.#options;
    const number = this.#segment;
    const path = this.#pathOf(number);
    const file = files.create(path);
    this.#isDirectorySynced = false;
    try {
      const owner = { shard, shardCount, segment: number };
      const header = encodeHeader(WAL_FORMAT, owner, this.#previousBytes);
      writeAll(file, header);
      this.#end = header.length;
    } catch (error) {
      // The torn header stays until the next try empties the file.
      file.close();
      throw error;
    }
    return { number, path, file };
  }

  /** After a failed write: back to the last good record, or on to another segment. */
  #repair(): void {
    if (this.#open === undefined) return;
    try {
      this.#open.file.truncate(this.#end);
    } catch {
      // The reason is the same that the failed write is reported with. A reader
      // skips the torn end, as long as nothing is written behind it.
      this.#leaveSegment();
    }
  }

  /** The next batch begins another segment. */
  #leaveSegment(): void {
    const left = this.#open;
    assert(left !== undefined, "only an open segment can be left");
    this.#open = undefined;
    this.#unsynced.push(left);
    this.#segment++;
    this.#previousBytes = this.#end;
    this.#end = 0;
    this.batch.startSegment();
  }

  /** Syncs and closes the oldest full segment; returns why it failed, if it did. */
  #syncOldest(): unknown {
    const segment = this.#unsynced.shift();
    assert(segment !== undefined, "a segment waits for its sync");
    try {
      segment.file.sync();
      return undefined;
    } catch (error) {
      this.#healedBy = Math.max(this.#healedBy ?? 0, segment.number + 1);
      return error;
    } finally {
      segment.file.close();
    }
  }

  /** Returns why it failed, if it did; the segment is then given up. */
  #syncOpen(): unknown {
    if (this.#open === undefined || this.#isOpenSynced) return undefined;
    try {
      this.#open.file.sync();
      this.#isOpenSynced = true;
      return undefined;
    } catch (error) {
      const { file, number } = this.#open;
      this.#healedBy = Math.max(this.#healedBy ?? 0, number + 1);
      this.#leaveSegment();
      this.#unsynced.pop();
      file.close();
      return error;
    }
  }
}
