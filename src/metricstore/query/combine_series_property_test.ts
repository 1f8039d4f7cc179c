/** What several series add up to, against a model that adds them up as decimals. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { findStart, readPoints } from "../store/series_read.ts";
import { SeriesTable } from "../store/series_table.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { SeriesCombiner } from "./combine_series.ts";

const FREQUENCY = 60;
const ORIGIN = 1_700_000_040;

/** A table is a lot of address space, so all runs share one. */
const TABLE = new SeriesTable(256, 4096);

interface Member {
  /** Slots after the origin of its first sample; seconds its clock is off. */
  readonly late: number;
  readonly offSec: number;
  /** `undefined`: no sample in that slot. */
  readonly values: readonly (number | undefined)[];
}

/** Several kinds a run, so that blocks of many scales and schemes meet. */
const kind = fc.constantFrom(
  (n: number) => n / 100,
  (n: number) => n / 100,
  (n: number) => 40 + n % 90 / 100,
  (n: number) => n % 7,
  (n: number) => -n / 1000,
  (n: number) => n * 4096,
  (n: number) => n % 50 === 0 ? 1e6 + n : n / 10,
  (n: number) => 2_000_000 + n / 1000,
  (n: number) => n / 7919,
  () => 12.5,
);

function values(slots: number): fc.Arbitrary<(number | undefined)[]> {
  return fc.tuple(
    kind,
    fc.constantFrom(0, 0, 0, 50, 400),
    fc.array(fc.nat(100_000), {
      minLength: slots,
      maxLength: slots,
      size: "max",
    }),
  ).map(([make, missing, draws]) =>
    draws.map((n, i) =>
      i > 0 && n % 1000 < missing ? undefined : make(Math.floor(n / 10))
    )
  );
}

const scene = fc.constantFrom(1, 63, 64, 150, 700, 1200).chain((slots) =>
  fc.record({
    members: fc.array(
      fc.record({
        late: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 3, 70),
        offSec: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 10),
        values: values(slots),
        cut: fc.constantFrom(0, 0, 0, 1, 2, 65),
      }).map(({ cut, ...member }): Member => ({
        ...member,
        values: member.values.slice(0, Math.max(1, slots - cut)),
      })),
      { minLength: 2, maxLength: 5 },
    ),
    from: fc.integer({ min: -3, max: slots + 2 }),
    span: fc.integer({ min: 0, max: slots + 5 }),
    offSec: fc.nat(59),
    hidden: fc.constantFrom(-Infinity, -Infinity, 5, 80),
  })
);

/** A shrinking run ends early, so each begins by clearing up. */
function writeAll(members: readonly Member[]): number[] {
  clear();
  return members.map(write);
}

function write({ late, offSec, values }: Member): number {
  const series = TABLE.create(FREQUENCY, 0, 0)!;
  values.forEach((value, i) => {
    if (value === undefined) return;
    const time = ORIGIN + offSec + (late + i) * FREQUENCY;
    assert.ok(TABLE.write(series, time, value));
  });
  return series;
}

function clear(): void {
  const ended: number[] = [];
  for (let series = 0; series < TABLE.seriesEnd; series++) {
    if (!TABLE.isAlive(series)) continue;
    TABLE.freeBefore(series, Infinity);
    TABLE.end(series);
    ended.push(series);
  }
  TABLE.recycle(ended);
}

/** The sum as a decimal where all are such, of one sign; else with its error. */
function sumOf(values: readonly number[]): { sum: number; error: number } {
  const integers = values.map((value) => Math.round(value * 1000));
  const areDecimals = integers.every((n, i) => n / 1000 === values[i]);
  const signs = new Set(values.map(Math.sign));
  if (areDecimals && !(signs.has(-1) && signs.has(1))) {
    const sum = integers.reduce((total, n) => total + BigInt(n), 0n);
    return { sum: Number(sum) / 1000, error: 0 };
  }
  const size = values.reduce((total, value) => total + Math.abs(value), 0);
  return {
    sum: values.reduce((total, value) => total + value, 0),
    error: 2 * values.length * Number.EPSILON * size,
  };
}

Deno.test("SeriesCombiner.sumAll() adds up decimals without an error, and others as float64", () => {
  const seen = { sums: 0, exact: 0 };
  fc.assert(
    fc.property(scene, ({ members, from, span, offSec, hidden }) => {
      const ids = writeAll(members);
      const fromSec = ORIGIN + from * FREQUENCY + offSec;
      const toSec = fromSec + span * FREQUENCY;
      const horizonSec = ORIGIN + hidden * FREQUENCY;
      const combiner = new SeriesCombiner(TABLE);
      const error = combiner.sumAll(ids, fromSec, toSec, horizonSec);

      const start = { fromSec: 0, run: 0 };
      const begin = Math.max(...ids.map((series) => {
        findStart(TABLE, series, fromSec, horizonSec, start);
        return start.fromSec;
      }));
      const columns = ids.map((series) => {
        findStart(TABLE, series, begin, horizonSec, start);
        const out = new Float64Array(2000);
        const { run } = start;
        const count = readPoints(TABLE, series, run, start.fromSec, toSec, out);
        return out.subarray(0, count);
      });
      const count = Math.min(...columns.map((column) => column.length));
      assert.equal(combiner.points.count, count);
      assert.equal(combiner.fromSec, begin);
      assert.equal(
        error !== undefined,
        count === 0 && columns.some((column) => column.length > 0),
      );
      for (let i = 0; i < count; i++) {
        const here = columns.map((column) => column[i]!);
        const got = combiner.points.values[i]!;
        if (here.some(Number.isNaN)) {
          assert.ok(Number.isNaN(got));
          continue;
        }
        const { sum, error } = sumOf(here);
        assert.ok(
          Math.abs(got - sum) <= error,
          `${here} add up to ${sum}, not ${got}`,
        );
        seen.sums++;
        if (error === 0) seen.exact++;
      }
    }),
    { numRuns: fuzzRuns(300) },
  );
  assert.ok(seen.exact > 1000 && seen.sums > seen.exact, JSON.stringify(seen));
});

Deno.test("SeriesCombiner.readOne() keeps each value, as integers or not", () => {
  const seen = { integers: 0, floats: 0 };
  fc.assert(
    fc.property(scene, ({ members, from, span, offSec, hidden }) => {
      const ids = writeAll(members.slice(0, 1));
      const fromSec = ORIGIN + from * FREQUENCY + offSec;
      const toSec = fromSec + span * FREQUENCY;
      const horizonSec = ORIGIN + hidden * FREQUENCY;
      const combiner = new SeriesCombiner(TABLE);
      combiner.readOne(ids[0]!, fromSec, toSec, horizonSec);
      const { points } = combiner;

      const start = { fromSec: 0, run: 0 };
      findStart(TABLE, ids[0]!, fromSec, horizonSec, start);
      const out = new Float64Array(2000);
      const { run } = start;
      const count = readPoints(TABLE, ids[0]!, run, start.fromSec, toSec, out);
      assert.equal(combiner.fromSec, start.fromSec);
      assert.equal(points.count, count);
      const statistics = points.statistics();
      const before = points.areIntegers;
      if (points.areIntegers) seen.integers++;
      else seen.floats++;
      points.toValues();
      assert.equal(points.areIntegers, false);
      assert.deepEqual(
        [...points.values.subarray(0, count)],
        [...out.subarray(0, count)],
      );
      const plain = points.statistics();
      assert.equal(statistics.min, plain.min);
      assert.equal(statistics.max, plain.max);
      if (count > 0 && !Number.isNaN(plain.avg)) {
        const size = Math.max(Math.abs(plain.min), Math.abs(plain.max));
        const error = before ? count * Number.EPSILON * size : 0;
        assert.ok(Math.abs(statistics.avg - plain.avg) <= error);
      }
    }),
    { numRuns: fuzzRuns(300) },
  );
  assert.ok(seen.integers > 50 && seen.floats > 10, JSON.stringify(seen));
});
