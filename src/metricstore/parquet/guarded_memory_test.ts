import assert from "node:assert/strict";
import type { EngineOptions } from "../engine/metric_engine.ts";
import { MemoryGuard } from "../shard/memory_guard.ts";
import { RetentionSweep } from "../shard/retention_sweep.ts";
import { SeriesRegistry } from "../catalog/series_registry.ts";
import { ProtectedHosts } from "../shard/protected_hosts.ts";
import { ArchiveBounds } from "../shard/archive_bounds.ts";

const OPTIONS = {
  metrics: {
    defaults: { m: { frequencySec: 1, aggregation: null } },
    clusters: {},
  },
  maxSeries: 0,
  maxHosts: 0,
} as unknown as EngineOptions;

/** A series with samples in [1000, 2000). */
function filledRegistry(): SeriesRegistry {
  const counters = new Int32Array(new SharedArrayBuffer(64));
  const registry = new SeriesRegistry(OPTIONS, counters);
  const metric = registry.catalog.of("c").get("m")!;
  const series = registry.resolve({
    instance: "",
    cluster: "c",
    host: "h",
    level: undefined,
    sublevel: undefined,
    metric,
  });
  assert.ok(typeof series === "number");
  for (let now = 1000; now < 2000; now++) {
    registry.table.write(series, now, Math.sin(now));
  }
  return registry;
}

Deno.test("MemoryGuard.relieve() frees nothing that is not archived, and refuses writes meanwhile", () => {
  const registry = filledRegistry();
  const before = registry.table.pages.pool.used;
  const bounds = new ArchiveBounds(-Infinity, 0);
  const wanted: number[] = [];
  const want = (limitSec: number) => void wanted.push(limitSec);
  // A cap that was used up long ago.
  const guard = new MemoryGuard(registry, 1, 1, { bounds, want });
  assert.equal(guard.refusesWrites, false);
  assert.equal(guard.evict(2000), false);
  assert.equal(guard.refusesWrites, true);
  assert.equal(registry.table.pages.pool.used, before);
  assert.equal(guard.horizonOf(""), -Infinity);
  const [limitSec] = wanted;
  assert.ok(limitSec! > 1000 && limitSec! < 2000);
  assert.equal(guard.evict(2000), false);
  assert.equal(wanted.length, 1, "it does not ask at every turn");

  bounds.archivedBeforeSec = limitSec!;
  assert.equal(guard.evict(2001), true);
  assert.equal(guard.refusesWrites, false);
  assert.equal(guard.horizonOf(""), limitSec);
  assert.ok(registry.table.pages.pool.used < before);
});

Deno.test("RetentionSweep keeps what is not archived", () => {
  const registry = filledRegistry();
  const bounds = new ArchiveBounds(-Infinity, 0);
  const sweep = new RetentionSweep(
    registry,
    100,
    new ProtectedHosts(false),
    bounds,
  );
  sweep.pass(5000);
  assert.equal(registry.table.seriesCount, 1);
  bounds.archivedBeforeSec = 1500;
  sweep.pass(5000);
  assert.equal(registry.table.seriesCount, 1);
  bounds.archivedBeforeSec = 2500;
  sweep.pass(5000);
  assert.equal(registry.table.seriesCount, 0);
});
