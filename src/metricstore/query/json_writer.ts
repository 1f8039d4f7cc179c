/**
 * Builds JSON text as UTF-8 bytes in one fixed buffer and hands it over whenever
 * the next piece does not fit. A shard worker writes its part of a query's
 * answer with it. The writer does not check that the pieces make valid JSON.
 *
 * Invariants: the buffer never grows; the bytes handed over are those written, in
 * order. Nothing is allocated for a number, apart from those with 16 or 17 digits.
 */
import { assert } from "../../base/assert.ts";
import {
  MAX_NUMBER_BYTES,
  writeNumber,
  writeNumbers,
  writeThousandths,
} from "./json_number.ts";

/** Room for one number, the longest piece that is never cut. */
const MIN_CAPACITY = 2 * MAX_NUMBER_BYTES;
const DEFAULT_CAPACITY = 256 * 1024;
/** Values of an array for which room is made at a time, if there is that much. */
const BLOCK_VALUES = 64;
/** A UTF-16 unit takes at most these: an escape such as `\u001f`. */
const MAX_UNIT_BYTES = 6;

/** Blocks whose numbers take more than this on average have mostly 16 or 17 digits. */
const LONG_NUMBER_BYTES = 14;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const ENCODER = new TextEncoder();
const NULLS = ENCODER.encode("null,".repeat(BLOCK_VALUES));
const NULL_BYTES = NULLS.length / BLOCK_VALUES;
const HEX = ENCODER.encode("0123456789abcdef");

/** Letters of the two-byte escapes by character code; 0: none, `u` and four digits. */
const SHORT_ESCAPES = new Uint8Array(0x20);
SHORT_ESCAPES[0x08] = 0x62;
SHORT_ESCAPES[0x09] = 0x74;
SHORT_ESCAPES[0x0a] = 0x6e;
SHORT_ESCAPES[0x0c] = 0x66;
SHORT_ESCAPES[0x0d] = 0x72;

export class JsonWriter {
  readonly #flush: (bytes: Uint8Array) => void;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #block: number[] = [];
  /** Values of an array for which room is made at a time. */
  readonly #blockValues: number;
  #length = 0;
  #flushedBytes = 0;

  /**
   * `flush` gets a window of the buffer that is overwritten after it returns, so
   * it copies or sends at once. `capacity`: bytes of the buffer, at least 64.
   */
  constructor(
    flush: (bytes: Uint8Array) => void,
    capacity: number = DEFAULT_CAPACITY,
  ) {
    assert(capacity >= MIN_CAPACITY, `JSON buffer of ${capacity} bytes`);
    this.#flush = flush;
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#blockValues = Math.min(
      BLOCK_VALUES,
      Math.floor(capacity / MAX_NUMBER_BYTES),
    );
  }

  /** Bytes written since the start, whether handed over or not. */
  get written(): number {
    return this.#flushedBytes + this.#length;
  }

  /** Hands over what is there; does nothing when that is nothing. */
  flush(): void {
    if (this.#length === 0) return;
    const window = this.#bytes.subarray(0, this.#length);
    this.#flushedBytes += this.#length;
    this.#length = 0;
    this.#flush(window);
  }

  /** Forgets what was not handed over yet. */
  discard(): void {
    this.#length = 0;
  }

  /** Writes characters below U+0080 as they are. For short constant text. */
  raw(ascii: string): void {
    for (let start = 0; start < ascii.length;) {
      this.#makeRoom(1);
      const room = this.#bytes.length - this.#length;
      const end = Math.min(ascii.length, start + room);
      const bytes = this.#bytes;
      let position = this.#length;
      for (let i = start; i < end; i++) {
        bytes[position++] = ascii.charCodeAt(i);
      }
      this.#length = position;
      start = end;
    }
  }

  /** Writes finished JSON, for pieces that were encoded once and come often. */
  bytes(json: Uint8Array): void {
    for (let start = 0; start < json.length;) {
      this.#makeRoom(1);
      const room = this.#bytes.length - this.#length;
      const end = Math.min(json.length, start + room);
      this.#bytes.set(json.subarray(start, end), this.#length);
      this.#length += end - start;
      start = end;
    }
  }

  /** Writes a JSON string; a surrogate without its partner is escaped, as `JSON.stringify` does. */
  string(text: string): void {
    this.#makeRoom(1);
    this.#bytes[this.#length++] = QUOTE;
    for (let start = 0; start < text.length;) {
      // One unit more than needed, so that a pair is never cut.
      this.#makeRoom(2 * MAX_UNIT_BYTES);
      const room = this.#bytes.length - this.#length;
      const units = Math.floor(room / MAX_UNIT_BYTES) - 1;
      let end = Math.min(text.length, start + units);
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end++;
      this.#length = writeUnits(this.#bytes, this.#length, text, start, end);
      start = end;
    }
    this.#makeRoom(1);
    this.#bytes[this.#length++] = QUOTE;
  }

  /** Writes a decimal that parses back to `value`; `null` for NaN and the infinities. */
  number(value: number): void {
    this.#makeRoom(MAX_NUMBER_BYTES);
    this.#length = writeNumber(this.#bytes, this.#view, this.#length, value);
  }

  /**
   * Writes `[…]` of `count` values from index `from` on, each times `scale`, behind
   * so many nulls.
   */
  array(
    values: Float64Array,
    from: number,
    count: number,
    scale = 1,
    nulls = 0,
  ): void {
    this.beginArray(nulls);
    this.elements(values, from, count, scale);
    this.endArray(nulls + count);
  }

  /**
   * Writes `count` values of an array from index `from` on, each times `scale`: a part
   * of the array that {@linkcode beginArray} began and {@linkcode endArray} ends.
   * `flush` must not be called before the end.
   */
  elements(
    values: Float64Array,
    from: number,
    count: number,
    scale = 1,
  ): void {
    const end = from + count;
    assert(
      from >= 0 && count >= 0 && end <= values.length,
      `values ${from} to ${end} of ${values.length}`,
    );
    let digitsMany = false;
    for (let start = from; start < end; start += this.#blockValues) {
      const stop = Math.min(end, start + this.#blockValues);
      this.#makeRoom(this.#blockValues * MAX_NUMBER_BYTES);
      const before = this.#length;
      this.#length = digitsMany
        ? this.#writeLongNumbers(values, start, stop, scale)
        : this.#writeNumbers(values, start, stop, scale);
      digitsMany = this.#length - before > LONG_NUMBER_BYTES * (stop - start);
    }
  }

  /** The same for the first `count` integers, thousandths of the values, GAP for none. */
  thousandths(integers: Int32Array, count: number, nulls = 0): void {
    assert(
      count >= 0 && count <= integers.length,
      `${count} values of ${integers.length}`,
    );
    this.beginArray(nulls);
    for (let start = 0; start < count; start += this.#blockValues) {
      const stop = Math.min(count, start + this.#blockValues);
      this.#makeRoom(this.#blockValues * MAX_NUMBER_BYTES);
      this.#length = writeThousandths(
        this.#bytes,
        this.#view,
        this.#length,
        integers,
        start,
        stop,
      );
    }
    this.endArray(nulls + count);
  }

  /** Begins an array with so many nulls. */
  beginArray(nulls: number): void {
    this.#makeRoom(2);
    this.#bytes[this.#length++] = OPEN_BRACKET;
    for (let left = nulls; left > 0; left -= BLOCK_VALUES) {
      const values = Math.min(left, BLOCK_VALUES);
      this.bytes(NULLS.subarray(0, values * NULL_BYTES));
    }
  }

  /** Ends an array of `count` values, those of `beginArray` too. */
  endArray(count: number): void {
    // The comma after the last value is still in the buffer.
    if (count > 0) this.#length--;
    this.#bytes[this.#length++] = CLOSE_BRACKET;
  }

  #writeNumbers(
    values: Float64Array,
    start: number,
    stop: number,
    scale: number,
  ): number {
    return writeNumbers(
      this.#bytes,
      this.#view,
      this.#length,
      values,
      start,
      stop,
      scale,
    );
  }

  /**
   * The same as `writeNumbers` for values that are likely to have all their
   * digits: `JSON.stringify` of a block takes half the time of as many `String`.
   */
  #writeLongNumbers(
    values: Float64Array,
    start: number,
    stop: number,
    scale: number,
  ): number {
    const block = this.#block;
    block.length = stop - start;
    for (let i = start; i < stop; i++) {
      const value = values[i]! * scale;
      // `JSON.stringify` drops the sign of -0, of which 1 / -0 is -Infinity.
      if (value === 0 && 1 / value < 0) {
        return this.#writeNumbers(values, start, stop, scale);
      }
      block[i - start] = value;
    }
    // Without the opening bracket; the closing one is where the comma belongs.
    const text = JSON.stringify(block).slice(1);
    const target = this.#bytes.subarray(this.#length);
    const { written } = ENCODER.encodeInto(text, target);
    target[written - 1] = COMMA;
    return this.#length + written;
  }

  #makeRoom(count: number): void {
    if (this.#bytes.length - this.#length < count) this.flush();
  }
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLowSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}

/** Fast path. Writes the units `start` to `end - 1`; returns the position behind them. */
function writeUnits(
  bytes: Uint8Array,
  position: number,
  text: string,
  start: number,
  end: number,
): number {
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      if (unit >= 0x20 && unit !== QUOTE && unit !== BACKSLASH) {
        bytes[position++] = unit;
      } else {
        position = writeEscape(bytes, position, unit);
      }
    } else if (unit < 0x800) {
      bytes[position++] = 0xc0 | (unit >> 6);
      bytes[position++] = 0x80 | (unit & 0x3f);
    } else if ((unit & 0xf800) !== 0xd800) {
      bytes[position++] = 0xe0 | (unit >> 12);
      bytes[position++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[position++] = 0x80 | (unit & 0x3f);
    } else {
      const next = i + 1 < end ? text.charCodeAt(i + 1) : 0;
      if (isHighSurrogate(unit) && isLowSurrogate(next)) {
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
        bytes[position++] = 0xf0 | (point >> 18);
        bytes[position++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[position++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[position++] = 0x80 | (point & 0x3f);
        i++;
      } else {
        position = writeEscape(bytes, position, unit);
      }
    }
  }
  return position;
}

function writeEscape(bytes: Uint8Array, position: number, unit: number) {
  bytes[position++] = BACKSLASH;
  if (unit === QUOTE || unit === BACKSLASH) {
    bytes[position++] = unit;
    return position;
  }
  const letter = unit < 0x20 ? SHORT_ESCAPES[unit]! : 0;
  if (letter !== 0) {
    bytes[position++] = letter;
    return position;
  }
  bytes[position++] = LOWER_U;
  for (let shift = 12; shift >= 0; shift -= 4) {
    bytes[position++] = HEX[(unit >> shift) & 15]!;
  }
  return position;
}
