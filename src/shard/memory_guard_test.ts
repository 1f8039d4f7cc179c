import assert from "node:assert/strict";
import { Random } from "../../benches/support/random.ts";
import {
  clear,
  entryOf,
  makeRegistry,
  read,
  seriesOf,
} from "./_registry_fixture.ts";
import {
  MemoryGuard,
  processBytes,
  SERIES_NAME_BYTES,
} from "./memory_guard.ts";
import type { SeriesRegistry } from "./series_registry.ts";

const METRICS = {
  fast: { frequencySec: 1, aggregation: null },
  minute: { frequencySec: 60, aggregation: null },
  hour: { frequencySec: 3600, aggregation: null },
} as const;

/** Beyond this a pool may grow between two looks of the guard. */
const SLACK_BYTES = 1 << 20;

/** A double whose 53 bits are all random: nothing compresses it. */
function noise(random: Random): number {
  return random.below(1 << 30) / 7 + random.below(1 << 30) / 1e9;
}

function makeSeries(
  registry: SeriesRegistry,
  metric: string,
  count: number,
): number[] {
  return Array.from(
    { length: count },
    (_, i) => seriesOf(registry, entryOf(`${metric}${i}`, metric)),
  );
}

Deno.test("MemoryGuard.relieve() gives up the oldest data and keeps to its share, whatever the frequencies", () => {
  const registry = makeRegistry(METRICS);
  const { table } = registry;
  const random = new Random(1);
  const fast = makeSeries(registry, "fast", 400);
  const minute = makeSeries(registry, "minute", 20);
  const hour = makeSeries(registry, "hour", 1);
  const beginSec = 2_000_000;
  // A hot page that reaches back behind all other data and cannot be given up.
  for (let i = 40; i > 0; i--) {
    assert.ok(table.write(hour[0]!, beginSec - 3600 * i, i));
  }
  const shareBytes = table.reservedBytes + (24 << 20);
  const guard = new MemoryGuard(registry, processBytes(1) + shareBytes, 1);
  const durationSec = 20_000;
  const last: number[] = [];
  let passes = 0;
  for (let now = beginSec; now < beginSec + durationSec; now++) {
    for (const [i, series] of fast.entries()) {
      last[i] = noise(random);
      table.write(series, now, last[i]);
    }
    if (now % 60 === 0) {
      for (const series of minute) table.write(series, now, noise(random));
    }
    if (guard.relieve(now)) passes++;
    const used = table.reservedBytes + table.seriesCount * SERIES_NAME_BYTES;
    assert.ok(used <= shareBytes + SLACK_BYTES, `${used} at ${now}`);
  }
  // Twice what fits: what is left is the newer part, hidden exactly before the horizon.
  const end = beginSec + durationSec;
  assert.ok(guard.horizonSec > beginSec + durationSec / 4);
  assert.ok(guard.horizonSec < end - durationSec / 8);
  for (const [i, series] of fast.entries()) {
    const seen = read(registry, series, 0, end, guard.horizonSec);
    assert.equal(seen.fromSec, guard.horizonSec);
    assert.equal(seen.points.length, end - guard.horizonSec);
    assert.equal(seen.points.at(-1), last[i]);
  }
  assert.ok(passes < 200, `${passes} passes`);
  assert.ok(guard.hasRoomForSeries);
});

const SMALL = makeRegistry(METRICS);

Deno.test("MemoryGuard.relieve() does nothing when nothing can be given up", () => {
  clear(SMALL);
  const { table } = SMALL;
  const [series] = makeSeries(SMALL, "fast", 1);
  const guard = new MemoryGuard(SMALL, 1, 1);
  for (let now = 1000; now < 1040; now++) {
    table.write(series!, now, now);
    assert.equal(guard.relieve(now), false);
  }
  assert.equal(guard.hasRoomForSeries, false);
  assert.equal(guard.horizonSec, -Infinity);
  assert.equal(read(SMALL, series!, 0, 2000).points.length, 40);
});

Deno.test("MemoryGuard.relieve() ends series that were not written for longest", () => {
  clear(SMALL);
  const { table } = SMALL;
  const [dead, alive] = makeSeries(SMALL, "fast", 2);
  table.write(dead!, 1000, 1);
  for (let now = 5000; now < 5100; now++) table.write(alive!, now, now);
  const guard = new MemoryGuard(SMALL, 1, 1);
  assert.equal(guard.relieve(5100), true);
  assert.equal(table.isAlive(dead!), false);
  assert.equal(table.isAlive(alive!), true);
});

Deno.test("MemoryGuard.relieve() goes by the time of the data while a history is written", () => {
  clear(SMALL);
  const [series] = makeSeries(SMALL, "fast", 1);
  const { table } = SMALL;
  const guard = new MemoryGuard(SMALL, 1, 1);
  const now = 1_000_000;
  for (let time = 1000; time < 1000 + 640; time++) {
    table.write(series!, time, Math.sin(time));
    guard.relieve(now);
  }
  // Nothing but the page that is being filled can be kept, and it is.
  assert.ok(table.isAlive(series!));
  assert.equal(
    read(SMALL, series!, 0, 2000, guard.horizonSec).points.at(-1),
    Math.sin(1639),
  );
});

Deno.test("MemoryGuard without a cap gives nothing up", () => {
  const guard = new MemoryGuard(SMALL, 0, 1);
  assert.equal(guard.relieve(1e9), false);
  assert.equal(guard.hasRoomForSeries, true);
});
