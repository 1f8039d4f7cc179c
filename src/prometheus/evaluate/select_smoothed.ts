/** Instant selectors with `smoothed`: between two samples a step has a value on their line. Any thread. */
import type { VectorSelector } from "../language/ast.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { visitSelector } from "./range_samples.ts";
import { StepMatrix } from "./step_matrix.ts";
import { smoothedValueKernel } from "./window_extended.ts";

export async function selectSmoothed(
  selector: VectorSelector,
  grid: Grid,
  context: EvaluationContext,
  around: string,
): Promise<StepMatrix> {
  const { lookbackMs, budget } = context;
  const reach = { beforeMs: 0, behindMs: lookbackMs };
  const kernel = smoothedValueKernel(reach);
  const matrix = new StepMatrix(grid.count, 0, budget);
  // A window of the lookback before each step, and as much behind it.
  const range = {
    kind: "matrix-selector",
    selector,
    range: { ms: lookbackMs },
    span: selector.span,
  } as const;
  await visitSelector(range, grid, context, around, (series, reference) => {
    const start = matrix.append(series.labels, false);
    const windows = {
      count: grid.count,
      firstStep: 0,
      firstEndMs: reference.firstMs,
      stepMs: reference.stepMs,
      rangeMs: lookbackMs,
      evalStartMs: grid.startMs,
      evalStepMs: grid.stepMs,
    };
    const { values, present } = matrix;
    kernel(series, windows, { values, present, start });
    if (matrix.isEmptyRow(matrix.rows - 1)) matrix.removeLast();
  }, reach);
  return matrix;
}
