/**
 * The value of an expression at the steps of a grid. What is the same at every step
 * is evaluated once. Any thread.
 */
import {
  type AggregateExpr,
  type BinaryExpr,
  type Expr,
  isSetOperator,
  type StringLiteral,
  type UnaryExpr,
  unwrapParens,
  type VectorSelector,
} from "../language/ast.ts";
import { isLabelName, quote } from "../language/quote.ts";
import { aggregateQuantile, Aggregation } from "./aggregate.ts";
import { boundsOf, choose } from "./aggregate_choice.ts";
import { scalarWithScalar, vectorWithScalar } from "./binary_scalar.ts";
import { vectorWithVector } from "./binary_vector.ts";
import { SLICE_CELLS } from "./budget.ts";
import { callFunction } from "./call_function.ts";
import {
  type EvaluationContext,
  type Grid,
  makeGrid,
  type Value,
} from "./context.ts";
import { countValues } from "./count_values.ts";
import { failExecution } from "./query_error.ts";
import { callRangeFunction, rangeArgument } from "./range_functions.ts";
import { selectInstant } from "./select_instant.ts";
import { selectSmoothed } from "./select_smoothed.ts";
import { combineSets } from "./set_operators.ts";
import { StepMatrix } from "./step_matrix.ts";

/** `around`: the function or aggregation that asks, a hint for the source. */
export type Evaluate = (
  expr: Expr,
  grid: Grid,
  around: string,
) => Promise<Value>;

export class Evaluator {
  readonly #context: EvaluationContext;
  readonly #bound: Evaluate = (expr, grid, around) =>
    this.evaluate(expr, grid, around);

  constructor(context: EvaluationContext) {
    this.#context = context;
  }

  /** Range vectors have no value at steps: they are read by the functions over them. */
  async evaluate(expr: Expr, grid: Grid, around = ""): Promise<Value> {
    this.#context.budget.check();
    if (expr.kind === "paren") {
      return await this.evaluate(expr.expr, grid, around);
    }
    const isOnce = !grid.isInstant && grid.count > 0 &&
      this.#context.plan.isInvariant(expr);
    if (!isOnce) return await this.#evaluate(expr, grid, around);
    const once = makeGrid(grid.startMs, grid.startMs, grid.stepMs);
    const value = await this.#evaluate(expr, once, around);
    return this.#repeat(value, grid);
  }

  /** The same value at every step. */
  #repeat(value: Value, grid: Grid): Value {
    if (value.type === "string") return value;
    if (value.type === "scalar") {
      const values = new Float64Array(grid.count).fill(value.values[0]!);
      return { type: "scalar", values };
    }
    const once = value.matrix;
    const matrix = new StepMatrix(grid.count, once.rows, this.#context.budget);
    once.labels.forEach((labels, row) => {
      const start = matrix.append(labels, once.dropsName[row]!);
      const end = start + grid.count;
      matrix.values.fill(once.values[row]!, start, end);
      matrix.present.fill(once.present[row]!, start, end);
    });
    once.release();
    return { type: "vector", matrix };
  }

  async #evaluate(expr: Expr, grid: Grid, around: string): Promise<Value> {
    switch (expr.kind) {
      case "number": {
        const values = new Float64Array(grid.count).fill(expr.value);
        return { type: "scalar", values };
      }
      case "string":
        return { type: "string", value: expr.value };
      case "vector-selector":
        return await this.#select(expr, grid, around);
      case "call":
        return await callFunction(expr, grid, this.#context, this.#bound);
      case "aggregate":
        return await this.#aggregate(expr, grid);
      case "binary":
        return await this.#binary(expr, grid);
      case "unary":
        return await this.#unary(expr, grid);
      default:
        throw new TypeError(`${expr.kind} has no value at a step`);
    }
  }

  async #select(
    expr: VectorSelector,
    grid: Grid,
    around: string,
  ): Promise<Value> {
    if (expr.extension === "smoothed") {
      const matrix = await selectSmoothed(expr, grid, this.#context, around);
      return { type: "vector", matrix };
    }
    const matrix = await selectInstant(expr, grid, this.#context, around);
    return { type: "vector", matrix };
  }

  async #aggregate(expr: AggregateExpr, grid: Grid): Promise<Value> {
    const { operator, param } = expr;
    if (operator === "count_values") return await this.#countValues(expr, grid);
    let values: Float64Array | undefined;
    if (param !== undefined) {
      const value = await this.evaluate(param, grid, operator);
      if (value.type === "scalar") values = value.values;
    }
    if (values === undefined) {
      const matrix = await this.#aggregateBlocks(expr, grid);
      return { type: "vector", matrix };
    }
    const input = await this.#matrixOf(expr.expr, grid, operator);
    let matrix: StepMatrix;
    if (operator === "quantile") {
      this.#checkQuantiles(expr, values);
      matrix = await aggregateQuantile(expr, input, values, this.#context);
    } else matrix = await choose(expr, input, values, grid, this.#context);
    input.release();
    return { type: "vector", matrix };
  }

  /** Selectors and functions over ranges come batch by batch, all else as a whole. */
  async #aggregateBlocks(
    expr: AggregateExpr,
    grid: Grid,
  ): Promise<StepMatrix> {
    const context = this.#context;
    const around = expr.operator;
    const aggregation = new Aggregation(expr, grid.count, context);
    const sink = (block: StepMatrix) => aggregation.add(block);
    const inner = unwrapParens(expr.expr);
    const isOnce = !grid.isInstant && context.plan.isInvariant(inner);
    const range = inner.kind === "call" ? rangeArgument(inner) : undefined;
    let rest: StepMatrix;
    if (isOnce) rest = await this.#matrixOf(inner, grid, around);
    else if (
      inner.kind === "vector-selector" && inner.extension !== "smoothed"
    ) rest = await selectInstant(inner, grid, context, around, false, sink);
    else if (
      inner.kind === "call" && range !== undefined &&
      inner.function.name !== "absent_over_time"
    ) {
      rest = await callRangeFunction(
        inner,
        range,
        grid,
        context,
        this.#bound,
        sink,
      );
    } else rest = await this.#matrixOf(inner, grid, around);
    await aggregation.add(rest);
    return await aggregation.finish();
  }

  #checkQuantiles(expr: AggregateExpr, phi: Float64Array): void {
    const { min, max, hasNaN } = boundsOf(phi);
    const { annotations } = this.#context;
    const span = expr.param!.span;
    if (hasNaN) annotations.invalidQuantile(NaN, span);
    if (max > 1) annotations.invalidQuantile(max, span);
    if (min < 0) annotations.invalidQuantile(min, span);
  }

  async #countValues(expr: AggregateExpr, grid: Grid): Promise<Value> {
    const label = (unwrapParens(expr.param!) as StringLiteral).value;
    if (!isLabelName(label)) {
      failExecution(`invalid label name ${quote(label)}`);
    }
    const input = await this.#matrixOf(expr.expr, grid, expr.operator);
    const matrix = await countValues(expr, input, label, this.#context);
    input.release();
    return { type: "vector", matrix };
  }

  async #matrixOf(
    expr: Expr,
    grid: Grid,
    around: string,
  ): Promise<StepMatrix> {
    const value = await this.evaluate(expr, grid, around);
    if (value.type === "vector") return value.matrix;
    throw new TypeError(`a ${value.type} where a vector has to be`);
  }

  async #binary(expr: BinaryExpr, grid: Grid): Promise<Value> {
    const context = this.#context;
    const left = await this.evaluate(expr.left, grid);
    const right = await this.evaluate(expr.right, grid);
    if (left.type === "scalar" && right.type === "scalar") {
      const values = scalarWithScalar(expr, left.values, right.values);
      return { type: "scalar", values };
    }
    if (left.type === "vector" && right.type === "vector") {
      const combine = isSetOperator(expr.operator)
        ? combineSets
        : vectorWithVector;
      const matrix = await combine(
        expr,
        left.matrix,
        right.matrix,
        grid,
        context,
      );
      left.matrix.release();
      right.matrix.release();
      return { type: "vector", matrix };
    }
    const [vector, scalar] = left.type === "vector"
      ? [left, right]
      : [right, left];
    if (vector.type !== "vector" || scalar.type !== "scalar") {
      throw new TypeError("an operator takes scalars and vectors");
    }
    const matrix = await vectorWithScalar(
      expr,
      vector.matrix,
      scalar.values,
      left.type === "scalar",
      context,
    );
    return { type: "vector", matrix };
  }

  async #unary(expr: UnaryExpr, grid: Grid): Promise<Value> {
    const value = await this.evaluate(expr.expr, grid);
    if (expr.operator === "+" || value.type === "string") return value;
    const values = value.type === "scalar" ? value.values : value.matrix.values;
    const { budget } = this.#context;
    for (let start = 0; start < values.length; start += SLICE_CELLS) {
      if (budget.isDue(SLICE_CELLS)) await budget.pause();
      const end = Math.min(start + SLICE_CELLS, values.length);
      for (let i = start; i < end; i++) values[i] = -values[i]!;
    }
    if (value.type === "vector") value.matrix.dropsName.fill(true);
    return value;
  }
}
