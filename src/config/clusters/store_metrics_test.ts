import assert from "node:assert/strict";
import { ConfigError } from "../settings/config_error.ts";
import { clusterOf } from "../../../tests/support/clusters.ts";
import { prepareArchive } from "./archive_version.ts";
import { ClusterCatalog } from "./cluster_catalog.ts";
import { loadSetup } from "./load_setup.ts";
import { hasMetrics, storeMetrics } from "./store_metrics.ts";

const ALPHA = {
  name: "alpha",
  subClusters: [{ name: "main" }],
  metricConfig: [
    { name: "load", timestep: 60, aggregation: "avg" },
    { name: "power", timestep: 30, aggregation: "sum" },
    { name: "temp", timestep: 10 },
  ],
};
const CATALOG = new ClusterCatalog([clusterOf(ALPHA)]);

Deno.test("storeMetrics() takes from a cluster's file what the configuration does not name", () => {
  const { metrics, notes } = storeMetrics(
    { metrics: {}, clusters: {} },
    CATALOG,
  );
  assert.deepEqual(metrics, {
    defaults: {},
    clusters: {
      alpha: {
        load: { frequencySec: 60, aggregation: "avg" },
        power: { frequencySec: 30, aggregation: "sum" },
        temp: { frequencySec: 10, aggregation: null },
      },
    },
  });
  assert.deepEqual(notes, []);
});

Deno.test("storeMetrics() lets the configuration win and says where they differ", () => {
  const { metrics, notes } = storeMetrics({
    metrics: {
      load: { frequency: 60, aggregation: "avg" },
      power: { frequency: 60, aggregation: null },
      toString: { frequency: 1, aggregation: null },
    },
    clusters: {
      alpha: { metrics: { temp: { frequency: 10, aggregation: "avg" } } },
      beta: { metrics: {} },
    },
  }, CATALOG);
  assert.deepEqual(metrics.clusters, {
    alpha: { temp: { frequencySec: 10, aggregation: "avg" } },
    beta: {},
  });
  assert.deepEqual(notes, [{
    level: "warn",
    message: "metrics of cluster alpha: the configuration wins over its " +
      "cluster.json in power (frequency 60, not 30; aggregation null, not sum), " +
      "temp (aggregation avg, not null)",
  }]);
});

Deno.test("hasMetrics() asks for a metric anywhere", () => {
  const metric = { frequencySec: 1, aggregation: null };
  assert.equal(hasMetrics({ defaults: {}, clusters: { a: {} } }), false);
  assert.equal(hasMetrics({ defaults: { m: metric }, clusters: {} }), true);
  assert.equal(
    hasMetrics({ defaults: {}, clusters: { a: { m: metric } } }),
    true,
  );
});

Deno.test("loadSetup() needs one metric, from wherever it comes", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const archive = `${directory}/archive`;
    const file = `${directory}/config.json`;
    const write = (kind: string) =>
      Deno.writeTextFileSync(
        file,
        JSON.stringify({
          archive: { kind, path: archive },
          "metric-store": { "retention-in-memory": "1h", "memory-cap": 0 },
        }),
      );
    write("file");
    assert.throws(() => loadSetup(file), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(
        error.message.replaceAll(directory, "DIR"),
        "DIR/config.json: metrics: no metric, expected at least one, here, in " +
          "clusters.<cluster>.metrics or in DIR/archive/<cluster>/cluster.json",
      );
      return true;
    });
    prepareArchive(archive);
    Deno.mkdirSync(`${archive}/alpha`);
    Deno.writeTextFileSync(
      `${archive}/alpha/cluster.json`,
      JSON.stringify(ALPHA),
    );
    const { clusters, metrics } = loadSetup(file);
    assert.deepEqual(clusters.names, ["alpha"]);
    assert.deepEqual(Object.keys(metrics.clusters["alpha"] ?? {}), [
      "load",
      "power",
      "temp",
    ]);
    write("s3");
    assert.throws(() => loadSetup(file), ConfigError);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
