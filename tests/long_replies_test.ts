/** Replies of shards that are longer than a frame, of names in which characters are cut. */
import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import { queryOf, startTestEngine, textOf, write } from "./support/engine.ts";

const HOSTS = 6000;
const NOW = 1_700_000_000;
/** More than the largest frame of a shard together. */
const NAME = "ü€".repeat(40);

Deno.test("for-all-nodes names hosts right whose names fill several frames of a reply", async () => {
  const engine = await startTestEngine({
    shards: 1,
    metrics: {
      defaults: { load: { frequencySec: 60, aggregation: "avg" } },
      clusters: {},
    },
  });
  try {
    const hosts = Array.from({ length: HOSTS }, (_, i) => `${NAME}${i}`);
    const report = await write(
      engine,
      DEFAULT_SCOPE,
      hosts.map((host) => `load,cluster=c,hostname=${host} value=1 ${NOW}`),
    );
    assert.equal(report.stored, HOSTS);
    const text = await textOf(engine.query(
      DEFAULT_SCOPE,
      queryOf({
        cluster: "c",
        from: NOW,
        to: NOW + 60,
        forAllNodes: ["load"],
        withData: false,
      }),
    ));
    const { queries } = JSON.parse(text) as { queries: { host: string }[] };
    assert.deepEqual(
      queries.map(({ host }) => host).sort(),
      hosts.toSorted(),
    );
  } finally {
    await engine.close();
  }
});
