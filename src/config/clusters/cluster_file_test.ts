import assert from "node:assert/strict";
import { ConfigError } from "../settings/config_error.ts";
import { clusterOf } from "../../../tests/support/clusters.ts";
import { readClusterFile } from "./cluster_file.ts";

const SMALLEST = {
  name: "alpha",
  subClusters: [{ name: "main" }],
  metricConfig: [{ name: "load", timestep: 60 }],
};

function problems(json: unknown): string[] {
  const text = JSON.stringify(json);
  try {
    readClusterFile("x/cluster.json", () => text);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split("\n").map((line) =>
      line.replace(/^x\/cluster\.json:1:\d+: /, "")
    );
  }
  return [];
}

Deno.test("readClusterFile() fills in what a file leaves out", () => {
  const cluster = clusterOf({
    ...SMALLEST,
    unknown: { key: 1 },
    subClusters: [{ name: "main", nodes: null, topology: { core: [[0]] } }],
    metricConfig: [{ name: "load", timestep: 60, scope: "", unit: null }],
  });
  const [main] = cluster.subClusters;
  assert.equal(main?.nodes, "");
  assert.deepEqual(main?.topology.lists, {
    node: [],
    socket: [],
    memoryDomain: [],
    die: [],
    core: [[0]],
    accelerators: [],
  });
  assert.deepEqual(main?.metrics.get("load"), {
    name: "load",
    unit: { base: "" },
    scope: "node",
    timestep: 60,
    aggregation: "",
    peak: 0,
    normal: 0,
    caution: 0,
    alert: 0,
    footprint: "",
    energy: "",
    lowerIsBetter: false,
    restrict: false,
  });
  assert.deepEqual(main?.footprint, []);
});

Deno.test("readClusterFile() applies the overrides of a sub-cluster as a whole", () => {
  const { subClusters } = clusterOf({
    name: "alpha",
    subClusters: [
      { name: "cpu", nodes: "a[1-4]" },
      { name: "gpu", nodes: "b1" },
      { name: "old", nodes: "c1", footprint: ["load", "extra"] },
    ],
    metricConfig: [{
      name: "load",
      timestep: 30,
      aggregation: "avg",
      peak: 72,
      normal: 70,
      footprint: "avg",
      energy: "power",
      restrict: true,
      subClusters: [
        { name: "gpu", peak: 100, lowerIsBetter: true },
        { name: "old", remove: true },
      ],
    }, { name: "temp", timestep: 60, footprint: "max" }],
  });
  const [cpu, gpu, old] = subClusters;
  assert.equal(cpu?.metrics.get("load")?.normal, 70);
  assert.equal(cpu?.metrics.get("load")?.restrict, false);
  assert.deepEqual(cpu?.footprint, ["load", "temp"]);
  assert.deepEqual(cpu?.energyFootprint, ["load"]);
  const load = gpu?.metrics.get("load");
  assert.equal(load?.peak, 100);
  assert.equal(load?.normal, 0);
  assert.equal(load?.footprint, "");
  assert.equal(load?.lowerIsBetter, true);
  assert.equal(load?.aggregation, "avg");
  assert.deepEqual(gpu?.footprint, ["temp"]);
  assert.deepEqual(gpu?.energyFootprint, []);
  assert.deepEqual([...old?.metrics.keys() ?? []], ["temp"]);
  assert.deepEqual(old?.footprint, ["load", "extra", "temp"]);
});

Deno.test("readClusterFile() names the place, the value and what it expects of everything wrong", () => {
  const [metric] = SMALLEST.metricConfig;
  for (
    const [json, expected] of [
      [{}, [
        "name: missing, expected a text that is not empty",
        "subClusters: missing, expected a list of sub-clusters",
        "metricConfig: missing, expected a list of metrics",
      ]],
      [{ ...SMALLEST, name: "" }, [
        'name: got "", expected a text that is not empty',
      ]],
      [{ ...SMALLEST, subClusters: [], metricConfig: [] }, [
        "subClusters: got a list, expected at least one sub-cluster",
        "metricConfig: got a list, expected at least one metric",
      ]],
      [{ ...SMALLEST, subClusters: [{ name: "a", nodes: "a[01" }] }, [
        'subClusters.0.nodes: got "a[01", expected names such as "a[01-64],b1" ("[" at character 2 is never closed)',
      ]],
      [{
        ...SMALLEST,
        subClusters: [{ name: "a" }, { name: "a", topology: { core: [0] } }],
      }, [
        "subClusters.1.topology.core.0: got 0, expected a list of hardware thread ids",
      ]],
      [{ ...SMALLEST, subClusters: [{ name: "a" }, { name: "a" }] }, [
        'subClusters.1.name: got "a", expected each name once',
      ]],
      [{
        ...SMALLEST,
        metricConfig: [
          metric,
          { timestep: 0, unit: "W", scope: "rack" },
          { ...metric, name: "b", footprint: "sum", peak: "9", timestep: 1.5 },
          { ...metric, name: "c", subClusters: [{ remove: 1 }] },
        ],
      }, [
        "metricConfig.1.name: missing, expected a text that is not empty",
        "metricConfig.1.timestep: got 0, expected seconds, an integer of at least 1",
        'metricConfig.1.unit: got "W", expected an object such as {"base":"B","prefix":"G"}',
        'metricConfig.1.scope: got "rack", expected "node" or "socket" or "memoryDomain" or "core" or "hwthread" or "accelerator"',
        "metricConfig.2.timestep: got 1.5, expected seconds, an integer of at least 1",
        'metricConfig.2.footprint: got "sum", expected "" or "avg" or "min" or "max"',
        'metricConfig.2.peak: got "9", expected a number',
        "metricConfig.3.subClusters.0.name: missing, expected a text that is not empty",
        "metricConfig.3.subClusters.0.remove: got 1, expected true or false",
      ]],
    ] as const
  ) {
    assert.deepEqual(problems(json).sort(), [...expected].sort());
  }
});

Deno.test("readClusterFile() warns of an aggregation that is not known", () => {
  const json = {
    ...SMALLEST,
    metricConfig: [
      { name: "a", timestep: 1, aggregation: "max" },
      { name: "b", timestep: 1, aggregation: null },
      { name: "c", timestep: 1, aggregation: "sum" },
    ],
  };
  const { cluster, notes } = readClusterFile(
    "c.json",
    () => JSON.stringify(json),
  );
  assert.deepEqual(
    cluster.metricConfig.map(({ aggregation }) => aggregation),
    ["", "", "sum"],
  );
  assert.deepEqual(notes, [{
    level: "warn",
    message:
      'c.json: aggregation of a: "max" is not known, its values cannot be combined',
  }]);
});
