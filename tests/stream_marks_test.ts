/**
 * Batches of an ordered stream through real shards: what was applied before is
 * passed over by those who applied it and by nobody else, before and after a
 * restart, with and without a snapshot, and under another number of shards.
 */
import assert from "node:assert/strict";
import { nowSec } from "../src/base/clock.ts";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import type {
  EngineOptions,
  StoreEngine,
  WriteReport,
} from "../src/metricstore/engine/metric_engine.ts";
import { startEngine } from "../src/metricstore/coordinator/start_engine.ts";
import { shardOf } from "../src/metricstore/transport/messages.ts";

const SHARDS = 2;
const TIME = nowSec() - 600;
/** One host of each shard. */
const [FIRST, SECOND] = [0, 1].map((shard) =>
  Array.from({ length: 50 }, (_, i) => `n${i}`).find((host) =>
    shardOf("", "c", host, SHARDS) === shard
  )!
) as [string, string];
/** Under three shards of that of the first, under two of that of the second. */
const THIRD = Array.from({ length: 50 }, (_, i) => `n${i}`).find((host) =>
  host !== SECOND && shardOf("", "c", host, 2) === 1 &&
  shardOf("", "c", host, 3) === shardOf("", "c", FIRST, 3)
)!;

function options(directory: string, shards = SHARDS): EngineOptions {
  return {
    shards,
    metrics: {
      defaults: { load: { frequencySec: 60, aggregation: null } },
      clusters: {},
    },
    retentionSec: 86400,
    maxFutureSec: 3600,
    memoryCapBytes: 0,
    maxSeries: 0,
    maxHosts: 0,
    maxNameBytes: 256,
    maxQuerySamples: 0,
    missingIdPlaceholder: true,
    persistence: {
      directory,
      syncIntervalSec: 1,
      snapshotIntervalSec: 1,
      maxLogBytes: 1 << 30,
    },
  };
}

/** `undefined` as the sequence: an ordinary batch. */
function write(
  engine: StoreEngine,
  sequence: number | undefined,
  values: Readonly<Record<string, number>>,
): Promise<WriteReport> {
  const batch = engine.openBatch({
    scope: DEFAULT_SCOPE,
    defaultCluster: "c",
    mark: sequence === undefined ? undefined : { stream: "s", sequence },
  });
  const lines = Object.entries(values).map(([host, value]) =>
    `load,hostname=${host} value=${value} ${TIME}\n`
  );
  void batch.push(new TextEncoder().encode(lines.join("")));
  return batch.end();
}

async function valueOf(engine: StoreEngine, host: string): Promise<unknown> {
  const { chunks } = await engine.query(DEFAULT_SCOPE, {
    cluster: "c",
    from: TIME,
    to: TIME + 60,
    queries: [{ metric: "load", host, aggreg: false, resolution: 0 }],
    withStats: false,
    withData: true,
    withPadding: false,
    missing: "null",
  });
  const text = new TextDecoder().decode(
    await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer(),
  );
  return JSON.parse(text).results[0][0]?.data[0];
}

/** As `-cleanup-checkpoints` does it where no server runs. */
async function leaveSnapshot(directory: string): Promise<void> {
  const engine = await ready(directory, SHARDS, true);
  await engine.cleanUp();
  await engine.close();
}

async function ready(
  directory: string,
  shards = SHARDS,
  onlyCleanUp = false,
): Promise<StoreEngine> {
  const { persistence, ...rest } = options(directory, shards);
  const engine = await startEngine({
    ...rest,
    persistence: persistence && { ...persistence, onlyCleanUp },
  });
  while (engine.state === "restoring") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return engine;
}

Deno.test("MetricEngine.openBatch() passes a marked batch over that was applied before, in every shard", async () => {
  const directory = await Deno.makeTempDir();
  const engine = await ready(directory);
  try {
    const first = await write(engine, 3, { [FIRST]: 1, [SECOND]: 1 });
    assert.equal(first.stored, 2);
    await write(engine, undefined, { [FIRST]: 2, [SECOND]: 2 });
    const again = await write(engine, 3, { [FIRST]: 1, [SECOND]: 1 });
    assert.equal(again.stored, 0);
    assert.deepEqual(again.skipped, { replayed: 2 });
    assert.equal(await valueOf(engine, FIRST), 2);
    assert.equal(await valueOf(engine, SECOND), 2);
    const next = await write(engine, 4, { [FIRST]: 3, [SECOND]: 3 });
    assert.equal(next.stored, 2);
    assert.equal(await valueOf(engine, SECOND), 3);
  } finally {
    await engine.close();
    await Deno.remove(directory, { recursive: true });
  }
});

for (const cleanUp of [false, true]) {
  const from = cleanUp ? "a snapshot" : "the log";
  Deno.test(`MetricEngine.openBatch() applies a batch that stopped half-way only where it is missing, marks read from ${from}`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const before = await ready(directory);
      // As after a kill between the two shards' writes: one has the mark, one has not.
      await write(before, 7, { [FIRST]: 1 });
      await write(before, undefined, { [FIRST]: 2, [SECOND]: 2 });
      await before.close();
      if (cleanUp) await leaveSnapshot(directory);
      const after = await ready(directory);
      const report = await write(after, 7, { [FIRST]: 1, [SECOND]: 1 });
      assert.equal(report.stored, 1);
      assert.deepEqual(report.skipped, { replayed: 1 });
      assert.equal(await valueOf(after, FIRST), 2);
      assert.equal(await valueOf(after, SECOND), 1);
      await after.close();
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("MetricEngine.openBatch() under other numbers of shards applies a batch to the hosts that miss it, and to no others", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const before = await ready(directory, 2);
    await write(before, 5, { [FIRST]: 1, [SECOND]: 1 });
    await write(before, 7, { [FIRST]: 3 });
    await before.close();
    // Twice: what was known of single hosts outlives the second start.
    for (const shards of [3, 4, 3, 2]) {
      const after = await ready(directory, shards);
      await write(after, undefined, { [FIRST]: 5, [SECOND]: 5 });
      const old = await write(after, 5, { [FIRST]: 9, [SECOND]: 9 });
      assert.deepEqual(old.skipped, { replayed: 2 });
      const half = await write(after, 6, { [FIRST]: 9 });
      assert.deepEqual(half.skipped, { replayed: 1 });
      assert.equal(await valueOf(after, FIRST), 5);
      await after.close();
    }
    const last = await ready(directory, 3);
    const report = await write(last, 7, {
      [FIRST]: 3,
      [SECOND]: 4,
      [THIRD]: 4,
    });
    assert.equal(report.stored, 2);
    assert.deepEqual(report.skipped, { replayed: 1 });
    assert.equal(await valueOf(last, FIRST), 5);
    assert.equal(await valueOf(last, SECOND), 4);
    assert.equal(await valueOf(last, THIRD), 4);
    const next = await write(last, 8, { [FIRST]: 6, [SECOND]: 6 });
    assert.equal(next.stored, 2);
    assert.equal(await valueOf(last, FIRST), 6);
    await last.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
