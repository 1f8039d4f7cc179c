/** Functions over range vectors: which kernel a call runs over which samples. Any thread. */
import {
  type CallExpr,
  type Expr,
  METRIC_NAME,
  unwrapParens,
} from "../language/ast.ts";
import { SLICE_CELLS } from "./budget.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import type { Evaluate } from "./evaluate_expr.ts";
import { failExecution } from "./query_error.ts";
import {
  type RangeSeries,
  subqueryGrid,
  visitRows,
  visitSelector,
} from "./range_samples.ts";
import { type Reference, referenceOf } from "./select_instant.ts";
import { type BlockSink, StepMatrix } from "./step_matrix.ts";
import {
  partOf,
  type SeriesSamples,
  type WindowGrid,
  type WindowKernel,
} from "./window.ts";
import * as aggregates from "./window_aggregates.ts";
import {
  anchoredCountKernel,
  extendedRateKernel,
  EXTENSION_FUNCTIONS,
  type ExtensionKind,
  type Reach,
} from "./window_extended.ts";
import * as rates from "./window_rate.ts";
import * as regression from "./window_regression.ts";
import { medianDeviationKernel, quantileKernel } from "./window_quantile.ts";
import { meanKernel, sumKernel } from "./window_sum.ts";

const RATES: Readonly<Record<string, rates.RateKind>> = {
  rate: { isCounter: true, isPerSecond: true },
  increase: { isCounter: true, isPerSecond: false },
  delta: { isCounter: false, isPerSecond: false },
};

/** Kernels that take nothing but the samples. */
const KERNELS: Readonly<Record<string, WindowKernel>> = {
  avg_over_time: meanKernel,
  changes: rates.changesKernel,
  count_over_time: aggregates.countKernel,
  deriv: regression.derivKernel,
  first_over_time: aggregates.firstKernel,
  idelta: rates.ideltaKernel,
  irate: rates.irateKernel,
  last_over_time: aggregates.lastKernel,
  mad_over_time: medianDeviationKernel,
  max_over_time: aggregates.extremeKernel(true),
  min_over_time: aggregates.extremeKernel(false),
  present_over_time: aggregates.presentKernel,
  absent_over_time: aggregates.presentKernel,
  resets: rates.resetsKernel,
  stddev_over_time: aggregates.deviationKernel,
  stdvar_over_time: aggregates.varianceKernel,
  sum_over_time: sumKernel,
  ts_of_first_over_time: aggregates.firstTimeKernel,
  ts_of_last_over_time: aggregates.lastTimeKernel,
  ts_of_max_over_time: aggregates.extremeTimeKernel(true),
  ts_of_min_over_time: aggregates.extremeTimeKernel(false),
  ...Object.fromEntries(
    Object.entries(RATES).map(([name, kind]) => [name, rates.rateKernel(kind)]),
  ),
};

/** Kernels with scalars, which have a value at each step. */
const WITH_SCALARS: Readonly<
  Record<string, (scalars: readonly Float64Array[]) => WindowKernel>
> = {
  quantile_over_time: ([phi]) => quantileKernel(phi!),
  predict_linear: ([ahead]) => regression.predictLinearKernel(ahead!),
  double_exponential_smoothing: ([smoothing, trend]) =>
    regression.smoothingKernel(smoothing!, trend!),
};

/**
 * What looks at every sample of every window; all others pass each sample a few times
 * at most. By name, the part of a sample's usual cost.
 */
const COSTS: Readonly<Record<string, number>> = {
  deriv: 1,
  double_exponential_smoothing: 1,
  mad_over_time: 8,
  predict_linear: 1,
  quantile_over_time: 0.1,
  stddev_over_time: 1,
  stdvar_over_time: 1,
  ts_of_max_over_time: 1,
  ts_of_min_over_time: 1,
};

/** They give back samples as they are, so the name stays. */
const KEEPS_NAME = new Set(["last_over_time", "first_over_time"]);
const COUNTER_NAME = /_(total|sum|count|bucket)$/;

/** The range vector among the arguments; `undefined`: the call has none. */
export function rangeArgument(call: CallExpr): Expr | undefined {
  return call.args.map(unwrapParens).find((arg) =>
    arg.kind === "matrix-selector" || arg.kind === "subquery"
  );
}

/**
 * With a `sink` the rows of each batch of a selector go there as a block of their own,
 * and the result has what is left.
 */
export async function callRangeFunction(
  call: CallExpr,
  range: Expr,
  grid: Grid,
  context: EvaluationContext,
  evaluate: Evaluate,
  sink?: BlockSink,
): Promise<StepMatrix> {
  const name = call.function.name;
  const scalars: Float64Array[] = [];
  for (const arg of call.args) {
    if (unwrapParens(arg) === range) continue;
    const value = await evaluate(arg, grid, name);
    if (value.type === "scalar") scalars.push(value.values);
  }
  const collector = new Collector(call, range, grid, context);
  if (range.kind === "matrix-selector") {
    const extension = range.selector.extension;
    const reach = reachOf(extension, context.lookbackMs);
    const rangeMs = context.plan.ms(range.range);
    const kernel = extension === undefined
      ? plainKernel(name, scalars)
      : extendedKernel(name, extension, reach, rangeMs);
    await visitSelector(
      range,
      grid,
      context,
      name,
      (series, reference) => collector.add(series, reference, rangeMs, kernel),
      reach,
      sink === undefined ? undefined : () => collector.flush(sink),
    );
  } else if (range.kind === "subquery") {
    const reference = referenceOf(range, grid, context);
    const inner = subqueryGrid(range, reference, context);
    const rangeMs = context.plan.ms(range.range);
    const kernel = plainKernel(name, scalars);
    const value = await evaluate(range.expr, inner, name);
    if (value.type === "vector") {
      await visitRows(
        value.matrix,
        inner,
        context,
        (series) => collector.add(series, reference, rangeMs, kernel),
      );
      value.matrix.release();
    }
  }
  collector.annotate(scalars);
  return collector.matrix;
}

function plainKernel(
  name: string,
  scalars: readonly Float64Array[],
): WindowKernel {
  return WITH_SCALARS[name]?.(scalars) ?? KERNELS[name]!;
}

/** How far samples are looked for beyond the window. */
function reachOf(
  extension: ExtensionKind | undefined,
  lookbackMs: number,
): Reach {
  return {
    beforeMs: extension === undefined ? 0 : lookbackMs,
    behindMs: extension === "smoothed" ? lookbackMs : 0,
  };
}

function extendedKernel(
  name: string,
  kind: ExtensionKind,
  reach: Reach,
  rangeMs: number,
): WindowKernel {
  const possible = EXTENSION_FUNCTIONS[kind];
  if (!possible.includes(name)) {
    failExecution(
      `${kind} modifier can only be used with: ${possible.join(", ")} - ` +
        `not with ${name}`,
    );
  }
  const rate = RATES[name];
  if (rate !== undefined) return extendedRateKernel(kind, rate, reach, rangeMs);
  const differs = name === "resets" ? rates.isReset : rates.isChange;
  return anchoredCountKernel(differs, reach);
}

/** Makes a row of each series, and the remarks on them. */
class Collector {
  readonly #call: CallExpr;
  readonly #range: Expr;
  readonly #grid: Grid;
  readonly #context: EvaluationContext;
  matrix: StepMatrix;
  #hasSamples = false;

  constructor(
    call: CallExpr,
    range: Expr,
    grid: Grid,
    context: EvaluationContext,
  ) {
    this.#call = call;
    this.#range = range;
    this.#grid = grid;
    this.#context = context;
    this.matrix = new StepMatrix(grid.count, 0, context.budget);
  }

  /** Hands over the rows there are. */
  async flush(sink: BlockSink): Promise<void> {
    const block = this.matrix;
    this.matrix = new StepMatrix(this.#grid.count, 0, this.#context.budget);
    await sink(block);
  }

  async add(
    series: RangeSeries,
    reference: Reference,
    rangeMs: number,
    kernel: WindowKernel,
  ): Promise<void> {
    const name = this.#call.function.name;
    const matrix = this.matrix;
    const dropsName = series.dropsName || !KEEPS_NAME.has(name);
    const start = matrix.append(series.labels, dropsName);
    const windows = {
      count: this.#grid.count,
      firstStep: 0,
      firstEndMs: reference.firstMs,
      stepMs: reference.stepMs,
      rangeMs,
      evalStartMs: this.#grid.startMs,
      evalStepMs: this.#grid.stepMs,
    };
    await this.#run(kernel, series, windows, start);
    if (matrix.isEmptyRow(matrix.rows - 1)) {
      matrix.removeLast();
      return;
    }
    this.#hasSamples = true;
    if (name === "rate" || name === "increase") this.#checkCounter(series);
  }

  /** Runs the kernel, over some windows at a time where each is much work. */
  async #run(
    kernel: WindowKernel,
    series: SeriesSamples,
    windows: WindowGrid,
    start: number,
  ): Promise<void> {
    const { budget } = this.#context;
    const { values, present } = this.matrix;
    const work = this.#workOfWindow(series, windows);
    const atOnce = Math.max(1, Math.floor(SLICE_CELLS / work));
    for (let step = 0; step < windows.count; step += atOnce) {
      const part = partOf(windows, step, atOnce);
      if (work > 1 && budget.isDue(part.count * work)) await budget.pause();
      kernel(series, part, { values, present, start: start + step });
    }
  }

  /** Samples that a window costs; 1 where it costs as good as none. */
  #workOfWindow(series: SeriesSamples, { rangeMs }: WindowGrid): number {
    const isExtended = this.#range.kind === "matrix-selector" &&
      this.#range.selector.extension !== undefined;
    const cost = isExtended ? 1 : COSTS[this.#call.function.name] ?? 0;
    const { timesMs, from, to } = series;
    if (cost === 0 || from === to) return 1;
    const spanMs = timesMs[to - 1]! - timesMs[from]!;
    const covered = spanMs === 0 ? 1 : Math.min(1, rangeMs / spanMs);
    return Math.max(1, (to - from) * covered * cost);
  }

  #checkCounter(series: RangeSeries): void {
    const metric = series.labels.get(METRIC_NAME);
    if (metric === "" || COUNTER_NAME.test(metric)) return;
    this.#context.annotations.possibleNonCounter(metric, this.#range.span);
  }

  /** Remarks on the scalars, if they were used at all. */
  annotate(scalars: readonly Float64Array[]): void {
    if (this.#call.function.name !== "quantile_over_time") return;
    if (!this.#hasSamples) return;
    for (const phi of new Set(scalars[0])) {
      if (phi >= 0 && phi <= 1) continue;
      this.#context.annotations.invalidQuantile(phi, this.#call.args[0]!.span);
    }
  }
}
