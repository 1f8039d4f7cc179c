import assert from "node:assert/strict";
import { estimate, estimateLines } from "./estimate.ts";

const CENTRE = {
  hosts: 1000,
  seriesPerHost: 100,
  frequencySec: 60,
  retentionSec: 48 * 3600,
};

Deno.test("estimate() counts series and samples", () => {
  const { series, samples, samplesPerSec } = estimate(CENTRE);
  assert.equal(series, 100_000);
  assert.equal(samples, 288_000_000);
  assert.equal(Math.round(samplesPerSec), 1667);
});

Deno.test("estimate() grows with each of its inputs", () => {
  const total = (changed: Partial<typeof CENTRE>) => {
    const { memory, disk } = estimate({ ...CENTRE, ...changed });
    const sum = (parts: Readonly<Record<string, number>>) =>
      Object.values(parts).reduce((a, b) => a + b, 0);
    return [sum(memory), sum(disk)] as const;
  };
  const base = total({});
  for (
    const more of [
      { hosts: 2000 },
      { seriesPerHost: 200 },
      { frequencySec: 30 },
      { retentionSec: 96 * 3600 },
    ]
  ) {
    const [memory, disk] = total(more);
    assert.ok(memory > base[0] && disk > base[1], JSON.stringify(more));
  }
});

Deno.test("estimateLines() prints a table with units", () => {
  const lines = estimateLines(estimate(CENTRE));
  assert.match(lines.join("\n"), /^series +100 k\nsamples kept +288 M\n/);
  assert.ok(lines.some((line) => /^memory +[\d.]+ MB$/.test(line)));
  assert.ok(lines.some((line) => /^disk +[\d.]+ GB$/.test(line)));
  const tiny = { ...CENTRE, hosts: 1, seriesPerHost: 1, frequencySec: 3600 };
  assert.match(estimateLines(estimate(tiny)).join("\n"), /^series +1\n/);
});
