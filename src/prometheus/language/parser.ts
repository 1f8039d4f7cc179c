/**
 * PromQL from text to tree: operators by precedence, everything else by descent.
 * Grammar, types and the texts of errors are those of Prometheus 3. Any thread.
 */
import { type CompilePattern, patternCompiler } from "../../base/pattern.ts";
import type {
  AggregateExpr,
  AggregateOperator,
  BinaryOperator,
  Expr,
  VectorSelector,
} from "./ast.ts";
import { takesParam } from "./ast.ts";
import { checkTypes } from "./check_types.ts";
import { compileMatcher } from "./matchers.ts";
import { findFunction } from "./functions.ts";
import { PromqlParseError } from "./parse_error.ts";
import { stringValue, takeNumber } from "./parse_literal.ts";
import {
  matchingOf,
  parseBinaryModifiers,
  parsePostfix,
} from "./parse_modifiers.ts";
import { parseLabels, parseSelector } from "./parse_selector.ts";
import { canNameMetric, type Token } from "./token.ts";
import { join, spanOf, TokenReader } from "./token_reader.ts";

/** UTF-16 units of a query. */
const QUERY_LENGTH_MAX = 64 << 10;
/** Expressions within one another by parentheses, calls and signs. */
const NESTING_MAX = 250;
/** Operators in a row: what goes through the tree goes as deep. */
const CHAIN_MAX = 1000;

const PRECEDENCE: Readonly<Record<string, number>> = {
  "or": 1,
  "and": 2,
  "unless": 2,
  "==": 3,
  "!=": 3,
  "<=": 3,
  "<": 3,
  ">=": 3,
  ">": 3,
  "</": 3,
  ">/": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  "atan2": 5,
  "^": 6,
};
/** Signs bind like products, so `-2^2` is −4. */
const SIGN_PRECEDENCE = 5;

/**
 * Reads an expression and checks its types. Throws a {@linkcode PromqlParseError}.
 * `compile`: one for texts that belong together.
 */
export function parseExpr(
  text: string,
  compile: CompilePattern = patternCompiler(),
): Expr {
  const expr = read(text, compile);
  checkTypes(text, expr, compile);
  return expr;
}

function read(text: string, compile: CompilePattern): Expr {
  if (text.length > QUERY_LENGTH_MAX) {
    throw new PromqlParseError(
      text,
      { start: 0, end: text.length },
      `the query is longer than ${QUERY_LENGTH_MAX} characters`,
    );
  }
  const reader = new TokenReader(text, compile);
  if (reader.isNext("end")) {
    reader.fail({ start: 0, end: 0 }, "no expression found in input");
  }
  const expr = new ExprParser(reader).expression(1);
  reader.expect("end");
  return expr;
}

/**
 * A selector alone, as `match[]` has it. Throws a {@linkcode PromqlParseError};
 * `undefined`: there is nothing wrong with it but that it selects everything.
 */
export function parseMetricSelector(
  text: string,
  compile: CompilePattern = patternCompiler(),
): VectorSelector | undefined {
  const expr = read(text, compile);
  if (expr.kind !== "vector-selector" || !isPlain(expr)) {
    throw new PromqlParseError(
      text,
      expr.span,
      "expected a selector without modifiers",
    );
  }
  if (expr.matchers.every((one) => compileMatcher(one, compile)(""))) {
    return undefined;
  }
  checkTypes(text, expr, compile);
  return expr;
}

function isPlain(selector: VectorSelector): boolean {
  return selector.at === undefined && selector.extension === undefined &&
    selector.offset.ms === 0 && selector.offset.operation === undefined;
}

class ExprParser {
  readonly #reader: TokenReader;
  #nesting = 0;
  #operators = 0;

  constructor(reader: TokenReader) {
    this.#reader = reader;
  }

  expression(minPrecedence: number): Expr {
    const reader = this.#reader;
    if (++this.#nesting > NESTING_MAX) {
      reader.fail(
        spanOf(reader.peek()),
        `expressions are nested more than ${NESTING_MAX} times`,
      );
    }
    let left = this.#operand();
    for (;;) {
      const token = reader.peek();
      const precedence = token.kind === "operator"
        ? PRECEDENCE[token.word]
        : undefined;
      if (precedence === undefined || precedence < minPrecedence) break;
      left = this.#binary(left, reader.take(), precedence);
    }
    this.#nesting--;
    return left;
  }

  #binary(left: Expr, token: Token, precedence: number): Expr {
    if (++this.#operators > CHAIN_MAX) {
      this.#reader.fail(
        spanOf(token),
        `the query has more than ${CHAIN_MAX} operators`,
      );
    }
    const operator = token.word as BinaryOperator;
    const modifiers = parseBinaryModifiers(this.#reader);
    const right = this.expression(precedence + (operator === "^" ? 0 : 1));
    const matching = matchingOf(operator, left, right, modifiers.matching);
    return {
      kind: "binary",
      operator,
      left,
      right,
      returnsBool: modifiers.returnsBool,
      ...(matching === undefined ? {} : { matching }),
      operatorSpan: spanOf(token),
      span: join(left.span, right.span),
    };
  }

  #operand(): Expr {
    const reader = this.#reader;
    const sign = reader.takeIf("operator", "+") ??
      reader.takeIf("operator", "-");
    if (sign === undefined) return parsePostfix(reader, this.#primary());
    const operand = this.expression(SIGN_PRECEDENCE + 1);
    const span = join(spanOf(sign), operand.span);
    if (operand.kind === "number") {
      const value = sign.word === "-" ? -operand.value : operand.value;
      return { ...operand, value, span };
    }
    const operator = sign.word as "+" | "-";
    return { kind: "unary", operator, expr: operand, span };
  }

  #primary(): Expr {
    const reader = this.#reader;
    const number = takeNumber(reader);
    if (number !== undefined) return number;
    const token = reader.peek();
    switch (token.kind) {
      case "string":
        reader.take();
        return {
          kind: "string",
          value: stringValue(token),
          span: spanOf(token),
        };
      case "{":
        return parseSelector(reader, undefined);
      case "(": {
        reader.take();
        const expr = this.expression(1);
        const close = reader.expect(")");
        return {
          kind: "paren",
          expr,
          span: join(spanOf(token), spanOf(close)),
        };
      }
    }
    if (!canNameMetric(token)) return reader.unexpected();
    reader.take();
    if (token.kind === "aggregator" && this.#isAggregation()) {
      return this.#aggregate(token);
    }
    return this.#mayBeCalled(token) && reader.isNext("(")
      ? this.#call(token)
      : parseSelector(reader, token);
  }

  #mayBeCalled(token: Token): boolean {
    return token.kind === "identifier" ||
      ["start", "end", "step", "range", "max_of", "min_of"].includes(
        token.word,
      );
  }

  #isAggregation(): boolean {
    const next = this.#reader.peek();
    return next.kind === "(" || next.word === "by" || next.word === "without";
  }

  #call(name: Token): Expr {
    const reader = this.#reader;
    const { args, end } = this.#arguments();
    const found = findFunction(name.text) ?? reader.fail(
      spanOf(name),
      `unknown function with name "${name.text}"`,
    );
    return {
      kind: "call",
      function: found,
      args,
      span: { start: name.start, end },
    };
  }

  #arguments(): { args: Expr[]; end: number } {
    const reader = this.#reader;
    reader.expect("(");
    const args: Expr[] = [];
    if (!reader.isNext(")")) args.push(this.expression(1));
    for (;;) {
      const comma = reader.takeIf(",");
      if (comma === undefined) break;
      if (args.length === 0 || !this.#startsExpression()) {
        reader.fail(
          spanOf(comma),
          "trailing commas not allowed in function call args",
        );
      }
      args.push(this.expression(1));
    }
    return { args, end: spanOf(reader.expect(")")).end };
  }

  #startsExpression(): boolean {
    const token = this.#reader.peek();
    return ["number", "duration", "string", "(", "{"].includes(token.kind) ||
      canNameMetric(token) || token.word === "+" || token.word === "-";
  }

  #aggregate(token: Token): AggregateExpr {
    const reader = this.#reader;
    reader.aggregations++;
    let grouping = this.#grouping();
    const { args, end } = this.#arguments();
    reader.aggregations--;
    let span = { start: token.start, end };
    if (grouping === undefined) {
      grouping = this.#grouping();
      if (grouping !== undefined) {
        span = { start: token.start, end: grouping.end };
      }
    }
    const operator = token.word as AggregateOperator;
    const wanted = takesParam(operator) ? 2 : 1;
    if (args.length === 0) {
      reader.fail(span, "no arguments for aggregate expression provided");
    }
    if (args.length !== wanted) {
      reader.fail(
        span,
        "wrong number of arguments for aggregate expression provided, " +
          `expected ${wanted}, got ${args.length}`,
      );
    }
    return {
      kind: "aggregate",
      operator,
      expr: args[wanted - 1]!,
      ...(wanted === 2 ? { param: args[0]! } : {}),
      grouping: grouping?.labels ?? [],
      isWithout: grouping?.isWithout ?? false,
      span,
    };
  }

  #grouping():
    | { labels: string[]; isWithout: boolean; end: number }
    | undefined {
    const reader = this.#reader;
    const isBy = reader.takeIf("keyword", "by") !== undefined;
    if (!isBy && reader.takeIf("keyword", "without") === undefined) {
      return undefined;
    }
    const start = reader.peek().start;
    const labels = parseLabels(reader);
    const end = start +
      reader.text.slice(start, reader.peek().start).lastIndexOf(")") + 1;
    return { labels, isWithout: !isBy, end };
  }
}
