import assert from "node:assert/strict";
import type { EngineNotice } from "../engine/metric_engine.ts";
import {
  OTHER_CLUSTERS,
  UnknownMetricNotices,
} from "./unknown_metric_notices.ts";

function setUp() {
  const clock = { ms: 5 };
  const notices: EngineNotice[] = [];
  const news = new UnknownMetricNotices(
    (notice) => notices.push(notice),
    () => clock.ms,
  );
  return { clock, notices, news };
}

Deno.test("UnknownMetricNews tells at once, and then once a minute of all since", () => {
  const { clock, notices, news } = setUp();
  const add = (cluster: string, metric: string) =>
    news.add(3, [{ cluster, lines: 3, metrics: [metric] }]);
  add("emy", "cpu_load");
  add("emy", "mem_bw");
  add("fritz", "typo");
  clock.ms += 59_999;
  add("emy", "mem_bw");
  assert.deepEqual(notices.map(({ fields }) => fields), [
    { names: "emy/cpu_load", lines: 3 },
  ]);
  clock.ms += 1;
  add("emy", "cpu_load");
  assert.deepEqual(notices[1]?.fields, {
    names: "emy/mem_bw fritz/typo emy/cpu_load",
    lines: 12,
  });
  assert.ok(notices.every(({ level }) => level === "warn"));
  assert.deepEqual([...news.lines], [["emy", 12], ["fritz", 3]]);
});

Deno.test("UnknownMetricNews bounds the clusters it counts and the names it tells", () => {
  const { clock, notices, news } = setUp();
  for (let i = 0; i < 1000; i++) {
    news.add(2, [{ cluster: `c${i}`, lines: 1, metrics: ["x", "y"] }]);
  }
  // 64 clusters, what their batches had besides, and all the others.
  assert.equal(news.lines.size, 64);
  const total = [...news.lines.values()].reduce((sum, n) => sum + n, 0);
  assert.equal(total, 2000);
  assert.equal(news.lines.get(OTHER_CLUSTERS), 2000 - 63);
  clock.ms += 60_000;
  news.add(1, []);
  assert.equal(String(notices[1]?.fields.names).split(" ").length, 10);
});
