/** Batches of thousands of new series give turns: those of other instances go between. */
import assert from "node:assert/strict";
import type {
  Batch,
  WriteReport,
} from "../src/metricstore/engine/metric_engine.ts";
import {
  instanceScope,
  queryOf,
  startTestEngine,
  textOf,
  write,
} from "./support/engine.ts";

const NOW = 1_700_000_000;
const SERIES = 20_000;
/** The scheduler may run a shard alone for long; hardly ever so often in a row. */
const TRIES = 20;
const METRICS = {
  defaults: { load: { frequencySec: 60, aggregation: "avg" } },
  clusters: {},
} as const;
const WORST = instanceScope("worst");
const QUIET = instanceScope("quiet");

function newSeries(turn: number, hosts: number): string[] {
  return Array.from(
    { length: SERIES },
    (_, i) =>
      `load,cluster=c,hostname=h${turn}-${
        i % hosts
      },type=hwthread,type-id=${i} value=${i} ${NOW}`,
  );
}

function pushed(batch: Batch, lines: readonly string[]): Promise<WriteReport> {
  void batch.push(new TextEncoder().encode(`${lines.join("\n")}\n`));
  return batch.end();
}

Deno.test("a write is answered before a batch of new series of another instance that came first", async () => {
  const engine = await startTestEngine({ shards: 1, metrics: METRICS });
  try {
    for (let turn = 0;; turn++) {
      assert.ok(turn < TRIES, "the small write came last each time");
      const lines = newSeries(turn, 1);
      const answered: string[] = [];
      const worst = engine.openBatch({ scope: WORST, defaultCluster: "" });
      const quiet = engine.openBatch({ scope: QUIET, defaultCluster: "" });
      const reports = await Promise.all([
        pushed(worst, [...lines, "load,cluster=c value=1"])
          .finally(() => answered.push("worst")),
        pushed(quiet, [`load,cluster=c,hostname=q value=1 ${NOW}`])
          .finally(() => answered.push("quiet")),
      ]);
      assert.equal(reports[0].stored, SERIES);
      assert.deepEqual(
        reports[0].errors.map(({ line, reason }) => ({ line, reason })),
        [{ line: SERIES + 1, reason: "no-hostname" }],
      );
      assert.equal(reports[1].stored, 1);
      if (answered[0] === "quiet") break;
    }
  } finally {
    await engine.close();
  }
});

Deno.test("batches that gave turns are stored whole, also what other shards own and what is cut between parts", async () => {
  const engine = await startTestEngine({ shards: 2, metrics: METRICS });
  try {
    const batches = Array.from({ length: 6 }, (_, turn) => {
      const scope = turn % 2 === 0 ? WORST : QUIET;
      const batch = engine.openBatch({ scope, defaultCluster: "" });
      const text = new TextEncoder().encode(
        `${newSeries(turn, 7).join("\n")}\n`,
      );
      // Cut anywhere, so that lines lie in two parts.
      for (let at = 0; at < text.length; at += 100_003) {
        void batch.push(text.subarray(at, at + 100_003));
      }
      return batch.end();
    });
    const small = write(engine, QUIET, [
      `load,cluster=c,hostname=q value=1 ${NOW}`,
    ]);
    for (const report of await Promise.all(batches)) {
      assert.equal(report.stored, SERIES);
      assert.equal(report.lines, SERIES);
    }
    assert.equal((await small).stored, 1);
    for (let turn = 0; turn < 6; turn++) {
      const scope = turn % 2 === 0 ? WORST : QUIET;
      const ids = [0, 1, 777, SERIES - 7, SERIES - 1];
      const text = await textOf(engine.query(
        scope,
        queryOf({
          cluster: "c",
          from: NOW,
          to: NOW + 60,
          queries: ids.map((id) => ({
            metric: "load",
            host: `h${turn}-${id % 7}`,
            type: "hwthread",
            "type-ids": [`${id}`],
            aggreg: false,
            resolution: 0,
          })),
        }),
      ));
      const { results } = JSON.parse(text) as {
        results: { data: number[] }[][];
      };
      assert.deepEqual(results.map(([one]) => one?.data[0]), ids);
    }
  } finally {
    await engine.close();
  }
});
