/** Numbers as Go has them, and dates. */
import assert from "node:assert/strict";
import { dayFunctions } from "./date_functions.ts";
import { goMax, goMin, parseGoFloat, power } from "./go_math.ts";
import { compareNatural } from "./sort_functions.ts";

Deno.test("power() is Go's", () => {
  assert.equal(power(1, NaN), 1);
  assert.equal(power(1, -Infinity), 1);
  assert.equal(power(-1, Infinity), 1);
  assert.equal(power(2, 10), 1024);
  assert.ok(Number.isNaN(power(-2, 0.5)));
});

Deno.test("goMax() and goMin() let an infinity win over NaN", () => {
  assert.equal(goMax(NaN, Infinity), Infinity);
  assert.equal(goMin(-Infinity, NaN), -Infinity);
  assert.ok(Number.isNaN(goMax(NaN, 1)));
});

Deno.test("parseGoFloat() reads what Go reads", () => {
  const cases: [text: string, value: number | undefined][] = [
    ["1", 1],
    ["+1.5e3", 1500],
    [".5", 0.5],
    ["5.", 5],
    ["Inf", Infinity],
    ["-infinity", -Infinity],
    ["nan", NaN],
    ["0x1p4", 16],
    ["-0x.8p1", -1],
    ["", undefined],
    [" 1", undefined],
    ["1e400", undefined],
    ["0x1", undefined],
    ["1,5", undefined],
  ];
  for (const [text, value] of cases) {
    assert.ok(Object.is(parseGoFloat(text), value), text);
  }
});

Deno.test("dates are those of the calendar", () => {
  for (let day = -800_000; day < 800_000; day += 997) {
    const date = new Date(day * 86_400_000);
    const seconds = day * 86_400 + 3661;
    assert.equal(dayFunctions.year(seconds), date.getUTCFullYear());
    assert.equal(dayFunctions.month(seconds), date.getUTCMonth() + 1);
    assert.equal(dayFunctions.day_of_month(seconds), date.getUTCDate());
    assert.equal(dayFunctions.day_of_week(seconds), date.getUTCDay());
    const newYear = Date.UTC(2000, 0, 1) +
      (new Date(0).setUTCFullYear(date.getUTCFullYear()) -
        new Date(0).setUTCFullYear(2000));
    assert.equal(
      dayFunctions.day_of_year(seconds),
      (date.getTime() - newYear) / 86_400_000 + 1,
    );
    const next = new Date(date.getTime());
    next.setUTCDate(1);
    next.setUTCMonth(date.getUTCMonth() + 1);
    next.setUTCDate(0);
    assert.equal(dayFunctions.days_in_month(seconds), next.getUTCDate());
    assert.equal(dayFunctions.hour(seconds), 1);
    assert.equal(dayFunctions.minute(seconds), 1);
  }
});

Deno.test("what is no time has the date that Go gives it", () => {
  for (const value of [NaN, Infinity, -Infinity, 1e300]) {
    assert.equal(dayFunctions.year(value), 292_277_026_596);
    assert.equal(dayFunctions.hour(value), 15);
    assert.equal(dayFunctions.minute(value), 30);
  }
});

Deno.test("compareNatural() takes digits as numbers", () => {
  const texts = ["a10", "a2", "a", "b1", "a02", "10", "9", "a2b", ""];
  assert.deepEqual(texts.toSorted(compareNatural), [
    "",
    "9",
    "10",
    "a",
    "a2",
    "a2b",
    "a02",
    "a10",
    "b1",
  ]);
});
