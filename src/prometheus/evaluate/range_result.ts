/** Range selectors and subqueries as the result of a query: samples with their own times. Any thread. */
import type { Expr, MatrixSelector, SubqueryExpr } from "../language/ast.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import type { ResultData, ResultSeries } from "./evaluate.ts";
import { Evaluator } from "./evaluate_expr.ts";
import { compareLabels, dropMetadata } from "./labels.ts";
import { failDuplicate } from "./merge_rows.ts";
import {
  type RangeSeries,
  subqueryGrid,
  visitRows,
  visitSelector,
} from "./range_samples.ts";
import { referenceOf } from "./select_instant.ts";
import { extendSamples } from "./window_extended.ts";

/** `expr` is a range vector. */
export async function evaluateRange(
  expr: Expr,
  grid: Grid,
  context: EvaluationContext,
): Promise<ResultData> {
  const series: ResultSeries[] = [];
  const add = (
    labels: ResultSeries["labels"],
    timesMs: Float64Array,
    values: Float64Array,
  ) => {
    context.budget.hold(timesMs.length);
    series.push({ labels, timesMs, values });
  };
  if (expr.kind === "matrix-selector") {
    await addSelector(expr, grid, context, add);
  } else if (expr.kind === "subquery") {
    await addSubquery(expr, grid, context, add);
  } else throw new TypeError(`${expr.kind} is no range vector`);
  series.sort((a, b) => compareLabels(a.labels, b.labels));
  for (let i = 1; i < series.length; i++) {
    if (series[i]!.labels.key === series[i - 1]!.labels.key) failDuplicate();
  }
  return { type: "matrix", series };
}

type Add = (
  labels: ResultSeries["labels"],
  timesMs: Float64Array,
  values: Float64Array,
) => void;

async function addSelector(
  expr: MatrixSelector,
  grid: Grid,
  context: EvaluationContext,
  add: Add,
): Promise<void> {
  const kind = expr.selector.extension;
  const rangeMs = context.plan.ms(expr.range);
  const reach = {
    beforeMs: kind === undefined ? 0 : context.lookbackMs,
    behindMs: kind === "smoothed" ? context.lookbackMs : 0,
  };
  await visitSelector(expr, grid, context, "", (series, reference) => {
    const endMs = reference.firstMs;
    if (kind === undefined) {
      addSlice(series, add);
      return;
    }
    const { timesMs, values, from: low, to: high } = series;
    if (low === high) return;
    const samples = { timesMs, values, low, high };
    const extended = extendSamples(samples, endMs - rangeMs, endMs, kind);
    if (extended === undefined) return;
    add(
      series.labels,
      Float64Array.from(extended.timesMs),
      Float64Array.from(extended.values),
    );
  }, reach);
}

function addSlice(series: RangeSeries, add: Add): void {
  const { labels, timesMs, values, from, to, dropsName } = series;
  if (from === to) return;
  add(
    dropsName ? dropMetadata(labels) : labels,
    timesMs.slice(from, to),
    values.slice(from, to),
  );
}

async function addSubquery(
  expr: SubqueryExpr,
  grid: Grid,
  context: EvaluationContext,
  add: Add,
): Promise<void> {
  const reference = referenceOf(expr, grid, context);
  const inner = subqueryGrid(expr, reference, context);
  const value = await new Evaluator(context).evaluate(expr.expr, inner);
  if (value.type !== "vector") return;
  await visitRows(
    value.matrix,
    inner,
    context,
    (series) => addSlice(series, add),
  );
  value.matrix.release();
}
