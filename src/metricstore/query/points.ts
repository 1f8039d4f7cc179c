/**
 * The points of one entry on their way from the store into the answer: float64,
 * or integers where all values are thousandths, which takes a third of the time to
 * read, to look over and to print. Owner thread only.
 */
import { GAP } from "../store/block_thousandths.ts";
import type { JsonWriter } from "./json_writer.ts";
import { lttb } from "./lttb.ts";
import {
  type Statistics,
  statistics,
  statisticsOfThousandths,
} from "./statistics.ts";

const POINTS_AT_FIRST = 4096;

export class Points {
  /** How many there are. */
  count = 0;
  /** The values; void while there are integers. */
  values = new Float64Array(POINTS_AT_FIRST);
  /** Thousandths of the values, GAP for none; void unless `areIntegers`. */
  integers = new Int32Array(POINTS_AT_FIRST);
  areIntegers = false;

  /** Makes room for so many points; those there are stay. `true`: it was needed. */
  reserve(points: number): boolean {
    if (points <= this.values.length) return false;
    const size = 2 ** Math.ceil(Math.log2(points));
    const values = new Float64Array(size);
    values.set(this.values);
    this.values = values;
    this.integers = new Int32Array(size);
    return true;
  }

  statistics(): Statistics {
    return this.areIntegers
      ? statisticsOfThousandths(this.integers, this.count)
      : statistics(this.values, 0, this.count);
  }

  /** Reduces them to so many (metric-store 4.5). */
  resample(points: number): void {
    this.toValues();
    this.count = lttb(this.values, 0, this.count, points, this.values);
  }

  /** Writes them as an array, each times `scale`, behind so many nulls. */
  write(out: JsonWriter, scale: number, nulls: number): void {
    if (this.areIntegers && scale === 1) {
      return out.thousandths(this.integers, this.count, nulls);
    }
    this.toValues();
    out.array(this.values, 0, this.count, scale, nulls);
  }

  /** Makes float64 of integers. */
  toValues(): void {
    if (!this.areIntegers) return;
    this.areIntegers = false;
    const { integers, values, count } = this;
    for (let i = 0; i < count; i++) {
      const integer = integers[i]!;
      if (integer === GAP) values[i] = NaN;
      else values[i] = integer / 1000;
    }
  }
}
