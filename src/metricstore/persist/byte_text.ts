/**
 * Little-endian numbers and short texts to and from bytes, for small and rare data:
 * names, paths, marks. A text is a u16 length and that many bytes of UTF-8.
 */
import { assert } from "../../base/assert.ts";
import { NameTable } from "../../base/name_table.ts";

export const TEXT_BYTES_MAX = 65_535;

const FIRST_BYTES = 1024;
/** Bytes that a cleared writer keeps at most. */
const KEPT_BYTES_MAX = 1 << 20;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Names of neighbours are mostly the same, and a name is decoded once. */
const NAMES = new NameTable((bytes) => DECODER.decode(bytes));
/** A longer text is encoded by the system, a shorter one letter by letter. */
const LETTERS_MAX = 32;

const EMPTY = new Uint8Array(0);

/** Appends to bytes that grow as needed. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The written bytes; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** For values that are known only later; valid until the next call. */
  get view(): DataView {
    return this.#view;
  }

  u16(value: number): void {
    // First: growing replaces the view.
    const at = this.#extend(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    // First: growing replaces the view.
    const at = this.#extend(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    // First: growing replaces the view.
    const at = this.#extend(8);
    this.#view.setFloat64(at, value, true);
  }

  text(text: string): void {
    // A UTF-16 unit becomes three bytes at most.
    const at = this.#extend(2 + text.length * 3);
    if (text.length <= LETTERS_MAX && this.#letters(text, at)) return;
    const { written } = ENCODER.encodeInto(text, this.#bytes.subarray(at + 2));
    assert(written <= TEXT_BYTES_MAX, "names are bounded before they get here");
    this.#view.setUint16(at, written, true);
    this.#length = at + 2 + written;
  }

  /** Writes a text of ASCII at `at`; false, and nothing is said, if it is none. */
  #letters(text: string, at: number): boolean {
    const bytes = this.#bytes;
    const from = at + 2;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[from + i] = code;
    }
    this.#view.setUint16(at, text.length, true);
    this.#length = from + text.length;
    return true;
  }

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void {
    const at = this.#extend(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Appends `count` zeros. */
  skip(count: number): void {
    const at = this.#extend(count);
    this.#bytes.fill(0, at, at + count);
  }

  /** Appends zeros up to a multiple of eight. */
  align(): void {
    this.skip(-this.#length & 7);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length <= KEPT_BYTES_MAX) return;
    this.#bytes = new Uint8Array(FIRST_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #extend(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.max(this.#length, this.#bytes.length * 2),
      );
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/**
 * Reads what `ByteWriter` wrote. Past the end it gives zeros and empty texts and
 * remembers that it did: the caller asks `isOk` once.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #isOk = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  /** Whether everything read so far was there. */
  get isOk(): boolean {
    return this.#isOk;
  }

  /** Whether nothing is left to read, or less than was asked for. */
  get isAtEnd(): boolean {
    return !this.#isOk || this.#at >= this.#bytes.length;
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, true);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }

  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#view.getFloat64(at, true);
  }

  text(): string {
    const length = this.u16();
    const at = this.#take(length);
    return at < 0 ? "" : NAMES.get(this.#bytes, at, at + length);
  }

  /** The next `count` bytes where they lie; empty past the end. */
  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return at < 0 ? EMPTY : this.#bytes.subarray(at, at + count);
  }

  /** Passes over zeros up to a multiple of eight. */
  align(): void {
    this.#take(-this.#at & 7);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) {
      this.#isOk = false;
      return -1;
    }
    this.#at += count;
    return at;
  }
}
