/**
 * Long bodies of JSON, read in turns: members of the top object and elements of the
 * lists in it are parsed in pieces of some 64 KiB, with turns for others in between,
 * by the same `JSON.parse`. What cannot be cut is one large value inside of a list.
 * Main thread.
 */
import { errorText } from "../base/log.ts";
import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ClientError } from "../base/errors.ts";
import { JsonSize, parseJson } from "./body/json_text.ts";

/** Shorter bodies are parsed in one go, in a millisecond or so. */
export const LONG_JSON_BYTES = 128 << 10;
/** Parsed at a time. */
const PIECE_BYTES = 64 << 10;
/** Counted at a time. */
const COUNT_BYTES = 1 << 20;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Goes on with what a body of any length holds: at once, or in turns where it is
 * long. Rejects with what parsing or `next` throw.
 */
export async function withJson(
  body: Uint8Array,
  next: (value: unknown) => void | Promise<void>,
): Promise<void> {
  await next(
    body.length < LONG_JSON_BYTES
      ? parseJson(body)
      : await parseJsonInTurns(body),
  );
}

/**
 * What `parseJson` gives and throws, with turns for others in between. `pieceBytes`:
 * what is parsed at a time; tests have less.
 */
export async function parseJsonInTurns(
  body: Uint8Array,
  pieceBytes = PIECE_BYTES,
): Promise<unknown> {
  const size = new JsonSize();
  for (let from = 0; from < body.length; from += COUNT_BYTES) {
    size.add(body, from, Math.min(body.length, from + COUNT_BYTES));
    await nextTurn();
  }
  size.check();
  return await new Pieces(body, pieceBytes).parse();
}

class Pieces {
  readonly #bytes: Buffer;
  #at = 0;

  readonly #pieceBytes: number;

  constructor(body: Uint8Array, pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }

  async parse(): Promise<unknown> {
    switch (this.#next()) {
      case OPEN_OBJECT:
        return await this.#object();
      case OPEN_LIST:
        return await this.#list();
      default:
        return parseJson(this.#bytes);
    }
  }

  async #object(): Promise<unknown> {
    const entries: [string, unknown][] = [];
    this.#at++;
    if (this.#next() === CLOSE_OBJECT) return {};
    for (;;) {
      if (this.#next() !== QUOTE) throw this.#unexpected();
      const from = this.#at;
      this.#skipString();
      const key = this.#parse(from, this.#at) as string;
      if (this.#next() !== COLON) throw this.#unexpected();
      this.#at++;
      entries.push([key, await this.#member()]);
      const end = this.#next();
      if (end !== COMMA && end !== CLOSE_OBJECT) throw this.#unexpected();
      this.#at++;
      // Of a key that is given twice the last counts, and none is special.
      if (end === CLOSE_OBJECT) return Object.fromEntries(entries);
    }
  }

  async #member(): Promise<unknown> {
    if (this.#next() === OPEN_LIST) return await this.#list();
    const from = this.#at;
    this.#skipValue();
    const value = this.#parse(from, this.#at);
    if (this.#at - from > this.#pieceBytes) await nextTurn();
    return value;
  }

  async #list(): Promise<unknown[]> {
    const items: unknown[] = [];
    let from = ++this.#at;
    if (this.#next() === CLOSE_LIST) {
      this.#at++;
      return items;
    }
    for (;;) {
      this.#next();
      this.#skipValue();
      const end = this.#next();
      if (end !== COMMA && end !== CLOSE_LIST) throw this.#unexpected();
      if (end === CLOSE_LIST || this.#at - from >= this.#pieceBytes) {
        const piece = this.#parse(from, this.#at, true) as unknown[];
        for (const item of piece) items.push(item);
        from = this.#at + 1;
        await nextTurn();
      }
      this.#at++;
      if (end === CLOSE_LIST) return items;
    }
  }

  #parse(from: number, to: number, asList = false): unknown {
    const text = this.#bytes.toString("utf8", from, to);
    try {
      return JSON.parse(asList ? `[${text}]` : text);
    } catch (error) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `not JSON between bytes ${from} and ${to}: ${errorText(error)}`,
        { cause: error },
      );
    }
  }

  /** The next byte that is no blank; `undefined`: the end. */
  #next(): number | undefined {
    for (;; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        return byte;
      }
    }
  }

  /** Passes over a value, as far as brackets and quotes tell; parsing looks closer. */
  #skipValue(): void {
    const bytes = this.#bytes;
    const from = this.#at;
    let depth = 0;
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at];
      if (byte === QUOTE) {
        this.#skipString();
        this.#at--;
      } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
        if (depth === 0) break;
        depth--;
      } else if (byte === COMMA && depth === 0) break;
    }
    if (depth > 0 || this.#at === from) throw this.#unexpected();
  }

  #skipString(): void {
    const bytes = this.#bytes;
    for (let end = bytes.indexOf(QUOTE, this.#at + 1); end >= 0;) {
      let slashes = 0;
      while (bytes[end - 1 - slashes] === BACKSLASH) slashes++;
      if (slashes % 2 === 0) {
        this.#at = end + 1;
        return;
      }
      end = bytes.indexOf(QUOTE, end + 1);
    }
    this.#at = bytes.length;
    throw this.#unexpected();
  }

  #unexpected(): ClientError {
    const found = this.#at >= this.#bytes.length
      ? "the end"
      : JSON.stringify(String.fromCharCode(this.#bytes[this.#at]!));
    return new ClientError(
      "E_BAD_REQUEST",
      `not JSON: unexpected ${found} at byte ${this.#at}`,
    );
  }
}
