import assert from "node:assert/strict";
import fc from "fast-check";
import { badness, levelOf, LEVELS, scaleThresholds } from "./levels.ts";

const LIMITS = { peak: 100, normal: 50, caution: 20, alert: 10 };

Deno.test("higher is better: each threshold belongs to the worse level", () => {
  const cases: [number, string][] = [
    [0, "alert"],
    [10, "alert"],
    [10.1, "caution"],
    [20, "caution"],
    [50, "normal"],
    [51, "above-normal"],
    [100, "above-normal"],
    [100.1, "over-peak"],
  ];
  for (const [value, level] of cases) {
    assert.equal(levelOf(value, LIMITS), level, String(value));
  }
});

Deno.test("lower is better: the order is turned round", () => {
  const limits = {
    peak: 100,
    normal: 10,
    caution: 20,
    alert: 50,
    lowerIsBetter: true,
  };
  const levels = [5, 20, 50, 101].map((value) => levelOf(value, limits));
  assert.deepEqual(levels, ["normal", "caution", "alert", "over-peak"]);
});

Deno.test("without thresholds or a value there is no level", () => {
  const none = { peak: 0, normal: 0, caution: 0, alert: 0 };
  assert.equal(levelOf(1, none), "none");
  assert.equal(levelOf(NaN, LIMITS), "none");
  assert.equal(levelOf(-1, LIMITS), "none");
  assert.equal(levelOf(Infinity, LIMITS), "none");
});

Deno.test("of a summed metric a part of a node has its part of the thresholds", () => {
  const quarter = scaleThresholds(LIMITS, "sum", 0.25);
  assert.equal(quarter.peak, 25);
  assert.equal(quarter.alert, 2.5);
  assert.deepEqual(scaleThresholds(LIMITS, "avg", 0.25), LIMITS);
});

Deno.test("every value has a level that has words, and worse values no better one", () => {
  fc.assert(fc.property(
    fc.double({ min: 0, max: 100 }),
    fc.double({ min: 0, max: 100 }),
    (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const worse = badness(levelOf(low, LIMITS));
      const better = badness(levelOf(high, LIMITS));
      assert.ok(LEVELS[levelOf(low, LIMITS)].word !== "");
      if (levelOf(high, LIMITS) !== "above-normal") assert.ok(worse >= better);
    },
  ));
});
