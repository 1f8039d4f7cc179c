/**
 * Columns that aggregations gather values in: a cell for each group and step. Rows
 * come one after the other, each as a whole, so the loops over cells know what they
 * do. Any thread.
 */
import type { AggregateOperator } from "../language/ast.ts";
import { KahanSum } from "./kahan.ts";
import { moveMean } from "./window_aggregates.ts";

/** A row of a matrix: `steps` cells from `start`. */
export interface RowCells {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly start: number;
  readonly steps: number;
}

export interface Accumulator {
  /** Columns, each as long as there are cells. */
  readonly columns: number;
  /** Makes room for so many cells; what is there stays. */
  grow(cells: number): void;
  /** Takes a row into the cells from `to`; sets `seen` where they have a value. */
  add(row: RowCells, to: number, seen: Uint8Array): void;
  /** The result of a cell that has a value. */
  finish(cell: number): number;
}

export function accumulatorOf(operator: AggregateOperator): Accumulator {
  switch (operator) {
    case "sum":
      return new SumAccumulator();
    case "avg":
      return new MeanAccumulator();
    case "stddev":
    case "stdvar":
      return new VarianceAccumulator(operator === "stddev");
    case "min":
    case "max":
      return new ExtremeAccumulator(operator === "max");
    case "count":
      return new CountAccumulator();
    default:
      return new GroupAccumulator();
  }
}

function grown(
  column: Float64Array,
  cells: number,
): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(cells);
  larger.set(column);
  return larger;
}

class GroupAccumulator implements Accumulator {
  readonly columns = 0;

  grow(): void {}

  add({ present, start, steps }: RowCells, to: number, seen: Uint8Array): void {
    for (let step = 0; step < steps; step++) {
      seen[to + step]! |= present[start + step]!;
    }
  }

  finish(): number {
    return 1;
  }
}

class CountAccumulator implements Accumulator {
  readonly columns = 1;
  #counts = new Float64Array(0);

  grow(cells: number): void {
    this.#counts = grown(this.#counts, cells);
  }

  add({ present, start, steps }: RowCells, to: number, seen: Uint8Array): void {
    const counts = this.#counts;
    for (let step = 0; step < steps; step++) {
      const isThere = present[start + step]!;
      counts[to + step]! += isThere;
      seen[to + step]! |= isThere;
    }
  }

  finish(cell: number): number {
    return this.#counts[cell]!;
  }
}

/** A NaN gives way to any number. */
class ExtremeAccumulator implements Accumulator {
  readonly columns = 1;
  readonly #isMax: boolean;
  #best = new Float64Array(0);

  constructor(isMax: boolean) {
    this.#isMax = isMax;
  }

  grow(cells: number): void {
    this.#best = grown(this.#best, cells);
  }

  add(row: RowCells, to: number, seen: Uint8Array): void {
    const { values, present, start, steps } = row;
    const best = this.#best;
    const isMax = this.#isMax;
    for (let step = 0; step < steps; step++) {
      if (present[start + step] === 0) continue;
      const cell = to + step;
      const value = values[start + step]!;
      const known = best[cell]!;
      if (
        seen[cell] === 0 || (isMax ? known < value : known > value) ||
        known !== known
      ) best[cell] = value;
      seen[cell] = 1;
    }
  }

  finish(cell: number): number {
    return this.#best[cell]!;
  }
}

class SumAccumulator implements Accumulator {
  readonly columns = 2;
  #sums = new Float64Array(0);
  #compensations = new Float64Array(0);

  grow(cells: number): void {
    this.#sums = grown(this.#sums, cells);
    this.#compensations = grown(this.#compensations, cells);
  }

  /** As `KahanSum.add`; the first value is taken as it is, so that −0 stays. */
  add(row: RowCells, to: number, seen: Uint8Array): void {
    const { values, present, start, steps } = row;
    const sums = this.#sums;
    const compensations = this.#compensations;
    for (let step = 0; step < steps; step++) {
      if (present[start + step] === 0) continue;
      const cell = to + step;
      const value = values[start + step]!;
      if (seen[cell] === 0) {
        seen[cell] = 1;
        sums[cell] = value;
        continue;
      }
      const sum = sums[cell]!;
      const total = sum + value;
      sums[cell] = total;
      if (total === Infinity || total === -Infinity) compensations[cell] = 0;
      else {
        compensations[cell]! += Math.abs(sum) >= Math.abs(value)
          ? (sum - total) + value
          : (value - total) + sum;
      }
    }
  }

  finish(cell: number): number {
    return this.#sums[cell]! + this.#compensations[cell]!;
  }
}

/** A sum and a count; a mean that is moved from where the sum would overflow. */
class MeanAccumulator implements Accumulator {
  readonly columns = 3;
  #sums = new Float64Array(0);
  #compensations = new Float64Array(0);
  #counts = new Float64Array(0);
  /** Cells whose sum would overflow: `#sums` holds their mean. */
  readonly #means = new Set<number>();
  readonly #kahan = new KahanSum();

  grow(cells: number): void {
    this.#sums = grown(this.#sums, cells);
    this.#compensations = grown(this.#compensations, cells);
    this.#counts = grown(this.#counts, cells);
  }

  add(row: RowCells, to: number, seen: Uint8Array): void {
    const { values, present, start, steps } = row;
    for (let step = 0; step < steps; step++) {
      if (present[start + step] === 0) continue;
      const cell = to + step;
      const value = values[start + step]!;
      const count = ++this.#counts[cell]!;
      if (count === 1) {
        seen[cell] = 1;
        this.#sums[cell] = value;
      } else this.#next(cell, value, count);
    }
  }

  #next(cell: number, value: number, count: number): void {
    const kahan = this.#kahan;
    kahan.set(this.#sums[cell]!, this.#compensations[cell]!);
    if (this.#means.size === 0 || !this.#means.has(cell)) {
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
  readonly columns = 3;
  readonly #isDeviation: boolean;
  #squares = new Float64Array(0);
  #means = new Float64Array(0);
  #counts = new Float64Array(0);

  constructor(isDeviation: boolean) {
    this.#isDeviation = isDeviation;
  }

  grow(cells: number): void {
    this.#squares = grown(this.#squares, cells);
    this.#means = grown(this.#means, cells);
    this.#counts = grown(this.#counts, cells);
  }

  add(row: RowCells, to: number, seen: Uint8Array): void {
    const { values, present, start, steps } = row;
    for (let step = 0; step < steps; step++) {
      if (present[start + step] === 0) continue;
      const cell = to + step;
      const value = values[start + step]!;
      const count = ++this.#counts[cell]!;
      if (count === 1) {
        seen[cell] = 1;
        this.#means[cell] = value;
        this.#squares[cell] = Number.isFinite(value) ? 0 : NaN;
        continue;
      }
      const difference = value - this.#means[cell]!;
      this.#means[cell]! += difference / count;
      this.#squares[cell]! += difference * (value - this.#means[cell]!);
    }
  }

  finish(cell: number): number {
    const variance = this.#squares[cell]! / this.#counts[cell]!;
    return this.#isDeviation ? Math.sqrt(variance) : variance;
  }
}
