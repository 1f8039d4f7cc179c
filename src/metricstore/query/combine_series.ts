/**
 * Reads the series of one selector and combines them point by point
 * (metric-store 4.3 in the order-independent form). Owner thread only.
 *
 * A sum of n float64 of one sign is known to n/2 units in the last place. Where a
 * decimal of three places lies within that, it is taken to be the sum: members that
 * are such decimals give the decimal that they add up to, in whatever order.
 *
 * Cost: members on one grid, the normal case, are added page by page as they are
 * decoded; others are copied once and added once.
 */
import { frequencyOf } from "../store/records.ts";
import {
  findStart,
  pointsBound,
  readPoints,
  type ReadStart,
  readThousandths,
} from "../store/series_read.ts";
import { maskPoints, type Times } from "../store/series_mask.ts";
import { sumPoints } from "../store/series_sum.ts";
import type { SeriesTable } from "../store/series_table.ts";
import { Points } from "./points.ts";
import {
  type SampleLimit,
  sampleLimit,
  tooManySamples,
} from "../engine/sample_limit.ts";
import { NO_TURNS, type Turns } from "./turns.ts";

export const MISALIGNED_START =
  "[METRICSTORE]> data from lower granularities does not align (missing data prior to start of the buffers)";

/** Points of one entry; more are refused whatever the configuration says. */
const POINTS_MAX = 1 << 24;
/** Samples that are added up before others may get a turn: some 30 ms. */
const TOGETHER_MAX = 1 << 24;

export class SeriesCombiner {
  /** Points of the last read. */
  readonly points = new Points();
  fromSec = 0;
  toSec = 0;
  /** With `skip`: smallest and largest number of members that had a value at a step. */
  membersMin = 0;
  membersMax = 0;
  /** Samples read since `begin`. */
  samplesRead = 0;
  /** When samples may be seen; `undefined`: at any time. */
  times: Times | undefined;
  readonly #table: SeriesTable;
  readonly #turns: Turns;
  #limit: SampleLimit = sampleLimit(0);
  readonly #start: ReadStart = { fromSec: 0, run: 0 };
  #member: Float64Array = new Float64Array(4096);
  #present = new Uint32Array(4096);
  /** Run and first point of each member. */
  #runs = new Int32Array(64);
  #starts = new Float64Array(64);

  /** Others may get a turn between two members. */
  constructor(table: SeriesTable, turns: Turns = NO_TURNS) {
    this.#table = table;
    this.#turns = turns;
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
    const table = this.#table;
    const { points } = this;
    findStart(table, series, fromSec, horizonSec, this.#start);
    const { fromSec: from, run } = this.#start;
    this.#reserve(series, from, toSec);
    let count = readThousandths(
      table,
      series,
      run,
      from,
      toSec,
      points.integers,
    );
    points.areIntegers = count >= 0;
    if (count < 0) {
      count = readPoints(table, series, run, from, toSec, points.values);
    }
    this.samplesRead += count;
    if (this.times !== undefined) {
      points.count = count;
      points.toValues();
      count = this.#mask(series, run, from, toSec, points.values, count);
    }
    points.count = count;
    this.#setRange(series, from);
  }

  /** Hides what may not be seen of points that were read; returns how many are left. */
  #mask(
    series: number,
    run: number,
    fromSec: number,
    toSec: number,
    values: Float64Array,
    count: number,
  ): number {
    const { times } = this;
    return times === undefined ? count : maskPoints(
      this.#table,
      series,
      run,
      fromSec,
      toSec,
      times,
      values,
      count,
    );
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
    this.points.areIntegers = false;
    const from = this.#findRuns(members, fromSec, horizonSec);
    let someHavePoints = false;
    if (!this.#sumTogether(members, from, toSec)) {
      this.#findRuns(members, fromSec, horizonSec);
      someHavePoints = this.#sumOneByOne(members, from, toSec);
    }
    roundSums(this.points.values, this.points.count, members.length);
    this.#setRange(members[0]!, from);
    return this.points.count === 0 && someHavePoints
      ? MISALIGNED_START
      : undefined;
  }

  /**
   * The first point that all members have; the runs where they begin to read then
   * are in `#runs`.
   */
  #findRuns(
    members: readonly number[],
    fromSec: number,
    horizonSec: number,
  ): number {
    const start = this.#start;
    const length = members.length;
    if (this.#runs.length < length) {
      this.#runs = new Int32Array(2 * length);
      this.#starts = new Float64Array(2 * length);
    }
    const runs = this.#runs;
    const starts = this.#starts;
    let from = -Infinity;
    for (let i = 0; i < length; i++) {
      this.#turns.spend(10);
      findStart(this.#table, members[i]!, fromSec, horizonSec, start);
      runs[i] = start.run;
      starts[i] = start.fromSec;
      if (start.fromSec > from) from = start.fromSec;
    }
    for (let i = 0; i < length; i++) {
      if (starts[i] === from) continue;
      findStart(this.#table, members[i]!, from, horizonSec, start);
      runs[i] = start.run;
    }
    return from;
  }

  /** For members on one grid. `false`: they are not, or there is nothing to read. */
  #sumTogether(
    members: readonly number[],
    fromSec: number,
    toSec: number,
  ): boolean {
    // Visible times are found member by member.
    if (this.times !== undefined) return false;
    let bound = 0;
    let longest = 0;
    for (const series of members) {
      this.#turns.spend(2);
      this.#reserve(series, fromSec, toSec);
      const points = pointsBound(this.#table, series, fromSec, toSec);
      if (points > longest) longest = points;
      bound += points;
    }
    // Near the limit it is counted member by member.
    if (this.samplesRead + bound > this.#limit.max) return false;
    const atOnce = Math.max(2, Math.floor(TOGETHER_MAX / (longest + 1)));
    let count = Infinity;
    for (let at = 0; at < members.length;) {
      // One alone is no sum: it goes with those before.
      const left = members.length - at;
      const some = left <= atOnce + 1 ? left : atOnce;
      const isAll = some === members.length;
      const read = sumPoints(
        this.#table,
        isAll ? members : members.slice(at, at + some),
        isAll ? this.#runs : this.#runs.subarray(at, at + some),
        fromSec,
        toSec,
        at === 0 ? this.points.values : this.#member,
      );
      if (read <= 0) return false;
      if (read < count) count = read;
      if (at > 0) addInto(this.points.values, this.#member, count);
      this.#turns.spend(read * some / 4);
      at += some;
    }
    this.points.count = count;
    this.samplesRead += count * members.length;
    return true;
  }

  /**
   * For members on different grids: reads them one after the other from their
   * `#runs` on. Returns whether there was anything to read.
   */
  #sumOneByOne(
    members: readonly number[],
    fromSec: number,
    toSec: number,
  ): boolean {
    let count = Infinity;
    let someHavePoints = false;
    for (let i = 0; i < members.length; i++) {
      this.#reserve(members[i]!, fromSec, toSec);
      const values = i === 0 ? this.points.values : this.#member;
      const run = this.#runs[i]!;
      const all = readPoints(
        this.#table,
        members[i]!,
        run,
        fromSec,
        toSec,
        values,
      );
      this.samplesRead += all;
      const read = this.#mask(members[i]!, run, fromSec, toSec, values, all);
      if (read > 0) someHavePoints = true;
      if (read < count) count = read;
      this.#turns.spend(10 + all);
      if (i > 0) addInto(this.points.values, this.#member, count);
    }
    this.points.count = count;
    return someHavePoints;
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
      this.#turns.spend(10);
      findStart(this.#table, series, fromSec, horizonSec, start);
      if (start.fromSec < from) from = start.fromSec;
    }
    const frequency = this.#frequency(members[0]!);
    this.points.areIntegers = false;
    this.points.count = 0;
    for (const series of members) {
      findStart(this.#table, series, from, horizonSec, start);
      const offset = Math.round((start.fromSec - from) / frequency);
      this.#reserve(series, start.fromSec, toSec, offset);
      const all = readPoints(
        this.#table,
        series,
        start.run,
        start.fromSec,
        toSec,
        this.#member,
      );
      this.samplesRead += all;
      this.#turns.spend(10 + all);
      const read = this.#mask(
        series,
        start.run,
        start.fromSec,
        toSec,
        this.#member,
        all,
      );
      this.#widen(offset + read);
      addPresent(this.points.values, this.#present, this.#member, offset, read);
    }
    this.#countMembers();
    roundSums(this.points.values, this.points.count, members.length);
    this.#setRange(members[0]!, from);
  }

  /** Divides each sum by the number of members it has: all, or those present. */
  average(members: number, present: boolean): void {
    for (let i = 0; i < this.points.count; i++) {
      this.points.values[i]! /= present ? this.#present[i]! : members;
    }
  }

  /** Lengthens the result to `count` steps without a value yet. */
  #widen(count: number): void {
    if (count <= this.points.count) return;
    this.points.values.fill(NaN, this.points.count, count);
    this.#present.fill(0, this.points.count, count);
    this.points.count = count;
  }

  #countMembers(): void {
    this.membersMin = this.points.count === 0 ? 0 : Infinity;
    this.membersMax = 0;
    for (let i = 0; i < this.points.count; i++) {
      const present = this.#present[i]!;
      if (present < this.membersMin) this.membersMin = present;
      if (present > this.membersMax) this.membersMax = present;
    }
  }

  #frequency(series: number): number {
    return frequencyOf(this.#table, series);
  }

  #setRange(series: number, fromSec: number): void {
    this.fromSec = fromSec;
    this.toSec = fromSec + this.points.count * this.#frequency(series);
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
    if (!this.points.reserve(bound)) return;
    const size = this.points.values.length;
    this.#member = new Float64Array(size);
    const present = new Uint32Array(size);
    present.set(this.#present);
    this.#present = present;
  }
}

/** Sums of `members` values each to the decimals of three places that they mean. */
function roundSums(sums: Float64Array, count: number, members: number): void {
  const tolerance = members * Number.EPSILON / 2;
  for (let i = 0; i < count; i++) {
    const sum = sums[i]!;
    const decimal = Math.round(sum * 1000) / 1000;
    if (Math.abs(decimal - sum) <= Math.abs(sum) * tolerance) sums[i] = decimal;
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
