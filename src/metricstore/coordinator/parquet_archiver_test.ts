import assert from "node:assert/strict";
import { nowSec } from "../../base/clock.ts";
import type { EngineNotice, EngineOptions } from "../engine/metric_engine.ts";
import type { Ask } from "../transport/messages.ts";
import { ArchiveBounds, slotSlackSec } from "../shard/archive_bounds.ts";
import { ParquetArchiver, type ParquetSource } from "./parquet_archiver.ts";

const METRICS = {
  defaults: { a: { frequencySec: 15, aggregation: null } },
  clusters: { c: { b: { frequencySec: 60, aggregation: null } } },
} as const;

/** Shards without samples that note what they are asked. */
function fakeSource(log: (Ask | "batchesEnded")[]): ParquetSource {
  const replyTo = (ask: Ask) => {
    log.push(ask);
    const reply = ask.kind === "archive-hosts"
      ? { kind: ask.kind, clusters: [] }
      : { kind: ask.kind };
    return { chunks: [], reply };
  };
  return {
    ask: (_, ask) => Promise.resolve(replyTo(ask) as never),
    askAll: (ask) => Promise.resolve([replyTo(ask) as never]),
    batchesEnded: () => {
      log.push("batchesEnded");
      return Promise.resolve();
    },
  };
}

function archiver(
  log: (Ask | "batchesEnded")[],
  retentionSec: number,
  reachedSec?: number,
): ParquetArchiver {
  const options = { metrics: METRICS, retentionSec, shards: 1 };
  return new ParquetArchiver(
    options as unknown as EngineOptions,
    {
      directory: "/d",
      intervalSec: 3600,
      ...(reachedSec === undefined ? {} : { reachedSec }),
    },
    fakeSource(log),
    ({ message }) => assert.fail(message),
  );
}

Deno.test("Archiver.run() closes the past before it asks what is there, and frees last", async () => {
  const log: (Ask | "batchesEnded")[] = [];
  const before = nowSec();
  await archiver(log, 1000).run();
  const [fence, ended, hosts, done] = log;
  assert.equal(log.length, 4);
  assert.ok(typeof fence === "object" && fence.kind === "archive-fence");
  assert.ok(fence.oldestSec >= before - 1000);
  assert.ok(fence.oldestSec <= nowSec() - 1000);
  assert.equal(ended, "batchesEnded");
  // Half of the longest frequency: what is still accepted leaves older slots alone.
  const toSec = fence.oldestSec - 30;
  assert.deepEqual(hosts, { kind: "archive-hosts", toSec });
  assert.deepEqual(done, { kind: "archive-done", toSec });
});

Deno.test("Archiver.run() never goes back behind the files there are", async () => {
  const log: (Ask | "batchesEnded")[] = [];
  const reachedSec = nowSec() - 50;
  // A retention that was lengthened since.
  const one = archiver(log, 1e6, reachedSec);
  await one.run();
  assert.deepEqual(log.at(-1), { kind: "archive-done", toSec: reachedSec });
  await one.run();
  assert.equal(log.length, 4, "nothing new is due");
  assert.equal(one.stats.reachedSec, reachedSec);
});

Deno.test("Archiver.want() reaches further when memory is short, but leaves the present alone", async () => {
  const log: (Ask | "batchesEnded")[] = [];
  const one = archiver(log, 0);
  one.want(1000);
  assert.equal(log.length, 0, "the first run has not begun");
  one.start();
  await one.run();
  assert.deepEqual(log.at(-1), { kind: "archive-done", toSec: 1000 });
  one.want(nowSec() + 100);
  await one.run();
  const last = log.at(-1);
  assert.ok(typeof last === "object" && last.kind === "archive-done");
  assert.ok(last.toSec <= nowSec() - 60);
  one.stop();
});

Deno.test("Archiver tells why a run failed and frees nothing", async () => {
  const log: (Ask | "batchesEnded")[] = [];
  const notice = Promise.withResolvers<EngineNotice>();
  const source = fakeSource(log);
  const one = new ParquetArchiver(
    {
      metrics: METRICS,
      retentionSec: 9,
      shards: 1,
    } as unknown as EngineOptions,
    { directory: "/d", intervalSec: 3600 },
    { ...source, batchesEnded: () => Promise.reject(new Error("no luck")) },
    notice.resolve,
  );
  one.start();
  const { level, fields } = await notice.promise;
  assert.equal(level, "err");
  assert.equal(fields.reason, "no luck");
  assert.equal(log.length, 1);
  assert.equal(one.stats.failuresTotal, 1);
  one.stop();
});

Deno.test("slotSlackSec() is half of the longest frequency, rounded up", () => {
  assert.equal(slotSlackSec(METRICS), 30);
  assert.equal(
    slotSlackSec({ defaults: METRICS.defaults, clusters: {} }),
    8,
  );
  assert.equal(slotSlackSec({ defaults: {}, clusters: {} }), 0);
});

Deno.test("ArchiveBounds never opens what was closed", () => {
  const bounds = new ArchiveBounds(100, 30);
  assert.equal(bounds.refusedBeforeSec, 130);
  bounds.refuseBefore(200);
  bounds.refuseBefore(150);
  assert.equal(bounds.refusedBeforeSec, 200);
  assert.equal(bounds.archivedBeforeSec, -Infinity);
});
