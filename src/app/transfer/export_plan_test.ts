import assert from "node:assert/strict";
import { planExport } from "./export_plan.ts";

const ALL = { fromSec: 0, toSec: 1e10, metrics: [] };
/** A run of 60 s slots as the dump has it. */
const run = (start: number, len: number) => ({
  start,
  len,
  end: start + 60 * len,
});

Deno.test("planExport() asks for nominal times, alike runs together", () => {
  const dump = {
    b: [run(970, 4), run(50_000, 2)],
    core0: { a: [run(970, 4)], fs1: { a: [run(970, 4)] } },
    empty: [],
  };
  const series = (metric: string, ...levels: string[]) => ({
    metric,
    levels,
    frequencySec: 60,
  });
  assert.deepEqual(planExport(dump, ALL, 1000), {
    series: [series("a", "core0"), series("a", "core0", "fs1"), series("b")],
    questions: [
      { fromSec: 1000, lastSec: 1180, series: [0, 1, 2] },
      { fromSec: 50_030, lastSec: 50_090, series: [2] },
    ],
  });
});

Deno.test("planExport() keeps to the range and to the metrics", () => {
  const dump = { a: [run(970, 4)], b: [run(970, 4)] };
  const plan = (fromSec: number, toSec: number, ...metrics: string[]) =>
    planExport(dump, { fromSec, toSec, metrics }, 1000).questions;
  assert.deepEqual(plan(1001, 1180, "b"), [
    { fromSec: 1060, lastSec: 1120, series: [0] },
  ]);
  assert.deepEqual(plan(1060, 1061), [
    { fromSec: 1060, lastSec: 1060, series: [0, 1] },
  ]);
  assert.deepEqual(plan(1061, 1120), []);
  assert.deepEqual(plan(0, 1000), []);
  assert.deepEqual(plan(1181, 9999), []);
  assert.deepEqual(plan(0, 9999, "c"), []);
});

Deno.test("planExport() bounds the points of an answer", () => {
  const dump = Object.fromEntries(
    ["a", "b", "c", "d", "e"].map((name) => [name, [run(970, 4)]]),
  );
  const sizes = (pointsMax: number) =>
    planExport(dump, ALL, pointsMax).questions.map(({ series }) =>
      series.length
    );
  assert.deepEqual(sizes(8), [2, 2, 1]);
  assert.deepEqual(sizes(1), [1, 1, 1, 1, 1]);
});
