import assert from "node:assert/strict";
import { loadConfig } from "./load.ts";
import { compareConfigs, RELOADABLE } from "./reloadable.ts";

function config(main: Record<string, unknown>, more = {}) {
  const text = JSON.stringify({
    main,
    metrics: { m: { frequency: 60, aggregation: "avg" } },
    "metric-store": { "retention-in-memory": "48h", "memory-cap": 1 },
    ...more,
  });
  return loadConfig("config.json", () => text).config;
}

Deno.test("compareConfigs() tells keys that count at once from those that need a restart", () => {
  const started = config({});
  const last = config({ "metrics-public": true });
  const read = config({
    "addr": "localhost:9000",
    "api-allowed-ips": ["10.0.0.1"],
    "metrics-public": true,
  }, { archive: { path: "./other" }, metrics: {} });
  assert.deepEqual(compareConfigs(started, last, read), {
    reloadable: ["main.api-allowed-ips"],
    needsRestart: ["main.addr.port", "archive.path"],
  });
  assert.deepEqual(compareConfigs(started, last, last), {
    reloadable: [],
    needsRestart: [],
  });
});

Deno.test("RELOADABLE names keys that there are", () => {
  const { main } = config({});
  for (const key of RELOADABLE) {
    assert.ok(key.slice("main.".length) in main, key);
  }
});
