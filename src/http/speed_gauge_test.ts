import assert from "node:assert/strict";
import { SpeedGauge } from "./speed_gauge.ts";

const LIMITS = { bytesPerSecMin: 1024, slowMs: 20_000 };

/** At which second a transfer of so many bytes in each second is too slow first. */
function cutAt(bytesAtSec: (sec: number) => number): number {
  const gauge = new SpeedGauge(LIMITS);
  let bytes = 0;
  for (let sec = 0; sec < 300; sec++) {
    bytes += bytesAtSec(sec);
    if (gauge.isTooSlow(sec * 1000, bytes)) return sec;
  }
  return Infinity;
}

Deno.test("SpeedGauge cuts what stands still, and what is just below the least speed", () => {
  assert.equal(cutAt(() => 0), 20);
  assert.equal(cutAt(() => 1023), 20);
  assert.equal(cutAt(() => 1024), Infinity);
  assert.equal(cutAt((sec) => sec % 10 === 0 ? 10_240 : 0), Infinity);
});

Deno.test("SpeedGauge looks at any span, whatever came before it", () => {
  assert.equal(cutAt((sec) => sec < 100 ? 1e6 : 0), 119);
});

Deno.test("SpeedGauge.restart() forgets the time before", () => {
  const gauge = new SpeedGauge(LIMITS);
  assert.equal(gauge.isTooSlow(0, 0), false);
  gauge.restart();
  assert.equal(gauge.isTooSlow(30_000, 0), false);
  assert.equal(gauge.isTooSlow(49_000, 0), false);
  assert.equal(gauge.isTooSlow(50_000, 0), true);
});
