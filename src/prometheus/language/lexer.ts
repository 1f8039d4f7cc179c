/**
 * Splits an expression into tokens, one at a time. What a character means depends
 * on where it stands: between braces, between brackets or elsewhere; the rules and
 * the texts of errors are those of Prometheus' lexer. Any thread.
 */
import { PromqlParseError } from "./parse_error.ts";
import { DURATION_WORDS, type Token, type TokenKind, WORDS } from "./token.ts";
import { skipEscape } from "./string_escape.ts";
import { scanDuration, scanNumber } from "./scan_number.ts";

const SIGNS: Readonly<Record<string, TokenKind>> = {
  "(": "(",
  ")": ")",
  "{": "{",
  "}": "}",
  "[": "[",
  "]": "]",
  ",": ",",
  "=": "=",
  ":": ":",
};
/** Operators outside of braces by their text; longer ones come first. */
const OPERATORS = [
  "==",
  "!=",
  "<=",
  ">=",
  "</",
  ">/",
  "<",
  ">",
  "+",
  "-",
  "*",
  "/",
  "%",
  "^",
  "@",
];
const DURATION_OPERATORS = "+-*/%^";

export class Lexer {
  readonly #text: string;
  /** Start of the token that is being read. */
  #start = 0;
  #at = 0;
  #isInBraces = false;
  #isInBrackets = false;
  /** Directly after `[` or an operator of a duration: a duration is expected. */
  #expectsDuration = false;
  #hasColon = false;
  #hasDuration = false;
  #parentheses = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token; after the last one `end` for ever. Throws a {@linkcode PromqlParseError}. */
  next(): Token {
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== "#" || this.#expectsDuration) break;
      const end = this.#text.slice(this.#at).search(/[\r\n]/);
      this.#at = end < 0 ? this.#text.length : this.#at + end;
    }
    this.#start = this.#at;
    if (this.#expectsDuration) return this.#inDuration();
    return this.#isInBraces ? this.#inBraces() : this.#outside();
  }

  #skipSpace(): void {
    const text = this.#text;
    while (isSpace(text.charCodeAt(this.#at))) this.#at++;
  }

  #outside(): Token {
    const character = this.#peek();
    switch (character) {
      case undefined:
        if (this.#parentheses !== 0) this.#fail("unclosed left parenthesis");
        if (this.#isInBrackets) this.#fail("unclosed left bracket");
        return this.#token("end");
      case "=":
        if (this.#peek(1) === "~") {
          this.#fail(`unexpected character after '=': '~'`);
        }
        if (this.#peek(1) !== "=") return this.#sign("=");
        break;
      case "!":
        if (this.#peek(1) !== "=") {
          this.#fail(
            `unexpected character after '!': ${this.#quoteNext(1)}`,
          );
        }
        break;
      case '"':
      case "'":
      case "`":
        return this.#string();
      case "(":
        this.#parentheses++;
        return this.#sign("(");
      case ")":
        return this.#closeParenthesis();
      case "{":
        this.#isInBraces = true;
        return this.#sign("{");
      case "[":
        return this.#openBracket();
      case "]":
        if (!this.#isInBrackets) {
          this.#failBehind("unexpected right bracket ']'");
        }
        this.#isInBrackets = false;
        return this.#sign("]");
      case ",":
        return this.#sign(",");
    }
    const operator = OPERATORS.find((operator) =>
      this.#text.startsWith(operator, this.#at)
    );
    if (operator !== undefined) {
      this.#at += operator.length;
      return this.#token("operator", operator);
    }
    if (isDigit(character) || (character === "." && isDigit(this.#peek(1)))) {
      return this.#numberOrDuration();
    }
    if (isLetter(character) || character === ":") {
      return this.#isInBrackets ? this.#wordInBrackets() : this.#word();
    }
    return this.#fail(`unexpected character: ${this.#quoteNext(0)}`);
  }

  #inBraces(): Token {
    const character = this.#peek();
    switch (character) {
      case undefined:
        return this.#fail("unexpected end of input inside braces");
      case '"':
      case "'":
      case "`":
        return this.#string();
      case ",":
        return this.#sign(",");
      case "=":
        if (this.#peek(1) !== "~") return this.#sign("=");
        this.#at += 2;
        return this.#token("operator", "=~");
      case "!": {
        const next = this.#peek(1);
        if (next !== "~" && next !== "=") {
          this.#fail(
            `unexpected character after '!' inside braces: ${
              this.#quoteNext(1)
            }`,
          );
        }
        this.#at += 2;
        return this.#token("operator", `!${next}`);
      }
      case "{":
        return this.#failBehind("unexpected left brace '{'");
      case "}":
        this.#isInBraces = false;
        return this.#sign("}");
    }
    if (!isLetter(character)) {
      return this.#fail(
        `unexpected character inside braces: ${this.#quoteNext(0)}`,
      );
    }
    this.#skipWord("");
    return this.#token("identifier");
  }

  #inDuration(): Token {
    const character = this.#peek();
    if (character === undefined) {
      return this.#fail("unexpected end of input in duration expression");
    }
    if (character === "]") {
      this.#isInBrackets = false;
      this.#expectsDuration = false;
      this.#hasColon = false;
      return this.#sign("]");
    }
    if (character === ":") {
      if (!this.#hasDuration) {
        this.#failBehind(
          "unexpected colon before duration in duration expression",
        );
      }
      if (this.#hasColon) {
        this.#failBehind(
          "unexpected repeated colon in duration expression",
        );
      }
      this.#hasColon = true;
      return this.#sign(":");
    }
    if (character === "(") {
      this.#parentheses++;
      return this.#sign("(");
    }
    if (character === ")") return this.#closeParenthesis();
    if (character === ",") return this.#sign(",");
    if (DURATION_OPERATORS.includes(character)) {
      this.#at++;
      return this.#token("operator", character);
    }
    if (isDigit(character) || (character === "." && isDigit(this.#peek(1)))) {
      this.#hasDuration = true;
      this.#expectsDuration = false;
      return this.#numberOrDuration();
    }
    const word = this.#durationWord();
    if (word !== undefined) return word;
    return this.#fail(
      `unexpected character in duration expression: ${this.#quoteNext(0)}`,
    );
  }

  #openBracket(): Token {
    if (this.#isInBrackets) this.#failBehind("unexpected left bracket '['");
    this.#hasColon = false;
    this.#isInBrackets = true;
    this.#expectsDuration = true;
    return this.#sign("[");
  }

  #closeParenthesis(): Token {
    this.#parentheses--;
    if (this.#parentheses < 0) {
      this.#failBehind("unexpected right parenthesis ')'");
    }
    return this.#sign(")");
  }

  /** Between brackets, behind a duration, only a colon and the words of durations may stand. */
  #wordInBrackets(): Token {
    if (this.#peek() === ":") {
      if (this.#hasColon) this.#fail("unexpected colon ':'");
      this.#hasColon = true;
      return this.#sign(":");
    }
    const word = this.#durationWord();
    if (word !== undefined) return word;
    return this.#fail(
      `unexpected character: ${this.#quoteNext(0)}, expected ':'`,
    );
  }

  #durationWord(): Token | undefined {
    const match = /^[a-z_]+/i.exec(this.#text.slice(this.#at, this.#at + 16));
    const word = match?.[0].toLowerCase();
    if (word === undefined || !DURATION_WORDS.includes(word)) return undefined;
    this.#at += word.length;
    return this.#token("keyword", word);
  }

  #word(): Token {
    this.#skipWord(":");
    const text = this.#text.slice(this.#start, this.#at);
    const lower = text.toLowerCase();
    const kind = WORDS.get(lower);
    // `fill` is a modifier only where its number follows.
    if (kind === undefined || (/^fill/.test(lower) && !this.#opensNext())) {
      return this.#token(
        text.includes(":") ? "metric identifier" : "identifier",
      );
    }
    return this.#token(kind, kind === "number" ? "" : lower);
  }

  #opensNext(): boolean {
    let at = this.#at;
    while (isSpace(this.#text.charCodeAt(at))) at++;
    return this.#text[at] === "(";
  }

  #skipWord(also: string): void {
    for (;;) {
      const character = this.#peek();
      const isPart = isLetter(character) || isDigit(character) ||
        (also !== "" && character === also);
      if (!isPart) return;
      this.#at++;
    }
  }

  #numberOrDuration(): Token {
    const number = scanNumber(this.#text, this.#at);
    this.#at = number.end;
    if (number.isWhole) return this.#token("number");
    const duration = scanDuration(this.#text, this.#at);
    this.#at = duration.end;
    if (duration.isWhole) return this.#token("duration");
    const read = this.#text.slice(this.#start, this.#at);
    return this.#fail(`bad number or duration syntax: "${read}"`);
  }

  #string(): Token {
    const text = this.#text;
    const quote = text[this.#at]!;
    this.#at++;
    for (;;) {
      const character = this.#peek();
      if (character === undefined || (character === "\n" && quote !== "`")) {
        return this.#fail(
          quote === "`"
            ? "unterminated raw string"
            : "unterminated quoted string",
        );
      }
      if (character === "\ufffd" || isLoneSurrogate(text, this.#at)) {
        this.#fail("invalid UTF-8 rune");
      }
      this.#at++;
      if (character === quote) return this.#token("string");
      if (character === "\\" && quote !== "`") {
        const escape = skipEscape(text, this.#at, quote);
        if (typeof escape === "string") this.#fail(escape);
        else this.#at = escape;
      }
    }
  }

  #sign(sign: string): Token {
    this.#at++;
    return this.#token(SIGNS[sign]!);
  }

  #token(kind: TokenKind, word = ""): Token {
    const text = this.#text.slice(this.#start, this.#at);
    return { kind, start: this.#start, text, word };
  }

  #peek(ahead = 0): string | undefined {
    return this.#text[this.#at + ahead];
  }

  /** The character as messages show it; past the end the replacement character. */
  #quoteNext(ahead: number): string {
    const code = this.#text.codePointAt(this.#at + ahead);
    return quoteCharacter(code ?? 0xfffd);
  }

  #fail(what: string): never {
    const span = { start: this.#start, end: this.#text.length };
    throw new PromqlParseError(this.#text, span, what);
  }

  /** Fails at what follows the character that is complained about, as Prometheus does. */
  #failBehind(what: string): never {
    this.#start = this.#at + 1;
    this.#fail(what);
  }
}

function quoteCharacter(code: number): string {
  const character = String.fromCodePoint(code);
  if (character === "'") return `'\\''`;
  if (character === "\\") return `'\\\\'`;
  if (code < 0x20 || code === 0x7f) {
    return `'\\x${code.toString(16).padStart(2, "0")}'`;
  }
  return `'${character}'`;
}

function isLoneSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return false;
  if (code >= 0xdc00) {
    const before = text.charCodeAt(at - 1);
    return !(before >= 0xd800 && before < 0xdc00);
  }
  const behind = text.charCodeAt(at + 1);
  return !(behind >= 0xdc00 && behind <= 0xdfff);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /^[a-zA-Z_]$/.test(character);
}
