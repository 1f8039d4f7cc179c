/**
 * Aggregations that make one row of each group. Rows may come in blocks: what an
 * aggregation is over need not be held as a whole. Any thread.
 */
import { type AggregateExpr, METRIC_NAME } from "../language/ast.ts";
import { type Accumulator, accumulatorOf } from "./accumulators.ts";
import { LABEL_CELLS } from "./budget.ts";
import type { EvaluationContext } from "./context.ts";
import {
  dropLabels,
  keepLabels,
  type Labels,
  NO_LABELS,
  partKey,
} from "./labels.ts";
import { quantileOfSorted, sortNaNFirst } from "./quantile.ts";
import { StepMatrix } from "./step_matrix.ts";

/** Groups that series belong to, in the order in which they appear. */
export class Grouping {
  readonly labels: Labels[] = [];
  readonly #isWithout: boolean;
  readonly #names: ReadonlySet<string>;
  readonly #keyOf: (labels: Labels) => string;
  readonly #indexOf = new Map<string, number>();

  constructor({ grouping, isWithout }: AggregateExpr) {
    const names = isWithout ? [METRIC_NAME, ...grouping] : grouping;
    this.#isWithout = isWithout;
    this.#names = new Set(names);
    this.#keyOf = partKey(names, !isWithout);
  }

  /** The index of a series' group. */
  indexOf(series: Labels): number {
    const key = this.#keyOf(series);
    const known = this.#indexOf.get(key);
    if (known !== undefined) return known;
    const index = this.labels.length;
    this.#indexOf.set(key, index);
    this.labels.push(this.#labelsOf(series));
    return index;
  }

  #labelsOf(series: Labels): Labels {
    if (this.#isWithout) return dropLabels(series, this.#names);
    return this.#names.size === 0 ? NO_LABELS : keepLabels(series, this.#names);
  }
}

/** One aggregation, block after block. */
export class Aggregation {
  readonly #grouping: Grouping;
  readonly #accumulator: Accumulator;
  readonly #context: EvaluationContext;
  readonly #steps: number;
  readonly #dropsName: boolean[] = [];
  #seen = new Uint8Array(0);
  #held = 0;

  constructor(expr: AggregateExpr, steps: number, context: EvaluationContext) {
    this.#grouping = new Grouping(expr);
    this.#accumulator = accumulatorOf(expr.operator);
    this.#steps = steps;
    this.#context = context;
  }

  /** Takes in all rows of a matrix, and gives it back to the budget. */
  async add(block: StepMatrix): Promise<void> {
    const { budget } = this.#context;
    const steps = this.#steps;
    const groups = new Uint32Array(block.rows);
    for (const [row, labels] of block.labels.entries()) {
      if (budget.isDue(LABEL_CELLS)) await budget.pause();
      groups[row] = this.#grouping.indexOf(labels);
    }
    this.#reserve(this.#grouping.labels.length * steps);
    const { values, present } = block;
    for (let row = 0; row < block.rows; row++) {
      if (budget.isDue(steps)) await budget.pause();
      const group = groups[row]!;
      const cells = { values, present, start: row * steps, steps };
      this.#accumulator.add(cells, group * steps, this.#seen);
      this.#dropsName[group] = block.dropsName[row]! ||
        this.#dropsName[group] === true;
    }
    block.release();
  }

  #reserve(cells: number): void {
    if (cells <= this.#seen.length) return;
    const larger = Math.max(cells, 2 * this.#seen.length);
    const held = larger * this.#accumulator.columns;
    this.#context.budget.hold(held - this.#held);
    this.#held = held;
    this.#accumulator.grow(larger);
    const seen = new Uint8Array(larger);
    seen.set(this.#seen);
    this.#seen = seen;
  }

  async finish(): Promise<StepMatrix> {
    const { budget } = this.#context;
    const { labels } = this.#grouping;
    const result = new StepMatrix(this.#steps, labels.length, budget);
    labels.forEach((group, i) => result.append(group, this.#dropsName[i]!));
    for (let cell = 0; cell < result.values.length; cell++) {
      if (budget.isDue(1)) await budget.pause();
      if (this.#seen[cell] !== 1) continue;
      result.values[cell] = this.#accumulator.finish(cell);
      result.present[cell] = 1;
    }
    budget.release(this.#held);
    return result;
  }
}

/** The φ-quantile of each group: all its values at a step, sorted. */
export async function aggregateQuantile(
  expr: AggregateExpr,
  matrix: StepMatrix,
  phi: Float64Array,
  { budget }: EvaluationContext,
): Promise<StepMatrix> {
  const grouping = new Grouping(expr);
  const rowsOf: number[][] = [];
  const dropsName: boolean[] = [];
  matrix.labels.forEach((labels, row) => {
    const group = grouping.indexOf(labels);
    (rowsOf[group] ??= []).push(row);
    dropsName[group] = matrix.dropsName[row]! || dropsName[group] === true;
  });
  const { steps } = matrix;
  const result = new StepMatrix(steps, rowsOf.length, budget);
  for (const [group, rows] of rowsOf.entries()) {
    const start = result.append(grouping.labels[group]!, dropsName[group]!);
    const scratch = new Float64Array(rows.length);
    for (let step = 0; step < steps; step++) {
      if (budget.isDue(rows.length)) await budget.pause();
      let count = 0;
      for (const row of rows) {
        const cell = row * steps + step;
        if (matrix.present[cell] === 1) scratch[count++] = matrix.values[cell]!;
      }
      if (count === 0) continue;
      const sorted = scratch.subarray(0, count);
      sortNaNFirst(sorted);
      result.values[start + step] = quantileOfSorted(phi[step]!, sorted);
      result.present[start + step] = 1;
    }
  }
  return result;
}
