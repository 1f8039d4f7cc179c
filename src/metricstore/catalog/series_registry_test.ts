import assert from "node:assert/strict";
import { clear, entryOf, makeRegistry } from "./_registry_fixture.ts";
import type { MetricCatalog } from "./metric_catalog.ts";
import type { SeriesName } from "./series_registry.ts";

const CONFIG = { frequencySec: 1, aggregation: null };

function nameIn(
  catalog: MetricCatalog,
  instance: string,
  cluster: string,
): SeriesName {
  const metric = catalog.of(cluster).get("m")!;
  const level = undefined;
  return { instance, cluster, host: "h", level, sublevel: level, metric };
}

Deno.test("resolve() makes no cluster beyond the bound, but for those that are configured, stored, or of others", () => {
  const registry = makeRegistry({ m: CONFIG });
  const { catalog } = registry;
  const resolve = (cluster: string, instance = "") => {
    const series = registry.resolve(
      nameIn(catalog, instance, cluster),
      0,
      3,
    );
    if (typeof series === "number") {
      registry.table.write(series, 1_800_000_000, 1);
      return "made";
    }
    return series;
  };
  for (const cluster of ["a", "b", "c"]) assert.equal(resolve(cluster), "made");
  assert.equal(resolve("d"), "max-clusters");
  assert.equal(registry.tree.hostCount, 3);
  assert.equal(resolve("a"), "made");
  // One instance takes no cluster from another.
  assert.equal(resolve("d", "tenant"), "made");
  catalog.add({ defaults: {}, clusters: { configured: { own: CONFIG } } });
  assert.equal(resolve("configured"), "made");
  assert.equal(resolve("d"), "max-clusters");
  const stored = registry.resolveEntry(entryOf("h", "m", { cluster: "old" }));
  assert.equal(typeof stored, "number");
  // What ends makes room.
  clear(registry);
  assert.equal(resolve("d"), "made");
});
