/** The rules of a `MetricEngine`, as tests for every implementation. */
import assert from "node:assert/strict";
import { ClientError } from "../../src/base/errors.ts";
import { DEFAULT_SCOPE } from "../../src/metricstore/engine/data_scope.ts";
import {
  type JsonBody,
  type MetricEngine,
  REJECT_REASONS,
  SKIP_REASONS,
} from "../../src/metricstore/engine/metric_engine.ts";
import { queryOf, write } from "./engine.ts";

const RANGE = { cluster: "c", from: 1_725_620_000, to: 1_725_620_600 };
const LINE = "m60,cluster=c,hostname=h value=1 1725620476";

/** A body's bytes as text; its length must be right. */
function textOf({ chunks, byteLength }: JsonBody): string {
  assert.equal(
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    byteLength,
  );
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    .join("") + decoder.decode();
}

/**
 * Registers the tests; `make` gives an engine that takes samples of the metric `m60` in
 * the cluster `c`.
 */
export function engineContract(
  name: string,
  make: () => Promise<MetricEngine>,
): void {
  const test = (
    rule: string,
    body: (engine: MetricEngine) => Promise<void> | void,
  ) =>
    Deno.test(`${name} ${rule}`, async () => {
      const engine = await make();
      try {
        await body(engine);
      } finally {
        await engine.close();
      }
    });

  test("is ready", ({ state }) => assert.equal(state, "ready"));

  test("reports a batch when it has ended", async (engine) => {
    const report = await write(engine, DEFAULT_SCOPE, [LINE]);
    const { lines, stored, errors, rejected, skipped } = report;
    assert.deepEqual([lines, stored], [1, 1]);
    assert.deepEqual([errors, rejected, skipped], [[], {}, {}]);
    assert.equal(report.givenUpAt, undefined);
  });

  test("takes a batch cut anywhere and counts the bytes it holds", async (engine) => {
    const batch = engine.openBatch({
      scope: DEFAULT_SCOPE,
      defaultCluster: "",
    });
    assert.equal(batch.heldBytes, 0);
    for (const byte of new TextEncoder().encode(`${LINE}\n`)) {
      await batch.push(Uint8Array.of(byte));
    }
    assert.ok(batch.heldBytes >= 0);
    assert.equal(batch.givenUp, undefined);
    assert.equal((await batch.end()).stored, 1);
  });

  test("drops a batch that broke off", async (engine) => {
    const batch = engine.openBatch({
      scope: DEFAULT_SCOPE,
      defaultCluster: "",
    });
    await batch.push(new TextEncoder().encode(LINE.slice(0, 10)));
    batch.abort();
    assert.equal((await write(engine, DEFAULT_SCOPE, [LINE])).stored, 1);
  });

  test("guesses equal lanes for equal beginnings", (engine) => {
    const options = { scope: DEFAULT_SCOPE, defaultCluster: "c" };
    const start = new TextEncoder().encode(LINE);
    const lane = engine.laneOf(options, start);
    assert.ok(Number.isSafeInteger(lane) && lane >= 0);
    assert.equal(engine.laneOf(options, start.slice()), lane);
    assert.ok(engine.laneOf(options, new Uint8Array()) >= 0);
  });

  test("answers a query with one list of results and a newline", async (engine) => {
    const text = textOf(await engine.query(DEFAULT_SCOPE, queryOf(RANGE)));
    assert.ok(text.endsWith("}\n"));
    assert.deepEqual(JSON.parse(text), { results: [] });
  });

  test("frees by selectors and tells the number of runs", async (engine) => {
    const removed = await engine.free(DEFAULT_SCOPE, [], 1_725_620_476);
    assert.equal(removed, 0);
  });

  test("dumps what a selector names, and refuses one that names nothing", async (engine) => {
    await write(engine, DEFAULT_SCOPE, [LINE]);
    const text = textOf(await engine.debug(DEFAULT_SCOPE, ["c", "h"]));
    assert.ok(text.endsWith("}\n"));
    assert.deepEqual(Object.keys(JSON.parse(text)), ["data"]);
    await assert.rejects(
      engine.debug(DEFAULT_SCOPE, ["c", "nope"]),
      (error) => error instanceof ClientError && error.code === "E_BAD_REQUEST",
    );
  });

  test("tells the health of the nodes that were asked about, no others", async (engine) => {
    const nodes = ["h", "nope"];
    const found = await engine.health(DEFAULT_SCOPE, "c", nodes, ["m60"]);
    for (const [node, health] of found) {
      assert.ok(nodes.includes(node), node);
      assert.ok(["full", "partial", "failed"].includes(health.state));
    }
  });

  test("counts in every shard by the same names, from zero or more", (engine) => {
    const shards = engine.stats();
    assert.ok(shards.length > 0);
    shards.forEach((stats, shard) => {
      assert.equal(stats.shard, shard);
      const { rejectedTotal, skippedTotal, ...numbers } = stats;
      assert.deepEqual(Object.keys(rejectedTotal), [...REJECT_REASONS]);
      assert.deepEqual(Object.keys(skippedTotal), [...SKIP_REASONS]);
      assert.deepEqual(Object.keys(numbers).toSorted(), SHARD_COUNTS);
      for (const [key, value] of Object.entries(numbers)) {
        assert.ok(Number.isFinite(value) && value >= 0, `${key}: ${value}`);
      }
    });
  });

  test("names its clusters in order and calls a watcher for each", (engine) => {
    const { names } = engine.clusters;
    assert.deepEqual(names, names.toSorted());
    const seen: string[] = [];
    engine.clusters.watch((cluster) => seen.push(cluster));
    assert.deepEqual(seen, names);
  });
}

/** Numbers of `ShardStats`, in alphabetical order. */
const SHARD_COUNTS = [
  "blockBytes",
  "evictedBeforeSec",
  "hosts",
  "inboxBytes",
  "linesTotal",
  "logBytesTotal",
  "logFailuresTotal",
  "mixedLevelQueriesTotal",
  "queriesTotal",
  "reservedBytes",
  "restoredSamples",
  "runs",
  "sampleBytes",
  "samplesReadTotal",
  "selectedSamplesTotal",
  "selectionSecTotal",
  "selectionsOpen",
  "selectionsTotal",
  "series",
  "shard",
  "storedTotal",
];
