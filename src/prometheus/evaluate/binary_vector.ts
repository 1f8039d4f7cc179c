/**
 * Binary operators between two vectors: one-to-one, many-to-one, one-to-many, with
 * filling. Groups of rows are matched once, cells step by step. Any thread.
 */
import type { BinaryExpr, VectorMatching } from "../language/ast.ts";
import { LABEL_CELLS } from "./budget.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { type Labels, printLabels } from "./labels.ts";
import {
  groupRows,
  matchedLabels,
  type MatchGroup,
  resultLabels,
} from "./matching_groups.ts";
import { failDuplicate, rowKey } from "./merge_rows.ts";
import { arithmeticOf, comparisonOf } from "./operators.ts";
import { failExecution } from "./query_error.ts";
import { StepMatrix } from "./step_matrix.ts";

/** No row is there at this step. */
const NONE = -1;

export async function vectorWithVector(
  expr: BinaryExpr,
  left: StepMatrix,
  right: StepMatrix,
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const operation = new MatchedOperation(expr, left, right, grid, context);
  return await operation.run();
}

class MatchedOperation {
  readonly #expr: BinaryExpr;
  readonly #matching: VectorMatching;
  readonly #grid: Grid;
  readonly #context: EvaluationContext;
  /** The side that may have several rows in a group, and the one that may not. */
  readonly #many: StepMatrix;
  readonly #one: StepMatrix;
  /** Sides are exchanged: `many` is the right one. */
  readonly #isSwapped: boolean;
  readonly #fillMany: number | undefined;
  readonly #fillOne: number | undefined;
  readonly #isArithmetic: boolean;
  /** The value of a pair; see `#keeps` for whether it is kept. */
  readonly #calculate: (left: number, right: number) => number;
  readonly #keeps: ((left: number, right: number) => boolean) | undefined;
  readonly #labelsOf: (many: Labels, one: Labels) => Labels;
  readonly #result: StepMatrix;
  /** Row of the result by labels; an instant query keeps equal ones apart until the end. */
  readonly #rows = new Map<string, number>();
  /** Steps at which the operator does anything at all. */
  readonly #isActive: Uint8Array;
  readonly #oneAt: Int32Array;

  constructor(
    expr: BinaryExpr,
    left: StepMatrix,
    right: StepMatrix,
    grid: Grid,
    context: EvaluationContext,
  ) {
    const matching = expr.matching!;
    this.#expr = expr;
    this.#matching = matching;
    this.#grid = grid;
    this.#context = context;
    this.#isSwapped = matching.card === "one-to-many";
    [this.#many, this.#one] = this.#isSwapped ? [right, left] : [left, right];
    // As in Prometheus, `fill_right` fills the side without repetition, also of group_right.
    this.#fillOne = matching.fillRight;
    this.#fillMany = matching.fillLeft;
    const calculate = arithmeticOf(expr.operator);
    const compare = comparisonOf(expr.operator);
    this.#isArithmetic = calculate !== undefined;
    this.#calculate = calculate ?? valueOfComparison(expr, compare);
    this.#keeps = expr.returnsBool || calculate !== undefined
      ? undefined
      : compare ?? (() => false);
    this.#labelsOf = resultLabels(matching, this.#isArithmetic);
    const rows = Math.max(left.rows, right.rows);
    this.#result = new StepMatrix(grid.count, rows, context.budget);
    this.#isActive = activeSteps(left, right, matching);
    this.#oneAt = new Int32Array(grid.count);
  }

  async run(): Promise<StepMatrix> {
    const { budget } = this.#context;
    const groups = await groupRows(
      this.#matching,
      this.#isSwapped ? this.#one : this.#many,
      this.#isSwapped ? this.#many : this.#one,
      budget,
    );
    for (const group of groups) {
      const rows = group.left.length + group.right.length;
      const work = rows * (this.#grid.count + LABEL_CELLS);
      if (budget.isDue(work)) await budget.pause();
      this.#group(group);
    }
    return this.#result;
  }

  #group(group: MatchGroup): void {
    const many = this.#isSwapped ? group.right : group.left;
    const one = this.#isSwapped ? group.left : group.right;
    this.#placeOne(one);
    const isOneToOne = this.#matching.card === "one-to-one";
    // Which steps of the group have a result, and which result rows they are in.
    const matched = many.length > 1 || this.#fillMany !== undefined
      ? new Uint8Array(this.#grid.count)
      : undefined;
    const seen = isOneToOne || many.length < 2
      ? undefined
      : new Map<string, Uint8Array>();
    for (const row of many) this.#combine(row, one, matched, seen);
    if (this.#fillMany !== undefined) this.#fillMissing(one, matched!);
  }

  /** Notes which row of the "one" side is there at each step; two are a mistake. */
  #placeOne(rows: readonly number[]): void {
    const { steps, present } = this.#one;
    this.#oneAt.fill(NONE);
    for (const row of rows) {
      const start = row * steps;
      for (let step = 0; step < steps; step++) {
        if (present[start + step] === 0 || this.#isActive[step] === 0) continue;
        const other = this.#oneAt[step]!;
        if (other !== NONE) this.#failDuplicate(other, row);
        this.#oneAt[step] = row;
      }
    }
  }

  #failDuplicate(first: number, second: number): never {
    const labels = this.#one.labels;
    const series = [printLabels(labels[first]!), printLabels(labels[second]!)]
      .sort();
    const side = this.#isSwapped ? "left" : "right";
    return failExecution(
      `found duplicate series for the match group ${
        printLabels(matchedLabels(this.#matching, labels[second]!))
      } on the ${side} hand-side of the operation: [${series.join(", ")}]` +
        ";many-to-many matching not allowed: matching labels must be unique on one side",
    );
  }

  /** One row of the "many" side with whatever is on the other side at each step. */
  #combine(
    row: number,
    one: readonly number[],
    matched: Uint8Array | undefined,
    seen: Map<string, Uint8Array> | undefined,
  ): void {
    const manyLabels = this.#many.labels[row]!;
    const dropsName = this.#many.dropsName[row]!;
    const partners = this.#fillOne === undefined ? one : [...one, NONE];
    for (const partner of partners) {
      const oneLabels = partner === NONE
        ? matchedLabels(this.#matching, manyLabels)
        : this.#one.labels[partner]!;
      const labels = this.#labelsOf(manyLabels, oneLabels);
      const taken = seen === undefined ? undefined : takenOf(
        seen,
        labels.key,
        this.#grid.count,
      );
      this.#pair(row, partner, labels, dropsName, matched, taken);
    }
  }

  /** The steps at which exactly this pair meets. */
  #pair(
    row: number,
    partner: number,
    labels: Labels,
    dropsName: boolean,
    matched: Uint8Array | undefined,
    taken: Uint8Array | undefined,
  ): void {
    const many = this.#many;
    const one = this.#one;
    const isOneToOne = this.#matching.card === "one-to-one";
    const start = row * many.steps;
    let to = NONE;
    for (let step = 0; step < many.steps; step++) {
      if (many.present[start + step] === 0 || this.#isActive[step] === 0) {
        continue;
      }
      if (this.#oneAt[step] !== partner) continue;
      if (matched !== undefined) {
        if (isOneToOne && matched[step] === 1) failManyToOne();
        matched[step] = 1;
      }
      if (taken !== undefined) {
        if (taken[step] === 1) failGrouping();
        taken[step] = 1;
      }
      const value = many.values[start + step]!;
      const other = partner === NONE
        ? this.#fillOne!
        : one.values[partner * one.steps + step]!;
      to = this.#put(to, step, labels, dropsName, value, other);
    }
  }

  /** Rows of the "one" side at steps where nothing of the other side is there. */
  #fillMissing(rows: readonly number[], matched: Uint8Array): void {
    const one = this.#one;
    for (const row of rows) {
      const labels = matchedLabels(this.#matching, one.labels[row]!);
      const resulting = this.#labelsOf(labels, one.labels[row]!);
      let to = NONE;
      for (let step = 0; step < one.steps; step++) {
        if (this.#oneAt[step] !== row || matched[step] === 1) continue;
        const value = one.values[row * one.steps + step]!;
        to = this.#put(to, step, resulting, false, this.#fillMany!, value);
      }
    }
  }

  /** Writes a result unless it is filtered; returns where its row begins. */
  #put(
    to: number,
    step: number,
    labels: Labels,
    dropsName: boolean,
    many: number,
    one: number,
  ): number {
    const [left, right] = this.#isSwapped ? [one, many] : [many, one];
    if (this.#keeps !== undefined && !this.#keeps(left, right)) {
      this.#remarkOnTrim();
      return to;
    }
    const start = to === NONE ? this.#rowOf(labels, dropsName) : to;
    const { values, present } = this.#result;
    if (present[start + step] === 1) failDuplicate();
    values[start + step] = this.#calculate(left, right);
    present[start + step] = 1;
    return start;
  }

  #remarkOnTrim(): void {
    const { operator, span } = this.#expr;
    if (operator !== "</" && operator !== ">/") return;
    this.#context.annotations.incompatibleTypes(operator, span);
  }

  #rowOf(labels: Labels, dropsName: boolean): number {
    const drops = this.#expr.returnsBool || dropsName;
    const key = rowKey(labels, drops);
    const known = this.#grid.isInstant ? undefined : this.#rows.get(key);
    if (known !== undefined) return known;
    const start = this.#result.append(labels, drops);
    this.#rows.set(key, start);
    return start;
  }
}

function valueOfComparison(
  expr: BinaryExpr,
  compare: ((left: number, right: number) => boolean) | undefined,
): (left: number, right: number) => number {
  if (!expr.returnsBool || compare === undefined) return (left) => left;
  return (left, right) => compare(left, right) ? 1 : 0;
}

function takenOf(
  seen: Map<string, Uint8Array>,
  key: string,
  steps: number,
): Uint8Array {
  let taken = seen.get(key);
  if (taken === undefined) seen.set(key, taken = new Uint8Array(steps));
  return taken;
}

function failManyToOne(): never {
  return failExecution(
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
  );
}

function failGrouping(): never {
  return failExecution(
    "multiple matches for labels: grouping labels must ensure unique matches",
  );
}

/** Where a side has nothing at all there is nothing to match, unless it is filled. */
function activeSteps(
  left: StepMatrix,
  right: StepMatrix,
  matching: VectorMatching,
): Uint8Array {
  const hasLeft = anyByStep(left);
  const hasRight = anyByStep(right);
  const isFilled = matching.fillLeft !== undefined ||
    matching.fillRight !== undefined;
  return hasLeft.map((any, step) =>
    isFilled ? any | hasRight[step]! : any & hasRight[step]!
  );
}

/** By step: 1 where any row has a value. */
export function anyByStep(matrix: StepMatrix): Uint8Array {
  const any = new Uint8Array(matrix.steps);
  const cells = matrix.rows * matrix.steps;
  for (let cell = 0, step = 0; cell < cells; cell++) {
    any[step]! |= matrix.present[cell]!;
    if (++step === matrix.steps) step = 0;
  }
  return any;
}
