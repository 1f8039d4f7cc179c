import assert from "node:assert/strict";
import { MetricCatalog } from "./metric_catalog.ts";

const every = (frequencySec: number) =>
  ({ frequencySec, aggregation: "avg" }) as const;

/** Frequencies by name. */
function shown(catalog: MetricCatalog, cluster: string) {
  return Object.fromEntries(
    [...catalog.of(cluster)].map(([name, { frequencySec }]) =>
      [name, frequencySec] as const
    ),
  );
}

Deno.test("MetricCatalog.add() makes further metrics known and changes none", () => {
  const catalog = new MetricCatalog({
    defaults: { load: every(60) },
    clusters: { emmy: { load: every(30), flops: every(30) } },
  });
  const before = ["emmy", "other"].map((
    name,
  ) => [...catalog.of(name).values()]);
  catalog.add({
    defaults: { load: every(1), mem: every(10) },
    clusters: {
      emmy: { flops: every(1), mem: every(20) },
      fritz: { power: every(15) },
    },
  });
  assert.deepEqual(shown(catalog, "emmy"), { load: 30, flops: 30, mem: 20 });
  assert.deepEqual(shown(catalog, "fritz"), { load: 60, power: 15, mem: 10 });
  assert.deepEqual(shown(catalog, "other"), { load: 60, mem: 10 });
  before.flat().forEach((metric) => {
    assert.equal(catalog.metric(metric.id), metric);
  });
  const ids = ["emmy", "fritz", "other"]
    .flatMap((name) => [...catalog.of(name).values()]);
  for (const metric of ids) assert.equal(catalog.metric(metric.id), metric);
  assert.ok(catalog.knows("power"));
});
