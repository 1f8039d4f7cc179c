/** An expression as text: one line, in the canonical form of Prometheus. Any thread. */
import {
  type AggregateExpr,
  type AtModifier,
  type BinaryExpr,
  type Duration,
  type DurationExpr,
  type DurationOperation,
  type Expr,
  type LabelMatcher,
  METRIC_NAME,
  type NumberLiteral,
  type SubqueryExpr,
  type VectorMatching,
  type VectorSelector,
} from "./ast.ts";
import { formatDurationMs } from "./duration.ts";
import { formatPlain, formatShortest } from "./number_literal.ts";
import { quote } from "./quote.ts";

/** The expression in one line; it reads back as the same tree. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return printNumber(expr);
    case "string":
      return quote(expr.value);
    case "vector-selector":
      return printSelector(expr) + printAt(expr.at) +
        (expr.extension === undefined ? "" : ` ${expr.extension}`) +
        printOffset(expr.offset);
    case "matrix-selector": {
      const { at, extension, offset } = expr.selector;
      return `${printSelector(expr.selector)}[${printDuration(expr.range)}]` +
        (extension === undefined ? "" : ` ${extension}`) + printAt(at) +
        printOffset(offset);
    }
    case "subquery":
      return printExpr(expr.expr) + printSubquerySuffix(expr);
    case "call":
      return `${expr.function.name}(${expr.args.map(printExpr).join(", ")})`;
    case "aggregate": {
      const param = expr.param === undefined
        ? ""
        : `${printExpr(expr.param)}, `;
      return `${printAggregation(expr)}(${param}${printExpr(expr.expr)})`;
    }
    case "binary":
      return `${printExpr(expr.left)} ${printOperator(expr)} ${
        printExpr(expr.right)
      }`;
    case "paren":
      return `(${printExpr(expr.expr)})`;
    case "unary":
      return expr.operator + printExpr(expr.expr);
  }
}

function printNumber(literal: NumberLiteral): string {
  return literal.isDuration
    ? formatDurationMs(literal.value * 1000)
    : formatPlain(literal.value);
}

/** The aggregation without its arguments: `sum by (a) `. */
export function printAggregation(expr: AggregateExpr): string {
  const labels = printLabels(expr.grouping);
  if (expr.isWithout) return `${expr.operator} without (${labels}) `;
  return expr.grouping.length > 0
    ? `${expr.operator} by (${labels}) `
    : expr.operator;
}

function printLabels(labels: readonly string[]): string {
  return labels.map(printName).join(", ");
}

/** A name that the old rules allow stands as it is, another one is quoted. */
function printName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name);
}

/** The operator with everything between it and its right side. */
export function printOperator(expr: BinaryExpr): string {
  return expr.operator + (expr.returnsBool ? " bool" : "") +
    (expr.matching === undefined ? "" : printMatching(expr.matching));
}

function printMatching(matching: VectorMatching): string {
  const { card, labels, isOn, include, fillLeft, fillRight } = matching;
  const isGrouped = card === "many-to-one" || card === "one-to-many";
  let text = "";
  if (labels.length > 0 || isOn || isGrouped) {
    text += ` ${isOn ? "on" : "ignoring"} (${printLabels(labels)})`;
  }
  if (isGrouped) {
    const side = card === "many-to-one" ? "left" : "right";
    text += ` group_${side} (${printLabels(include)})`;
  }
  if (fillLeft !== undefined && fillLeft === fillRight) {
    return `${text} fill (${formatShortest(fillLeft)})`;
  }
  if (fillLeft !== undefined) {
    text += ` fill_left (${formatShortest(fillLeft)})`;
  }
  if (fillRight !== undefined) {
    text += ` fill_right (${formatShortest(fillRight)})`;
  }
  return text;
}

function printSelector(selector: VectorSelector): string {
  const { name, matchers } = selector;
  const inside = matchers.filter((matcher) =>
    !(matcher.name === METRIC_NAME && matcher.type === "=" &&
      matcher.value === name && name !== "")
  ).map(printMatcher).sort(compareCodePoints);
  return inside.length === 0 && name !== ""
    ? name
    : `${name}{${inside.join(",")}}`;
}

function printMatcher(matcher: LabelMatcher): string {
  return printName(matcher.name) + matcher.type + quote(matcher.value);
}

/** The order of UTF-8 bytes. */
function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** What follows the inner expression: `[5m:1m] @ 10.000 offset 1h`. */
export function printSubquerySuffix(expr: SubqueryExpr): string {
  const step = expr.step === undefined ? "" : printDuration(expr.step);
  return `[${printDuration(expr.range)}:${step}]` + printAt(expr.at) +
    printOffset(expr.offset);
}

function printAt(at: AtModifier | undefined): string {
  if (at === undefined) return "";
  return typeof at === "number" ? ` @ ${printSeconds(at)}` : ` @ ${at}()`;
}

function printSeconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function printOffset(offset: Duration): string {
  return offset.ms === 0 && offset.operation === undefined
    ? ""
    : ` offset ${printDuration(offset)}`;
}

function printDuration(duration: Duration): string {
  return duration.operation === undefined
    ? formatDurationMs(duration.ms)
    : printOperation(duration.operation);
}

function printDurationExpr(expr: DurationExpr): string {
  return expr.kind === "number" ? printNumber(expr) : printOperation(expr);
}

function printOperation(expr: DurationOperation): string {
  const text = printUnwrapped(expr);
  return expr.isWrapped ? `(${text})` : text;
}

function printUnwrapped(expr: DurationOperation): string {
  const { operator, left, right } = expr;
  if (right === undefined) return `${operator}()`;
  const last = printDurationExpr(right);
  if (left === undefined) return operator === "+" ? last : operator + last;
  const first = printDurationExpr(left);
  return operator === "min_of" || operator === "max_of"
    ? `${operator}(${first}, ${last})`
    : `${first} ${operator} ${last}`;
}
