import assert from "node:assert/strict";
import type { MetricTable } from "../../metricstore/engine/metric_engine.ts";
import { compareMetrics, withMetrics } from "./metric_changes.ts";

const every = (frequencySec: number) =>
  ({ frequencySec, aggregation: "avg" }) as const;

const IN_FORCE: MetricTable = {
  defaults: { load: every(60) },
  clusters: { emmy: { flops: every(30) } },
};

Deno.test("compareMetrics() finds nothing where nothing changed", () => {
  assert.deepEqual(compareMetrics(IN_FORCE, IN_FORCE), {
    added: { defaults: {}, clusters: {} },
    addedNames: [],
    conflicts: [],
    missing: [],
  });
});

Deno.test("compareMetrics() tells what may be added", () => {
  const read: MetricTable = {
    defaults: { load: every(60), mem: every(10) },
    clusters: {
      emmy: { flops: every(30), ipc: every(60) },
      fritz: { power: every(15) },
    },
  };
  const { added, addedNames, conflicts, missing } = compareMetrics(
    IN_FORCE,
    read,
  );
  assert.deepEqual(added, {
    defaults: { mem: every(10) },
    clusters: { emmy: { ipc: every(60) }, fritz: { power: every(15) } },
  });
  assert.deepEqual(addedNames, ["*/mem", "emmy/ipc", "fritz/power"]);
  assert.deepEqual([conflicts, missing], [[], []]);
  assert.deepEqual(withMetrics(IN_FORCE, added), read);
});

Deno.test("compareMetrics() tells what would change series that are there", () => {
  const cases: [MetricTable, RegExp][] = [
    [
      { ...IN_FORCE, defaults: { load: every(30) } },
      /^metric \*\/load is kept with frequency 60, aggregation avg, not frequency 30/,
    ],
    [
      {
        ...IN_FORCE,
        clusters: { emmy: { flops: { frequencySec: 30, aggregation: "sum" } } },
      },
      /^metric emmy\/flops .* not frequency 30, aggregation sum/,
    ],
    // A cluster that had the metric from all.
    [
      {
        ...IN_FORCE,
        clusters: { ...IN_FORCE.clusters, fritz: { load: every(10) } },
      },
      /^metric fritz\/load is kept with frequency 60/,
    ],
  ];
  for (const [read, wanted] of cases) {
    const { conflicts } = compareMetrics(IN_FORCE, read);
    assert.ok(conflicts.some((text) => wanted.test(text)), conflicts.join());
  }
});

Deno.test("compareMetrics() tells what was not read any more", () => {
  const { missing, added, conflicts } = compareMetrics(IN_FORCE, {
    defaults: {},
    clusters: {},
  });
  assert.deepEqual(missing, ["*/load", "emmy/load", "emmy/flops"]);
  assert.deepEqual(added, { defaults: {}, clusters: {} });
  assert.deepEqual(conflicts, []);
});
