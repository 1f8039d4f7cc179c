/**
 * The complete line-protocol grammar (metric-store 2.1): one entry at a time, with
 * escapes, strings and clear errors. It is the slow path: a line whose key is
 * known is read by the loop in `line_ingest.ts` and never comes here.
 *
 * Values and timestamps are left as byte ranges; their own grammar is in
 * `number_parse.ts`.
 */
import { NameTable } from "../../base/name_table.ts";

/** Results of `parse`. */
export const LINE_BLANK = 0;
export const LINE_ENTRY = 1;
/** The line is wrong: `error` says how. */
export const LINE_ERROR = 2;
/** A string is not closed yet and more bytes may come. */
export const LINE_INCOMPLETE = 3;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const DEL = 0x7f;

const UNEXPLAINED = "the line is wrong";

/** Message kinds of the ClusterCockpit line protocol that are not metrics. */
const OTHER_MESSAGES = new Set(["event", "log", "control", "query"]);

export class LineParser {
  /** The entry just parsed; tags not given are `undefined`. */
  measurement = "";
  cluster: string | undefined;
  hostname: string | undefined;
  type: string | undefined;
  typeId: string | undefined;
  subtype: string | undefined;
  subtypeId: string | undefined;
  /** Byte range of the value of the last `value` field. */
  valueStart = 0;
  valueEnd = 0;
  /** Byte range of the timestamp; empty: none given. */
  timeStart = 0;
  timeEnd = 0;
  /** The entry is an event, log, control or query message. */
  isOtherMessage = false;
  /**
   * End of the raw key, just behind `value=`, where the entry has the common
   * shape `key value=…` with one space; else 0.
   */
  keyEnd = 0;
  /** Where the next line begins. */
  next = 0;
  /** Line breaks passed, those inside strings included. */
  lineBreaks = 0;
  /** Reason of a `LINE_ERROR`: which class of mistake, and a sentence. */
  errorReason: "syntax" | "field" = "syntax";
  error = "";
  /** Whether `error` says more than that there is one, which costs time. */
  explains = true;

  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  #lineStart = 0;
  #mayBreak = true;
  #at = 0;
  readonly #decoder = new TextDecoder("utf-8", {
    fatal: true,
    ignoreBOM: true,
  });
  readonly #names = new NameTable((bytes) => this.#decoder.decode(bytes));

  /**
   * Parses the entry that begins at `start`. `isFinal`: nothing comes after `end`.
   * `mayBreak`: strings may contain line breaks.
   * Afterwards `next` is the start of the following line, also on an error.
   */
  parse(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    mayBreak = true,
  ): number {
    this.#mayBreak = mayBreak;
    this.#bytes = bytes;
    this.#end = end;
    this.#lineStart = start;
    this.#at = start;
    this.measurement = "";
    this.cluster = this.hostname = undefined;
    this.type =
      this.typeId =
      this.subtype =
      this.subtypeId =
        undefined;
    this.valueStart =
      this.valueEnd =
      this.timeStart =
      this.timeEnd =
        0;
    this.isOtherMessage = false;
    this.keyEnd = 0;
    this.lineBreaks = 0;
    this.errorReason = "syntax";
    this.error = "";

    this.#skipSpaces();
    const first = this.#peek();
    if (first === -1 || first === LF || this.#isLineEnd()) {
      return this.#finish(LINE_BLANK);
    }
    if (first === HASH) {
      this.#at = this.#lineEnd(this.#at);
      return this.#finish(LINE_BLANK);
    }
    const state = this.#entry();
    if (state === LINE_INCOMPLETE) {
      if (!isFinal && mayBreak) return LINE_INCOMPLETE;
      this.#fail("string is not closed");
    }
    if (this.error !== "") {
      this.#at = this.#lineEnd(this.#at);
      return this.#finish(LINE_ERROR);
    }
    return this.#finish(LINE_ENTRY);
  }

  /** Consumes the line break and reports `kind`. */
  #finish(kind: number): number {
    if (this.#peek() === CR) this.#at++;
    if (this.#peek() === LF) {
      this.#at++;
      this.lineBreaks++;
    }
    this.next = this.#at;
    return kind;
  }

  /** measurement, tags, fields, timestamp; stops with `error` set where it is wrong. */
  #entry(): number {
    const measurement = this.#name("measurement", false);
    if (measurement === undefined) return LINE_ERROR;
    this.measurement = measurement;
    while (this.#peek() === COMMA) {
      this.#at++;
      if (!this.#tag()) return LINE_ERROR;
    }
    const keyEnd = this.#at;
    if (this.#peek() !== SPACE) {
      return this.#failFound("want ',' or a space after the tags");
    }
    this.#skipSpaces();
    const oneSpace = this.#at === keyEnd + 1;
    const state = this.#fields(oneSpace);
    if (state !== LINE_ENTRY) return state;
    return this.#timestamp();
  }

  #tag(): boolean {
    const key = this.#name("tag key", true);
    if (key === undefined) return false;
    if (this.#peek() !== EQUALS) {
      this.#failFound("want '=' after tag key", key);
      return false;
    }
    this.#at++;
    const value = this.#name("value of tag", true, key);
    if (value === undefined) return false;
    switch (key) {
      case "cluster":
        this.cluster = value;
        break;
      case "hostname":
      case "host":
        this.hostname = value;
        break;
      case "type":
        this.type = value;
        break;
      case "type-id":
        this.typeId = value;
        break;
      case "stype":
        this.subtype = value;
        break;
      case "stype-id":
        this.subtypeId = value;
        break;
    }
    return true;
  }

  #fields(oneSpace: boolean): number {
    let wrongField: string | undefined;
    let sawValue = false;
    for (let index = 0;; index++) {
      const key = this.#name("field key", true);
      if (key === undefined) return LINE_ERROR;
      if (this.#peek() !== EQUALS) {
        return this.#failFound("want '=' after field key", key);
      }
      this.#at++;
      const start = this.#at;
      if (this.#peek() === QUOTE) {
        if (!this.#string()) return LINE_INCOMPLETE;
      } else this.#at = this.#valueEnd(this.#at);
      if (this.#at === start) {
        return this.#fail("field", key, " has no value");
      }
      if (key === "value") {
        sawValue = true;
        this.valueStart = start;
        this.valueEnd = this.#at;
        if (index === 0 && oneSpace) this.keyEnd = start;
      } else if (OTHER_MESSAGES.has(key)) this.isOtherMessage = true;
      else wrongField ??= key;
      if (this.#peek() !== COMMA) break;
      this.#at++;
    }
    if (this.isOtherMessage) return LINE_ENTRY;
    if (wrongField !== undefined) {
      this.errorReason = "field";
      return this.#fail("unknown field", wrongField, `, only "value" is known`);
    }
    if (!sawValue) return this.#fail(`field "value" is missing`);
    return LINE_ENTRY;
  }

  #timestamp(): number {
    this.#skipSpaces();
    this.timeStart = this.timeEnd = this.#at;
    if (this.#isLineEnd()) return LINE_ENTRY;
    this.timeEnd = this.#at = this.#valueEnd(this.#at);
    this.#skipSpaces();
    if (this.#isLineEnd()) return LINE_ENTRY;
    return this.#failFound("want the end of the line after the timestamp");
  }

  /**
   * Reads a measurement, key or tag value: unescaped text up to `,`, space or, with
   * `stopAtEquals`, `=`. Returns `undefined` and sets `error` if it is wrong. `tag`
   * names the tag of a value, for the error.
   */
  #name(
    what: string,
    stopAtEquals: boolean,
    tag?: string,
  ): string | undefined {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    let hasEscape = false;
    for (; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH && at + 1 < this.#end) {
        if (isEscapable(bytes[at + 1]!, stopAtEquals)) {
          hasEscape = true;
          at++;
        }
      } else if (
        byte === COMMA || byte === SPACE || (byte === EQUALS && stopAtEquals)
      ) break;
      else if (byte < SPACE || byte === DEL) break;
    }
    this.#at = at;
    const stop = at < this.#end ? bytes[at]! : LF;
    if (at === start) {
      this.#fail(what, tag, " is empty");
      return undefined;
    }
    if ((stop < SPACE && stop !== LF && stop !== CR) || stop === DEL) {
      this.#fail(what, tag, " has a control character", stop);
      return undefined;
    }
    try {
      if (!hasEscape) return this.#names.get(bytes, start, at);
      return this.#decoder.decode(
        unescapeName(bytes.subarray(start, at), stopAtEquals),
      );
    } catch {
      this.#fail(what, tag, " is not valid UTF-8");
      return undefined;
    }
  }

  /** Skips a string that begins at the quote. `false`: it is not closed. */
  #string(): boolean {
    const bytes = this.#bytes;
    let breaks = 0;
    for (let at = this.#at + 1; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH) at++;
      else if (byte === LF) {
        if (!this.#mayBreak) return false;
        breaks++;
      } else if (byte === QUOTE) {
        this.#at = at + 1;
        this.lineBreaks += breaks;
        return true;
      }
    }
    return false;
  }

  #valueEnd(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    while (at < this.#end) {
      const byte = bytes[at]!;
      if (byte === COMMA || byte === SPACE || byte === CR || byte === LF) break;
      at++;
    }
    return at;
  }

  #skipSpaces(): void {
    while (this.#at < this.#end && this.#bytes[this.#at] === SPACE) this.#at++;
  }

  #peek(): number {
    return this.#at < this.#end ? this.#bytes[this.#at]! : -1;
  }

  /** At the end of the input, at \n or at \r\n. */
  #isLineEnd(): boolean {
    const byte = this.#peek();
    if (byte === -1 || byte === LF) return true;
    return byte === CR &&
      (this.#at + 1 >= this.#end || this.#bytes[this.#at + 1] === LF);
  }

  #lineEnd(from: number): number {
    const at = this.#bytes.indexOf(LF, from);
    return at === -1 || at > this.#end ? this.#end : at;
  }

  #found(): string {
    const byte = this.#peek();
    if (byte === -1 || byte === LF) return "the end of the line";
    if (byte === TAB) return "a tab";
    return byte < SPACE || byte >= DEL
      ? `byte ${byte}`
      : `'${String.fromCharCode(byte)}'`;
  }

  /**
   * Notes the error with its column, counted in bytes from 1. The sentence comes in
   * pieces, a name to be quoted between two: it is put together only if it is shown.
   */
  #fail(before: string, name?: string, after = "", byte?: number): number {
    if (this.explains) {
      const quoted = name === undefined ? "" : ` "${name}"`;
      const shown = byte === undefined ? "" : ` (${byte})`;
      this.error = `column ${
        this.#at - this.#lineStart + 1
      }: ${before}${quoted}${after}${shown}`;
    } else this.error = UNEXPLAINED;
    return LINE_ERROR;
  }

  /** Like `#fail`, for a byte at the wrong place. */
  #failFound(before: string, name?: string): number {
    return this.explains
      ? this.#fail(before, name, `, found ${this.#found()}`)
      : this.#fail(before);
  }
}

function isEscapable(byte: number, withEquals: boolean): boolean {
  return byte === COMMA || byte === SPACE || (withEquals && byte === EQUALS);
}

function unescapeName(raw: Uint8Array, withEquals: boolean) {
  const out = new Uint8Array(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    if (
      raw[i] === BACKSLASH && i + 1 < raw.length &&
      isEscapable(raw[i + 1]!, withEquals)
    ) i++;
    out[length++] = raw[i]!;
  }
  return out.slice(0, length);
}
