import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { Ajv2020 } from "ajv/dist/2020.js";
import { inDirectory, JOB, META, someData } from "./_archive_fixture.ts";
import { jobDirectory } from "./archive_layout.ts";
import { openJobArchive } from "./job_archive.ts";
import {
  PUBLISHED_SCHEMAS,
  schemaFault,
  type SchemaKind,
} from "./schema_check.ts";

/** What the schemas by the letter say: place and rule of each complaint. */
function complaints(kind: SchemaKind, json: unknown): string[] {
  const [schema, ...schemas] = PUBLISHED_SCHEMAS[kind];
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    allErrors: true,
    schemas,
  });
  const validate = ajv.compile(schema);
  validate(json);
  return (validate.errors ?? []).map((error) =>
    `${error.instancePath} ${error.message}`
  );
}

Deno.test("what JobArchive.write() writes is as published", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    const statistics = { unit: { base: "" }, avg: 1, min: 0, max: 2 };
    const names = ["cpu_load", "cpu_user", "flops_any", "mem_bw", "mem_used"];
    const [node] = someData(500).values();
    assert.ok(node !== undefined);
    await archive.write(
      {
        ...META,
        statistics: Object.fromEntries(names.map((name) => [name, statistics])),
      },
      new Map([...names, "net_bw"].map((name) => [name, node])),
    );
    const directory = jobDirectory(root, JOB);
    const meta = JSON.parse(Deno.readTextFileSync(`${directory}/meta.json`));
    const packed = Deno.readFileSync(`${directory}/data.json.gz`);
    const data = JSON.parse(gunzipSync(Buffer.from(packed)).toString());
    assert.deepEqual(complaints("meta", meta), []);
    // File systems are no metric of any cluster configuration.
    assert.deepEqual(complaints("data", data), [
      " must have required property 'filesystems'",
    ]);
    assert.equal(schemaFault("meta", meta), undefined);
    assert.equal(schemaFault("data", data), undefined);
  }));

const META_JSON = {
  jobId: 1,
  user: "eve",
  project: "p",
  cluster: "alpha",
  subCluster: "cpu",
  numNodes: 1,
  shared: "none",
  startTime: 5,
  jobState: "completed",
  duration: 0,
  resources: [{ hostname: "h" }],
  statistics: {},
};

Deno.test("schemaFault takes what upstream writes: nulls, short jobs, other units", () => {
  const upstream = {
    ...META_JSON,
    energyFootprint: null,
    footprint: null,
    metaData: null,
    concurrentJobs: { items: null, count: 0 },
    statistics: {
      cpu_load: { unit: { base: "load" }, avg: -1, min: -2, max: 0 },
    },
  };
  assert.equal(schemaFault("meta", upstream), undefined);
  const series = {
    hostname: "h",
    statistics: { min: 0, avg: 0, max: 0 },
    data: [null],
  };
  const metric = {
    unit: { base: "Flops/s", prefix: "G" },
    timestep: 60,
    series: [series, { ...series, data: [] }],
    statisticsSeries: { mean: null, median: [null], min: [1], max: [] },
  };
  assert.equal(
    schemaFault("data", { cpu_load: { node: metric } }),
    undefined,
  );
});

Deno.test("schemaFault names place and rule", () => {
  for (const key of Object.keys(META_JSON)) {
    const { [key]: _, ...rest } = META_JSON as Record<string, unknown>;
    assert.match(schemaFault("meta", rest) ?? "", new RegExp(`'${key}'`));
  }
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ jobId: "1" }, /^jobId: must be integer/],
    [{ numNodes: 0 }, /^numNodes: must be > 0/],
    [{ shared: "x" }, /^shared: /],
    [{ jobState: "stopped" }, /^jobState: /],
    [{ resources: [{}] }, /^resources.0: .*'hostname'/],
    [{ tags: [{ name: "n" }] }, /^tags.0: .*'type'/],
    [{ statistics: { mem_bw: { avg: 1 } } }, /^statistics.mem_bw: /],
  ];
  for (const [change, want] of wrong) {
    assert.match(schemaFault("meta", { ...META_JSON, ...change }) ?? "", want);
  }
  assert.match(
    schemaFault("data", { cpu_load: { node: { unit: { base: "" } } } }) ?? "",
    /^cpu_load.node: .*'timestep'/,
  );
  assert.match(schemaFault("data", []) ?? "", /^the file: must be object/);
});
