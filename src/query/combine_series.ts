/**
 * Reads the series of one selector and combines them point by point (contract 4.3
 * in the order-independent form). Owner thread only.
 *
 * Cost: each member is copied once and added once, both within the first-level
 * cache for a day of minutes.
 */
import { FREQUENCY, RECORD_SHIFT } from "../store/layout.ts";
import {
  findStart,
  pointsBound,
  readPoints,
  type ReadStart,
} from "../store/series_read.ts";
import type { SeriesTable } from "../store/series_table.ts";
import {
  type SampleLimit,
  sampleLimit,
  tooManySamples,
} from "./sample_limit.ts";

export const MISALIGNED_START =
  "[METRICSTORE]> data from lower granularities does not align (missing data prior to start of the buffers)";

/** Points of one entry; more are refused whatever the configuration says. */
const POINTS_MAX = 1 << 24;

export class SeriesCombiner {
  /** The result of `read`: `count` values from the start of `values` on. */
  values: Float64Array = new Float64Array(4096);
  count = 0;
  fromSec = 0;
  toSec = 0;
  /** With `skip`: smallest and largest number of members that had a value at a step. */
  membersMin = 0;
  membersMax = 0;
  /** Samples read since `begin`. */
  samplesRead = 0;
  readonly #table: SeriesTable;
  #limit: SampleLimit = sampleLimit(0);
  readonly #start: ReadStart = { fromSec: 0, run: 0 };
  #member: Float64Array = new Float64Array(4096);
  #present = new Uint32Array(4096);

  constructor(table: SeriesTable) {
    this.#table = table;
  }

  /** Counts anew what is read; `E_TOO_MANY_SAMPLES` where it passes the limit. */
  begin(limit: SampleLimit): void {
    this.#limit = limit;
    this.samplesRead = 0;
  }

  /** Reads one series over [fromSec, toSec). */
  readOne(
    series: number,
    fromSec: number,
    toSec: number,
    horizonSec: number,
  ): void {
    findStart(this.#table, series, fromSec, horizonSec, this.#start);
    const { fromSec: from, run } = this.#start;
    this.#reserve(series, from, toSec);
    this.count = readPoints(
      this.#table,
      series,
      run,
      from,
      toSec,
      this.values,
    );
    this.samplesRead += this.count;
    this.#setRange(series, from);
  }

  /**
   * Adds up several series: a step is NaN as soon as one member has none. Returns
   * why they do not align, or `undefined`.
   */
  sumAll(
    members: readonly number[],
    fromSec: number,
    toSec: number,
    horizonSec: number,
  ): string | undefined {
    const start = this.#start;
    let from = -Infinity;
    for (const series of members) {
      findStart(this.#table, series, fromSec, horizonSec, start);
      if (start.fromSec > from) from = start.fromSec;
    }
    let count = Infinity;
    let someHavePoints = false;
    for (let i = 0; i < members.length; i++) {
      const series = members[i]!;
      findStart(this.#table, series, from, horizonSec, start);
      this.#reserve(series, start.fromSec, toSec);
      const into = i === 0 ? this.values : this.#member;
      const read = readPoints(
        this.#table,
        series,
        start.run,
        start.fromSec,
        toSec,
        into,
      );
      this.samplesRead += read;
      if (read > 0) someHavePoints = true;
      if (read < count) count = read;
      if (i > 0) addInto(this.values, this.#member, count);
    }
    this.count = count;
    this.#setRange(members[0]!, from);
    return count === 0 && someHavePoints ? MISALIGNED_START : undefined;
  }

  /** Adds up those members that have a value at a step; NaN only where none has. */
  sumPresent(
    members: readonly number[],
    fromSec: number,
    toSec: number,
    horizonSec: number,
  ): void {
    const start = this.#start;
    let from = Infinity;
    for (const series of members) {
      findStart(this.#table, series, fromSec, horizonSec, start);
      if (start.fromSec < from) from = start.fromSec;
    }
    const frequency = this.#frequency(members[0]!);
    this.count = 0;
    for (const series of members) {
      findStart(this.#table, series, from, horizonSec, start);
      const offset = Math.round((start.fromSec - from) / frequency);
      this.#reserve(series, start.fromSec, toSec, offset);
      const read = readPoints(
        this.#table,
        series,
        start.run,
        start.fromSec,
        toSec,
        this.#member,
      );
      this.samplesRead += read;
      this.#widen(offset + read);
      addPresent(this.values, this.#present, this.#member, offset, read);
    }
    this.#countMembers();
    this.#setRange(members[0]!, from);
  }

  /** Divides each sum by the number of members it has: all, or those present. */
  average(members: number, present: boolean): void {
    for (let i = 0; i < this.count; i++) {
      this.values[i]! /= present ? this.#present[i]! : members;
    }
  }

  /** Lengthens the result to `count` steps without a value yet. */
  #widen(count: number): void {
    if (count <= this.count) return;
    this.values.fill(NaN, this.count, count);
    this.#present.fill(0, this.count, count);
    this.count = count;
  }

  #countMembers(): void {
    this.membersMin = this.count === 0 ? 0 : Infinity;
    this.membersMax = 0;
    for (let i = 0; i < this.count; i++) {
      const present = this.#present[i]!;
      if (present < this.membersMin) this.membersMin = present;
      if (present > this.membersMax) this.membersMax = present;
    }
  }

  #frequency(series: number): number {
    return this.#table.words[(series << RECORD_SHIFT) + FREQUENCY]!;
  }

  #setRange(series: number, fromSec: number): void {
    this.fromSec = fromSec;
    this.toSec = fromSec + this.count * this.#frequency(series);
  }

  /** Counts points that are written without being read, as padding is. */
  charge(points: number): void {
    this.samplesRead += points;
    if (this.samplesRead > this.#limit.max) throw tooManySamples(this.#limit);
  }

  /** Makes room for a read and refuses one that is too large. */
  #reserve(
    series: number,
    fromSec: number,
    toSec: number,
    offset = 0,
  ): void {
    const bound = offset + pointsBound(this.#table, series, fromSec, toSec);
    const { max } = this.#limit;
    if (bound > POINTS_MAX || this.samplesRead + bound > max) {
      throw tooManySamples({
        ...this.#limit,
        max: Math.min(POINTS_MAX, max),
      });
    }
    if (bound <= this.values.length) return;
    const size = 2 ** Math.ceil(Math.log2(bound));
    const values = new Float64Array(size);
    values.set(this.values);
    this.values = values;
    this.#member = new Float64Array(size);
    const present = new Uint32Array(size);
    present.set(this.#present);
    this.#present = present;
  }
}

/** Fast path. `sum[i] += member[i]`; NaN spreads. */
function addInto(
  sum: Float64Array,
  member: Float64Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) sum[i]! += member[i]!;
}

function addPresent(
  sum: Float64Array,
  present: Uint32Array,
  member: Float64Array,
  offset: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const value = member[i]!;
    if (value !== value) continue;
    const at = offset + i;
    sum[at] = present[at] === 0 ? value : sum[at]! + value;
    present[at]!++;
  }
}
