/** Functions of classic histograms: rows that differ in `le` only are the buckets of one. Any thread. */
import {
  type CallExpr,
  type Expr,
  METRIC_NAME,
  type StringLiteral,
  unwrapParens,
} from "../language/ast.ts";
import { formatShortest } from "../language/number_literal.ts";
import type { Span } from "../language/parse_error.ts";
import {
  bucketFraction,
  type BucketQuantile,
  bucketQuantile,
  Buckets,
} from "./buckets.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { parseGoFloat } from "./go_math.ts";
import { dropLabels, type Labels, partKey, setLabel } from "./labels.ts";
import { StepMatrix } from "./step_matrix.ts";

const BUCKET_LABEL = "le";
const WITHOUT_BUCKET = new Set([BUCKET_LABEL]);

interface Histogram {
  readonly labels: Labels;
  /** Rows and their bounds, ascending. */
  readonly rows: number[];
  readonly bounds: number[];
}

/** Histograms of a matrix; rows with a bad `le` are left out with a warning. */
function histogramsOf(
  matrix: StepMatrix,
  arg: Expr,
  { annotations }: EvaluationContext,
): Histogram[] {
  const keyOf = partKey([BUCKET_LABEL], false);
  const byKey = new Map<string, Histogram>();
  matrix.labels.forEach((labels, row) => {
    const text = labels.get(BUCKET_LABEL);
    const bound = parseGoFloat(text);
    if (bound === undefined || Number.isNaN(bound)) {
      annotations.badBucketLabel(labels.get(METRIC_NAME), text, arg.span);
      return;
    }
    const key = keyOf(labels);
    let histogram = byKey.get(key);
    if (histogram === undefined) {
      const own = dropLabels(labels, WITHOUT_BUCKET);
      byKey.set(key, histogram = { labels: own, rows: [], bounds: [] });
    }
    histogram.rows.push(row);
    histogram.bounds.push(bound);
  });
  const histograms = [...byKey.values()];
  histograms.forEach(sortByBound);
  return histograms;
}

function sortByBound({ rows, bounds }: Histogram): void {
  const order = [...rows.keys()].sort((a, b) =>
    bounds[a]! - bounds[b]! || a - b
  );
  const sortedRows = order.map((i) => rows[i]!);
  const sortedBounds = order.map((i) => bounds[i]!);
  rows.splice(0, rows.length, ...sortedRows);
  bounds.splice(0, bounds.length, ...sortedBounds);
}

/** Calls `visit` for every histogram at every step at which it has buckets. */
async function visitHistograms(
  matrix: StepMatrix,
  histograms: readonly Histogram[],
  { budget }: EvaluationContext,
  visit: (histogram: number, step: number, buckets: Buckets) => void,
): Promise<void> {
  const { steps, values, present } = matrix;
  for (const [index, { rows, bounds }] of histograms.entries()) {
    const buckets = new Buckets(rows.length);
    for (let step = 0; step < steps; step++) {
      if (budget.isDue(rows.length)) await budget.pause();
      buckets.clear();
      for (let i = 0; i < rows.length; i++) {
        const cell = rows[i]! * steps + step;
        if (present[cell] === 1) buckets.add(bounds[i]!, values[cell]!);
      }
      if (buckets.count > 0) visit(index, step, buckets);
    }
  }
}

/** `histogram_quantile(φ, v)`. */
export async function histogramQuantile(
  call: CallExpr,
  phi: Float64Array,
  matrix: StepMatrix,
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const [phiArg, vectorArg] = call.args as [Expr, Expr];
  checkQuantiles(phi, phiArg.span, context);
  const histograms = histogramsOf(matrix, vectorArg, context);
  const result = new StepMatrix(grid.count, histograms.length, context.budget);
  histograms.forEach(({ labels }) => result.append(labels, true));
  await visitHistograms(matrix, histograms, context, (index, step, buckets) => {
    const quantile = bucketQuantile(phi[step]!, buckets);
    const labels = histograms[index]!.labels;
    remark(quantile, labels, vectorArg.span, grid, step, context);
    result.values[index * grid.count + step] = quantile.value;
    result.present[index * grid.count + step] = 1;
  });
  return result;
}

function checkQuantiles(
  phi: Float64Array,
  span: Span,
  { annotations }: EvaluationContext,
): void {
  for (const value of new Set(phi)) {
    if (!(value >= 0 && value <= 1)) annotations.invalidQuantile(value, span);
  }
}

function remark(
  { correction }: BucketQuantile,
  labels: Labels,
  span: Span,
  grid: Grid,
  step: number,
  { annotations }: EvaluationContext,
): void {
  if (correction === undefined) return;
  const timeMs = grid.startMs + step * grid.stepMs;
  annotations.forcedMonotonicity(
    labels.get(METRIC_NAME),
    span,
    timeMs,
    correction,
  );
}

/** `histogram_quantiles(v, label, φ…)`: a row for each φ, named by the label. */
export async function histogramQuantiles(
  call: CallExpr,
  matrix: StepMatrix,
  phis: readonly Float64Array[],
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const vectorArg = call.args[0]!;
  const label = (unwrapParens(call.args[1]!) as StringLiteral).value;
  phis.forEach((phi, i) =>
    checkQuantiles(phi, call.args[i + 2]!.span, context)
  );
  const histograms = histogramsOf(matrix, vectorArg, context);
  const result = new StepMatrix(grid.count, 0, context.budget);
  for (const phi of phis) {
    // A quantile that changes with the steps has a row for each of its values.
    const starts = new Map<string, number>();
    await visitHistograms(
      matrix,
      histograms,
      context,
      (index, step, buckets) => {
        const own = histograms[index]!.labels;
        const quantile = bucketQuantile(phi[step]!, buckets);
        remark(quantile, own, vectorArg.span, grid, step, context);
        const labels = setLabel(own, label, formatOpenMetrics(phi[step]!));
        const key = `${index} ${labels.get(label)}`;
        let start = starts.get(key);
        if (start === undefined) {
          starts.set(key, start = result.append(labels, true));
        }
        result.values[start + step] = quantile.value;
        result.present[start + step] = 1;
      },
    );
  }
  return result;
}

/** OpenMetrics writes whole numbers with a fraction: `1.0`. */
function formatOpenMetrics(value: number): string {
  const text = formatShortest(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** `histogram_fraction(lower, upper, v)`. */
export async function histogramFraction(
  call: CallExpr,
  lower: Float64Array,
  upper: Float64Array,
  matrix: StepMatrix,
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const histograms = histogramsOf(matrix, call.args[2]!, context);
  const result = new StepMatrix(grid.count, histograms.length, context.budget);
  histograms.forEach(({ labels }) => result.append(labels, true));
  await visitHistograms(matrix, histograms, context, (index, step, buckets) => {
    const cell = index * grid.count + step;
    result.values[cell] = bucketFraction(lower[step]!, upper[step]!, buckets);
    result.present[cell] = 1;
  });
  return result;
}
