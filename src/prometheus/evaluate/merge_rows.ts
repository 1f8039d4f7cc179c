/**
 * Rows of one label set: a series has one value at a step, so they are one series
 * as long as they are not there at the same step. Any thread.
 */
import { type Budget, LABEL_CELLS } from "./budget.ts";
import { dropMetadata, type Labels } from "./labels.ts";
import { failExecution } from "./query_error.ts";
import type { StepMatrix } from "./step_matrix.ts";

const DUPLICATE = "vector cannot contain metrics with the same labelset";

export function failDuplicate(): never {
  return failExecution(DUPLICATE);
}

/** Adds the cells of `row` to those of `to`; a step that both have is a mistake of the query. */
function mergeInto(matrix: StepMatrix, to: number, row: number): void {
  const { steps, values, present } = matrix;
  const from = row * steps;
  const start = to * steps;
  for (let step = 0; step < steps; step++) {
    if (present[from + step] === 0) continue;
    if (present[start + step] === 1) failDuplicate();
    present[start + step] = 1;
    values[start + step] = values[from + step]!;
  }
}

/**
 * Makes one row of those with equal labels, in place. A row whose name will go is
 * another series than one whose name stays.
 */
export async function mergeEqualRows(
  matrix: StepMatrix,
  budget: Budget,
): Promise<StepMatrix> {
  const { steps } = matrix;
  const rowOf = new Map<string, number>();
  let rows = 0;
  for (let row = 0; row < matrix.rows; row++) {
    if (budget.isDue(LABEL_CELLS)) await budget.pause();
    const key = rowKey(matrix.labels[row]!, matrix.dropsName[row]!);
    const known = rowOf.get(key);
    if (known !== undefined) {
      mergeInto(matrix, known, row);
      continue;
    }
    rowOf.set(key, rows);
    if (rows !== row) moveRow(matrix, row, rows);
    rows++;
  }
  matrix.present.fill(0, rows * steps, matrix.rows * steps);
  matrix.labels.length = rows;
  matrix.dropsName.length = rows;
  return matrix;
}

/** The same for rows that are one series as long as names are not taken off. */
export function rowKey(labels: Labels, dropsName: boolean): string {
  return dropsName ? `-${labels.key}` : labels.key;
}

function moveRow(matrix: StepMatrix, from: number, to: number): void {
  const { steps, values, present } = matrix;
  values.copyWithin(to * steps, from * steps, (from + 1) * steps);
  present.copyWithin(to * steps, from * steps, (from + 1) * steps);
  matrix.labels[to] = matrix.labels[from]!;
  matrix.dropsName[to] = matrix.dropsName[from]!;
}

/** Takes the names off that go; only now, so that operators before could use them. */
export async function dropNames(
  matrix: StepMatrix,
  budget: Budget,
): Promise<StepMatrix> {
  for (let row = 0; row < matrix.rows; row++) {
    if (!matrix.dropsName[row]) continue;
    if (budget.isDue(LABEL_CELLS)) await budget.pause();
    matrix.labels[row] = dropMetadata(matrix.labels[row]!);
    matrix.dropsName[row] = false;
  }
  return await mergeEqualRows(matrix, budget);
}
