/** `and`, `or`, `unless`: rows by whether the other side has their matching labels. Any thread. */
import type { BinaryExpr } from "../language/ast.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { groupRows } from "./matching_groups.ts";
import { mergeEqualRows } from "./merge_rows.ts";
import { StepMatrix } from "./step_matrix.ts";

export async function combineSets(
  expr: BinaryExpr,
  left: StepMatrix,
  right: StepMatrix,
  grid: Grid,
  { budget }: EvaluationContext,
): Promise<StepMatrix> {
  const rows = expr.operator === "or" ? left.rows + right.rows : left.rows;
  const result = new StepMatrix(grid.count, rows, budget);
  const mask = new Uint8Array(grid.count);
  const groups = await groupRows(expr.matching!, left, right, budget);
  const kept: { from: StepMatrix; row: number; mask?: Uint8Array }[] = [];
  for (const group of groups) {
    const cells = (group.left.length + group.right.length) * grid.count;
    if (budget.isDue(cells)) await budget.pause();
    if (expr.operator === "or") {
      group.left.forEach((row) => kept.push({ from: left, row }));
      presence(left, group.left, mask);
      for (const row of group.right) {
        kept.push({ from: right, row, mask: inverted(mask) });
      }
      continue;
    }
    presence(right, group.right, mask);
    const wanted = expr.operator === "and" ? mask.slice() : inverted(mask);
    group.left.forEach((row) => kept.push({ from: left, row, mask: wanted }));
  }
  // Rows of the left side come first, each side in its own order.
  kept.sort((a, b) =>
    a.from === b.from ? a.row - b.row : a.from === left ? -1 : 1
  );
  for (const { from, row, mask } of kept) {
    if (budget.isDue(grid.count)) await budget.pause();
    result.appendRow(from, row);
    if (mask !== undefined) maskLast(result, mask);
    if (result.isEmptyRow(result.rows - 1)) result.removeLast();
  }
  return expr.operator === "or" && !grid.isInstant
    ? await mergeEqualRows(result, budget)
    : result;
}

/** By step: 1 where any of the rows has a value. */
function presence(
  matrix: StepMatrix,
  rows: readonly number[],
  mask: Uint8Array,
): void {
  mask.fill(0);
  for (const row of rows) {
    const start = row * matrix.steps;
    for (let step = 0; step < matrix.steps; step++) {
      mask[step]! |= matrix.present[start + step]!;
    }
  }
}

function inverted(mask: Uint8Array): Uint8Array {
  return mask.map((any) => 1 - any);
}

function maskLast(matrix: StepMatrix, mask: Uint8Array): void {
  const start = (matrix.rows - 1) * matrix.steps;
  for (let step = 0; step < matrix.steps; step++) {
    matrix.present[start + step]! &= mask[step]!;
  }
}
