/**
 * Answers that wait for slow readers count as in flight by their length, so they
 * must not hold much more memory than that.
 */
import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import { queryOf, startTestEngine, write } from "./support/engine.ts";

const FROM = 1_700_000_000;
const SLOTS = 12_000;

Deno.test("an answer of the engine holds at most twice the memory of its bytes", async () => {
  const engine = await startTestEngine({
    metrics: {
      defaults: { load: { frequencySec: 1, aggregation: "avg" } },
      clusters: {},
    },
  });
  try {
    const lines = Array.from(
      { length: SLOTS },
      (_, i) => `load,cluster=c,hostname=h value=${i / 1000} ${FROM + i}`,
    );
    const report = await write(engine, DEFAULT_SCOPE, lines);
    assert.equal(report.stored, SLOTS);
    for (let count = 1; count <= 2; count++) {
      for (let slots = 1000; slots <= SLOTS; slots += 1000) {
        const { byteLength, chunks } = await engine.query(
          DEFAULT_SCOPE,
          queryOf({
            cluster: "c",
            from: FROM,
            to: FROM + slots,
            queries: Array.from({ length: count }, () => ({
              metric: "load",
              host: "h",
              aggreg: false,
              resolution: 0,
            })),
          }),
        );
        const buffers = new Set(chunks.map(({ buffer }) => buffer));
        let held = 0;
        for (const buffer of buffers) held += buffer.byteLength;
        assert.ok(byteLength > slots);
        assert.ok(held <= 2 * byteLength, `${held} for ${byteLength}`);
      }
    }
  } finally {
    await engine.close();
  }
});
