/**
 * The samples of range vectors: those of a selector as the source has them, without
 * stale markers, or the steps of a subquery. Any thread.
 */
import type { MatrixSelector, SubqueryExpr } from "../language/ast.ts";
import { type EvaluationContext, type Grid, makeGrid } from "./context.ts";
import type { Labels } from "./labels.ts";
import { bitsOf, isStaleAt } from "./nan_kinds.ts";
import { type Reference, referenceOf } from "./select_instant.ts";
import type { SeriesBatch } from "./series_source.ts";
import type { StepMatrix } from "./step_matrix.ts";
import type { SeriesSamples } from "./window.ts";

export interface RangeSeries extends SeriesSamples {
  readonly labels: Labels;
  readonly dropsName: boolean;
}

/** How far beyond its window a range looks, for anchored and smoothed selectors. */
export interface Extension {
  readonly beforeMs: number;
  readonly behindMs: number;
}

/** Arrays with a cell for each step of a subquery, however few series it has. */
const CELLS_A_STEP = 4;

const NO_EXTENSION: Extension = { beforeMs: 0, behindMs: 0 };

/** Calls `visit` for each series that a range selector finds. Arrays are reused. */
export async function visitSelector(
  expr: MatrixSelector,
  grid: Grid,
  context: EvaluationContext,
  around: string,
  visit: (
    series: RangeSeries,
    reference: Reference,
  ) => Promise<void> | void,
  extension: Extension = NO_EXTENSION,
  endOfBatch?: () => Promise<void>,
): Promise<void> {
  const { budget, plan, source } = context;
  const reference = referenceOf(expr.selector, grid, context);
  const rangeMs = plan.ms(expr.range);
  const selection = {
    matchers: expr.selector.matchers,
    afterMs: reference.firstMs - rangeMs - extension.beforeMs,
    untilMs: reference.lastMs + extension.behindMs,
    hints: { around, rangeMs, stepMs: reference.stepMs },
  };
  let count = 0;
  for await (const batch of source.select(selection, context.signal)) {
    budget.check();
    count += batch.labels.length;
    budget.checkSeries(count);
    const held = batch.timesMs.length;
    budget.hold(held);
    budget.countRead(batch.offsets[batch.labels.length]! - batch.offsets[0]!);
    const bits = bitsOf(batch.values);
    for (let i = 0; i < batch.labels.length; i++) {
      const samples = batch.offsets[i + 1]! - batch.offsets[i]!;
      if (budget.isDue(grid.count + samples)) await budget.pause();
      await visit(seriesOf(batch, i, bits), reference);
    }
    budget.release(held);
    await endOfBatch?.();
  }
}

function seriesOf(
  batch: SeriesBatch,
  index: number,
  bits: Uint32Array,
): RangeSeries {
  const { timesMs, values } = batch;
  const labels = batch.labels[index]!;
  const from = batch.offsets[index]!;
  const to = batch.offsets[index + 1]!;
  let stale = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value !== value && isStaleAt(bits, i)) stale++;
  }
  if (stale === 0) {
    return { labels, dropsName: false, timesMs, values, from, to };
  }
  const count = to - from - stale;
  const keptTimes = new Float64Array(count);
  const keptValues = new Float64Array(count);
  let at = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value !== value && isStaleAt(bits, i)) continue;
    keptTimes[at] = timesMs[i]!;
    keptValues[at++] = value;
  }
  return {
    labels,
    dropsName: false,
    timesMs: keptTimes,
    values: keptValues,
    from: 0,
    to: count,
  };
}

/**
 * The steps of a subquery's inside that the windows of all outer steps need. They
 * are multiples of the step since 1970, wherever the query begins. Throws where they
 * are more than the query may hold.
 */
export function subqueryGrid(
  expr: SubqueryExpr,
  reference: Reference,
  { budget, plan, subqueryStepMs }: EvaluationContext,
): Grid {
  const rangeMs = plan.ms(expr.range);
  const stepMs = expr.step === undefined
    ? subqueryStepMs
    : Math.max(1, plan.ms(expr.step));
  const afterMs = reference.firstMs - rangeMs;
  let startMs = stepMs * Math.trunc(afterMs / stepMs);
  if (startMs <= afterMs) startMs += stepMs;
  const grid = makeGrid(startMs, reference.lastMs, stepMs);
  // Times and scalars have a cell for each step, whatever the number of rows.
  budget.checkFits(CELLS_A_STEP * grid.count);
  return grid;
}

/** Calls `visit` for each row of a subquery's inside, as a series. Arrays are reused. */
export async function visitRows(
  matrix: StepMatrix,
  inner: Grid,
  context: EvaluationContext,
  visit: (series: RangeSeries) => Promise<void> | void,
): Promise<void> {
  const cells = 3 * inner.count;
  context.budget.hold(cells);
  const allTimes = Float64Array.from(
    { length: inner.count },
    (_, step) => inner.startMs + step * inner.stepMs,
  );
  const timesMs = new Float64Array(inner.count);
  const values = new Float64Array(inner.count);
  for (let row = 0; row < matrix.rows; row++) {
    if (context.budget.isDue(inner.count)) await context.budget.pause();
    const start = row * inner.count;
    let to = 0;
    for (let step = 0; step < inner.count; step++) {
      if (matrix.present[start + step] === 0) continue;
      timesMs[to] = allTimes[step]!;
      values[to++] = matrix.values[start + step]!;
    }
    await visit({
      labels: matrix.labels[row]!,
      dropsName: matrix.dropsName[row]!,
      timesMs,
      values,
      from: 0,
      to,
    });
  }
  context.budget.release(cells);
}
