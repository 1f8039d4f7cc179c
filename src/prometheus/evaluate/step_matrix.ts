/**
 * The value of an instant vector at every step: a row for each series, a cell for
 * each step, all rows in one array. Whether a cell has a value is kept beside it: a
 * NaN is a value. Any thread.
 */
import { assert } from "../../base/assert.ts";
import type { Budget } from "./budget.ts";
import type { Labels } from "./labels.ts";

export class StepMatrix {
  readonly steps: number;
  readonly labels: Labels[] = [];
  /** By row: whether the name goes when the result is done. */
  readonly dropsName: boolean[] = [];
  values: Float64Array;
  /** 1 where the cell has a value. What `values` holds elsewhere means nothing. */
  present: Uint8Array;
  readonly #budget: Budget;
  #isReleased = false;

  /** Room for `capacity` rows; it grows. Holds its cells until {@linkcode release}. */
  constructor(steps: number, capacity: number, budget: Budget) {
    budget.hold(steps * capacity);
    this.steps = steps;
    this.values = new Float64Array(steps * capacity);
    this.present = new Uint8Array(steps * capacity);
    this.#budget = budget;
  }

  get rows(): number {
    return this.labels.length;
  }

  /** Adds a row without values; returns the index of its first cell. */
  append(labels: Labels, dropsName: boolean): number {
    const start = this.labels.length * this.steps;
    if (start === this.values.length) this.reserve(1);
    this.labels.push(labels);
    this.dropsName.push(dropsName);
    return start;
  }

  /** Takes back the row that was added last. */
  removeLast(): void {
    const start = (this.labels.length - 1) * this.steps;
    this.present.fill(0, start, start + this.steps);
    this.labels.pop();
    this.dropsName.pop();
  }

  /** Makes room for so many rows more; it at least doubles when it grows. */
  reserve(rows: number): void {
    const wanted = (this.labels.length + rows) * this.steps;
    if (wanted <= this.values.length) return;
    const cells = Math.max(wanted, 2 * this.values.length);
    this.#budget.hold(cells - this.values.length);
    const values = new Float64Array(cells);
    values.set(this.values);
    const present = new Uint8Array(cells);
    present.set(this.present);
    this.values = values;
    this.present = present;
  }

  isEmptyRow(row: number): boolean {
    const start = row * this.steps;
    return !hasAny(this.present, start, start + this.steps);
  }

  /** Copies a row of another matrix of as many steps. */
  appendRow(from: StepMatrix, row: number): void {
    const to = this.append(from.labels[row]!, from.dropsName[row]!);
    const start = row * from.steps;
    this.values.set(from.values.subarray(start, start + from.steps), to);
    this.present.set(from.present.subarray(start, start + from.steps), to);
  }

  /** Gives its cells back to the budget; nobody reads it afterwards. */
  release(): void {
    assert(!this.#isReleased, "a matrix is released once");
    this.#isReleased = true;
    this.#budget.release(this.values.length);
  }
}

/** What takes in a matrix piece by piece; it releases each. */
export type BlockSink = (block: StepMatrix) => Promise<void>;

/** Whether any cell from `start` to `end` has a value. */
function hasAny(
  present: Uint8Array,
  start: number,
  end: number,
): boolean {
  for (let i = start; i < end; i++) {
    if (present[i] === 1) return true;
  }
  return false;
}
