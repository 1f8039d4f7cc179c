import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../metricstore/engine/metric_engine.ts";
import { ClientError } from "../base/errors.ts";
import { SeldomLog } from "../base/seldom_log.ts";
import { MetricWriter } from "./metric_writer.ts";
import { SubscriptionStats } from "./subscription_stats.ts";

Deno.test("MetricWriter.write() waits while the instance is over its rate, and charges what is stored", async () => {
  const report = { lines: 3, stored: 2, rejected: {}, skipped: {}, errors: [] };
  const engine = {
    laneOf: () => 0,
    openBatch: () => ({
      push: () => undefined,
      end: () => Promise.resolve(report),
    }),
  } as unknown as MetricEngine;
  const told: string[] = [];
  let refusals = 2;
  let charged = 0;
  const stats = new SubscriptionStats("s", "");
  const writer = new MetricWriter({
    engine,
    grant: () => ({
      ...{ scope: DEFAULT_SCOPE, defaultCluster: "c" },
      rate: {
        admit() {
          if (refusals-- > 0) throw new ClientError("E_RATE", "over its rate");
        },
        charge: (samples) => charged += samples,
      },
    }),
    stats,
    log: new SeldomLog({ warn: (message: string) => told.push(message) }),
    stopped: new AbortController().signal,
  });
  const data = new TextEncoder().encode("m value=1\n");
  assert.equal(await writer.write([{ subject: "s", data }]), true);
  assert.equal(charged, 2);
  assert.equal(stats.retries, 2);
  assert.equal(stats.failed, 0);
  assert.deepEqual([...new Set(told)], ["samples wait for the store"]);
});
