import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { Band, gridOf, thinned } from "./thin_series.ts";

const sample = fc.oneof(
  { arbitrary: fc.integer({ min: -1000, max: 1000 }), weight: 8 },
  { arbitrary: fc.constant(NaN), weight: 2 },
);
const series = fc.record({
  leadingNulls: fc.nat({ max: 30 }),
  data: fc.array(sample, { maxLength: 300, size: "max" })
    .map((values) => Float64Array.from(values)),
});

/** Samples by step, without those that have no value. */
function samplesOf(
  { leadingNulls, data }: { leadingNulls: number; data: Float64Array },
): [number, number][] {
  return [...data].map((value, i): [number, number] => [
    leadingNulls + i,
    value,
  ]).filter(([, value]) => !Number.isNaN(value));
}

Deno.test("thinning keeps what was measured, when, and every extreme", () => {
  fc.assert(
    fc.property(
      series,
      fc.integer({ min: 2, max: 80 }),
      fc.option(fc.integer({ min: -100, max: 4000 }), { nil: undefined }),
      fc.option(fc.integer({ min: -100, max: 4000 }), { nil: undefined }),
      (one, points, fromSec, toSec) => {
        const timestep = 10;
        const steps = one.leadingNulls + one.data.length;
        const grid = gridOf(
          { baseSec: 0, timestep, steps },
          { fromSec, toSec, points },
        );
        const values = thinned(one, grid);
        assert.equal(values.length, grid.points);
        assert.ok(grid.points <= points);
        const wanted = samplesOf(one).filter(([step]) =>
          step * timestep >= (fromSec ?? -Infinity) &&
          step * timestep <= (toSec ?? Infinity)
        );
        const shown = [...values].filter((value) => !Number.isNaN(value));
        assert.equal(shown.length === 0, wanted.length === 0);
        // Each point is a sample of its span, or of a neighbour's.
        const near = grid.factor === 1 ? 0 : 2;
        values.forEach((value, point) => {
          if (Number.isNaN(value)) return;
          assert.ok(
            wanted.some(([step, sample]) =>
              step >= grid.first + (point - near) * grid.factor &&
              step < grid.first + (point + near + 1) * grid.factor &&
              sample === value
            ),
          );
        });
        if (wanted.length === 0) return;
        const all = wanted.map(([, value]) => value);
        assert.equal(Math.min(...shown), Math.min(...all));
        assert.equal(Math.max(...shown), Math.max(...all));
      },
    ),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("a band is least, mean and largest of all samples of a point", () => {
  fc.assert(
    fc.property(
      fc.array(series, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 50 }),
      (all, points) => {
        const steps = Math.max(
          ...all.map(({ leadingNulls, data }) => leadingNulls + data.length),
        );
        const grid = gridOf({ baseSec: 0, timestep: 1, steps }, { points });
        const band = new Band(grid);
        for (const one of all) band.add(one);
        for (let point = 0; point < grid.points; point++) {
          const samples = all.flatMap(samplesOf).filter(([step]) =>
            Math.floor(step / grid.factor) === point
          ).map(([, value]) => value);
          const [min, mean, max] = [band.min, band.mean, band.max].map((part) =>
            part[point]!
          );
          if (samples.length === 0) {
            assert.deepEqual([min, mean, max], [NaN, NaN, NaN]);
            continue;
          }
          assert.equal(min, Math.min(...samples));
          assert.equal(max, Math.max(...samples));
          const sum = samples.reduce((sum, value) => sum + value, 0);
          assert.equal(mean, Math.fround(sum / samples.length));
        }
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});
