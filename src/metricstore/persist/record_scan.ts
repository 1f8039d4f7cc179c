/**
 * Finds the good records of a log segment one after the other, through a window that
 * moves over the file. Bytes that the device does not give back count as zeros, which
 * are no record. Runs anywhere.
 */
import { crc32 } from "node:zlib";
import type { Files, OpenFile } from "./files.ts";
import { orStorageError } from "./storage_error.ts";
import {
  MAGIC,
  RECORD_CRC,
  RECORD_HEADER_BYTES,
  RECORD_KIND,
  RECORD_MAGIC,
  RECORD_PAYLOAD_BYTES,
  RECORD_PAYLOAD_MAX,
} from "./wal_format.ts";

/** Stays in the processor's cache between reading, checking and using it. */
const WINDOW_BYTES = 4 << 20;
/** A failed read is repeated in pieces of this size, to lose no more than needed. */
const BLOCK_BYTES = 4096;

export class RecordScan {
  readonly fileBytes: number;
  /** The window as numbers; replaced never, filled anew by `next`. */
  readonly words: Uint32Array;
  readonly floats: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #file: OpenFile;
  /** Offset in the file of the window's first byte, and how many are filled. */
  #base = 0;
  #filled = 0;
  #unreadableBytes = 0;
  /** Offset below which what is unreadable was counted. */
  #countedBelow = 0;
  /** The record found last: offset in the file, kind, bytes of the payload. */
  #at = 0;
  #kind = 0;
  #payloadBytes = 0;

  constructor(files: Files, path: string) {
    this.#file = orStorageError(
      "a log segment cannot be opened",
      path,
      () => files.openToRead(path),
    );
    this.fileBytes = orStorageError(
      "a log segment's size is unknown",
      path,
      () => this.#file.size(),
    );
    // Small files are many in tests; a whole number of float64.
    const length = Math.min(WINDOW_BYTES, (this.fileBytes + 64) & ~7);
    const buffer = new ArrayBuffer(length);
    this.#bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.floats = new Float64Array(buffer);
  }

  get at(): number {
    return this.#at;
  }

  get kind(): number {
    return this.#kind;
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Where the payload begins in the window, a multiple of eight. */
  get payloadStart(): number {
    return this.#at - this.#base + RECORD_HEADER_BYTES;
  }

  get payloadEnd(): number {
    return this.payloadStart + this.#payloadBytes;
  }

  get unreadableBytes(): number {
    return this.#unreadableBytes;
  }

  /** The payload, valid until the next call of `next`. */
  payload(): Uint8Array {
    return this.#bytes.subarray(this.payloadStart, this.payloadEnd);
  }

  /** The first `count` bytes of the file, fewer if it is shorter. */
  head(count: number): Uint8Array {
    this.#fill(0);
    return this.#bytes.subarray(0, Math.min(count, this.#filled));
  }

  /**
   * Moves to the first good record at or behind the offset `from`, a multiple of
   * eight. `false`: there is none.
   */
  next(from: number): boolean {
    for (let at = from; at + RECORD_HEADER_BYTES <= this.fileBytes; at += 8) {
      if (!this.#holds(at, RECORD_HEADER_BYTES)) this.#fill(at);
      at = this.#findMagic(at);
      if (at < 0) return false;
      if (this.#isRecord(at)) return true;
    }
    return false;
  }

  /** The first offset at or behind `at` that could begin a record; -1: none. */
  #findMagic(at: number): number {
    for (;;) {
      const base = this.#base;
      const last = this.#filled - RECORD_HEADER_BYTES;
      for (let i = at - base; i <= last; i += 8) {
        if (this.words[(i + RECORD_MAGIC) >> 2] === MAGIC) return base + i;
      }
      const behind = base + Math.max(0, (last & ~7) + 8);
      at = Math.max(at, behind);
      if (at + RECORD_HEADER_BYTES > this.fileBytes) return -1;
      this.#fill(at);
      if (this.#filled < RECORD_HEADER_BYTES) return -1;
    }
  }

  #isRecord(at: number): boolean {
    const payloadBytes = this.#word(at + RECORD_PAYLOAD_BYTES);
    const total = RECORD_HEADER_BYTES + payloadBytes;
    if (
      payloadBytes > RECORD_PAYLOAD_MAX || payloadBytes % 8 !== 0 ||
      at + total > this.fileBytes
    ) return false;
    if (!this.#holds(at, total)) this.#fill(at);
    if (!this.#holds(at, total)) return false;
    const start = at - this.#base;
    const covered = this.#bytes.subarray(
      start + RECORD_PAYLOAD_BYTES,
      start + total,
    );
    if (crc32(covered) !== this.#word(at + RECORD_CRC)) return false;
    this.#at = at;
    this.#kind = this.#word(at + RECORD_KIND);
    this.#payloadBytes = payloadBytes;
    return true;
  }

  #word(offset: number): number {
    return this.words[(offset - this.#base) >> 2]!;
  }

  #holds(at: number, bytes: number): boolean {
    return at >= this.#base && at + bytes <= this.#base + this.#filled;
  }

  /** Moves the window to the offset `base`, a multiple of eight. */
  #fill(base: number): void {
    this.#base = base;
    try {
      this.#filled = this.#file.read(this.#bytes, base);
    } catch {
      // The device refuses a part: found out below which, and counted.
      this.#fillBlocks(base);
    }
  }

  #fillBlocks(base: number): void {
    const length = Math.min(this.#bytes.length, this.fileBytes - base);
    this.#filled = length;
    for (let from = 0; from < length; from += BLOCK_BYTES) {
      const block = this.#bytes.subarray(
        from,
        Math.min(from + BLOCK_BYTES, length),
      );
      try {
        const count = this.#file.read(block, base + from);
        block.fill(0, count);
      } catch {
        block.fill(0);
        this.#countUnreadable(base + from, block.length);
      }
    }
  }

  #countUnreadable(offset: number, bytes: number): void {
    const from = Math.max(offset, this.#countedBelow);
    this.#countedBelow = Math.max(offset + bytes, this.#countedBelow);
    this.#unreadableBytes += this.#countedBelow - from;
  }

  close(): void {
    this.#file.close();
  }
}
