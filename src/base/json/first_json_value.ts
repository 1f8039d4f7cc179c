/**
 * The first JSON value of a text, without its nulls, and with the integers that are
 * not written as integers marked. Pure; runs on any thread.
 *
 * Bodies whose numbers are all short runs of digits, as those of batch systems are,
 * go through the parser as they are; the others cost a call for each value.
 */
import { ClientError } from "../errors.ts";

/** Deepest nesting taken; the job object has four levels. */
const DEPTH_MAX = 64;
/**
 * Values of a body, by its commas: where all of them are wrong each is noted, with
 * hundreds of bytes, before the first is told of.
 */
const VALUES_MAX = 1 << 20;
interface Bounds {
  readonly depth: number;
  readonly values: number;
}

const BODY_BOUNDS: Bounds = { depth: DEPTH_MAX, values: VALUES_MAX };
const NO_BOUNDS: Bounds = { depth: Infinity, values: Infinity };
/** Any integer of so many digits is one that a double holds exactly. */
const EXACT_DIGITS = 15;

/** A whole number written in a way that an integer may not be. */
export class NumberText {
  readonly value: number;
  readonly source: string;

  constructor(value: number, source: string) {
    this.value = value;
    this.source = source;
  }
}

/**
 * Parses the first value of a text and drops its nulls; `undefined` for `null` itself.
 * Throws `E_BAD_REQUEST` if the text is not JSON, `E_TOO_LARGE` if it has too many
 * values.
 */
export function parseFirst(text: string): unknown {
  const { json, isPlain, hasNull } = firstValue(text, BODY_BOUNDS);
  if (json === "") {
    throw new ClientError("E_BAD_REQUEST", "the body is empty");
  }
  try {
    const value: unknown = isPlain
      ? JSON.parse(json)
      : JSON.parse(json, markNumber as TypedReviver);
    return hasNull ? withoutNulls(value) : value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ClientError("E_BAD_REQUEST", `not JSON: ${error.message}`, {
      cause: error,
    });
  }
}

/** The part of a text that is its first JSON value; empty for blank text. */
export function firstJsonText(text: string): string {
  return firstValue(text, NO_BOUNDS).json;
}

type TypedReviver = (key: string, value: unknown) => unknown;
type Reviver = (key: string, value: unknown, context: Context) => unknown;

/** The third argument of a reviver; not in TypeScript's library yet. */
interface Context {
  /** As it is written; numbers, texts and literals only. */
  readonly source?: string;
}

const markNumber: Reviver = (_key, value, { source }) => {
  if (typeof value !== "number" || !Number.isInteger(value)) return value;
  const written = source ?? "";
  return Number.isSafeInteger(value) && /^-?\d+$/.test(written)
    // `-0` is the integer 0.
    ? value + 0
    : new NumberText(value, written);
};

/** Takes the nulls out of a parsed value; lists get gaps. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null) delete value[i];
      else withoutNulls(value[i]);
    }
  } else if (typeof value === "object") {
    const members = value as Record<string, unknown>;
    for (const key of Object.keys(members)) {
      if (members[key] === null) delete members[key];
      else withoutNulls(members[key]);
    }
  }
  return value;
}

interface FirstValue {
  /** Empty for blank text. */
  readonly json: string;
  /** No number is other than a short run of digits. */
  readonly isPlain: boolean;
  readonly hasNull: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The part of a text that is its first JSON value, if it is one at all: only
 * brackets, quotes and the beginnings of words are looked at, the rest is left to
 * the parser.
 */
function firstValue(text: string, bounds: Bounds): FirstValue {
  const from = text.search(/[^ \t\r\n]/);
  let isPlain = true;
  let hasNull = false;
  const upTo = (end: number): FirstValue => ({
    json: from < 0 ? "" : text.slice(from, end),
    isPlain,
    hasNull,
  });
  if (from < 0) return upTo(0);
  let depth = 0;
  let commas = 0;
  for (let i = from; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (isDigit(char)) {
      const first = i;
      while (isDigit(text.charCodeAt(i + 1))) i++;
      if (i - first >= EXACT_DIGITS) isPlain = false;
      continue;
    }
    switch (char) {
      case 0x2c: // ,
        if (++commas >= bounds.values) {
          throw new ClientError(
            "E_TOO_LARGE",
            `the body has more than ${bounds.values} values`,
          );
        }
        continue;
      case QUOTE:
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > bounds.depth) {
          throw new ClientError(
            "E_BAD_REQUEST",
            `nested deeper than ${bounds.depth} levels`,
          );
        }
        continue;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        // Ends a number or a literal at the top.
        if (depth === 0) return upTo(i);
        continue;
      case 0x2d: // -
      case 0x2e: // .
      case 0x45: // E
      case 0x65: // e, also that of `true` and `false`
        isPlain = false;
        continue;
      case 0x6e: // n, of `null`
        hasNull = true;
        continue;
      default:
        continue;
    }
    if (depth <= 0) return upTo(i + 1);
  }
  return upTo(text.length);
}

/** Returns whether a UTF-16 code unit is a digit; NaN, beyond the end, is none. */
function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

/** Where the string that begins at `from` ends; the end of the text if it does not. */
function endOfString(text: string, from: number): number {
  let end = from;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
  } while (isEscaped(text, end));
  return end;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}
