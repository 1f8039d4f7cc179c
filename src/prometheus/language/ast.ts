/**
 * The tree of an expression. Nodes are plain values that nobody changes after
 * parsing; spans are UTF-16 offsets of the query. Any thread.
 */
import type { PromqlFunction } from "./functions.ts";
import type { Span } from "./parse_error.ts";

export type ValueType = "scalar" | "vector" | "matrix" | "string";

/** What messages call a type. */
export const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  scalar: "scalar",
  vector: "instant vector",
  matrix: "range vector",
  string: "string",
};

export const METRIC_NAME = "__name__";

export type MatchType = "=" | "!=" | "=~" | "!~";

export interface LabelMatcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
}

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type ComparisonOperator = "==" | "!=" | "<=" | "<" | ">=" | ">";
export type SetOperator = "and" | "or" | "unless";
/** Trims of native histograms; on floats they yield nothing. */
export type TrimOperator = "</" | ">/";
export type BinaryOperator =
  | ArithmeticOperator
  | ComparisonOperator
  | SetOperator
  | TrimOperator;

export type AggregateOperator =
  | "sum"
  | "avg"
  | "count"
  | "min"
  | "max"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "count_values"
  | "quantile"
  | "limitk"
  | "limit_ratio";

export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number;
  /** Written as a duration; printed as one. */
  readonly isDuration: boolean;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

/** A duration that has to be calculated: `step() + 1m`. Seconds. */
export interface DurationOperation {
  readonly kind: "duration";
  readonly operator:
    | "step"
    | "range"
    | "min_of"
    | "max_of"
    | Exclude<ArithmeticOperator, "atan2">;
  /** Absent for `step()`, `range()` and signs. */
  readonly left?: DurationExpr;
  readonly right?: DurationExpr;
  readonly isWrapped: boolean;
  readonly span: Span;
}

export type DurationExpr = NumberLiteral | DurationOperation;

/** A duration of a selector: fixed, or to be calculated when a query is planned. */
export interface Duration {
  /** Milliseconds; 0 where there is an `operation`. */
  readonly ms: number;
  readonly operation?: DurationOperation;
}

/** `@ 1.5` as milliseconds, or `@ start()`, `@ end()`. */
export type AtModifier = number | "start" | "end";

export interface VectorSelector {
  readonly kind: "vector-selector";
  /** The name in front of the braces; "" where there is none. */
  readonly name: string;
  /** With the name's matcher, which comes last. */
  readonly matchers: readonly LabelMatcher[];
  readonly offset: Duration;
  readonly at?: AtModifier;
  readonly extension?: "anchored" | "smoothed";
  readonly span: Span;
}

export interface MatrixSelector {
  readonly kind: "matrix-selector";
  /** Carries offset, `@` and extension of the whole. */
  readonly selector: VectorSelector;
  readonly range: Duration;
  readonly span: Span;
}

export interface SubqueryExpr {
  readonly kind: "subquery";
  readonly expr: Expr;
  readonly range: Duration;
  /** Absent: the default step. */
  readonly step?: Duration;
  readonly offset: Duration;
  readonly at?: AtModifier;
  readonly span: Span;
}

export interface CallExpr {
  readonly kind: "call";
  readonly function: PromqlFunction;
  readonly args: readonly Expr[];
  readonly span: Span;
}

export interface AggregateExpr {
  readonly kind: "aggregate";
  readonly operator: AggregateOperator;
  readonly expr: Expr;
  /** The k of topk, the φ of quantile, the label of count_values. */
  readonly param?: Expr;
  readonly grouping: readonly string[];
  readonly isWithout: boolean;
  readonly span: Span;
}

export interface VectorMatching {
  readonly card: "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";
  readonly labels: readonly string[];
  /** `on`; otherwise `ignoring`. */
  readonly isOn: boolean;
  /** The labels of group_left and group_right. */
  readonly include: readonly string[];
  /** What stands in for a series that one side lacks. */
  readonly fillLeft?: number;
  readonly fillRight?: number;
}

export interface BinaryExpr {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly returnsBool: boolean;
  /** Absent where a side is a scalar. */
  readonly matching?: VectorMatching;
  readonly operatorSpan: Span;
  readonly span: Span;
}

export interface ParenExpr {
  readonly kind: "paren";
  readonly expr: Expr;
  readonly span: Span;
}

export interface UnaryExpr {
  readonly kind: "unary";
  readonly operator: "+" | "-";
  readonly expr: Expr;
  readonly span: Span;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr
  | CallExpr
  | AggregateExpr
  | BinaryExpr
  | ParenExpr
  | UnaryExpr;

const COMPARISONS: readonly string[] = ["==", "!=", "<=", "<", ">=", ">"];
const SETS: readonly string[] = ["and", "or", "unless"];

export function isComparison(
  operator: BinaryOperator,
): operator is ComparisonOperator {
  return COMPARISONS.includes(operator);
}

export function isSetOperator(
  operator: BinaryOperator,
): operator is SetOperator {
  return SETS.includes(operator);
}

/** Aggregations that take a parameter before the vector. */
export function takesParam(operator: AggregateOperator): boolean {
  return [
    "topk",
    "bottomk",
    "count_values",
    "quantile",
    "limitk",
    "limit_ratio",
  ].includes(operator);
}

export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "matrix-selector":
    case "subquery":
      return "matrix";
    case "call":
      return expr.function.returns;
    case "paren":
    case "unary":
      return typeOf(expr.expr);
    case "binary":
      return typeOf(expr.left) === "scalar" && typeOf(expr.right) === "scalar"
        ? "scalar"
        : "vector";
    default:
      return "vector";
  }
}

/** The parts of an expression that are expressions, in the order of the text. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "matrix-selector":
      return [expr.selector];
    case "subquery":
    case "paren":
    case "unary":
      return [expr.expr];
    case "call":
      return expr.args;
    case "aggregate":
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case "binary":
      return [expr.left, expr.right];
    default:
      return [];
  }
}

/** Without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === "paren") inner = inner.expr;
  return inner;
}
