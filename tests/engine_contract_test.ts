/** The engine that tests stand in for the real one keeps the same rules as the real one. */
import { FakeEngine } from "./http/fake_engine.ts";
import { startTestEngine } from "./support/engine.ts";
import { engineContract } from "./support/engine_contract.ts";

engineContract("FakeEngine", () => Promise.resolve(new FakeEngine()));
engineContract("ShardedEngine", () =>
  startTestEngine({
    metrics: {
      defaults: { m60: { frequencySec: 60, aggregation: "avg" } },
      clusters: {},
    },
  }));
