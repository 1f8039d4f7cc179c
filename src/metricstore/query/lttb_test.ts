import assert from "node:assert/strict";
import fc from "fast-check";
import { lttb, resampledPoints, resolutionError } from "./lttb.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

/** The contract's pseudo code, word for word. */
function naiveLttb(v: readonly number[], M: number): number[] {
  const N = v.length;
  const w = (N - 2) / (M - 2);
  const out = [v[0]!];
  let lo = 1;
  let mid = Math.floor(w) + 1;
  let a = 0;
  for (let i = 0; i <= M - 3; i++) {
    let hi = Math.floor((i + 2) * w) + 1;
    if (hi >= N - 1) hi = N - 2;
    let cx = 0;
    let cy = 0;
    for (let k = mid; k <= hi; k++) {
      cx += k;
      cy += v[k]!;
    }
    cx /= Math.max(0, hi - mid + 1);
    cy /= Math.max(0, hi - mid + 1);
    let best = -1;
    let pick = 0;
    for (let k = lo; k <= mid - 1; k++) {
      const area =
        Math.abs((a - k) * (cy - v[a]!) - (a - cx) * (v[k]! - v[a]!)) *
        0.5;
      if (area > best || Number.isNaN(area)) {
        best = area;
        pick = k;
      }
    }
    out.push(v[pick]!);
    a = pick;
    lo = mid;
    mid = hi;
  }
  out.push(v[N - 1]!);
  return out;
}

function resample(values: Float64Array, resolutionSec: number): number[] {
  const points = resampledPoints(values.length, resolutionSec, 60);
  if (points === 0) return [...values];
  const out = new Float64Array(values.length);
  return [...out.subarray(0, lttb(values, 0, values.length, points, out))];
}

function saw(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => 37 * i % 101);
}

function ramp(): Float64Array {
  return Float64Array.from({ length: 1000 }, (_, i) => i);
}

function numbers(text: string): number[] {
  return text.split(" ").map(Number);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

Deno.test("lttb() picks the upstream points of a saw", () => {
  const ten = resample(saw(1000), 600);
  assert.equal(ten.length, 100);
  assert.equal(total(ten), 5096);
  assert.deepEqual(
    ten.slice(0, 12),
    numbers("0 94 3 100 9 96 5 92 11 98 7 94"),
  );
  assert.deepEqual(ten.slice(-3), [85, 4, 98]);

  const five = resample(saw(1440), 300);
  assert.equal(five.length, 288);
  assert.equal(total(five), 13198);
  assert.deepEqual(
    five.slice(0, 12),
    numbers("0 74 20 77 23 6 90 9 93 2 86 5"),
  );
  assert.deepEqual(five.slice(-3), [87, 6, 16]);
});

Deno.test("lttb() keeps at least both ends", () => {
  assert.deepEqual(resample(saw(1000), 18_000), [0, 61, 98]);
  assert.deepEqual(resample(saw(1000), 30_000), [0, 98]);
  assert.deepEqual(resample(saw(1000), 60_000), [0, 98]);
});

Deno.test("lttb() picks the upstream points of a ramp", () => {
  const picks = resample(ramp(), 600);
  assert.deepEqual(
    picks.slice(0, 14),
    numbers("0 1 11 21 31 41 51 62 72 82 92 102 113 123"),
  );
  assert.deepEqual(picks.slice(-3), numbers("978 988 999"));
  assert.equal(total(picks), 49_452);
});

Deno.test("lttb() picks the upstream points around NaN", () => {
  const one = ramp();
  one[55] = NaN;
  const picks = resample(one, 600);
  assert.deepEqual(picks.slice(0, 10), numbers("0 1 11 21 31 50 NaN 71 72 82"));
  assert.equal(picks.filter(Number.isNaN).length, 1);

  const gap = ramp().fill(NaN, 200, 260);
  assert.deepEqual(
    resample(gap, 600).slice(17, 30),
    numbers("163 174 193 NaN NaN NaN NaN NaN NaN 264 265 275 286"),
  );
});

Deno.test("resampledPoints() leaves short series and fine resolutions alone", () => {
  assert.equal(resampledPoints(999, 600, 60), 0);
  assert.equal(resampledPoints(1000, 60_060, 60), 0);
  assert.equal(resampledPoints(1000, 60_000, 60), 1);
  assert.equal(resampledPoints(5000, 60, 60), 0);
  assert.equal(resampledPoints(5000, 7, 60), 0);
  assert.equal(resampledPoints(5000, 0, 60), 0);
  assert.equal(resampledPoints(5000, -60, 60), 0);
});

Deno.test("resolutionError() names both frequencies", () => {
  assert.equal(
    resolutionError(90, 60),
    "new sampling frequency (90) must be a multiple of old frequency (60)",
  );
  for (const fine of [0, -7, 7, 60, 120, 600]) {
    assert.equal(resolutionError(fine, 60), undefined);
  }
});

Deno.test("lttb() equals the pseudo code, also in place and inside a range", () => {
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -50, max: 50 }) },
    { weight: 8, arbitrary: fc.double({ min: -1e9, max: 1e9, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(NaN) },
  );
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 2, maxLength: 400, size: "max" }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 3 }),
      (values, wanted, from) => {
        const points = Math.min(wanted, values.length - 1);
        const input = Float64Array.from([
          ...new Array(from).fill(9),
          ...values,
        ]);
        const expected = naiveLttb(values, points);
        const out = new Float64Array(values.length + 2);
        const count = lttb(input, from, values.length, points, out);
        assert.deepEqual([...out.subarray(0, count)], expected);
        const same = lttb(input, from, values.length, points, input);
        assert.deepEqual([...input.subarray(0, same)], expected);
      },
    ),
    { numRuns: fuzzRuns(2000) },
  );
});
