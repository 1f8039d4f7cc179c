import assert from "node:assert/strict";
import { Random } from "../../../benches/support/random.ts";
import {
  clear,
  entryOf,
  makeRegistry,
  read,
  seriesOf,
} from "../catalog/_registry_fixture.ts";
import { MemoryGuard, processBytes } from "./memory_guard.ts";
import { SERIES_NAME_BYTES } from "./memory_shares.ts";
import { SERIES_BYTES } from "../store/series_table.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";

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
    if (guard.evict(now)) passes++;
    const used = table.reservedBytes + table.seriesCount * SERIES_NAME_BYTES;
    assert.ok(used <= shareBytes + SLACK_BYTES, `${used} at ${now}`);
  }
  // Twice what fits: what is left is the newer part, hidden exactly before the horizon.
  const end = beginSec + durationSec;
  assert.ok(guard.horizonOf("") > beginSec + durationSec / 4);
  assert.ok(guard.horizonOf("") < end - durationSec / 8);
  for (const [i, series] of fast.entries()) {
    const seen = read(registry, series, 0, end, guard.horizonOf(""));
    assert.equal(seen.fromSec, guard.horizonOf(""));
    assert.equal(seen.points.length, end - guard.horizonOf(""));
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
    assert.equal(guard.evict(now), false);
  }
  assert.equal(guard.hasRoomForSeries, false);
  assert.equal(guard.horizonOf(""), -Infinity);
  assert.equal(read(SMALL, series!, 0, 2000).points.length, 40);
});

Deno.test("MemoryGuard.relieve() ends series that were not written for longest", () => {
  clear(SMALL);
  const { table } = SMALL;
  const [dead, alive] = makeSeries(SMALL, "fast", 2);
  table.write(dead!, 1000, 1);
  for (let now = 5000; now < 5100; now++) table.write(alive!, now, now);
  const guard = new MemoryGuard(SMALL, 1, 1);
  assert.equal(guard.evict(5100), true);
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
    guard.evict(now);
  }
  // Nothing but the page that is being filled can be kept, and it is.
  assert.ok(table.isAlive(series!));
  assert.equal(
    read(SMALL, series!, 0, 2000, guard.horizonOf("")).points.at(-1),
    Math.sin(1639),
  );
});

Deno.test("MemoryGuard without a cap gives nothing up", () => {
  const guard = new MemoryGuard(SMALL, 0, 1);
  assert.equal(guard.evict(1e9), false);
  assert.equal(guard.hasRoomForSeries, true);
});

Deno.test("MemoryGuard.relieve() takes from the instance above its share only, and refuses it new series", () => {
  clear(SMALL);
  const { table } = SMALL;
  const random = new Random(3);
  const of = (instance: string, host: string) =>
    seriesOf(SMALL, entryOf(host, "fast", { instance }));
  const own = Array.from({ length: 40 }, (_, i) => of("", `own${i}`));
  const quiet = Array.from({ length: 10 }, (_, i) => of("quiet", `q${i}`));
  const greedy = Array.from({ length: 200 }, (_, i) => of("greedy", `g${i}`));
  const beginSec = 3_000_000;
  const historySec = 2000;
  for (let now = beginSec; now < beginSec + historySec; now++) {
    for (const series of [...own, ...quiet]) table.write(series, now, now % 97);
  }
  const losses: string[] = [];
  const shareBytes = table.reservedBytes + (24 << 20);
  const guard = new MemoryGuard(
    SMALL,
    processBytes(1) + shareBytes,
    1,
    undefined,
    (instance) => losses.push(instance),
  );
  const endSec = beginSec + historySec + 20_000;
  for (let now = beginSec + historySec; now < endSec; now++) {
    for (const series of greedy) table.write(series, now, noise(random));
    guard.evict(now);
    const used = table.reservedBytes + table.seriesCount * SERIES_NAME_BYTES;
    assert.ok(used <= shareBytes + SLACK_BYTES, `${used} at ${now}`);
  }
  assert.deepEqual([...new Set(losses)], ["greedy"]);
  assert.equal(guard.horizonOf(""), -Infinity);
  assert.equal(guard.horizonOf("quiet"), -Infinity);
  assert.ok(guard.horizonOf("greedy") > beginSec + historySec);
  for (const series of [...own, ...quiet]) {
    const { points } = read(SMALL, series, beginSec, beginSec + historySec);
    assert.equal(points.length, historySec);
    assert.equal(points[0], beginSec % 97);
  }
  const room = ["", "quiet", "greedy"].map((instance) =>
    guard.hasRoomFor(SMALL.ownerOf(instance))
  );
  assert.deepEqual(room, [true, true, false]);
});

Deno.test("MemoryGuard lets series of a named instance take its share and no more, while memory is free", () => {
  clear(SMALL);
  const { table } = SMALL;
  const budget = 40 << 20;
  const guard = new MemoryGuard(
    SMALL,
    processBytes(1) + budget + table.reservedBytes,
    1,
  );
  const owner = SMALL.ownerOf("maker");
  let made = 0;
  for (; made < 100_000 && guard.hasRoomFor(owner); made++) {
    const entry = entryOf(`m${made}`, "fast", { instance: "maker" });
    table.write(seriesOf(SMALL, entry), 1000, 1);
    if (made % 1000 === 0) guard.evict(1000);
  }
  const bytes = made * (SERIES_BYTES + SERIES_NAME_BYTES);
  const share = (budget + table.reservedBytes) / 4;
  assert.ok(bytes > share * 0.7 && bytes < share * 1.1, `${bytes} of ${share}`);
  assert.equal(guard.hasRoomFor(0), true);
});
