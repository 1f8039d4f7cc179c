/**
 * Regular expressions of matchers: RE2, anchored at both ends, a dot matches a newline
 * too. Patterns that need no engine are answered without one: Grafana's variables with
 * several values are alternations of hundreds of literals. Any thread.
 */
import { errorText } from "./log.ts";
import { RE2JS } from "re2js";

/** UTF-16 units of a pattern. */
export const PATTERN_LENGTH_MAX = 64 << 10;
/** Instructions of a compiled pattern. */
const PROGRAM_MAX = 20_000;
/** Values whose results a matcher remembers. */
const REMEMBERED_MAX = 10_000;

export type ValueTest = (value: string) => boolean;
export type CompilePattern = (pattern: string) => ValueTest;

/** Whether a whole value matches. Throws a `SyntaxError` where the pattern is none, or too large. */
export function compilePattern(pattern: string): ValueTest {
  return compileOne(pattern).test;
}

/**
 * The same for all patterns of a query, each compiled once: together they have no more
 * instructions than one may have, since a thread that compiles does nothing else.
 */
export function patternCompiler(): CompilePattern {
  const known = new Map<string, ValueTest>();
  let total = 0;
  return (pattern) => {
    const before = known.get(pattern);
    if (before !== undefined) return before;
    if (total >= PROGRAM_MAX) throw tooLarge(total, " together");
    const { test, size } = compileOne(pattern);
    total += size;
    if (total > PROGRAM_MAX) throw tooLarge(total, " together");
    known.set(pattern, test);
    return test;
  };
}

interface Compiled {
  readonly test: ValueTest;
  /** Instructions. */
  readonly size: number;
}

function compileOne(pattern: string): Compiled {
  if (pattern.length > PATTERN_LENGTH_MAX) {
    throw new SyntaxError(
      `regular expression is longer than ${PATTERN_LENGTH_MAX} characters`,
    );
  }
  const test = literalTest(pattern);
  return test === undefined ? engineTest(pattern) : { test, size: 0 };
}

/** Every character that means more than itself somewhere in a pattern. */
const SPECIAL = /[\\^$.|?*+()[\]{}]/;

/** `undefined`: it takes an engine. */
function literalTest(pattern: string): ValueTest | undefined {
  if (pattern === ".*") return () => true;
  if (pattern === ".+") return (value) => value !== "";
  const alternatives = literalAlternatives(pattern);
  if (alternatives !== undefined) {
    const [only] = alternatives;
    if (alternatives.length === 1) return (value) => value === only;
    const set = new Set(alternatives);
    return (value) => set.has(value);
  }
  const around = /^(\.[*+])?(.*?)(\.[*+])?$/s.exec(pattern)!;
  const [, before, text, behind] = around;
  if (SPECIAL.test(text!) || text === "") return undefined;
  return affixTest(before, text!, behind);
}

/** `.*text.*` and the like, where `+` asks for a character at least. */
function affixTest(
  before: string | undefined,
  text: string,
  behind: string | undefined,
): ValueTest {
  const from = before === ".+" ? 1 : 0;
  const left = behind === ".+" ? 1 : 0;
  const rest = text.length + left;
  if (before === undefined) {
    return (value) => value.length >= rest && value.startsWith(text);
  }
  if (behind === undefined) {
    return (value) =>
      value.length >= from + text.length && value.endsWith(text);
  }
  return (value) => {
    const at = value.indexOf(text, from);
    return at >= 0 && at + rest <= value.length;
  };
}

/**
 * The values of `a|b|c`, also with one group among literals: `web(1|2)`, `(a|b)`;
 * `undefined`: it is something else.
 */
function literalAlternatives(pattern: string): string[] | undefined {
  const group = /^([^()|]*)\((?:\?:)?([^()]*)\)([^()|]*)$/s.exec(pattern);
  const [prefix, inside, suffix] = group === null
    ? ["", pattern, ""]
    : [group[1]!, group[2]!, group[3]!];
  const parts = inside.split("|").map(literalOf);
  const start = literalOf(prefix);
  const end = literalOf(suffix);
  if (start === undefined || end === undefined) return undefined;
  const values: string[] = [];
  for (const part of parts) {
    if (part === undefined) return undefined;
    values.push(start + part + end);
  }
  return values;
}

/** The text that the pattern stands for; escaped signs stand for themselves. */
function literalOf(pattern: string): string | undefined {
  const plain = pattern.replace(/\\([\\^$.|?*+()[\]{}\-/])/g, "");
  if (SPECIAL.test(plain)) return undefined;
  return pattern.replace(/\\([\\^$.|?*+()[\]{}\-/])/g, "$1");
}

function engineTest(pattern: string): Compiled {
  const compiled = compileRegex(pattern);
  const known = new Map<string, boolean>();
  const test = (value: string) => {
    let result = known.get(value);
    if (result === undefined) {
      if (known.size >= REMEMBERED_MAX) known.clear();
      result = compiled.testExact(value);
      known.set(value, result);
    }
    return result;
  };
  return { test, size: compiled.programSize() };
}

function tooLarge(size: number, together = ""): SyntaxError {
  return new SyntaxError(
    `regular expression is too large${together}: ${size} instructions where ${PROGRAM_MAX} are allowed`,
  );
}

/** The engine's form; `label_replace` needs its groups. Throws a `SyntaxError`. */
export function compileRegex(pattern: string): RE2JS {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    const reason = errorText(error);
    throw new SyntaxError(reason, { cause: error });
  }
  const size = compiled.programSize();
  if (size > PROGRAM_MAX) throw tooLarge(size);
  return compiled;
}
