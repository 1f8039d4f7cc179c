/** The tokens of an expression with one to look ahead, and how the parser complains. Any thread. */
import type { CompilePattern } from "../../base/pattern.ts";
import { Lexer } from "./lexer.ts";
import { PromqlParseError, type Span } from "./parse_error.ts";
import { describeToken, type Token, type TokenKind } from "./token.ts";

export class TokenReader {
  readonly text: string;
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  /** Aggregations whose arguments are being read. */
  aggregations = 0;
  /** Patterns of matchers. */
  readonly compile: CompilePattern;

  constructor(text: string, compile: CompilePattern) {
    this.text = text;
    this.compile = compile;
    this.#lexer = new Lexer(text);
  }

  /** The next token, which stays. */
  peek(): Token {
    return this.#ahead ??= this.#lexer.next();
  }

  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  /** Takes the next token if it is of that kind, and that word where one is given. */
  takeIf(kind: TokenKind, word = ""): Token | undefined {
    return this.isNext(kind, word) ? this.take() : undefined;
  }

  isNext(kind: TokenKind, word = ""): boolean {
    const token = this.peek();
    return token.kind === kind && (word === "" || token.word === word);
  }

  /** Takes a token of that kind; another one is unexpected. */
  expect(kind: TokenKind, context = "", expected = ""): Token {
    return this.takeIf(kind) ?? this.unexpected(context, expected);
  }

  /** Complains about the next token. */
  unexpected(context = "", expected = ""): never {
    const token = this.peek();
    const place = context === "" && this.aggregations > 0
      ? "aggregation"
      : context;
    this.fail(
      spanOf(token),
      `unexpected ${describeToken(token)}` +
        (place === "" ? "" : ` in ${place}`) +
        (expected === "" ? "" : `, expected ${expected}`),
    );
  }

  fail(span: Span, what: string): never {
    throw new PromqlParseError(this.text, span, what);
  }
}

export function spanOf(token: Token): Span {
  return { start: token.start, end: token.start + token.text.length };
}

export function join(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}
