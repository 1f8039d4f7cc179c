/**
 * Binary operators between two vectors: one-to-one, many-to-one, one-to-many, with
 * filling. Groups of rows are matched once, cells step by step. Any thread.
 */
import type { BinaryExpr, VectorMatching } from "../language/ast.ts";
import { type Budget, LABEL_CELLS } from "./budget.ts";
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

/** What a row of the "many" side and its partner make. */
interface Pair {
  readonly labels: Labels;
  readonly dropsName: boolean;
  /** Steps at which the group has these labels already. */
  readonly taken: Uint8Array | undefined;
  /** First cell of the row in the result; NONE until there is a value. */
  to: number;
}

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
  #isActive: Uint8Array = new Uint8Array(0);
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
    this.#oneAt = new Int32Array(grid.count);
  }

  async run(): Promise<StepMatrix> {
    const { budget } = this.#context;
    this.#isActive = await activeSteps(
      this.#many,
      this.#one,
      this.#matching,
      budget,
    );
    const groups = await groupRows(
      this.#matching,
      this.#isSwapped ? this.#one : this.#many,
      this.#isSwapped ? this.#many : this.#one,
      budget,
    );
    for (const group of groups) {
      if (budget.isDue(this.#grid.count)) await budget.pause();
      await this.#group(group);
    }
    return this.#result;
  }

  async #group(group: MatchGroup): Promise<void> {
    const { budget } = this.#context;
    const many = this.#isSwapped ? group.right : group.left;
    const one = this.#isSwapped ? group.left : group.right;
    await this.#placeOne(one);
    const isOneToOne = this.#matching.card === "one-to-one";
    // Which steps of the group have a result, and which result rows they are in.
    const matched = many.length > 1 || this.#fillMany !== undefined
      ? new Uint8Array(this.#grid.count)
      : undefined;
    const seen = isOneToOne || many.length < 2
      ? undefined
      : new Map<string, Uint8Array>();
    for (const row of many) {
      const work = this.#grid.count + LABEL_CELLS;
      if (budget.isDue(work)) await budget.pause();
      this.#combine(row, matched, seen);
    }
    if (this.#fillMany !== undefined) this.#fillMissing(one, matched!);
  }

  /** Notes which row of the "one" side is there at each step; two are a mistake. */
  async #placeOne(rows: readonly number[]): Promise<void> {
    const { budget } = this.#context;
    const { steps, present } = this.#one;
    this.#oneAt.fill(NONE);
    for (const row of rows) {
      if (budget.isDue(steps)) await budget.pause();
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
    matched: Uint8Array | undefined,
    seen: Map<string, Uint8Array> | undefined,
  ): void {
    const many = this.#many;
    const isOneToOne = this.#matching.card === "one-to-one";
    const start = row * many.steps;
    // The other side seldom changes: its labels are looked up when it does.
    const pairs = new Map<number, Pair>();
    let partner: number | undefined;
    let pair: Pair | undefined;
    for (let step = 0; step < many.steps; step++) {
      if (many.present[start + step] === 0 || this.#isActive[step] === 0) {
        continue;
      }
      const other = this.#oneAt[step]!;
      if (other === NONE && this.#fillOne === undefined) continue;
      if (other !== partner || pair === undefined) {
        partner = other;
        pair = pairs.get(other);
        if (pair === undefined) {
          pairs.set(other, pair = this.#pairOf(row, other, seen));
        }
      }
      if (matched !== undefined) {
        if (isOneToOne && matched[step] === 1) failManyToOne();
        matched[step] = 1;
      }
      if (pair.taken !== undefined) {
        if (pair.taken[step] === 1) failGrouping();
        pair.taken[step] = 1;
      }
      const value = many.values[start + step]!;
      const otherValue = other === NONE
        ? this.#fillOne!
        : this.#one.values[other * many.steps + step]!;
      this.#put(pair, step, value, otherValue);
    }
  }

  #pairOf(
    row: number,
    partner: number,
    seen: Map<string, Uint8Array> | undefined,
  ): Pair {
    const manyLabels = this.#many.labels[row]!;
    const oneLabels = partner === NONE
      ? matchedLabels(this.#matching, manyLabels)
      : this.#one.labels[partner]!;
    const labels = this.#labelsOf(manyLabels, oneLabels);
    return {
      labels,
      dropsName: this.#many.dropsName[row]!,
      taken: seen === undefined
        ? undefined
        : takenOf(seen, labels.key, this.#grid.count),
      to: NONE,
    };
  }

  /** Rows of the "one" side at steps where nothing of the other side is there. */
  #fillMissing(rows: readonly number[], matched: Uint8Array): void {
    const one = this.#one;
    for (const row of rows) {
      const labels = matchedLabels(this.#matching, one.labels[row]!);
      const pair = {
        labels: this.#labelsOf(labels, one.labels[row]!),
        dropsName: false,
        taken: undefined,
        to: NONE,
      };
      for (let step = 0; step < one.steps; step++) {
        if (this.#oneAt[step] !== row || matched[step] === 1) continue;
        const value = one.values[row * one.steps + step]!;
        this.#put(pair, step, this.#fillMany!, value);
      }
    }
  }

  /** Writes a result unless it is filtered. */
  #put(pair: Pair, step: number, many: number, one: number): void {
    const left = this.#isSwapped ? one : many;
    const right = this.#isSwapped ? many : one;
    if (this.#keeps !== undefined && !this.#keeps(left, right)) {
      this.#remarkOnTrim();
      return;
    }
    if (pair.to === NONE) pair.to = this.#rowOf(pair.labels, pair.dropsName);
    const { values, present } = this.#result;
    if (present[pair.to + step] === 1) failDuplicate();
    values[pair.to + step] = this.#calculate(left, right);
    present[pair.to + step] = 1;
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
async function activeSteps(
  left: StepMatrix,
  right: StepMatrix,
  matching: VectorMatching,
  budget: Budget,
): Promise<Uint8Array> {
  const hasLeft = await anyByStep(left, budget);
  const hasRight = await anyByStep(right, budget);
  const isFilled = matching.fillLeft !== undefined ||
    matching.fillRight !== undefined;
  return hasLeft.map((any, step) =>
    isFilled ? any | hasRight[step]! : any & hasRight[step]!
  );
}

/** By step: 1 where any row has a value. */
export async function anyByStep(
  matrix: StepMatrix,
  budget: Budget,
): Promise<Uint8Array> {
  const { steps, present } = matrix;
  const any = new Uint8Array(steps);
  for (let row = 0; row < matrix.rows; row++) {
    if (budget.isDue(steps)) await budget.pause();
    const start = row * steps;
    for (let step = 0; step < steps; step++) {
      any[step]! |= present[start + step]!;
    }
  }
  return any;
}
