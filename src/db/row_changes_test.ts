import assert from "node:assert/strict";
import { versionTracker } from "./row_changes.ts";

interface Row {
  readonly name: string;
  readonly version: number;
}

const row = (name: string, version = 1): Row => ({ name, version });

Deno.test("RowTracker.take() tells all, then what changed", () => {
  const tracker = versionTracker<Row>();
  const first = tracker.take([row("a"), row("b")], 0);
  assert.ok(first.isWhole);
  assert.equal(first.changed.length, 2);
  const second = tracker.take([row("a", 2), row("c")], first.generation);
  assert.deepEqual(
    { ...second, generation: 0 },
    {
      generation: 0,
      isWhole: false,
      changed: [row("a", 2), row("c")],
      gone: ["b"],
    },
  );
  const third = tracker.take([row("a", 2), row("c")], second.generation);
  assert.deepEqual([third.changed, third.gone], [[], []]);
});

Deno.test("RowTracker.take() tells all to who missed something", () => {
  const tracker = versionTracker<Row>();
  const { generation } = tracker.take([row("a")], 0);
  tracker.take([row("a", 2)], generation);
  const late = tracker.take([row("a", 2), row("b")], generation);
  assert.ok(late.isWhole);
  assert.equal(late.changed.length, 2);
});
