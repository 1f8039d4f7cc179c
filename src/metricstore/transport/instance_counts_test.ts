import assert from "node:assert/strict";
import {
  createInstanceCounts,
  InstanceCounts,
  INSTANCES_MAX,
} from "./instance_counts.ts";

Deno.test("InstanceCounts.add() keeps to the bound over all who share the memory", () => {
  const memory = createInstanceCounts();
  const shards = [new InstanceCounts(memory), new InstanceCounts(memory)];
  const [one, two] = shards as [InstanceCounts, InstanceCounts];
  assert.ok(one.add("team", 2));
  assert.ok(two.add("team", 2));
  assert.ok(!one.add("team", 2));
  assert.ok(!two.add("team", 2));
  assert.ok(two.add("other", 2));
  one.remove("team");
  assert.ok(two.add("team", 2));
  assert.ok(one.add("team", 0), "no bound");
  assert.deepEqual(
    two.read(),
    new Map([["team", 3], ["other", 1]]),
  );
});

Deno.test("InstanceCounts.add() does not count the default instance", () => {
  const counts = new InstanceCounts(createInstanceCounts());
  for (let i = 0; i < 3; i++) assert.ok(counts.add("", 1));
  counts.remove("");
  assert.deepEqual(counts.read(), new Map());
});

Deno.test("InstanceCounts.add() refuses what it cannot count only where there is a bound", () => {
  const memory = createInstanceCounts();
  const counts = new InstanceCounts(memory);
  for (let i = 0; i < INSTANCES_MAX; i++) assert.ok(counts.add(`i${i}`, 1));
  const other = new InstanceCounts(memory);
  assert.ok(!other.add("one-more", 10));
  assert.ok(other.add("one-more", 0));
  other.remove("one-more");
  assert.ok(!other.add("i17", 1));
  assert.ok(!other.add("n".repeat(65), 1));
  const read = other.read();
  assert.equal(read.size, INSTANCES_MAX);
  assert.ok([...read.values()].every((count) => count === 1));
});
