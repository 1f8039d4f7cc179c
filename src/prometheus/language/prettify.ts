/**
 * An expression over several lines: what is longer than a line is split at its
 * operator or its parentheses, and the parts are indented. Any thread.
 */
import type { Expr } from "./ast.ts";
import {
  printAggregation,
  printExpr,
  printOperator,
  printSubquerySuffix,
} from "./printer.ts";

/** UTF-8 characters of a line before it is split. */
const LINE_MAX = 100;

/** The expression as `format_query` answers it. */
export function prettify(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const indent = "  ".repeat(level);
  const line = printExpr(expr);
  // The inside of a subquery is indented, or the whole is not split at all.
  if (line.length <= LINE_MAX) {
    return expr.kind === "subquery" ? line : indent + line;
  }
  switch (expr.kind) {
    case "aggregate": {
      const param = expr.param === undefined
        ? ""
        : `${pretty(expr.param, level + 1)},\n`;
      return `${indent}${printAggregation(expr)}(\n${param}` +
        `${pretty(expr.expr, level + 1)}\n${indent})`;
    }
    case "binary":
      return `${pretty(expr.left, level + 1)}\n${indent}${
        printOperator(expr)
      }\n${pretty(expr.right, level + 1)}`;
    case "call": {
      const args = expr.args.map((arg) => pretty(arg, level + 1)).join(",\n");
      return `${indent}${expr.function.name}(\n${args}\n${indent})`;
    }
    case "paren":
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`;
    case "subquery":
      return pretty(expr.expr, level) + printSubquerySuffix(expr);
    case "unary":
      return indent + expr.operator + pretty(expr.expr, level).trim();
    default:
      return indent + line;
  }
}
