/**
 * Aggregations that make one row of each group: sum, avg, count, min, max, group,
 * stddev, stdvar, quantile. Accumulators are columns: one cell a group and step.
 * Any thread.
 */
import { type AggregateExpr, METRIC_NAME } from "../language/ast.ts";
import type { EvaluationContext } from "./context.ts";
import { KahanSum } from "./kahan.ts";
import {
  dropLabels,
  keepLabels,
  type Labels,
  NO_LABELS,
  partKey,
} from "./labels.ts";
import { quantileOfSorted, sortNaNFirst } from "./quantile.ts";
import { StepMatrix } from "./step_matrix.ts";
import { moveMean } from "./window_aggregates.ts";

/** Which group each row belongs to, and the labels of the groups. */
export interface Groups {
  readonly groupOf: Uint32Array;
  readonly labels: readonly Labels[];
}

export function groupRowsBy(
  labels: readonly Labels[],
  grouping: readonly string[],
  isWithout: boolean,
): Groups {
  const names = isWithout ? [METRIC_NAME, ...grouping] : grouping;
  const keyOf = partKey(names, !isWithout);
  const set = new Set(names);
  const indexOf = new Map<string, number>();
  const groupLabels: Labels[] = [];
  const groupOf = Uint32Array.from(labels, (series) => {
    const key = keyOf(series);
    let index = indexOf.get(key);
    if (index === undefined) {
      index = groupLabels.length;
      indexOf.set(key, index);
      groupLabels.push(groupLabelsOf(series, set, isWithout));
    }
    return index;
  });
  return { groupOf, labels: groupLabels };
}

function groupLabelsOf(
  labels: Labels,
  names: ReadonlySet<string>,
  isWithout: boolean,
): Labels {
  if (isWithout) return dropLabels(labels, names);
  return names.size === 0 ? NO_LABELS : keepLabels(labels, names);
}

/** Takes a value into the accumulator of a cell. */
interface Accumulator {
  /** The first value of the cell. */
  first(cell: number, value: number): void;
  next(cell: number, value: number): void;
  /** Called once for each cell that has a value. */
  finish(cell: number): number;
}

export async function aggregate(
  expr: AggregateExpr,
  matrix: StepMatrix,
  phi: Float64Array | undefined,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const groups = groupRowsBy(matrix.labels, expr.grouping, expr.isWithout);
  const result = new StepMatrix(
    matrix.steps,
    groups.labels.length,
    context.budget,
  );
  groups.labels.forEach((labels) => result.append(labels, false));
  if (expr.operator === "quantile") {
    await quantiles(matrix, groups, phi!, result, context);
  } else {
    const cells = result.values.length;
    context.budget.hold(2 * cells);
    const accumulator = accumulatorOf(expr.operator, result.values);
    await accumulate(matrix, groups, accumulator, result, context);
    context.budget.release(2 * cells);
  }
  return result;
}

async function accumulate(
  matrix: StepMatrix,
  groups: Groups,
  accumulator: Accumulator,
  result: StepMatrix,
  { budget }: EvaluationContext,
): Promise<void> {
  const { steps } = matrix;
  for (let row = 0; row < matrix.rows; row++) {
    if (budget.isDue(steps)) await budget.pause();
    const group = groups.groupOf[row]!;
    addRow(matrix, row, accumulator, result.present, group * steps);
    if (matrix.dropsName[row]) result.dropsName[group] = true;
  }
  const { values, present } = result;
  for (let cell = 0; cell < values.length; cell++) {
    if (present[cell] === 1) values[cell] = accumulator.finish(cell);
  }
}

/** Fast path: every value of an aggregation goes through here. */
function addRow(
  matrix: StepMatrix,
  row: number,
  accumulator: Accumulator,
  present: Uint8Array,
  to: number,
): void {
  const { steps, values } = matrix;
  const from = row * steps;
  for (let step = 0; step < steps; step++) {
    if (matrix.present[from + step] === 0) continue;
    const cell = to + step;
    if (present[cell] === 0) {
      present[cell] = 1;
      accumulator.first(cell, values[from + step]!);
    } else accumulator.next(cell, values[from + step]!);
  }
}

/** `values` has one cell for each group and step; accumulators keep their main value there. */
function accumulatorOf(
  operator: AggregateExpr["operator"],
  values: Float64Array,
): Accumulator {
  switch (operator) {
    case "sum":
      return new SumAccumulator(values);
    case "avg":
      return new MeanAccumulator(values);
    case "stddev":
    case "stdvar":
      return new VarianceAccumulator(values, operator === "stddev");
    case "min":
    case "max":
      return new ExtremeAccumulator(values, operator === "max");
    case "count":
      return new CountAccumulator(values);
    default:
      return { first: (cell) => values[cell] = 1, next() {}, finish: () => 1 };
  }
}

class CountAccumulator implements Accumulator {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  first(cell: number): void {
    this.#values[cell] = 1;
  }

  next(cell: number): void {
    this.#values[cell]!++;
  }

  finish(cell: number): number {
    return this.#values[cell]!;
  }
}

/** A NaN gives way to any number. */
class ExtremeAccumulator implements Accumulator {
  readonly #values: Float64Array;
  readonly #isMax: boolean;

  constructor(values: Float64Array, isMax: boolean) {
    this.#values = values;
    this.#isMax = isMax;
  }

  first(cell: number, value: number): void {
    this.#values[cell] = value;
  }

  next(cell: number, value: number): void {
    const known = this.#values[cell]!;
    const wins = this.#isMax ? known < value : known > value;
    if (wins || Number.isNaN(known)) this.#values[cell] = value;
  }

  finish(cell: number): number {
    return this.#values[cell]!;
  }
}

class SumAccumulator implements Accumulator {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;

  constructor(values: Float64Array) {
    this.#sums = values;
    this.#compensations = new Float64Array(values.length);
  }

  first(cell: number, value: number): void {
    this.#sums[cell] = value;
  }

  /** As `KahanSum.add`, on columns. */
  next(cell: number, value: number): void {
    const sum = this.#sums[cell]!;
    const total = sum + value;
    if (total === Infinity || total === -Infinity) {
      this.#compensations[cell] = 0;
    } else if (Math.abs(sum) >= Math.abs(value)) {
      this.#compensations[cell]! += (sum - total) + value;
    } else this.#compensations[cell]! += (value - total) + sum;
    this.#sums[cell] = total;
  }

  finish(cell: number): number {
    return this.#sums[cell]! + this.#compensations[cell]!;
  }
}

/** A sum and a count; a mean that is moved from where the sum would overflow. */
class MeanAccumulator implements Accumulator {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #counts: Float64Array;
  /** Cells whose sum would overflow: `#sums` holds their mean. */
  readonly #means = new Set<number>();
  readonly #kahan = new KahanSum();

  constructor(values: Float64Array) {
    this.#sums = values;
    this.#compensations = new Float64Array(values.length);
    this.#counts = new Float64Array(values.length);
  }

  first(cell: number, value: number): void {
    this.#sums[cell] = value;
    this.#counts[cell] = 1;
  }

  next(cell: number, value: number): void {
    const kahan = this.#kahan;
    const count = ++this.#counts[cell]!;
    kahan.set(this.#sums[cell]!, this.#compensations[cell]);
    if (!this.#means.has(cell)) {
      const { sum, compensation } = kahan;
      kahan.add(value);
      if (kahan.sum !== Infinity && kahan.sum !== -Infinity) {
        this.#store(cell);
        return;
      }
      this.#means.add(cell);
      kahan.set(sum / (count - 1), compensation / (count - 1));
    }
    moveMean(kahan, value, count);
    this.#store(cell);
  }

  #store(cell: number): void {
    this.#sums[cell] = this.#kahan.sum;
    this.#compensations[cell] = this.#kahan.compensation;
  }

  finish(cell: number): number {
    const sum = this.#sums[cell]!;
    const compensation = this.#compensations[cell]!;
    if (this.#means.has(cell)) return sum + compensation;
    const count = this.#counts[cell]!;
    return sum / count + compensation / count;
  }
}

/** Welford's algorithm; one NaN or infinity makes the result NaN. */
class VarianceAccumulator implements Accumulator {
  readonly #squares: Float64Array;
  readonly #means: Float64Array;
  readonly #counts: Float64Array;
  readonly #isDeviation: boolean;

  constructor(values: Float64Array, isDeviation: boolean) {
    this.#squares = values;
    this.#means = new Float64Array(values.length);
    this.#counts = new Float64Array(values.length);
    this.#isDeviation = isDeviation;
  }

  first(cell: number, value: number): void {
    this.#counts[cell] = 1;
    this.#means[cell] = value;
    this.#squares[cell] = Number.isFinite(value) ? 0 : NaN;
  }

  next(cell: number, value: number): void {
    const count = ++this.#counts[cell]!;
    const difference = value - this.#means[cell]!;
    this.#means[cell]! += difference / count;
    this.#squares[cell]! += difference * (value - this.#means[cell]!);
  }

  finish(cell: number): number {
    const variance = this.#squares[cell]! / this.#counts[cell]!;
    return this.#isDeviation ? Math.sqrt(variance) : variance;
  }
}

/** All values of a group at a step, sorted. */
async function quantiles(
  matrix: StepMatrix,
  groups: Groups,
  phi: Float64Array,
  result: StepMatrix,
  { budget }: EvaluationContext,
): Promise<void> {
  const rowsOf: number[][] = groups.labels.map(() => []);
  for (let row = 0; row < matrix.rows; row++) {
    const group = groups.groupOf[row]!;
    rowsOf[group]!.push(row);
    if (matrix.dropsName[row]) result.dropsName[group] = true;
  }
  const { steps } = matrix;
  for (const [group, rows] of rowsOf.entries()) {
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
      const cell = group * steps + step;
      result.values[cell] = quantileOfSorted(phi[step]!, sorted);
      result.present[cell] = 1;
    }
  }
}
