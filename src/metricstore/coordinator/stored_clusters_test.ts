import assert from "node:assert/strict";
import {
  instanceScope,
  startTestEngine,
  write,
} from "../../../tests/support/engine.ts";
import { nowSec } from "../../base/clock.ts";
import { DEFAULT_SCOPE } from "../engine/data_scope.ts";

const METRICS = {
  defaults: { m: { frequencySec: 10, aggregation: null } },
  clusters: {},
};

function lines(cluster: string, hosts: number): string[] {
  return Array.from(
    { length: hosts },
    (_, i) => `m,cluster=${cluster},hostname=h${i},type=node value=1`,
  );
}

Deno.test("MetricEngine.clusters knows a cluster once its first sample is acknowledged", async () => {
  const engine = await startTestEngine({ metrics: METRICS, shards: 3 });
  try {
    const seen: string[] = [];
    engine.clusters.watch((cluster) => seen.push(cluster));
    assert.deepEqual(engine.clusters.names, []);
    await write(engine, DEFAULT_SCOPE, lines("beta", 20));
    assert.deepEqual(engine.clusters.names, ["beta"]);
    await write(engine, instanceScope("tenant"), lines("alpha", 20));
    await write(engine, DEFAULT_SCOPE, lines("alpha", 20));
    await write(engine, DEFAULT_SCOPE, [
      "unknown,cluster=gamma,hostname=h,type=node value=1",
      "m,cluster=,hostname=h,type=node value=1",
    ]);
    assert.deepEqual(engine.clusters.names, ["alpha", "beta"]);
    assert.deepEqual(seen, ["beta", "alpha"]);
    const late: string[] = [];
    engine.clusters.watch((cluster) => late.push(cluster));
    assert.deepEqual(late, ["alpha", "beta"]);
  } finally {
    await engine.close();
  }
});

Deno.test("MetricEngine.clusters forgets a cluster with its last sample of any instance", async () => {
  const engine = await startTestEngine({ metrics: METRICS, shards: 3 });
  try {
    const scopes = [DEFAULT_SCOPE, instanceScope("tenant")];
    for (const scope of scopes) {
      await write(engine, scope, lines("alpha", 20));
    }
    const toSec = nowSec() + 3600;
    await engine.free(scopes[0]!, [["alpha"]], toSec);
    await write(engine, DEFAULT_SCOPE, lines("beta", 20));
    assert.deepEqual(engine.clusters.names, ["alpha", "beta"]);
    await engine.free(scopes[1]!, [["alpha"]], toSec);
    // A shard says what is gone after its answer; the next one comes behind it.
    await write(engine, DEFAULT_SCOPE, lines("beta", 20));
    assert.deepEqual(engine.clusters.names, ["beta"]);
  } finally {
    await engine.close();
  }
});
