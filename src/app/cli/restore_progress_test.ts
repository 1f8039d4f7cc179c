import assert from "node:assert/strict";
import type {
  EngineState,
  ShardStats,
} from "../../metricstore/engine/metric_engine.ts";
import { showRestore } from "./restore_progress.ts";

/** Two shards that have restored a million more each time somebody looks. */
class Restoring {
  state: EngineState = "restoring";
  #looks = 0;

  stats(): ShardStats[] {
    this.#looks++;
    return [1, 2].map((shard) =>
      ({ shard, restoredSamples: this.#looks * 1e6 }) as ShardStats
    );
  }
}

Deno.test("showRestore() draws one line again until the store is ready, and takes it away", async () => {
  const engine = new Restoring();
  const drawn: string[] = [];
  await new Promise<void>((resolve) => {
    showRestore(engine, true, (text) => {
      drawn.push(text);
      if (drawn.length === 2) engine.state = "ready";
      if (text === "") resolve();
    });
  });
  assert.equal(drawn.length, 3);
  assert.match(
    drawn[0]!,
    /^restoring: 2\.0 million samples, \d+\.\d million\/s$/,
  );
  assert.match(drawn[1]!, /^restoring: 4\.0 million samples/);
  assert.equal(drawn[2], "");
});

Deno.test("showRestore() leaves nothing behind where there is no terminal", () => {
  // A timer that went on would fail the test.
  showRestore(new Restoring(), false, () => assert.fail("drawn"));
});
