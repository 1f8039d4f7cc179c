import assert from "node:assert/strict";
import { Topology } from "./topology.ts";

/** Two sockets of two cores with two threads each; the last core is not listed. */
const TOPOLOGY = new Topology({
  node: [0, 1, 2, 3, 4, 5, 6, 7],
  socket: [[0, 1, 4, 5], [2, 3, 6, 7]],
  memoryDomain: [[0, 1, 4, 5], [2, 3, 6, 7]],
  die: [],
  core: [[0, 4], [1, 5], [2, 6]],
  accelerators: [],
});

Deno.test("Topology.unitOf() finds the unit of a thread, if it has one", () => {
  assert.equal(TOPOLOGY.unitOf("core", 5), 1);
  assert.equal(TOPOLOGY.unitOf("socket", 6), 1);
  assert.equal(TOPOLOGY.unitOf("core", 3), undefined);
  assert.equal(TOPOLOGY.unitOf("socket", 99), undefined);
});

Deno.test("Topology.threadsOf() lists all threads of a unit", () => {
  assert.deepEqual(TOPOLOGY.threadsOf("core", 1), [1, 5]);
  assert.deepEqual(TOPOLOGY.threadsOf("core", 3), []);
});

Deno.test("Topology.unitsTouching() lists units once, in their order", () => {
  assert.deepEqual(TOPOLOGY.unitsTouching("core", [6, 5, 1, 3]), [1, 2]);
  assert.deepEqual(TOPOLOGY.unitsTouching("memoryDomain", [7, 0]), [0, 1]);
  assert.deepEqual(TOPOLOGY.unitsTouching("socket", []), []);
});
