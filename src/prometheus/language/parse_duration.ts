/**
 * Durations that are calculated: within `[…]` any expression of them, after
 * `offset` a single one or a parenthesised one, so that `x offset 5m + 1` adds to
 * the value. Any thread.
 */
import type {
  Duration,
  DurationExpr,
  DurationOperation,
  NumberLiteral,
} from "./ast.ts";
import { DURATION_MS_MAX, secondsToMs } from "./duration.ts";
import { takeNumber } from "./parse_literal.ts";
import type { Span } from "./parse_error.ts";
import { join, spanOf, type TokenReader } from "./token_reader.ts";
import { DURATION_WORDS, type Token } from "./token.ts";

/** What the parser was reading when something unexpected came, and what it expected. */
interface Expectation {
  readonly context: string;
  readonly expected: string;
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  "+": 1,
  "-": 1,
  "*": 2,
  "/": 2,
  "%": 2,
  "^": 3,
};
/** Signs bind like products: `-2^2` is −4. */
const SIGN_PRECEDENCE = 2;
const NESTING_MAX = 100;

/** A duration within brackets; it is more than 0 where that is known by now. */
export function parseRangeDuration(
  reader: TokenReader,
  context: string,
  expected: string,
): Duration {
  const parser = new DurationParser(reader, { context, expected });
  const expr = parser.operation(1);
  if (expr.kind === "number" && expr.value <= 0) {
    reader.fail(expr.span, "duration must be greater than 0");
  }
  return durationOf(expr);
}

/** A duration after `offset`. */
export function parseOffsetDuration(reader: TokenReader): Duration {
  const parser = new DurationParser(reader, {
    context: "offset",
    expected: "number, duration, step(), or range()",
  });
  return durationOf(parser.signed());
}

function durationOf(expr: DurationExpr): Duration {
  return expr.kind === "number"
    ? { ms: secondsToMs(expr.value) }
    : { ms: 0, operation: expr };
}

class DurationParser {
  readonly #reader: TokenReader;
  readonly #otherwise: Expectation;
  #nesting = 0;

  constructor(reader: TokenReader, otherwise: Expectation) {
    this.#reader = reader;
    this.#otherwise = otherwise;
  }

  operation(minPrecedence: number): DurationExpr {
    let left = this.#operand();
    for (;;) {
      const token = this.#reader.peek();
      const precedence = token.kind === "operator"
        ? PRECEDENCE[token.word]
        : undefined;
      if (precedence === undefined || precedence < minPrecedence) return left;
      this.#reader.take();
      const isRight = token.word === "^";
      const right = this.operation(precedence + (isRight ? 0 : 1));
      this.#checkDivisor(token, right);
      left = {
        kind: "duration",
        operator: token.word as DurationOperation["operator"],
        left,
        right,
        isWrapped: false,
        span: join(left.span, right.span),
      };
    }
  }

  /** One duration with at most one sign. */
  signed(): DurationExpr {
    const sign = this.#sign();
    const operand = this.#single();
    return sign === undefined ? operand : this.#withSign(sign, operand);
  }

  #operand(): DurationExpr {
    if (++this.#nesting > NESTING_MAX) {
      this.#reader.fail(
        spanOf(this.#reader.peek()),
        `a duration is nested more than ${NESTING_MAX} times`,
      );
    }
    const sign = this.#sign();
    const operand = sign === undefined
      ? this.#single()
      : this.#withSign(sign, this.operation(SIGN_PRECEDENCE + 1));
    this.#nesting--;
    return operand;
  }

  #sign(): Token | undefined {
    return this.#reader.takeIf("operator", "+") ??
      this.#reader.takeIf("operator", "-");
  }

  #withSign(sign: Token, operand: DurationExpr): DurationExpr {
    const span = join(spanOf(sign), operand.span);
    if (operand.kind === "number") {
      const value = sign.word === "-" ? -operand.value : operand.value;
      return this.#inBounds({ ...operand, value, span }, spanOf(sign));
    }
    if (sign.word === "+") return operand;
    return {
      kind: "duration",
      operator: "-",
      right: operand,
      isWrapped: false,
      span,
    };
  }

  #single(): DurationExpr {
    const reader = this.#reader;
    const number = takeNumber(reader);
    if (number !== undefined) return this.#inBounds(number, number.span);
    const open = reader.takeIf("(");
    if (open !== undefined) {
      const inner = this.operation(1);
      const close = this.#expect(")");
      return wrapped(inner, join(spanOf(open), spanOf(close)));
    }
    const token = reader.peek();
    if (token.kind !== "keyword" || !DURATION_WORDS.includes(token.word)) {
      return this.#unexpected();
    }
    reader.take();
    this.#expect("(");
    return this.#word(token);
  }

  #word(token: Token): DurationOperation {
    const operator = token.word as DurationOperation["operator"];
    const hasOperands = operator === "min_of" || operator === "max_of";
    let operands = {};
    if (hasOperands) {
      const left = this.operation(1);
      this.#expect(",");
      operands = { left, right: this.operation(1) };
    }
    const span = join(spanOf(token), spanOf(this.#expect(")")));
    return { kind: "duration", operator, ...operands, isWrapped: false, span };
  }

  #checkDivisor(operator: Token, right: DurationExpr): void {
    if (right.kind !== "number" || right.value !== 0) return;
    if (operator.word === "/") {
      this.#reader.fail(spanOf(operator), "division by zero");
    }
    if (operator.word === "%") {
      this.#reader.fail(spanOf(operator), "modulo by zero");
    }
  }

  #inBounds(literal: NumberLiteral, span: Span): NumberLiteral {
    if (Math.abs(literal.value) > DURATION_MS_MAX / 1000) {
      this.#reader.fail(span, "duration out of range");
    }
    return literal;
  }

  #expect(kind: "(" | ")" | ","): Token {
    return this.#reader.takeIf(kind) ?? this.#unexpected();
  }

  #unexpected(): never {
    return this.#reader.unexpected(
      this.#otherwise.context,
      this.#otherwise.expected,
    );
  }
}

/** Remembers the parentheses; a number gets a `+` that is not printed to carry them. */
function wrapped(expr: DurationExpr, span: Span): DurationOperation {
  return expr.kind === "duration" ? { ...expr, isWrapped: true } : {
    kind: "duration",
    operator: "+",
    right: expr,
    isWrapped: true,
    span,
  };
}
