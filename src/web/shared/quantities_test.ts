import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatCount,
  formatEnergy,
  formatNumber,
  formatQuantity,
  formatShare,
  niceCeiling,
  scaleFor,
} from "./quantities.ts";

Deno.test("a quantity has the prefix that gives it one to three digits", () => {
  const cases: [number, { base: string; prefix?: string }, string][] = [
    [1234, { base: "F/s", prefix: "G" }, "1.23\u2009TF/s"],
    [0.5, { base: "F/s", prefix: "G" }, "500\u2009MF/s"],
    [312_000, { base: "W" }, "312\u2009kW"],
    [71.8, { base: "" }, "71.8"],
    [52.25, { base: "°C" }, "52.3\u2009°C"],
    [99.5, { base: "%" }, "99.5%"],
    [0, { base: "B/s", prefix: "M" }, "0\u2009MB/s"],
    [NaN, { base: "W" }, "–"],
    [-2500, { base: "W" }, "\u22122.5\u2009kW"],
    [999.9999, { base: "W" }, "1\u2009kW"],
  ];
  for (const [value, unit, text] of cases) {
    assert.equal(formatQuantity(value, unit), text, `${value} ${unit.base}`);
  }
});

Deno.test("numbers keep three digits, counts keep all", () => {
  const texts = [0, 1, 1.005, 12.34, 123.4, 1234, -0.5, 0.0123, 0.00012345]
    .map(formatNumber);
  assert.deepEqual(texts, [
    ...["0", "1", "1", "12.3", "123", "1\u2009234"],
    ...["\u22120.5", "0.012", "0.000123"],
  ]);
  assert.equal(formatCount(1_234_567), "1\u2009234\u2009567");
  assert.equal(formatEnergy(412), "412\u2009kWh");
  assert.equal(formatEnergy(0), "–");
  assert.equal(formatShare(0.585), "59%");
});

Deno.test("a scale never changes the quantity", () => {
  const powers: Record<string, number> = {
    ...{ "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
    ...{ m: -3, "µ": -6, n: -9, p: -12 },
  };
  fc.assert(fc.property(
    fc.double({ min: 1e-9, max: 1e12, noNaN: true }),
    fc.constantFrom("", "k", "M", "G", "T"),
    (value, prefix) => {
      const scale = scaleFor(value, { base: "W", prefix });
      const written = scale.unit.slice(0, -1);
      const before = value * 10 ** powers[prefix]!;
      const after = value * scale.factor * 10 ** powers[written]!;
      assert.ok(Math.abs(after / before - 1) < 1e-9);
    },
  ));
});

Deno.test("an axis ends at a round number that covers the value", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (v) => {
      const top = niceCeiling(v);
      assert.ok(top >= v * 0.9999 && top <= v * 2.6);
    }),
  );
  assert.equal(niceCeiling(0), 1);
});
