import assert from "node:assert/strict";
import { TemporaryDatabase } from "../../db/_fixture.ts";
import { StoredClusters } from "../../metricstore/coordinator/stored_clusters.ts";
import { KnownClusters } from "./known_clusters.ts";

Deno.test("KnownClusters notes no more clusters than a thousand that writers name", async () => {
  using fixture = new TemporaryDatabase();
  const { clusters: table } = fixture.open().tables;
  const stored = new StoredClusters();
  const told: string[] = [];
  const known = await KnownClusters.open({
    table: {
      note: (...names) => Promise.resolve(table.note(...names)),
      list: () => Promise.resolve(table.list()),
    },
    engine: { clusters: stored, state: "ready" },
    configured: ["fritz"],
    baseUrl: "",
    log: { err() {}, warnOnce: (_subject, message) => void told.push(message) },
  });
  for (let i = 0; i < 1100; i++) stored.note(0, `c${i}`, true);
  await Promise.resolve();
  assert.equal(table.list().length, 1001);
  assert.equal(known.list().length, 1001);
  assert.ok(known.has("fritz") && known.has("c0") && !known.has("c1099"));
  assert.equal(told.length, 100);
});
