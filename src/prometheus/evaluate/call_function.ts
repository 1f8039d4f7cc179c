/** Calls of functions over instant vectors and scalars. Any thread. */
import {
  type CallExpr,
  type Expr,
  type StringLiteral,
  unwrapParens,
} from "../language/ast.ts";
import { anyByStep } from "./binary_vector.ts";
import { SLICE_CELLS } from "./budget.ts";
import type { EvaluationContext, Grid, Value } from "./context.ts";
import { dayFunctions } from "./date_functions.ts";
import type { Evaluate } from "./evaluate_expr.ts";
import { goMax, goMin } from "./go_math.ts";
import {
  histogramFraction,
  histogramQuantile,
  histogramQuantiles,
} from "./histogram_functions.ts";
import { addInfo } from "./info_function.ts";
import { clampTo, NUMBER_FUNCTIONS, roundTo } from "./instant_functions.ts";
import { labelJoin, labelReplace, labelsOfAbsent } from "./label_functions.ts";
import { NO_LABELS } from "./labels.ts";
import { callRangeFunction, rangeArgument } from "./range_functions.ts";
import { selectInstant } from "./select_instant.ts";
import { sortByLabels, sortByValue } from "./sort_functions.ts";
import { StepMatrix } from "./step_matrix.ts";

/** Functions of native histograms, of which there are none. */
const NATIVE_ONLY = new Set([
  "histogram_avg",
  "histogram_count",
  "histogram_sum",
  "histogram_stddev",
  "histogram_stdvar",
  "start_timestamp",
]);

export async function callFunction(
  call: CallExpr,
  grid: Grid,
  context: EvaluationContext,
  evaluate: Evaluate,
): Promise<Value> {
  const caller = new Caller(call, grid, context, evaluate);
  return await caller.run();
}

function vector(matrix: StepMatrix): Value {
  return { type: "vector", matrix };
}

class Caller {
  readonly #call: CallExpr;
  readonly #name: string;
  readonly #args: readonly Expr[];
  readonly #grid: Grid;
  readonly #context: EvaluationContext;
  readonly #evaluate: Evaluate;

  constructor(
    call: CallExpr,
    grid: Grid,
    context: EvaluationContext,
    evaluate: Evaluate,
  ) {
    this.#call = call;
    this.#name = call.function.name;
    this.#args = call.args;
    this.#grid = grid;
    this.#context = context;
    this.#evaluate = evaluate;
  }

  async run(): Promise<Value> {
    const constant = this.#context.plan.constant(this.#name);
    if (constant !== undefined) return this.#constant(constant);
    const range = rangeArgument(this.#call);
    if (range !== undefined) return vector(await this.#overRange(range));
    if (this.#call.function.returns === "scalar") return await this.#scalar();
    return vector(await this.#overVector());
  }

  #constant(value: number): Value {
    const values = new Float64Array(this.#grid.count).fill(value);
    return { type: "scalar", values };
  }

  async #overRange(range: Expr): Promise<StepMatrix> {
    const matrix = await callRangeFunction(
      this.#call,
      range,
      this.#grid,
      this.#context,
      this.#evaluate,
    );
    return this.#name === "absent_over_time"
      ? await this.#absent(matrix, range)
      : matrix;
  }

  async #scalar(): Promise<Value> {
    switch (this.#name) {
      case "pi":
        return this.#constant(Math.PI);
      case "time":
        return { type: "scalar", values: this.#times() };
      case "scalar": {
        const matrix = await this.#vectorArg(0);
        const values = await this.#onlyValues(matrix);
        matrix.release();
        return { type: "scalar", values };
      }
      default: {
        const left = await this.#scalarArg(0);
        const right = await this.#scalarArg(1);
        const pick = this.#name === "max_of" ? goMax : goMin;
        const values = left.map((value, step) => pick(value, right[step]!));
        return { type: "scalar", values };
      }
    }
  }

  /** The time of each step, in seconds. */
  #times(): Float64Array {
    const { startMs, stepMs, count } = this.#grid;
    return Float64Array.from(
      { length: count },
      (_, step) => (startMs + step * stepMs) / 1000,
    );
  }

  /** The value where there is exactly one, else NaN. */
  async #onlyValues(matrix: StepMatrix): Promise<Float64Array> {
    const { budget } = this.#context;
    const values = new Float64Array(matrix.steps).fill(NaN);
    const counts = new Uint32Array(matrix.steps);
    for (let row = 0; row < matrix.rows; row++) {
      if (budget.isDue(matrix.steps)) await budget.pause();
      const start = row * matrix.steps;
      for (let step = 0; step < matrix.steps; step++) {
        if (matrix.present[start + step] === 0) continue;
        values[step] = counts[step]!++ === 0
          ? matrix.values[start + step]!
          : NaN;
      }
    }
    return values;
  }

  async #overVector(): Promise<StepMatrix> {
    const name = this.#name;
    if (name in dayFunctions && this.#args.length === 0) {
      return await this.#map(
        this.#single(this.#times()),
        NUMBER_FUNCTIONS[name]!,
      );
    }
    const convert = NUMBER_FUNCTIONS[name];
    if (convert !== undefined) {
      return await this.#map(await this.#vectorArg(0), convert);
    }
    if (NATIVE_ONLY.has(name)) {
      (await this.#vectorArg(0)).release();
      return new StepMatrix(this.#grid.count, 0, this.#context.budget);
    }
    switch (name) {
      case "vector":
        return this.#single(await this.#scalarArg(0));
      case "timestamp":
        return await this.#timestamp();
      case "absent":
        return await this.#absent(await this.#vectorArg(0), this.#args[0]!);
      case "round":
        return await this.#round();
      case "clamp":
      case "clamp_min":
      case "clamp_max":
        return await this.#clamp();
      case "label_replace":
      case "label_join": {
        // A pattern may take as long to compile as a slice.
        if (this.#context.budget.isDue(SLICE_CELLS)) {
          await this.#context.budget.pause();
        }
        const change = name === "label_join"
          ? labelJoin(this.#call)
          : labelReplace(this.#call);
        return await change.apply(
          await this.#vectorArg(0),
          this.#context.budget,
        );
      }
      case "info": {
        const base = await this.#vectorArg(0);
        return await addInfo(this.#call, base, this.#grid, this.#context);
      }
      case "sort":
      case "sort_desc":
      case "sort_by_label":
      case "sort_by_label_desc":
        return await this.#sort();
      default:
        return await this.#histogram();
    }
  }

  /** One row without labels, with a value at every step. */
  #single(values: Float64Array): StepMatrix {
    const matrix = new StepMatrix(this.#grid.count, 1, this.#context.budget);
    matrix.append(NO_LABELS, false);
    matrix.values.set(values);
    matrix.present.fill(1);
    return matrix;
  }

  /** Every cell by itself, in place; the name goes. */
  async #map(
    matrix: StepMatrix,
    convert: (value: number) => number,
  ): Promise<StepMatrix> {
    const { budget } = this.#context;
    const { steps, values } = matrix;
    for (let row = 0; row < matrix.rows; row++) {
      if (budget.isDue(steps)) await budget.pause();
      for (let cell = row * steps; cell < (row + 1) * steps; cell++) {
        values[cell] = convert(values[cell]!);
      }
      matrix.dropsName[row] = true;
    }
    return matrix;
  }

  async #round(): Promise<StepMatrix> {
    const matrix = await this.#vectorArg(0);
    const nearest = this.#args.length > 1
      ? await this.#scalarArg(1)
      : new Float64Array(this.#grid.count).fill(1);
    return await this.#mapWithStep(
      matrix,
      (value, step) => roundTo(value, nearest[step]!),
    );
  }

  async #mapWithStep(
    matrix: StepMatrix,
    convert: (value: number, step: number) => number,
  ): Promise<StepMatrix> {
    const { budget } = this.#context;
    const { steps, values } = matrix;
    for (let row = 0; row < matrix.rows; row++) {
      if (budget.isDue(steps)) await budget.pause();
      const start = row * steps;
      for (let step = 0; step < steps; step++) {
        values[start + step] = convert(values[start + step]!, step);
      }
      matrix.dropsName[row] = true;
    }
    return matrix;
  }

  async #clamp(): Promise<StepMatrix> {
    const matrix = await this.#vectorArg(0);
    const first = await this.#scalarArg(1);
    const none = (value: number) =>
      new Float64Array(this.#grid.count).fill(value);
    const min = this.#name === "clamp_max" ? none(-Infinity) : first;
    const max = this.#name === "clamp"
      ? await this.#scalarArg(2)
      : this.#name === "clamp_max"
      ? first
      : none(Infinity);
    const { steps, present } = matrix;
    for (let step = 0; step < steps; step++) {
      if (!(max[step]! < min[step]!)) continue;
      for (let row = 0; row < matrix.rows; row++) {
        present[row * steps + step] = 0;
      }
    }
    return await this.#mapWithStep(
      matrix,
      (value, step) => clampTo(value, min[step]!, max[step]!),
    );
  }

  /** A selector's own times; of anything else the time of the step. */
  async #timestamp(): Promise<StepMatrix> {
    const arg = unwrapParens(this.#args[0]!);
    if (arg.kind === "vector-selector" && arg.extension === undefined) {
      const matrix = await selectInstant(
        arg,
        this.#grid,
        this.#context,
        this.#name,
        true,
      );
      matrix.dropsName.fill(true);
      return matrix;
    }
    const times = this.#times();
    return await this.#mapWithStep(
      await this.#vectorArg(0),
      (_, step) => times[step]!,
    );
  }

  /** 1 at the steps at which the matrix has nothing. */
  async #absent(matrix: StepMatrix, arg: Expr): Promise<StepMatrix> {
    const any = await anyByStep(matrix, this.#context.budget);
    matrix.release();
    const result = new StepMatrix(this.#grid.count, 1, this.#context.budget);
    result.append(labelsOfAbsent(arg), this.#name === "absent_over_time");
    result.values.fill(1);
    any.forEach((isThere, step) => result.present[step] = 1 - isThere);
    if (result.isEmptyRow(0)) result.removeLast();
    return result;
  }

  async #sort(): Promise<StepMatrix> {
    const matrix = await this.#vectorArg(0);
    if (!this.#grid.isInstant) {
      this.#context.annotations.sortInRange(this.#call.span);
      return matrix;
    }
    const isDescending = this.#name.endsWith("_desc");
    const sorted = this.#name.startsWith("sort_by_label")
      ? await sortByLabels(
        matrix,
        this.#texts(1),
        isDescending,
        this.#context,
      )
      : await sortByValue(matrix, isDescending, this.#context);
    matrix.release();
    return sorted;
  }

  #texts(from: number): string[] {
    return this.#args.slice(from)
      .map((arg) => (unwrapParens(arg) as StringLiteral).value);
  }

  async #histogram(): Promise<StepMatrix> {
    const [grid, context] = [this.#grid, this.#context];
    if (this.#name === "histogram_quantile") {
      const phi = await this.#scalarArg(0);
      const matrix = await this.#vectorArg(1);
      const result = await histogramQuantile(
        this.#call,
        phi,
        matrix,
        grid,
        context,
      );
      matrix.release();
      return result;
    }
    if (this.#name === "histogram_fraction") {
      const lower = await this.#scalarArg(0);
      const upper = await this.#scalarArg(1);
      const matrix = await this.#vectorArg(2);
      const result = await histogramFraction(
        this.#call,
        lower,
        upper,
        matrix,
        grid,
        context,
      );
      matrix.release();
      return result;
    }
    const matrix = await this.#vectorArg(0);
    const phis: Float64Array[] = [];
    for (let i = 2; i < this.#args.length; i++) {
      phis.push(await this.#scalarArg(i));
    }
    const result = await histogramQuantiles(
      this.#call,
      matrix,
      phis,
      grid,
      context,
    );
    matrix.release();
    return result;
  }

  async #vectorArg(index: number): Promise<StepMatrix> {
    const value = await this.#evaluate(
      this.#args[index]!,
      this.#grid,
      this.#name,
    );
    if (value.type === "vector") return value.matrix;
    throw new TypeError(`argument ${index} of ${this.#name} is no vector`);
  }

  async #scalarArg(index: number): Promise<Float64Array> {
    const value = await this.#evaluate(
      this.#args[index]!,
      this.#grid,
      this.#name,
    );
    if (value.type === "scalar") return value.values;
    throw new TypeError(`argument ${index} of ${this.#name} is no scalar`);
  }
}
