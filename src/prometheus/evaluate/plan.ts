/**
 * What is known of a query before a sample is read: durations that have to be
 * calculated, and the parts that are the same at every step. Any thread.
 */
import {
  type AtModifier,
  childrenOf,
  type Duration,
  type DurationExpr,
  type Expr,
  unwrapParens,
} from "../language/ast.ts";
import { DURATION_MS_MAX } from "../language/duration.ts";
import { TIME_DEPENDENT } from "../language/functions.ts";
import { modulo, power } from "./go_math.ts";
import { QueryError } from "./query_error.ts";

/** The times of a query as the request gave them. */
export interface QueryTimes {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
}

/** Functions that are a number to the whole query. */
const QUERY_CONSTANTS = new Set(["start", "end", "step", "range"]);

export class Plan {
  readonly times: QueryTimes;
  readonly #invariant = new Set<Expr>();

  /** Throws a {@linkcode QueryError} (`bad_data`) where a duration cannot be. */
  constructor(expr: Expr, times: QueryTimes) {
    this.times = times;
    this.#visit(expr);
  }

  /** Whether the expression has the same value at every step. */
  isInvariant(expr: Expr): boolean {
    return this.#invariant.has(expr);
  }

  /** A duration in milliseconds. */
  ms(duration: Duration, mayBeNegative = false): number {
    if (duration.operation === undefined) return duration.ms;
    const operation = duration.operation;
    const seconds = this.#seconds(operation);
    const { start, end } = operation.span;
    const fail = (why: string): never => {
      throw new QueryError("bad_data", `${start}:${end}: ${why}`);
    };
    if (!Number.isFinite(seconds)) fail("duration is NaN or infinite");
    if (seconds <= 0 && !mayBeNegative) fail("duration must be greater than 0");
    if (Math.abs(seconds) > DURATION_MS_MAX / 1000) {
      fail("duration is out of range");
    }
    return Math.trunc(seconds * 1000);
  }

  /** The time that an `@` modifier fixes; `undefined`: there is none. */
  atMs(at: AtModifier | undefined): number | undefined {
    if (at === "start") return this.times.startMs;
    if (at === "end") return this.times.endMs;
    return at;
  }

  /** What `start()`, `end()`, `step()` and `range()` are in this query. */
  constant(name: string): number | undefined {
    const { startMs, endMs, stepMs } = this.times;
    switch (name) {
      case "start":
        return startMs / 1000;
      case "end":
        return endMs / 1000;
      case "range":
        return (endMs - startMs) / 1000;
      case "step":
        return startMs === endMs ? 0 : stepMs / 1000;
      default:
        return undefined;
    }
  }

  #seconds(expr: DurationExpr): number {
    if (expr.kind === "number") return expr.value;
    const { operator, span } = expr;
    if (operator === "step") return this.times.stepMs / 1000;
    if (operator === "range") {
      return (this.times.endMs - this.times.startMs) / 1000;
    }
    const right = this.#seconds(expr.right!);
    if (expr.left === undefined) return operator === "-" ? -right : right;
    const left = this.#seconds(expr.left);
    if ((operator === "/" || operator === "%") && right === 0) {
      const what = operator === "/" ? "division" : "modulo";
      throw new QueryError(
        "bad_data",
        `${span.start}:${span.end}: ${what} by zero`,
      );
    }
    switch (operator) {
      case "min_of":
        return Math.min(left, right);
      case "max_of":
        return Math.max(left, right);
      case "+":
        return left + right;
      case "-":
        return left - right;
      case "*":
        return left * right;
      case "/":
        return left / right;
      case "%":
        return modulo(left, right);
      case "^":
        return power(left, right);
    }
  }

  /** Children first; also calculates every duration once, so that a bad one is refused. */
  #visit(expr: Expr): boolean {
    const areInvariant = childrenOf(expr).map((child) => this.#visit(child))
      .every((isInvariant) => isInvariant);
    const isInvariant = this.#isInvariant(expr, areInvariant);
    if (isInvariant) this.#invariant.add(expr);
    return isInvariant;
  }

  #isInvariant(expr: Expr, areChildrenInvariant: boolean): boolean {
    switch (expr.kind) {
      case "vector-selector":
        this.ms(expr.offset, true);
        return expr.at !== undefined;
      case "matrix-selector":
        this.ms(expr.range);
        return areChildrenInvariant;
      case "subquery":
        this.ms(expr.range);
        this.ms(expr.offset, true);
        if (expr.step !== undefined) this.ms(expr.step);
        return expr.at !== undefined;
      case "call":
        return areChildrenInvariant &&
          this.#isTimeless(expr.function.name, expr.args);
      default:
        return areChildrenInvariant;
    }
  }

  #isTimeless(name: string, args: readonly Expr[]): boolean {
    if (!TIME_DEPENDENT.has(name) || QUERY_CONSTANTS.has(name)) return true;
    // A selector's own times do not depend on the step when its reference is fixed.
    return name === "timestamp" &&
      unwrapParens(args[0]!).kind === "vector-selector";
  }
}
