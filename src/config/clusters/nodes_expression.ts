/**
 * Expressions for names of nodes, such as `a[0101-0188,0201],b7`: the language of
 * cc-backend's `nodes`, and beyond it single numbers in brackets. Pure.
 *
 *     list  := term { "," term }
 *     term  := { word | "[" range { "," range } "]" }
 *     word  := (letter | digit) { letter | digit | "-" }
 *     range := number [ "-" number ]        both of the same width
 *
 * Cost of a match: the length of the name times the ranges of a term, whatever
 * the expression.
 */

/** Numbers of one width, as text: of equal length they compare like numbers. */
interface DigitRange {
  readonly first: string;
  readonly last: string;
}

type Part = string | readonly DigitRange[];
type Term = readonly Part[];

const WORD = /[A-Za-z0-9][A-Za-z0-9-]*/y;
const BRACKETS = /\[([^\]]*)\]/y;
const DIGITS = /^[0-9]+$/;

export class NodesExpression {
  readonly text: string;
  readonly #terms: readonly Term[];

  /** Throws a `SyntaxError` that names what is wrong and where. */
  constructor(text: string) {
    this.text = text;
    this.#terms = parse(text);
  }

  /** Whether one term is the whole name. */
  matches(name: string): boolean {
    return this.#terms.some((term) => termMatches(term, name));
  }
}

function parse(text: string): Term[] {
  const terms: Term[] = [];
  let term: Part[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] === ",") {
      terms.push(term);
      term = [];
      at++;
      continue;
    }
    const word = matchAt(WORD, text, at);
    const brackets = word === undefined
      ? matchAt(BRACKETS, text, at)
      : undefined;
    const found = word ?? brackets;
    if (found === undefined) {
      throw new SyntaxError(
        text[at] === "["
          ? `"[" at character ${at + 1} is never closed`
          : `${JSON.stringify(text[at])} at character ${at + 1} is not allowed`,
      );
    }
    term.push(
      word === undefined ? parseRanges(found.slice(1, -1)) : found,
    );
    at += found.length;
  }
  terms.push(term);
  return terms.filter(({ length }) => length > 0);
}

function matchAt(
  pattern: RegExp,
  text: string,
  at: number,
): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function parseRanges(text: string): DigitRange[] {
  return text.split(",").map((range) => {
    const ends = range.split("-");
    const [first = "", last = first] = ends;
    const problem = ends.length > 2 || !DIGITS.test(first) || !DIGITS.test(last)
      ? "is not a number or a range of numbers"
      : first.length !== last.length
      ? "has ends of different widths"
      : undefined;
    if (problem !== undefined) {
      throw new SyntaxError(`${JSON.stringify(range)} in brackets ${problem}`);
    }
    return { first, last };
  });
}

/** Follows all ways through the term at once: the places where one can be. */
function termMatches(term: Term, name: string): boolean {
  let places = new Set([0]);
  for (const part of term) {
    const next = new Set<number>();
    for (const at of places) {
      if (typeof part === "string") {
        if (name.startsWith(part, at)) next.add(at + part.length);
        continue;
      }
      for (const { first, last } of part) {
        const digits = name.slice(at, at + first.length);
        if (
          digits.length === first.length && DIGITS.test(digits) &&
          first <= digits && digits <= last
        ) next.add(at + digits.length);
      }
    }
    places = next;
  }
  return places.has(name.length);
}
