import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { clusterOf } from "../../../tests/support/clusters.ts";
import type { SubCluster } from "../../config/clusters/cluster.ts";
import { readText } from "./_reader_fixture.ts";
import type { JobData } from "./job_data.ts";
import { jobEnergy, jobFootprint, jobStatistics } from "./job_statistics.ts";

const TESTDATA = new URL("../../../tests/testdata/emmy/", import.meta.url);

const [SUB] = clusterOf({
  name: "alpha",
  subClusters: [{ name: "main", footprint: ["only_named"] }],
  metricConfig: [
    { name: "load", timestep: 60, footprint: "avg", unit: { base: "load" } },
    {
      name: "mem",
      timestep: 60,
      footprint: "avg",
      subClusters: [{ name: "main", footprint: "max" }],
    },
    { name: "power", timestep: 60, energy: "power" },
    { name: "joule", timestep: 60, energy: "energy" },
    { name: "silent", timestep: 60, energy: "power", footprint: "min" },
  ],
}).subClusters as [SubCluster];

function nodeData(
  values: Readonly<Record<string, readonly [number, number, number][]>>,
): JobData {
  return new Map(
    Object.entries(values).map(([name, nodes]) => [
      name,
      new Map([["node", {
        unit: { base: "?" },
        timestep: 60,
        series: nodes.map(([min, avg, max], i) => ({
          hostname: `h${i}`,
          statistics: { min, avg, max },
          data: new Float64Array(0),
        })),
      }]]),
    ]),
  );
}

const STATISTICS = jobStatistics(
  nodeData({
    load: [[1, 2.004, 3], [0.5, 3, 4.123]],
    mem: [[1, 2, 3]],
    power: [[0, 123.456, 500], [0, 200, 500]],
    joule: [[1, 1, 1]],
  }),
  SUB,
  2,
);

Deno.test("jobStatistics() averages over all nodes, with the unit of the cluster", () => {
  assert.deepEqual(STATISTICS["load"], {
    unit: { base: "load" },
    avg: 2.5,
    min: 0.5,
    max: 4.123,
  });
  // One of the two nodes has no values.
  assert.equal(STATISTICS["mem"]?.avg, 1);
});

Deno.test("jobStatistics() gives those in the record of a real job", async () => {
  const packed = Deno.readFileSync(new URL("1403244-data.json.gz", TESTDATA));
  const data = await readText(gunzipSync(Buffer.from(packed)).toString("utf8"));
  const meta = JSON.parse(
    Deno.readTextFileSync(new URL("1403244-meta.json", TESTDATA)),
  );
  const ours = jobStatistics(data, SUB, meta.numNodes);
  for (const name of ["mem_bw", "clock", "cpu_load", "flops_any", "mem_used"]) {
    const { avg, min, max } = meta.statistics[name];
    const found = ours[name]!;
    // The record was made of averages that were not yet rounded.
    assert.ok(Math.abs(found.avg - avg) <= 0.0101, `${name}: ${found.avg}`);
    assert.deepEqual([found.min, found.max], [min, max], name);
  }
});

Deno.test("jobFootprint() takes the statistic that the sub-cluster itself names", () => {
  assert.deepEqual(jobFootprint(STATISTICS, SUB), {
    load_avg: 2.5,
    mem_max: 3,
    // It has no values.
    silent_min: 0,
  });
});

Deno.test("jobEnergy() is power by nodes and hours in kWh", () => {
  assert.deepEqual(
    jobEnergy(STATISTICS, SUB, { numNodes: 2, duration: 7200 }),
    {
      // 161.73 W on average, two nodes, two hours.
      energyFootprint: { power: 0.65, joule: 0 },
      energy: 0.65,
    },
  );
  assert.deepEqual(jobEnergy({}, SUB, { numNodes: 2, duration: 7200 }), {
    energyFootprint: {},
    energy: 0,
  });
});
