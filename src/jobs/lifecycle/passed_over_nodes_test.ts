import assert from "node:assert/strict";
import { PassedOverNodes } from "./passed_over_nodes.ts";

function make() {
  const lines: string[] = [];
  const nodes = new PassedOverNodes({
    warn: (message, fields) =>
      void lines.push(`${message} ${JSON.stringify(fields)}`),
  });
  return { nodes, lines };
}

Deno.test("PassedOverNodes tells of each node once and counts every time", () => {
  const { nodes, lines } = make();
  for (let minute = 0; minute < 60; minute++) {
    nodes.note("no sub-cluster", "alpha", ["x1", "x2"]);
  }
  nodes.note("no sub-cluster", "alpha", ["x2", "x3"]);
  nodes.note("no sub-cluster", "beta", ["x1"]);
  assert.deepEqual(lines, [
    'no sub-cluster {"cluster":"alpha","nodes":2,"first":"x1 x2"}',
    'no sub-cluster {"cluster":"alpha","nodes":1,"first":"x3"}',
    'no sub-cluster {"cluster":"beta","nodes":1,"first":"x1"}',
  ]);
  assert.equal(nodes.count, 60 * 2 + 2 + 1);
});

Deno.test("PassedOverNodes stays small, whatever names are sent", () => {
  const { nodes, lines } = make();
  const hosts = Array.from(
    { length: 10_000 },
    (_, i) => `${i}${"y".repeat(500)}`,
  );
  nodes.note("no sub-cluster", "alpha", hosts);
  for (let i = 0; i < 50; i++) nodes.note("no sub-cluster", "alpha", [`z${i}`]);
  assert.equal(lines.length, 1);
  assert.ok(lines[0]!.length < 1000);
  assert.equal(nodes.count, 10_050);
});
