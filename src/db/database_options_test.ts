import assert from "node:assert/strict";
import { loadConfig } from "../config/settings/mod.ts";
import { databaseOptions } from "./database_options.ts";

function optionsWith(memoryCap: number, main: object = {}) {
  const config = {
    main,
    metrics: { m: { frequency: 1, aggregation: null } },
    "metric-store": { "retention-in-memory": "1h", "memory-cap": memoryCap },
  };
  return databaseOptions(
    loadConfig("c.json", () => JSON.stringify(config)).config,
  );
}

Deno.test("databaseOptions() gives the page cache a sixteenth of memory-cap at most", () => {
  assert.equal(optionsWith(-1).cacheSizeMb, 2048);
  assert.equal(optionsWith(2 ** 24 / 1e9).cacheSizeMb, 4);
  assert.equal(optionsWith(2 ** 30 / 1e9).cacheSizeMb, 64);
  assert.equal(optionsWith(64 * 2 ** 30 / 1e9).cacheSizeMb, 2048);
});

Deno.test("databaseOptions() takes what is configured", () => {
  const settings = { "cache-size-mb": 5, "busy-timeout-ms": 7 };
  const options = optionsWith(1, { db: "x.db", "db-config": settings });
  assert.deepEqual(options, {
    path: "x.db",
    cacheSizeMb: 5,
    softHeapLimitMb: 16384,
    busyTimeoutMs: 7,
  });
});
