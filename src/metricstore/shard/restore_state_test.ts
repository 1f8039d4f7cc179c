import assert from "node:assert/strict";
import type { SeriesEntry } from "../persist/series_dictionary.ts";
import { shardOf } from "../transport/messages.ts";
import {
  clear,
  entryOf,
  makeRegistry,
  read,
  seriesOf,
} from "../catalog/_registry_fixture.ts";
import { RestoreState } from "./restore_state.ts";

const REGISTRY = makeRegistry({
  load: { frequencySec: 1, aggregation: null },
});
const OWNER = { shard: 0, shards: 1 };

/** A segment's log of one-sample runs. */
function replay(
  state: RestoreState,
  names: readonly SeriesEntry[],
  samples: readonly (readonly [id: number, time: number, value: number])[],
) {
  const wal = state.segment(1);
  names.forEach((entry, id) => wal.series(id, entry));
  for (const [id, time, value] of samples) {
    wal.samples(id, 1, time, Float64Array.of(value), 0);
  }
  return wal;
}

Deno.test("RestoreState.segment() stores samples by name and counts what it leaves out", () => {
  clear(REGISTRY);
  const state = new RestoreState(REGISTRY, OWNER, 1000, () => false);
  replay(
    state,
    [entryOf("a", "load"), entryOf("b", "load"), entryOf("a", "gone")],
    [[0, 1000, 1], [1, 1000, 2], [0, 1001, 3], [0, 999, 4], [2, 1000, 5]],
  );
  const a = seriesOf(REGISTRY, entryOf("a", "load"));
  const b = seriesOf(REGISTRY, entryOf("b", "load"));
  assert.deepEqual(read(REGISTRY, a, 0, 2000).points, [1, 3]);
  assert.deepEqual(read(REGISTRY, b, 0, 2000).points, [2]);
  assert.deepEqual(state.counts, {
    samples: 3,
    unknownMetric: 1,
    tooOld: 1,
    refused: 0,
  });
});

Deno.test("RestoreState.segment() keeps to the hosts that the shard owns", () => {
  clear(REGISTRY);
  const hosts = Array.from({ length: 30 }, (_, i) => `node${i}`);
  const names = hosts.map((host) => entryOf(host, "load"));
  const owner = { shard: 1, shards: 3 };
  const state = new RestoreState(REGISTRY, owner, -Infinity, () => false);
  replay(state, names, hosts.map((_, id) => [id, 1000, id] as const));
  const owned = hosts.filter((host) => shardOf("", "c", host, 3) === 1);
  assert.ok(owned.length > 0 && owned.length < hosts.length);
  assert.deepEqual(
    [...REGISTRY.tree.hosts("", "c").keys()].sort(),
    owned.sort(),
  );
});

Deno.test("RestoreState.segment() frees again what was freed, and no more", () => {
  clear(REGISTRY);
  const state = new RestoreState(REGISTRY, OWNER, -Infinity, () => false);
  const names = [entryOf("a", "load"), entryOf("b", "load")];
  const wal = replay(state, names, [[0, 1000, 1], [1, 1000, 2]]);
  wal.free({ instance: "", path: ["c", "a"], toSec: 2000 });
  const a = entryOf("a", "load");
  assert.equal(REGISTRY.tree.host("", "c", "a"), undefined);
  wal.samples(0, 2, 1005, Float64Array.of(7, 8), 0);
  const seen = (entry: SeriesEntry) =>
    read(REGISTRY, seriesOf(REGISTRY, entry), 0, 2000).points;
  assert.deepEqual(seen(a), [7]);
  assert.deepEqual(seen(names[1]!), [2, NaN, NaN, NaN, NaN, 8]);
});

Deno.test("RestoreState.segment() goes on when memory ran short and series ended", () => {
  clear(REGISTRY);
  const names = [entryOf("a", "load"), entryOf("b", "load")];
  // As the guard does it: what is oldest goes, with all that refers to it.
  const state = new RestoreState(REGISTRY, OWNER, -Infinity, () => {
    const { table } = REGISTRY;
    for (let series = 0; series < table.seriesEnd; series++) {
      if (table.isAlive(series)) REGISTRY.freeBefore(series, 1500);
    }
    return true;
  });
  replay(state, names, [
    [0, 1000, 1],
    [1, 1600, 2],
    [0, 1601, 3],
    [1, 1601, 4],
    [0, 1602, 5],
  ]);
  const seen = names.map((entry) =>
    read(REGISTRY, seriesOf(REGISTRY, entry), 0, 2000).points
  );
  assert.deepEqual(seen, [[3, 5], [2, 4]]);
});
