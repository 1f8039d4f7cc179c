/**
 * Regular expressions of label policies: RE2's syntax and RE2's promise, time
 * linear in the length of the value, whatever the pattern. `re2js` is a port of
 * RE2 without native code; back-references and look-around do not compile.
 *
 * Bounded: patterns in length and in compiled size, remembered results in
 * characters, and the engine's automaton, which grows with the values it has seen,
 * by being made anew. Any thread; each has its own patterns.
 */
import { RE2JS } from "re2js";
import { ClientError } from "../../base/errors.ts";

/** UTF-8 bytes of a pattern. */
export const PATTERN_BYTES_MAX = 1024;
/** Instructions of a compiled pattern: a value of 256 characters takes milliseconds at worst. */
const PROGRAM_MAX = 2000;
/** Characters of the values whose results are remembered. */
const REMEMBERED_MAX = 256 << 10;
/** Bytes that an automaton may have grown by before it is made anew, at a guess from above. */
const AUTOMATON_BYTES_MAX = 4 << 20;
/** Bytes of a state of the automaton, besides eight for each instruction. */
const STATE_BYTES = 150;

/** Why the text is no pattern that a policy may have; `undefined`: it is one. */
export function checkPattern(text: string): string | undefined {
  try {
    compile(text);
    return undefined;
  } catch (error) {
    if (error instanceof ClientError) return error.message;
    throw error;
  }
}

/** Throws a {@linkcode ClientError} (403): the holder of such a policy sees nothing. */
function compile(text: string): RE2JS {
  if (new TextEncoder().encode(text).length > PATTERN_BYTES_MAX) {
    throw new ClientError(
      "E_FORBIDDEN",
      `the pattern is longer than ${PATTERN_BYTES_MAX} bytes`,
    );
  }
  const compiled = parse(text);
  const size = compiled.programSize();
  if (size <= PROGRAM_MAX) return compiled;
  throw new ClientError(
    "E_FORBIDDEN",
    `the pattern is too large: ${size} instructions where ${PROGRAM_MAX} are allowed`,
  );
}

function parse(text: string): RE2JS {
  try {
    // Like in GEM a dot is any character: NRE ".*" excludes all there is.
    return RE2JS.compile(text, RE2JS.DOTALL);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ClientError("E_FORBIDDEN", reason, { cause: error });
  }
}

/** A pattern that matches values as a whole: it is anchored at both ends. */
export class LabelPattern {
  readonly #text: string;
  #compiled: RE2JS | undefined;
  /** Most the automaton can have grown. */
  #grownBytes = 0;
  readonly #results = new Map<string, boolean>();
  #remembered = 0;

  /** Compiled when first needed; `matches` throws where `checkPattern` finds fault. */
  constructor(text: string) {
    this.#text = text;
  }

  matches(value: string): boolean {
    const known = this.#results.get(value);
    if (known !== undefined) return known;
    const compiled = this.#compiled ??= compile(this.#text);
    const result = compiled.testExact(value);
    this.#grownBytes += value.length *
      (STATE_BYTES + 8 * compiled.programSize());
    if (this.#grownBytes > AUTOMATON_BYTES_MAX) {
      this.#compiled = undefined;
      this.#grownBytes = 0;
    }
    this.#remember(value, result);
    return result;
  }

  #remember(value: string, result: boolean): void {
    this.#remembered += value.length + 1;
    if (this.#remembered > REMEMBERED_MAX) {
      this.#results.clear();
      this.#remembered = value.length + 1;
    }
    this.#results.set(value, result);
  }
}
