/** Whether the parts of an expression fit one another. Any thread. */
import type { CompilePattern } from "../../base/pattern.ts";
import {
  type AggregateExpr,
  type BinaryExpr,
  type CallExpr,
  type Expr,
  isComparison,
  isSetOperator,
  METRIC_NAME,
  TYPE_NAMES,
  typeOf,
  type ValueType,
  type VectorSelector,
} from "./ast.ts";
import { compileMatcher } from "./matchers.ts";
import { PromqlParseError, type Span } from "./parse_error.ts";

/** Throws a {@linkcode PromqlParseError} at the first part that does not fit. */
export function checkTypes(
  query: string,
  expr: Expr,
  compile: CompilePattern,
): void {
  new Checker(query, compile).check(expr);
}

class Checker {
  readonly #query: string;
  readonly #compile: CompilePattern;

  constructor(query: string, compile: CompilePattern) {
    this.#query = query;
    this.#compile = compile;
  }

  check(expr: Expr): ValueType {
    switch (expr.kind) {
      case "aggregate":
        this.#aggregate(expr);
        break;
      case "binary":
        this.#binary(expr);
        break;
      case "call":
        this.#call(expr);
        break;
      case "paren":
        this.check(expr.expr);
        break;
      case "unary": {
        const type = this.check(expr.expr);
        if (type === "scalar" || type === "vector") break;
        this.#fail(
          expr.span,
          "unary expression only allowed on expressions of type scalar or " +
            `instant vector, got "${TYPE_NAMES[type]}"`,
        );
        break;
      }
      case "subquery": {
        const type = this.check(expr.expr);
        if (type === "vector") break;
        this.#fail(
          expr.span,
          `subquery is only allowed on instant vector, got ${type} instead`,
        );
        break;
      }
      case "matrix-selector":
        this.#selector(expr.selector);
        break;
      case "vector-selector":
        this.#selector(expr);
        break;
    }
    return typeOf(expr);
  }

  #aggregate(expr: AggregateExpr): void {
    this.#expect(expr.expr, "vector", "aggregation expression");
    if (expr.param === undefined) return;
    const wanted = expr.operator === "count_values" ? "string" : "scalar";
    this.#expect(expr.param, wanted, "aggregation parameter");
  }

  #expect(expr: Expr, wanted: ValueType, context: string): void {
    const type = this.check(expr);
    if (type === wanted) return;
    this.#fail(
      expr.span,
      `expected type ${TYPE_NAMES[wanted]} in ${context}, got ${
        TYPE_NAMES[type]
      }`,
    );
  }

  #binary(expr: BinaryExpr): void {
    const { operator, matching } = expr;
    const left = this.check(expr.left);
    const right = this.check(expr.right);
    if (expr.returnsBool && !isComparison(operator)) {
      this.#fail(
        expr.operatorSpan,
        "bool modifier can only be used on comparison operators",
      );
    }
    const areScalars = left === "scalar" && right === "scalar";
    if (isComparison(operator) && !expr.returnsBool && areScalars) {
      this.#fail(
        expr.operatorSpan,
        "comparisons between scalars must use BOOL modifier",
      );
    }
    const twice = matching?.isOn
      ? matching.labels.find((label) => matching.include.includes(label))
      : undefined;
    if (twice !== undefined) {
      this.#fail(
        expr.operatorSpan,
        `label "${twice}" must not occur in ON and GROUP clause at once`,
      );
    }
    for (const side of [expr.left, expr.right]) {
      const type = typeOf(side);
      if (type === "scalar" || type === "vector") continue;
      this.#fail(
        side.span,
        "binary expression must contain only scalar and instant vector types",
      );
    }
    this.#matching(expr, left === "vector" && right === "vector");
    if (isSetOperator(operator) && (left === "scalar" || right === "scalar")) {
      this.#fail(
        expr.span,
        `set operator "${operator}" not allowed in binary scalar expression`,
      );
    }
  }

  #matching(expr: BinaryExpr, areVectors: boolean): void {
    const { operator, matching } = expr;
    if (matching === undefined) return;
    const fills = matching.fillLeft !== undefined ||
      matching.fillRight !== undefined;
    if (!areVectors) {
      this.#fail(
        expr.span,
        matching.labels.length > 0
          ? "vector matching only allowed between instant vectors"
          : "filling in missing series only allowed between instant vectors",
      );
    }
    if (!isSetOperator(operator)) return;
    if (matching.card !== "many-to-many") {
      this.#fail(expr.span, `no grouping allowed for "${operator}" operation`);
    }
    if (fills) {
      this.#fail(
        expr.span,
        "filling in missing series not allowed for set operators",
      );
    }
  }

  #call(expr: CallExpr): void {
    const { name, args: types, argsMin, argsMax } = expr.function;
    const count = expr.args.length;
    if (count < argsMin || count > argsMax) {
      const wanted = argsMin === argsMax
        ? argsMin
        : count < argsMin
        ? `at least ${argsMin}`
        : `at most ${argsMax}`;
      this.#fail(
        expr.span,
        `expected ${wanted} argument(s) in call to "${name}", got ${count}`,
      );
    }
    if (name === "info" && count > 1) this.#infoSelector(expr);
    expr.args.forEach((arg, i) => {
      const wanted = types[Math.min(i, types.length - 1)]!;
      // The second argument of info() is a set of matchers, which may be empty.
      if (name === "info" && i === 1) return;
      const type = this.check(arg);
      if (type === wanted) return;
      this.#fail(
        arg.span,
        `expected type ${TYPE_NAMES[wanted]} in call to function "${name}", ` +
          `got ${TYPE_NAMES[type]}`,
      );
    });
  }

  #infoSelector(expr: CallExpr): void {
    const selector = expr.args[1]!;
    const type = typeOf(selector);
    if (type !== "vector") {
      this.#fail(
        expr.span,
        `expected type instant vector in call to function "info", got ${
          TYPE_NAMES[type]
        }`,
      );
    }
    if (selector.kind !== "vector-selector") {
      this.#fail(selector.span, "expected label selectors only");
    } else if (selector.name !== "") {
      this.#fail(
        selector.span,
        "expected label selectors only, got vector selector instead",
      );
    }
  }

  #selector(selector: VectorSelector): void {
    const { name, matchers, span } = selector;
    if (name !== "") {
      const twice = matchers.slice(0, -1)
        .find((matcher) => matcher.name === METRIC_NAME);
      if (twice === undefined) return;
      this.#fail(
        span,
        `metric name must not be set twice: "${name}" or "${twice.value}"`,
      );
    }
    const isEmpty = matchers.every((matcher) =>
      compileMatcher(matcher, this.#compile)("")
    );
    if (!isEmpty) return;
    this.#fail(
      span,
      "vector selector must contain at least one non-empty matcher",
    );
  }

  #fail(span: Span, what: string): never {
    throw new PromqlParseError(this.#query, span, what);
  }
}
