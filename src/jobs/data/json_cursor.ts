/**
 * Reads JSON piece by piece as it comes, such as a file that is being inflated or an
 * answer of the metric store: of hundreds of megabytes only a window is in memory.
 * Lists of numbers become `Float64Array`s, their leading nulls a number. Pure.
 *
 * Numbers are read by `JSON.parse`, some thousand at a time: that is faster than
 * anything written in JavaScript, and rounds as everybody does.
 */
import { errorText } from "../../base/log.ts";
import { Buffer } from "node:buffer";

/** Numbers read in one go: a fraction of a millisecond. */
const SLICE_BYTES = 32 << 10;
/** Bytes read between two pauses: a millisecond. */
const PAUSE_BYTES = 64 << 10;
/** The longest value that is read as a whole; lists of numbers may be any length. */
const VALUE_BYTES_MAX = 1 << 20;
const VALUES_AT_FIRST = 4096;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LOWER_N = 0x6e;
const END = -1;

/** Values of a list, those nulls that come first as a number. */
export interface ReadValues {
  readonly leadingNulls: number;
  readonly data: Float64Array;
}

type Pieces = AsyncIterator<Uint8Array> | Iterator<Uint8Array>;

export class JsonCursor {
  readonly #pieces: Pieces;
  readonly #pause: () => Promise<unknown>;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes of the text before `#bytes`. */
  #before = 0;
  #pausedAt = 0;
  /** Used for one list after the other, since most are equally long. */
  readonly #list = new ValueList();

  /** `pause` is waited for now and then, so that others get their turn. */
  constructor(
    pieces: Pieces,
    pause: () => Promise<unknown> = () => Promise.resolve(),
  ) {
    this.#pieces = pieces;
    this.#pause = pause;
  }

  /** Passes over a null; false: there is something else. */
  async takeNull(): Promise<boolean> {
    if (await this.#peek() !== LOWER_N) return false;
    await this.value();
    return true;
  }

  /** Reads an object; `each` reads or skips the value of a key. */
  async entries(
    at: string,
    each: (key: string) => Promise<void>,
  ): Promise<void> {
    if (await this.#peek() !== OPEN_OBJECT) {
      throw new SyntaxError(`${at}: expected an object`);
    }
    this.#at++;
    if (await this.#peek() === CLOSE_OBJECT) {
      this.#at++;
      return;
    }
    for (;;) {
      if (await this.#peek() !== QUOTE) throw this.#wrong("a key");
      const key = await this.value();
      if (await this.#peek() !== COLON) throw this.#wrong("a colon");
      this.#at++;
      await each(String(key));
      if (await this.#endsAfter(CLOSE_OBJECT)) return;
    }
  }

  /** Reads a list, or null as an empty one; `each` reads or skips a member. */
  async items(
    at: string,
    each: (index: number) => Promise<void>,
  ): Promise<void> {
    if (await this.takeNull()) return;
    if (await this.#peek() !== OPEN_LIST) {
      throw new SyntaxError(`${at}: expected a list`);
    }
    this.#at++;
    if (await this.#peek() === CLOSE_LIST) {
      this.#at++;
      return;
    }
    for (let index = 0;; index++) {
      await each(index);
      if (await this.#endsAfter(CLOSE_LIST)) return;
    }
  }

  /** Reads a list of numbers and nulls; null: there is a null instead. */
  async values(at: string): Promise<ReadValues | null> {
    if (await this.takeNull()) return null;
    if (await this.#peek() !== OPEN_LIST) {
      throw new SyntaxError(`${at}: expected a list`);
    }
    this.#at++;
    const found = this.#list;
    found.begin(at);
    for (;;) {
      if (this.#at >= this.#bytes.length && !await this.#more()) {
        throw this.#wrong("the end of a list");
      }
      const last = this.#bytes.indexOf(CLOSE_LIST, this.#at);
      const limit = Math.min(
        last < 0 ? this.#bytes.length : last,
        this.#at + SLICE_BYTES,
      );
      let isLast = limit === last;
      let stop = isLast ? last : this.#bytes.lastIndexOf(COMMA, limit - 1);
      if (stop < this.#at) {
        // No value is whole yet, or there is much white space.
        const tooLong = this.#bytes.length - this.#at > VALUE_BYTES_MAX;
        if (last < 0 && (tooLong || !await this.#more())) {
          throw this.#wrong("a number, a comma or the end of a list");
        }
        if (last < 0) continue;
        stop = last;
        isLast = true;
      }
      found.add(this.#parse(`[${this.#text(this.#at, stop)}]`), !isLast);
      this.#at = stop + 1;
      await this.#maybePause();
      if (isLast) return found.end();
    }
  }

  /** Reads a value that is short, of any kind. */
  async value(): Promise<unknown> {
    const length = await this.#lengthOfValue();
    const text = this.#text(this.#at, this.#at + length);
    this.#at += length;
    await this.#maybePause();
    return this.#parse(text);
  }

  /** Passes over a value of any kind and length. */
  async skip(): Promise<void> {
    const first = await this.#peek();
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
      await this.value();
      return;
    }
    let depth = 0;
    do {
      const byte = await this.#peek();
      if (byte === END) throw this.#wrong("a value");
      if (byte === QUOTE) {
        await this.value();
        continue;
      }
      this.#at++;
      if (byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--;
      else if (byte === OPEN_LIST) {
        depth++;
        await this.#skipPlain();
      } else await this.#skipPlain();
    } while (depth > 0);
  }

  /** The text ends here. */
  async end(): Promise<void> {
    if (await this.#peek() !== END) throw this.#wrong("the end");
  }

  /** Behind a member: true where the object or list ends. */
  async #endsAfter(close: number): Promise<boolean> {
    const byte = await this.#peek();
    if (byte !== close && byte !== COMMA) {
      throw this.#wrong("a comma or the end");
    }
    this.#at++;
    return byte === close;
  }

  /** Passes over what is neither a text nor a bracket: numbers, words, separators. */
  async #skipPlain(): Promise<void> {
    for (;;) {
      const bytes = this.#bytes;
      let at = this.#at;
      while (at < bytes.length && !isMark(bytes[at]!)) at++;
      this.#at = at;
      await this.#maybePause();
      if (at < bytes.length || !await this.#more()) return;
    }
  }

  /** Bytes of the value that begins here; all of them are in the window then. */
  async #lengthOfValue(): Promise<number> {
    const first = await this.#peek();
    if (first === END) throw this.#wrong("a value");
    let depth = 0;
    let isText = false;
    for (let i = 0;; i++) {
      while (this.#at + i >= this.#bytes.length) {
        if (await this.#more()) continue;
        if (depth === 0 && !isText) return i;
        throw this.#wrong("the end of a value");
      }
      if (i > VALUE_BYTES_MAX) throw this.#wrong("a shorter value");
      const byte = this.#bytes[this.#at + i]!;
      if (isText) {
        if (byte === BACKSLASH) i++;
        else if (byte === QUOTE) isText = false;
        if (isText || depth > 0) continue;
        return i + 1;
      }
      if (byte === QUOTE) isText = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        if (depth === 0) return i;
        if (--depth === 0) return i + 1;
      } else if (depth === 0 && (byte === COMMA || byte <= 0x20)) return i;
    }
  }

  /** The next byte that is no space; it stays. */
  async #peek(): Promise<number> {
    for (;;) {
      while (this.#at < this.#bytes.length) {
        const byte = this.#bytes[this.#at]!;
        if (byte > 0x20) return byte;
        this.#at++;
      }
      if (!await this.#more()) return END;
    }
  }

  /** Takes in the next piece; false: there is none. */
  async #more(): Promise<boolean> {
    const next = await this.#pieces.next();
    if (next.done) return false;
    const rest = this.#bytes.subarray(this.#at);
    this.#before += this.#at;
    this.#at = 0;
    this.#bytes = rest.length === 0
      ? next.value
      : Buffer.concat([rest, next.value]);
    return true;
  }

  async #maybePause(): Promise<void> {
    const read = this.#before + this.#at;
    if (read - this.#pausedAt < PAUSE_BYTES) return;
    this.#pausedAt = read;
    await this.#pause();
  }

  #text(from: number, to: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + from, to - from).toString("utf8");
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new SyntaxError(
        `byte ${this.#before + this.#at}: ${errorText(cause)}`,
        { cause },
      );
    }
  }

  #wrong(expected: string): SyntaxError {
    return new SyntaxError(
      `byte ${this.#before + this.#at}: expected ${expected}`,
    );
  }
}

function isMark(byte: number): boolean {
  return byte === QUOTE || byte === OPEN_LIST || byte === CLOSE_LIST ||
    byte === OPEN_OBJECT || byte === CLOSE_OBJECT;
}

/** A list that grows with each value read; null is NaN. */
class ValueList {
  #at = "";
  #values = new Float64Array(VALUES_AT_FIRST);
  #count = 0;
  #leadingNulls = 0;
  /** A comma came last. */
  #isOpen = false;

  begin(at: string): void {
    this.#at = at;
    this.#count = 0;
    this.#leadingNulls = 0;
    this.#isOpen = false;
  }

  /** `goesOn`: a comma follows, so there is at least one more. */
  add(parsed: unknown, goesOn: boolean): void {
    const list = parsed as readonly unknown[];
    if (list.length === 0 && (goesOn || this.#isOpen)) {
      throw new SyntaxError(`${this.#at}: expected a value behind a comma`);
    }
    this.#isOpen = goesOn;
    this.#reserve(list.length);
    for (let i = 0; i < list.length; i++) {
      const value = list[i];
      if (typeof value === "number") this.#values[this.#count++] = value;
      else if (value !== null) {
        const place = this.#leadingNulls + this.#count;
        throw new SyntaxError(
          `${this.#at}.${place}: expected a number or null`,
        );
      } else if (this.#count === 0) this.#leadingNulls++;
      else this.#values[this.#count++] = NaN;
    }
  }

  end(): ReadValues {
    return {
      leadingNulls: this.#leadingNulls,
      data: this.#values.slice(0, this.#count),
    };
  }

  #reserve(more: number): void {
    if (this.#count + more <= this.#values.length) return;
    const values = new Float64Array(
      Math.max(this.#count + more, 2 * this.#values.length),
    );
    values.set(this.#values);
    this.#values = values;
  }
}
