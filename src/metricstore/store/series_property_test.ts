/**
 * Random writes, reads and removals on the table of samples, compared with a
 * model that keeps every run as a map from slot to value (metric-store 3 and 4.1,
 * with late samples as settled 3 has them).
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { RUN_SLOTS } from "./layout.ts";
import { GAP } from "./block_thousandths.ts";
import { findStart, readPoints, readThousandths } from "./series_read.ts";
import { SeriesTable } from "./series_table.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

interface Run {
  start: number;
  slots: Map<number, number>;
}

class Model {
  /** Oldest first. */
  readonly runs: Run[] = [];
  readonly #frequency: number;

  constructor(frequency: number) {
    this.#frequency = frequency;
  }

  write(time: number, value: number): void {
    const f = this.#frequency;
    const sampleStart = time - Math.floor(f / 2);
    // The newest run that begins at or before the sample.
    const index = this.runs.findLastIndex((run) => run.start <= time);
    const run = this.runs[index];
    const slot = run === undefined ? -1 : Math.floor((time - run.start) / f);
    if (run !== undefined && slot < RUN_SLOTS) {
      run.slots.set(slot, value);
      return;
    }
    const next = this.runs[index + 1];
    let back = 0;
    if (next !== undefined) {
      // It ends where the next begins, and reaches back as far as is free.
      const ahead = Math.ceil((next.start - sampleStart) / f);
      if (ahead <= RUN_SLOTS) back = RUN_SLOTS - ahead;
      const floor = run === undefined ? -Infinity : run.start + RUN_SLOTS * f;
      while (back > 0 && sampleStart - back * f < floor) back--;
    }
    this.runs.splice(index + 1, 0, {
      start: sampleStart - back * f,
      slots: new Map([[back, value]]),
    });
  }

  first(run: Run): number {
    return Math.min(...run.slots.keys());
  }

  length(run: Run): number {
    return Math.max(...run.slots.keys()) + 1;
  }

  nominal(run: Run): number {
    const f = this.#frequency;
    return run.start + Math.floor(f / 2) + this.first(run) * f;
  }

  read(from: number, to: number): { from: number; points: number[] } {
    const f = this.#frequency;
    if (this.runs.length === 0) return { from, points: [] };
    let index = this.runs.length - 1;
    while (from < this.nominal(this.runs[index]!)) {
      if (index === 0) {
        from = this.nominal(this.runs[0]!);
        break;
      }
      index--;
    }
    const points: number[] = [];
    for (let time = from; time < to; time += f) {
      let run = this.runs[index]!;
      let next = this.runs[index + 1];
      let slot = Math.floor((time - run.start) / f);
      while (
        slot >= RUN_SLOTS ||
        (next !== undefined && run.start + slot * f >= next.start)
      ) {
        if (next === undefined) return { from, points };
        run = next;
        next = this.runs[++index + 1];
        slot = Math.floor((time - run.start) / f);
      }
      if (
        slot >= this.length(run) &&
        (next === undefined || to <= next.start + this.first(next) * f)
      ) break;
      points.push(run.slots.get(slot) ?? NaN);
    }
    return { from, points };
  }

  freeBefore(end: number): number {
    const f = this.#frequency;
    let removed = 0;
    for (;;) {
      const run = this.runs[0];
      if (run === undefined) return removed;
      const runEnd = run.start + Math.floor(f / 2) + this.length(run) * f;
      if (runEnd >= end) return removed;
      this.runs.shift();
      removed++;
    }
  }
}

function readTable(
  table: SeriesTable,
  series: number,
  from: number,
  to: number,
  horizon = -Infinity,
): { from: number; points: number[] } {
  const begin = { fromSec: 0, run: 0 };
  findStart(table, series, from, horizon, begin);
  const out = new Float64Array(40_000);
  const count = readPoints(table, series, begin.run, begin.fromSec, to, out);
  const points = [...out.subarray(0, count)];
  // Values here are integers, so the other way of reading sees them as well.
  const scaled = new Int32Array(count + 1);
  const scaledCount = readThousandths(
    table,
    series,
    begin.run,
    begin.fromSec,
    to,
    scaled,
  );
  assert.deepEqual(
    [...scaled.subarray(0, scaledCount)].map((n) => n === GAP ? NaN : n / 1000),
    points,
  );
  return { from: begin.fromSec, points };
}

/** Steps in slots, so that all frequencies see page, run and gap boundaries alike. */
const step = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ kind: "next" as const, slots: 1 }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("many" as const),
      slots: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("jump" as const),
      slots: fc.oneof(
        fc.integer({ min: 1, max: 140 }),
        fc.integer({ min: 500, max: 520 }),
        fc.integer({ min: 500, max: 2000 }),
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("late" as const),
      slots: fc.oneof(
        fc.double({ min: 0, max: 70, noNaN: true }),
        fc.double({ min: 0, max: 3000, noNaN: true }),
      ),
    }),
  },
  // Open pages are sealed while there is time.
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("seal" as const),
      slots: fc.integer({ min: 0, max: 8 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("free" as const),
      slots: fc.integer({ min: 0, max: 3000 }),
    }),
  },
);

const lane = fc.integer({ min: 0, max: 2 });

Deno.test("SeriesTable keeps and readPoints() shows what a naive model does", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 7, 10, 60),
      fc.array(fc.tuple(lane, step), { maxLength: 80, size: "max" }),
      fc.array(fc.tuple(lane, fc.nat(4000), fc.nat(4000), fc.nat(59)), {
        minLength: 5,
        maxLength: 20,
        size: "max",
      }),
      fc.constantFrom(1, 2, 5, 1000),
      (frequency, steps, reads, thawedMax) => {
        const table = new SeriesTable(256, 4096, thawedMax);
        const series: number[] = [];
        // Lanes of one tile and of the next one.
        for (let i = 0; i < 130; i++) {
          const id = table.create(frequency, 0, 0)!;
          if (i % 64 === 1) series.push(id);
        }
        const models = series.map(() => new Model(frequency));
        const origin = 1_000_000;
        const newest = series.map(() => origin);
        let value = 0;
        const write = (at: number, time: number) => {
          value++;
          assert.equal(table.write(series[at]!, time, value), true);
          models[at]!.write(time, value);
        };
        for (const [at, { kind, slots }] of steps) {
          if (series[at] === undefined) continue;
          const last = newest[at]!;
          if (kind === "late") write(at, last - Math.floor(slots * frequency));
          else if (kind === "seal") {
            table.pages.sealLeft(slots);
            const from = last - 100 * frequency;
            assert.deepEqual(
              readTable(table, series[at]!, from, last),
              models[at]!.read(from, last),
            );
          } else if (kind === "free") {
            const end = last - slots * frequency;
            assert.equal(
              table.freeBefore(series[at]!, end),
              models[at]!.freeBefore(end),
            );
          } else {
            const times = kind === "many" ? slots : 1;
            const width = kind === "many" ? 1 : slots;
            for (let i = 0; i < times; i++) {
              newest[at]! += width * frequency;
              write(at, newest[at]!);
            }
          }
        }
        assert.ok(table.pages.thawedCount <= thawedMax);
        const runs = models.reduce((sum, model) => sum + model.runs.length, 0);
        assert.equal(table.runCount, runs);
        for (const [at, back, width, offset] of reads) {
          if (series[at] === undefined) continue;
          const from = newest[at]! - back * frequency + offset;
          const to = from + width * frequency;
          assert.deepEqual(
            readTable(table, series[at]!, from, to),
            models[at]!.read(from, to),
          );
        }
      },
    ),
    { numRuns: fuzzRuns(100) },
  );
});

Deno.test("findStart() hides just what is before the horizon, and trimBefore() only that", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 10, 60),
      fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 700 }) },
        ),
        { minLength: 1, maxLength: 300, size: "max" },
      ),
      fc.double({ min: 0, max: 1.1, noNaN: true }),
      (frequency, gaps, share) => {
        const table = new SeriesTable(64, 4096);
        const series = table.create(frequency, 0, 0)!;
        const model = new Model(frequency);
        let time = 1_000_000;
        for (const [i, gap] of gaps.entries()) {
          time += gap * frequency;
          assert.equal(table.write(series, time, i), true);
          model.write(time, i);
        }
        const horizon = 1_000_000 + Math.floor((time - 1_000_000) * share);
        // All times here are nominal, so each sample is its own slot.
        const expected: number[] = [];
        for (const run of model.runs) {
          for (const [slot, value] of run.slots) {
            const nominal = run.start + Math.floor(frequency / 2) +
              slot * frequency;
            if (nominal >= horizon) expected.push(value);
          }
        }
        const end = time + frequency;
        const seen = readTable(table, series, 0, end, horizon);
        const values = seen.points.filter((value) => !Number.isNaN(value));
        assert.deepEqual(values, expected);
        if (values.length > 0) assert.ok(seen.from >= horizon);

        const pages = table.pages.pool.used;
        table.freeBefore(series, horizon);
        table.trimBefore(series, horizon);
        assert.ok(table.pages.pool.used <= pages);
        const after = readTable(table, series, 0, end, horizon);
        assert.deepEqual(after.points, seen.points);
        if (values.length > 0) assert.equal(after.from, seen.from);
      },
    ),
    { numRuns: fuzzRuns(200) },
  );
});
