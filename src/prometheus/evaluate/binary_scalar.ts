/** Binary operators of which a side is a scalar. Any thread. */
import type { BinaryExpr } from "../language/ast.ts";
import type { EvaluationContext } from "./context.ts";
import { arithmeticOf, comparisonOf } from "./operators.ts";
import type { StepMatrix } from "./step_matrix.ts";

/** Two scalars, step by step; a comparison is 1 or 0. */
export function scalarWithScalar(
  expr: BinaryExpr,
  left: Float64Array,
  right: Float64Array,
): Float64Array {
  const calculate = arithmeticOf(expr.operator);
  const compare = comparisonOf(expr.operator);
  return left.map((value, step) =>
    calculate !== undefined
      ? calculate(value, right[step]!)
      : compare!(value, right[step]!)
      ? 1
      : 0
  );
}

/**
 * Every cell with the scalar of its step, in place. A comparison without `bool`
 * keeps the cells where it is true, with the value of the vector.
 */
export async function vectorWithScalar(
  expr: BinaryExpr,
  matrix: StepMatrix,
  scalar: Float64Array,
  isScalarLeft: boolean,
  { budget, annotations }: EvaluationContext,
): Promise<StepMatrix> {
  const { operator, returnsBool } = expr;
  const calculate = arithmeticOf(operator);
  const compare = comparisonOf(operator);
  const { steps, values, present } = matrix;
  for (let row = 0; row < matrix.rows; row++) {
    if (budget.isDue(steps)) await budget.pause();
    const start = row * steps;
    if (calculate !== undefined) {
      calculateRow(values, start, scalar, calculate, isScalarLeft);
    } else if (compare !== undefined) {
      compareRow(
        values,
        present,
        start,
        scalar,
        compare,
        isScalarLeft,
        returnsBool,
      );
    } else {
      // Histograms are trimmed; there are none.
      if (!matrix.isEmptyRow(row)) {
        annotations.incompatibleTypes(operator, expr.span);
      }
      present.fill(0, start, start + steps);
    }
    if (calculate !== undefined || returnsBool) matrix.dropsName[row] = true;
  }
  return matrix;
}

/** Fast path: cells without a value are calculated too, nobody reads them. */
function calculateRow(
  values: Float64Array,
  start: number,
  scalar: Float64Array,
  calculate: (left: number, right: number) => number,
  isScalarLeft: boolean,
): void {
  for (let step = 0; step < scalar.length; step++) {
    const value = values[start + step]!;
    values[start + step] = isScalarLeft
      ? calculate(scalar[step]!, value)
      : calculate(value, scalar[step]!);
  }
}

function compareRow(
  values: Float64Array,
  present: Uint8Array,
  start: number,
  scalar: Float64Array,
  compare: (left: number, right: number) => boolean,
  isScalarLeft: boolean,
  returnsBool: boolean,
): void {
  for (let step = 0; step < scalar.length; step++) {
    const value = values[start + step]!;
    const holds = isScalarLeft
      ? compare(scalar[step]!, value)
      : compare(value, scalar[step]!);
    if (returnsBool) values[start + step] = holds ? 1 : 0;
    else if (!holds) present[start + step] = 0;
  }
}
