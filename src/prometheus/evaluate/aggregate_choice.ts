/**
 * Aggregations that choose rows and leave them as they are: topk, bottomk, limitk,
 * limit_ratio. Rows of equal value, and those of limitk, are chosen by their labels,
 * so that the answer does not depend on where series are kept. Any thread.
 */
import type { AggregateExpr } from "../language/ast.ts";
import { Grouping } from "./aggregate.ts";
import type { Budget } from "./budget.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { formatShortest } from "../language/number_literal.ts";
import { compareLabels, type Labels } from "./labels.ts";
import { failExecution } from "./query_error.ts";
import { sortInSlices } from "./sort_in_slices.ts";
import { StepMatrix } from "./step_matrix.ts";

export async function choose(
  expr: AggregateExpr,
  matrix: StepMatrix,
  param: Float64Array,
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const isRatio = expr.operator === "limit_ratio";
  const isAnything = isRatio
    ? checkRatio(expr, param, context)
    : checkCount(param);
  if (!isAnything) return new StepMatrix(grid.count, 0, context.budget);
  const chosen = isRatio
    ? await chooseRatio(matrix, param, context.budget)
    : await chooseCount(expr, matrix, param, context);
  return await collect(matrix, chosen, context);
}

/** Whether any step chooses something. Throws where a k is none. */
function checkCount(counts: Float64Array): boolean {
  const { min, max, hasNaN } = boundsOf(counts);
  // Nothing but NaN has no largest value.
  if (max < 1 && max !== -Infinity) return false;
  if (hasNaN) failExecution("Parameter value is NaN");
  if (min <= -(2 ** 63)) {
    failExecution(`Scalar value ${formatShortest(min)} underflows int64`);
  }
  if (max >= 2 ** 63) {
    failExecution(`Scalar value ${formatShortest(max)} overflows int64`);
  }
  return true;
}

function checkRatio(
  expr: AggregateExpr,
  ratios: Float64Array,
  { annotations }: EvaluationContext,
): boolean {
  const { min, max, hasNaN } = boundsOf(ratios);
  if (max === 0 && min === 0) return false;
  if (hasNaN) failExecution("Ratio value is NaN");
  if (max > 1) annotations.invalidRatio(max, 1, expr.param!.span);
  if (min < -1) annotations.invalidRatio(min, -1, expr.param!.span);
  return true;
}

/** NaN counts for neither bound. */
export function boundsOf(
  values: Float64Array,
): { min: number; max: number; hasNaN: boolean } {
  let min = Infinity;
  let max = -Infinity;
  let hasNaN = false;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
    if (Number.isNaN(value)) hasNaN = true;
  }
  return { min, max, hasNaN };
}

/** Which cells are chosen, and in which order the rows come. */
interface Chosen {
  readonly cells: Uint8Array;
  /** Rows as they come out of an instant query. */
  readonly order: readonly number[];
}

async function chooseCount(
  expr: AggregateExpr,
  matrix: StepMatrix,
  counts: Float64Array,
  { budget }: EvaluationContext,
): Promise<Chosen> {
  const { steps, rows } = matrix;
  const cells = new Uint8Array(rows * steps);
  const rank = await rankByLabels(matrix.labels, budget);
  const grouping = new Grouping(expr);
  const rowsOf: number[][] = [];
  matrix.labels.forEach((labels, row) =>
    (rowsOf[grouping.indexOf(labels)] ??= []).push(row)
  );
  const order: number[] = [];
  const selector = new TopSelector(matrix, expr.operator, rank);
  for (const members of rowsOf) {
    for (let step = 0; step < steps; step++) {
      if (budget.isDue(members.length)) await budget.pause();
      const wanted = Math.trunc(Math.min(counts[step]!, rows));
      if (wanted < 1) continue;
      const best = selector.select(members, step, wanted);
      for (const row of best) cells[row * steps + step] = 1;
      if (steps === 1) order.push(...best);
    }
  }
  return { cells, order: steps === 1 ? order : [...matrix.labels.keys()] };
}

/** The place of each row in the order of the labels. */
async function rankByLabels(
  labels: readonly Labels[],
  budget: Budget,
): Promise<Uint32Array> {
  const order = await sortInSlices(
    [...labels.keys()],
    (a, b) => compareLabels(labels[a]!, labels[b]!),
    budget,
  );
  const rank = new Uint32Array(labels.length);
  order.forEach((row, place) => rank[row] = place);
  return rank;
}

/** The first k of some rows at a step, kept in a heap with the worst on top. */
class TopSelector {
  readonly #matrix: StepMatrix;
  readonly #operator: AggregateExpr["operator"];
  readonly #rank: Uint32Array;
  #step = 0;

  constructor(
    matrix: StepMatrix,
    operator: AggregateExpr["operator"],
    rank: Uint32Array,
  ) {
    this.#matrix = matrix;
    this.#operator = operator;
    this.#rank = rank;
  }

  /** The best first. */
  select(rows: readonly number[], step: number, wanted: number): number[] {
    this.#step = step;
    const { present, steps } = this.#matrix;
    const heap: number[] = [];
    for (const row of rows) {
      if (present[row * steps + step] === 0) continue;
      if (heap.length < wanted) this.#push(heap, row);
      else if (this.#isBetter(row, heap[0]!)) this.#replaceTop(heap, row);
    }
    return heap.sort((a, b) => this.#isBetter(a, b) ? -1 : 1);
  }

  /** NaN is worse than anything else. */
  #isBetter(row: number, other: number): boolean {
    const { values, steps } = this.#matrix;
    if (this.#operator !== "limitk") {
      const value = values[row * steps + this.#step]!;
      const otherValue = values[other * steps + this.#step]!;
      const isNaN = Number.isNaN(value);
      if (isNaN !== Number.isNaN(otherValue)) return !isNaN;
      if (!isNaN && value !== otherValue) {
        return this.#operator === "topk"
          ? value > otherValue
          : value < otherValue;
      }
    }
    return this.#rank[row]! < this.#rank[other]!;
  }

  #push(heap: number[], row: number): void {
    let at = heap.length;
    heap.push(row);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBetter(heap[parent]!, row)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = row;
  }

  #replaceTop(heap: number[], row: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && this.#isBetter(heap[child]!, heap[right]!)) {
        child = right;
      }
      if (!this.#isBetter(row, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = row;
  }
}

/** A ratio r ≥ 0 takes rows whose hash is below it, r < 0 those that 1 + r leaves. */
async function chooseRatio(
  matrix: StepMatrix,
  ratios: Float64Array,
  budget: Budget,
): Promise<Chosen> {
  const { steps, rows } = matrix;
  const cells = new Uint8Array(rows * steps);
  for (let row = 0; row < rows; row++) {
    if (budget.isDue(steps)) await budget.pause();
    const place = hashOf(matrix.labels[row]!.key);
    for (let step = 0; step < steps; step++) {
      const ratio = Math.max(-1, Math.min(1, ratios[step]!));
      const isChosen = ratio >= 0 ? place < ratio : place >= 1 + ratio;
      if (isChosen) cells[row * steps + step] = 1;
    }
  }
  return { cells, order: [...matrix.labels.keys()] };
}

/** A number in [0, 1) that depends on the text alone (FNV-1a with a final mix). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

async function collect(
  matrix: StepMatrix,
  { cells, order }: Chosen,
  { budget }: EvaluationContext,
): Promise<StepMatrix> {
  const { steps } = matrix;
  const kept = order.filter((row) => {
    for (let i = row * steps; i < (row + 1) * steps; i++) {
      if (cells[i] === 1 && matrix.present[i] === 1) return true;
    }
    return false;
  });
  const result = new StepMatrix(steps, kept.length, budget);
  for (const row of kept) {
    if (budget.isDue(steps)) await budget.pause();
    result.appendRow(matrix, row);
    const to = (result.rows - 1) * steps;
    for (let step = 0; step < steps; step++) {
      result.present[to + step]! &= cells[row * steps + step]!;
    }
  }
  return result;
}
