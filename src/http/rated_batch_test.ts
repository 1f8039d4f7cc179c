import assert from "node:assert/strict";
import fc from "fast-check";
import type { Batch } from "../metricstore/engine/metric_engine.ts";
import { IngestRates } from "../base/ingest_rates.ts";
import { RatedBatch } from "./rated_batch.ts";

const ENCODER = new TextEncoder();
/** With a second saved up and a minute of debt, an instance has 61 times its rate. */
const RATE = 1;
const ROOM = 61;

/** Sends the text in pieces; what came through, and what became of the lines. */
function send(text: string, cuts: readonly number[]) {
  const rate = new IngestRates(() => 0)
    .of({ name: "a", ingestionRate: RATE })!;
  let through = "";
  const batch = {
    push(chunk: Uint8Array) {
      through += new TextDecoder().decode(chunk);
      return undefined;
    },
  } as unknown as Batch;
  const rated = new RatedBatch(rate, () => batch);
  const bytes = ENCODER.encode(text);
  const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  for (let i = 1; i < places.length; i++) {
    rated.push(bytes.subarray(places[i - 1], places[i]));
  }
  const lines = through.split("\n").filter((line) => line !== "").length;
  const report = rated.settle({
    ...{ lines, stored: lines, rejected: {}, skipped: {}, errors: [] },
  });
  return { through, report, room: rate.room };
}

Deno.test("RatedBatch lets lines through whole, as many as the instance may owe, however they are cut", () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.boolean(),
      fc.array(fc.nat(500), { maxLength: 8 }),
      (count, isEnded, cuts) => {
        const lines = Array.from({ length: count }, (_, i) => `m v=${i}`);
        const text = lines.join("\n") + (isEnded && count > 0 ? "\n" : "");
        const within = cuts.map((cut) => Math.min(cut, text.length));
        const { through, report, room } = send(text, within);
        const kept = through.split("\n").filter((line) => line !== "");
        assert.deepEqual(kept, lines.slice(0, kept.length));
        // A last line without an end may come on top.
        assert.ok(kept.length >= Math.min(count, ROOM), `${kept.length}`);
        assert.ok(kept.length <= ROOM + 1);
        assert.equal(report.stored, kept.length);
        assert.equal(report.lines, count);
        assert.equal(report.rejected.rate ?? 0, count - kept.length);
        assert.equal(room, Math.max(0, ROOM - kept.length));
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("RatedBatch.settle() says which line was the first that was refused", () => {
  const { report } = send("m v=1\n".repeat(100), []);
  assert.deepEqual(report.errors, [{
    line: ROOM + 1,
    reason: "rate",
    message: "at line 62: instance a is over its ingestion_rate of 1 samples " +
      "per second",
  }]);
});
