import assert from "node:assert/strict";
import {
  clear,
  entryOf,
  makeRegistry,
  read,
  seriesOf,
} from "../catalog/_registry_fixture.ts";
import { RetentionSweep } from "./retention_sweep.ts";
import { ProtectedHosts } from "./protected_hosts.ts";

const REGISTRY = makeRegistry({
  load: { frequencySec: 1, aggregation: null },
});
const { table } = REGISTRY;
const NONE = new ProtectedHosts(false);

/** Lets a pass finish. Returns how many slices it took. */
function sweep(retention: RetentionSweep, nowSec: number): number {
  let slices = 1;
  while (retention.slice(nowSec)) slices++;
  return slices;
}

Deno.test("RetentionSweep.slice() gives back what the retention hides and ends what is empty", () => {
  clear(REGISTRY);
  const old = seriesOf(REGISTRY, entryOf("old", "load"));
  const half = seriesOf(REGISTRY, entryOf("half", "load"));
  for (let i = 0; i < 10; i++) table.write(old, 1000 + i, i);
  // Not round numbers: whole pages that no codec makes small.
  for (let i = 0; i < 400; i++) table.write(half, 1000 + i, Math.sin(i));
  const retention = new RetentionSweep(REGISTRY, 200, NONE);
  const held = table.pages.pool.used;
  sweep(retention, 1400);
  assert.equal(table.isAlive(old), false);
  assert.equal(REGISTRY.tree.host("", "c", "old"), undefined);
  assert.ok(table.pages.pool.used < held);
  const seen = read(REGISTRY, half, 0, 2000, 1200);
  assert.equal(seen.fromSec, 1200);
  assert.deepEqual(
    seen.points,
    Array.from({ length: 200 }, (_, i) => Math.sin(200 + i)),
  );
});

Deno.test("RetentionSweep.slice() looks at few series a time and rests between passes", () => {
  clear(REGISTRY);
  const retention = new RetentionSweep(REGISTRY, 100, NONE);
  for (let i = 0; i < 10_000; i++) {
    const series = seriesOf(REGISTRY, entryOf(`node${i}`, "load"));
    table.write(series, 1000, i);
  }
  assert.equal(sweep(retention, 1050), 3);
  assert.equal(table.seriesCount, 10_000);
  assert.equal(sweep(retention, 1109), 1);
  assert.equal(table.seriesCount, 10_000);
  assert.equal(sweep(retention, 1110), 3);
  assert.equal(table.seriesCount, 0);
});

Deno.test("RetentionSweep.slice() keeps everything when there is no retention", () => {
  clear(REGISTRY);
  const series = seriesOf(REGISTRY, entryOf("old", "load"));
  table.write(series, 10, 1);
  sweep(new RetentionSweep(REGISTRY, 0, NONE), 1e9);
  assert.equal(table.isAlive(series), true);
});

Deno.test("RetentionSweep.slice() passes over hosts that are protectedHosts, and waits until it is known which", () => {
  clear(REGISTRY);
  const protectedHosts = new ProtectedHosts(true);
  const retention = new RetentionSweep(REGISTRY, 100, protectedHosts);
  const series = ["busy", "idle"].map((host) =>
    seriesOf(REGISTRY, entryOf(host, "load"))
  );
  const other = seriesOf(
    REGISTRY,
    entryOf("busy", "load", { instance: "tenant" }),
  );
  for (const one of [...series, other]) table.write(one, 1000, 1);
  sweep(retention, 2000);
  assert.equal(table.seriesCount, 3);

  protectedHosts.set([["c", ["busy"]], ["d", ["idle"]]]);
  sweep(retention, 2000);
  assert.deepEqual(series.map((one) => table.isAlive(one)), [true, false]);
  // Jobs run in the default instance only.
  assert.equal(table.isAlive(other), false);

  protectedHosts.set([]);
  sweep(retention, 2100);
  assert.equal(table.seriesCount, 0);
});

Deno.test("RetentionSweep.slice() ends series that never got a sample", () => {
  for (const retentionSec of [0, 100]) {
    clear(REGISTRY);
    const empty = seriesOf(REGISTRY, entryOf("empty", "load"));
    const used = seriesOf(REGISTRY, entryOf("used", "load"));
    table.write(used, 1000, 1);
    sweep(new RetentionSweep(REGISTRY, retentionSec, NONE), 1000);
    assert.equal(table.isAlive(empty), false);
    assert.equal(REGISTRY.tree.host("", "c", "empty"), undefined);
    assert.equal(table.isAlive(used), true);
  }
});
