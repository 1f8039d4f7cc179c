import assert from "node:assert/strict";
import { TemporaryDatabase } from "./_fixture.ts";
import type { NodeReport } from "./node_table.ts";

function node(hostname: string, jobsRunning = 0): NodeReport {
  return {
    hostname,
    subCluster: "cpu",
    state: "idle",
    health: "partial",
    healthMetrics: { missing: ["ipc"], degraded: [] },
    jobsRunning,
    cpusAllocated: 1,
    memoryAllocated: 2,
    gpusAllocated: 3,
  };
}

Deno.test("NodeTable.latest() gives the last report of each node, the later row at equal times", () => {
  using fixture = new TemporaryDatabase();
  const { nodes } = fixture.open().tables;
  nodes.report("alpha", 100, [node("a2", 1), node("a1", 2)]);
  nodes.report("alpha", 200, [node("a1", 3)]);
  nodes.report("alpha", 150, [node("a1", 4)]);
  nodes.report("alpha", 200, [{ ...node("a1", 5), subCluster: "gpu" }]);
  nodes.report("beta", 300, [node("a1", 6)]);
  const latest = nodes.latest("alpha");
  assert.deepEqual(
    latest.map(({ hostname, time, jobsRunning, subCluster }) => [
      ...[hostname, time, jobsRunning, subCluster],
    ]),
    [["a1", 200, 5, "gpu"], ["a2", 100, 1, "cpu"]],
  );
  const { id: _, ...row } = latest[1]!;
  assert.deepEqual(row, { ...node("a2", 1), cluster: "alpha", time: 100 });
  assert.deepEqual(nodes.latest("gamma"), []);
});

Deno.test("NodeTable.report() stores all of a report or nothing", () => {
  using fixture = new TemporaryDatabase();
  const { nodes } = fixture.open().tables;
  const wrong = { ...node("a2"), state: "drained" as "down" };
  assert.throws(() => nodes.report("alpha", 1, [node("a1"), wrong]), /CHECK/);
  assert.deepEqual(nodes.latest("alpha"), []);
});

Deno.test("NodeTable.deleteOldStates() keeps the newest row of every node", () => {
  using fixture = new TemporaryDatabase();
  const { nodes } = fixture.open().tables;
  for (const time of [1, 2, 3, 4]) nodes.report("alpha", time, [node("a1")]);
  nodes.report("alpha", 2, [node("gone"), node("gone", 9)]);
  const times = () => nodes.oldStates(1000, 100).map(({ time }) => time);
  assert.deepEqual(times(), [1, 2, 2, 3]);
  assert.equal(nodes.oldStates(3, 2).length, 2);
  assert.equal(nodes.deleteOldStates(3, 2), 2);
  assert.equal(nodes.deleteOldStates(3, 2), 1);
  assert.deepEqual(times(), [3]);
  nodes.deleteStates(nodes.oldStates(1000, 100).map(({ id }) => id));
  assert.equal(nodes.deleteOldStates(1000, 10), 0);
  assert.deepEqual(
    nodes.latest("alpha").map(({ time, jobsRunning }) => [time, jobsRunning]),
    [[4, 0], [2, 9]],
  );
});

Deno.test("NodeTable.report() keeps the newest states of a node, within a few hundred, where told how many", () => {
  using fixture = new TemporaryDatabase();
  const { nodes } = fixture.open().tables;
  const statesOf = (host: string) =>
    nodes.oldStates(1_000_000, 100_000)
      .filter(({ hostname }) => hostname === host).map(({ time }) => time);
  for (let time = 0; time < 1000; time++) {
    nodes.report("alpha", time, [node("kept")]);
  }
  for (let time = 1000; time < 2500; time++) {
    nodes.report("alpha", time, [node("kept"), node("other")], 100);
    if (time % 250 === 0) {
      assert.ok(statesOf("other").length <= 100 + 256, `${time}`);
    }
  }
  // Those of before go too, and the newest are the ones that stay.
  const kept = statesOf("kept");
  assert.ok(kept.length >= 99 && kept.length <= 100 + 256, `${kept.length}`);
  assert.equal(kept.at(-1), 2498);
  assert.equal(nodes.latestOf("alpha", "kept")?.time, 2499);
});

Deno.test("NodeTable.report() makes one row of the same report of the same second", () => {
  using fixture = new TemporaryDatabase();
  const { nodes } = fixture.open().tables;
  for (let i = 0; i < 3; i++) {
    nodes.report("alpha", 100, [node("a1"), node("a2")]);
  }
  nodes.report("alpha", 100, [node("a1", 1)]);
  nodes.report("alpha", 101, [node("a1", 1)]);
  const times = nodes.oldStates(1000, 100)
    .map(({ hostname, time, jobsRunning }) =>
      `${hostname} ${time} ${jobsRunning}`
    );
  assert.deepEqual(times, ["a1 100 0", "a1 100 1"]);
  assert.equal(nodes.latestOf("alpha", "a1")?.time, 101);
  assert.equal(nodes.latestOf("alpha", "a2")?.time, 100);
  assert.equal(nodes.latestOf("beta", "a1"), undefined);
});
