/**
 * Evaluates a parsed query, at one time or at steps. The only input is a
 * {@linkcode SeriesSource}; the answer has its series as typed arrays, sorted, ready
 * to be written. Any thread.
 */
import {
  type Expr,
  TYPE_NAMES,
  typeOf,
  unwrapParens,
} from "../language/ast.ts";
import { Annotations } from "./annotations.ts";
import {
  Budget,
  type QueryControl,
  type QueryLimits,
  type QueryUsage,
} from "./budget.ts";
import { type EvaluationContext, type Grid, makeGrid } from "./context.ts";
import { Evaluator } from "./evaluate_expr.ts";
import { compareLabels, type Labels, NO_LABELS } from "./labels.ts";
import { dropNames } from "./merge_rows.ts";
import { Plan, type QueryTimes } from "./plan.ts";
import { QueryError } from "./query_error.ts";
import { evaluateRange } from "./range_result.ts";
import type { SeriesSource } from "./series_source.ts";
import { sortInSlices } from "./sort_in_slices.ts";
import type { StepMatrix } from "./step_matrix.ts";

/** A series of a result. Times are milliseconds, ascending. */
export interface ResultSeries {
  readonly labels: Labels;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

export type ResultData =
  | { readonly type: "matrix"; readonly series: readonly ResultSeries[] }
  | {
    readonly type: "vector";
    readonly labels: readonly Labels[];
    readonly values: Float64Array;
    readonly timeMs: number;
  }
  | { readonly type: "scalar"; readonly value: number; readonly timeMs: number }
  | {
    readonly type: "string";
    readonly value: string;
    readonly timeMs: number;
  };

export interface QueryResult {
  readonly data: ResultData;
  readonly annotations: Annotations;
  readonly usage: QueryUsage;
}

export interface QueryOptions {
  readonly limits: QueryLimits;
  /** How long a sample counts in instant selection. Milliseconds. */
  readonly lookbackMs: number;
  /** Step of subqueries that name none. Milliseconds. */
  readonly subqueryStepMs?: number;
  readonly control?: QueryControl;
}

const SUBQUERY_STEP_MS = 60_000;
/** Points a series of a range query, as Prometheus bounds them. */
export const POINTS_MAX = 11_000;

/** The value at one time. Throws a {@linkcode QueryError}. */
export async function evaluateInstant(
  expr: Expr,
  timeMs: number,
  source: SeriesSource,
  options: QueryOptions,
): Promise<QueryResult> {
  const times = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
  const context = contextOf(expr, times, source, options);
  const grid = makeGrid(timeMs, timeMs, 1);
  const data = typeOf(expr) === "matrix"
    ? await evaluateRange(unwrapParens(expr), grid, context)
    : await instantData(expr, grid, context);
  return resultOf(data, context);
}

async function instantData(
  expr: Expr,
  grid: Grid,
  context: EvaluationContext,
): Promise<ResultData> {
  const value = await new Evaluator(context).evaluate(expr, grid);
  const timeMs = grid.startMs;
  if (value.type === "string") {
    return { type: "string", value: value.value, timeMs };
  }
  if (value.type === "scalar") {
    return { type: "scalar", value: value.values[0]!, timeMs };
  }
  const matrix = await dropNames(value.matrix, context.budget);
  let rows = [...matrix.labels.keys()]
    .filter((row) => matrix.present[row] === 1);
  if (!isOrdered(expr)) {
    rows = await sortInSlices(
      rows,
      (a, b) => compareLabels(matrix.labels[a]!, matrix.labels[b]!),
      context.budget,
    );
  }
  return {
    type: "vector",
    labels: rows.map((row) => matrix.labels[row]!),
    values: Float64Array.from(rows, (row) => matrix.values[row]!),
    timeMs,
  };
}

/** Whether the outermost operation says in which order the elements come. */
function isOrdered(expr: Expr): boolean {
  const outer = unwrapParens(expr);
  if (outer.kind === "call") return outer.function.name.startsWith("sort");
  return outer.kind === "aggregate" &&
    (outer.operator === "topk" || outer.operator === "bottomk");
}

/** The values at every step from start to end, both included. Throws a {@linkcode QueryError}. */
export async function evaluateSteps(
  expr: Expr,
  times: QueryTimes,
  source: SeriesSource,
  options: QueryOptions,
): Promise<QueryResult> {
  checkSteps(expr, times);
  const context = contextOf(expr, times, source, options);
  const grid = makeGrid(times.startMs, times.endMs, times.stepMs);
  const value = await new Evaluator(context).evaluate(expr, grid);
  if (value.type === "string") {
    throw new TypeError("a range query has no string as its result");
  }
  const allTimes = Float64Array.from(
    { length: grid.count },
    (_, step) => grid.startMs + step * grid.stepMs,
  );
  const series = value.type === "scalar"
    ? [{ labels: NO_LABELS, timesMs: allTimes, values: value.values }]
    : await seriesOf(value.matrix, allTimes, context.budget);
  return resultOf({ type: "matrix", series }, context);
}

/** Throws a {@linkcode QueryError} (`bad_data`) where the expression has no value at such steps. */
export function checkSteps(expr: Expr, times: QueryTimes): void {
  const { startMs, endMs, stepMs } = times;
  const type = typeOf(expr);
  if (type !== "scalar" && type !== "vector") {
    throw new QueryError(
      "bad_data",
      `invalid expression type "${
        TYPE_NAMES[type]
      }" for range query, must be Scalar or instant Vector`,
    );
  }
  if (!(stepMs > 0)) {
    throw new QueryError(
      "bad_data",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  if (endMs < startMs) {
    throw new QueryError(
      "bad_data",
      "end timestamp must not be before start time",
    );
  }
  if ((endMs - startMs) / stepMs > POINTS_MAX) {
    throw new QueryError(
      "bad_data",
      "exceeded maximum resolution of 11,000 points per timeseries. " +
        "Try decreasing the query resolution (?step=XX)",
    );
  }
}

/** Rows as sorted series; a row with a value at every step is not copied. */
async function seriesOf(
  value: StepMatrix,
  allTimes: Float64Array,
  budget: Budget,
): Promise<ResultSeries[]> {
  const matrix = await dropNames(value, budget);
  const { steps, present } = matrix;
  const result: ResultSeries[] = [];
  for (const [row, labels] of matrix.labels.entries()) {
    if (budget.isDue(steps)) await budget.pause();
    const start = row * steps;
    let count = 0;
    for (let i = start; i < start + steps; i++) count += present[i]!;
    if (count === 0) continue;
    const cells = matrix.values.subarray(start, start + steps);
    if (count === steps) {
      result.push({ labels, timesMs: allTimes, values: cells });
      continue;
    }
    const timesMs = new Float64Array(count);
    const values = new Float64Array(count);
    let to = 0;
    for (let step = 0; step < steps; step++) {
      if (present[start + step] === 0) continue;
      timesMs[to] = allTimes[step]!;
      values[to++] = cells[step]!;
    }
    result.push({ labels, timesMs, values });
  }
  return await sortInSlices(
    result,
    (a, b) => compareLabels(a.labels, b.labels),
    budget,
  );
}

function contextOf(
  expr: Expr,
  times: QueryTimes,
  source: SeriesSource,
  options: QueryOptions,
): EvaluationContext {
  const control = options.control ?? {};
  return {
    source,
    plan: new Plan(expr, times),
    budget: new Budget(options.limits, control),
    annotations: new Annotations(),
    lookbackMs: options.lookbackMs,
    subqueryStepMs: options.subqueryStepMs ?? SUBQUERY_STEP_MS,
    signal: control.signal,
  };
}

function resultOf(data: ResultData, context: EvaluationContext): QueryResult {
  const { annotations, budget } = context;
  return { data, annotations, usage: budget.usage };
}
