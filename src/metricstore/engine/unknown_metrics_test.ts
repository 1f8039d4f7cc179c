import assert from "node:assert/strict";
import { joinUnknown, UnknownMetricTally } from "./unknown_metrics.ts";

Deno.test("UnknownMetricTally names the first metrics of each cluster and counts its lines", () => {
  const tally = new UnknownMetricTally();
  const lines = ["a x", "a x", "b x", "a y", " z", "a x", "b x"];
  for (const line of lines) {
    const [cluster = "", metric = ""] = line.split(" ");
    tally.add(cluster, metric);
  }
  assert.deepEqual(tally.clusters, [
    { cluster: "a", lines: 4, metrics: ["x", "y"] },
    { cluster: "b", lines: 2, metrics: ["x"] },
    { cluster: "", lines: 1, metrics: ["z"] },
  ]);
});

Deno.test("UnknownMetricTally keeps eight clusters, eight names of each, and no long ones", () => {
  const tally = new UnknownMetricTally();
  for (let cluster = 0; cluster < 20; cluster++) {
    for (let metric = 0; metric < 20; metric++) {
      tally.add(`c${cluster}`, `m${metric}${"x".repeat(30_000)}`);
    }
  }
  assert.equal(tally.clusters.length, 8);
  for (const { lines, metrics } of tally.clusters) {
    assert.equal(lines, 20);
    assert.equal(metrics.length, 8);
    for (const name of metrics) assert.equal(name.length, 65);
  }
});

Deno.test("joinUnknown() adds up what shards found, within the same bounds", () => {
  const part = (cluster: string, metric: string) => [
    { cluster, lines: 2, metrics: [metric] },
  ];
  assert.deepEqual(joinUnknown([part("a", "x"), [], part("a", "y")]), [
    { cluster: "a", lines: 4, metrics: ["x", "y"] },
  ]);
  const many = Array.from({ length: 20 }, (_, i) => part(`c${i}`, "x"));
  assert.equal(joinUnknown(many).length, 8);
});
