/** count_values: a row for each value of a group, with how often it is there. Any thread. */
import { type AggregateExpr, METRIC_NAME } from "../language/ast.ts";
import { formatPlain } from "../language/number_literal.ts";
import type { EvaluationContext } from "./context.ts";
import { dropLabels, keepLabels, type Labels, setLabel } from "./labels.ts";
import { StepMatrix } from "./step_matrix.ts";

/** `label` gets the value as text, in plain notation. */
export async function countValues(
  expr: AggregateExpr,
  matrix: StepMatrix,
  label: string,
  { budget }: EvaluationContext,
): Promise<StepMatrix> {
  const kept = new Set([...expr.grouping, label]);
  const dropped = new Set([...expr.grouping, METRIC_NAME]);
  const groupOf = (labels: Labels, text: string) => {
    const set = setLabel(labels, label, text);
    return expr.isWithout ? dropLabels(set, dropped) : keepLabels(set, kept);
  };
  const { steps } = matrix;
  const result = new StepMatrix(steps, 0, budget);
  const startOf = new Map<string, number>();
  for (let row = 0; row < matrix.rows; row++) {
    // Series often repeat their values: the labels are made once for each.
    const known = new Map<number, number>();
    for (let step = 0; step < steps; step++) {
      if (budget.isDue(1)) await budget.pause();
      const cell = row * steps + step;
      if (matrix.present[cell] === 0) continue;
      const value = matrix.values[cell]!;
      let start = known.get(value);
      if (start === undefined) {
        const labels = groupOf(matrix.labels[row]!, formatPlain(value));
        start = startOf.get(labels.key);
        if (start === undefined) {
          start = result.append(labels, false);
          startOf.set(labels.key, start);
        }
        // A map takes 0 and −0 for the same.
        if (value !== 0) known.set(value, start);
      }
      const to = start + step;
      result.values[to] = result.present[to] === 1 ? result.values[to]! + 1 : 1;
      result.present[to] = 1;
    }
  }
  return result;
}
