/** sort, sort_desc, sort_by_label, sort_by_label_desc: the order of an instant vector. Any thread. */
import type { EvaluationContext } from "./context.ts";
import { compareLabels, type Labels } from "./labels.ts";
import { sortInSlices } from "./sort_in_slices.ts";
import { StepMatrix } from "./step_matrix.ts";

/** The rows in an order; a matrix of one step. */
async function reorder(
  matrix: StepMatrix,
  compare: (a: number, b: number) => number,
  { budget }: EvaluationContext,
): Promise<StepMatrix> {
  const rows = [...matrix.labels.keys()];
  const order = await sortInSlices(rows, compare, budget);
  const result = new StepMatrix(matrix.steps, order.length, budget);
  for (const row of order) result.appendRow(matrix, row);
  return result;
}

/** NaN comes last either way; equal values come in the order of their labels. */
export function sortByValue(
  matrix: StepMatrix,
  isDescending: boolean,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const { values, labels } = matrix;
  return reorder(matrix, (a, b) => {
    const left = values[a]!;
    const right = values[b]!;
    const isLeftNaN = Number.isNaN(left);
    if (isLeftNaN !== Number.isNaN(right)) return isLeftNaN ? 1 : -1;
    if (!isLeftNaN && left !== right) {
      return (left < right) === isDescending ? 1 : -1;
    }
    return compareLabels(labels[a]!, labels[b]!);
  }, context);
}

/** By these labels in natural order (`a10` after `a2`), then by all labels. */
export function sortByLabels(
  matrix: StepMatrix,
  names: readonly string[],
  isDescending: boolean,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const compare = (a: Labels, b: Labels) => {
    for (const name of names) {
      const order = compareNatural(a.get(name), b.get(name));
      if (order !== 0) return order;
    }
    return compareLabels(a, b);
  };
  const sign = isDescending ? -1 : 1;
  return reorder(
    matrix,
    (a, b) => sign * compare(matrix.labels[a]!, matrix.labels[b]!),
    context,
  );
}

/** Runs of digits by their number, everything else by characters. */
export function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  const left = chunksOf(a);
  const right = chunksOf(b);
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const order = compareChunks(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length || (a < b ? -1 : 1);
}

function chunksOf(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function compareChunks(a: string, b: string): number {
  if (a === b) return 0;
  if (/^\d/.test(a) && /^\d/.test(b)) {
    const left = BigInt(a);
    const right = BigInt(b);
    if (left !== right) return left < right ? -1 : 1;
    // `01` and `1`: the shorter one first.
    return a.length - b.length;
  }
  return a < b ? -1 : 1;
}
