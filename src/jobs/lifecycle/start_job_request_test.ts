import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import type { JobRow, NewJob } from "../../db/job_row.ts";
import { ClientError } from "../../base/errors.ts";
import { jobAnswer } from "../data/job_answer.ts";
import { type ClusterLookup, decodeStartJob } from "./start_job_request.ts";

const NOW = 1_750_000_000;

const CLUSTERS: ClusterLookup = {
  subClusterOfJob({ cluster, subCluster, resources }) {
    if (cluster !== "alpha") {
      throw new ClientError("E_BAD_REQUEST", `cluster: no ${cluster}`);
    }
    if (subCluster !== "" && subCluster !== "cpu") {
      throw new ClientError("E_BAD_REQUEST", `subCluster: no ${subCluster}`);
    }
    if (resources.length === 0) {
      throw new ClientError("E_BAD_REQUEST", "resources: none");
    }
    return { name: "cpu" };
  },
};

const MINIMAL = {
  jobId: 4711,
  user: "eve",
  project: "p1",
  cluster: "alpha",
  numNodes: 1,
  startTime: 1_700_000_000,
  resources: [{ hostname: "a0101" }],
};

/** What the Slurm adapter sends: every key of the object. */
const FULL = {
  ...MINIMAL,
  subCluster: "",
  partition: "main",
  shared: "none",
  jobState: "",
  tags: null,
  energyFootprint: null,
  footprint: null,
  metaData: { jobName: "md", slurmInfo: "x", submitTime: "1700000000" },
  concurrentJobs: { items: null, count: 0 },
  energy: 0,
  arrayJobId: 0,
  walltime: 3600,
  requestedMemory: 128000,
  duration: 0,
  smt: 0,
  monitoringStatus: 1,
  numAcc: 0,
  numHwthreads: 72,
  statistics: null,
  id: null,
  submitTime: 1_699_999_990,
  resources: [{
    hostname: "a0101",
    configuration: "",
    hwthreads: null,
    accelerators: [],
  }],
};

function decode(body: unknown) {
  return decodeStartJob(JSON.stringify(body), CLUSTERS, NOW);
}

function assertRefused(change: Record<string, unknown>, word: string): void {
  assert.throws(() => decode({ ...MINIMAL, ...change }), (error) => {
    assert.ok(error instanceof ClientError, String(error));
    assert.equal(error.code, "E_BAD_REQUEST");
    assert.ok(error.message.includes(word), error.message);
    return true;
  });
}

Deno.test("decodeStartJob fills in what a minimal body leaves out", () => {
  const want: NewJob = {
    jobId: 4711,
    cluster: "alpha",
    subCluster: "cpu",
    user: "eve",
    project: "p1",
    partition: "",
    jobState: "running",
    shared: "none",
    monitoringStatus: 1,
    submitTime: 0,
    startTime: 1_700_000_000,
    duration: 0,
    walltime: 0,
    arrayJobId: 0,
    numNodes: 1,
    numHwthreads: 0,
    numAcc: 0,
    smt: 0,
    requestedMemory: 0,
    energy: 0,
    energyFootprint: null,
    footprint: null,
    resources: [{ hostname: "a0101" }],
    metaData: null,
  };
  assert.deepEqual(decode(MINIMAL), { job: want, tags: [] });
});

Deno.test("decodeStartJob takes the full struct with its zeros and nulls", () => {
  const { job, tags } = decode(FULL);
  assert.deepEqual(tags, []);
  assert.deepEqual(job.resources, [{ hostname: "a0101" }]);
  assert.equal(job.submitTime, 1_699_999_990);
  assert.equal(job.requestedMemory, 128000);
  assert.deepEqual(job.metaData, FULL.metaData);
});

Deno.test("decodeStartJob drops what the server decides and keeps the rest", () => {
  const { job } = decode({
    ...MINIMAL,
    jobState: "completed",
    id: 9,
    energyFootprint: { a: 1 },
    statistics: { m: { unit: { base: "W" }, avg: 1.5, min: 1, max: 2 } },
    concurrentJobs: { items: [{ id: 1, jobId: 2 }], count: 1 },
    footprint: { cpu_load_avg: 1e2 },
    energy: 2.5,
    duration: 7,
  });
  assert.equal(job.jobState, "running");
  assert.equal(job.energyFootprint, null);
  assert.deepEqual(job.footprint, { cpu_load_avg: 100 });
  assert.equal(job.energy, 2.5);
  assert.equal(job.duration, 7);
});

Deno.test("decodeStartJob takes an empty shared as none and smt above 1", () => {
  assert.equal(decode({ ...MINIMAL, shared: "" }).job.shared, "none");
  assert.equal(decode({ ...MINIMAL, smt: 4 }).job.smt, 4);
});

Deno.test("decodeStartJob gives tags without scope the global one", () => {
  const tags = [{ type: "a", name: "b" }, {
    type: "a",
    name: "c",
    scope: "eve",
  }];
  assert.deepEqual(decode({ ...MINIMAL, tags }).tags, [
    { type: "a", name: "b", scope: "global" },
    { type: "a", name: "c", scope: "eve" },
  ]);
  assertRefused({ tags: [{ name: "b" }] }, "tags[0].type");
});

Deno.test("decodeStartJob refuses missing and wrong fields", () => {
  assertRefused({ jobId: undefined }, "jobId");
  assertRefused({ jobId: 0 }, "jobId");
  assertRefused({ jobId: -1 }, "jobId");
  assertRefused({ startTime: undefined }, "startTime");
  assertRefused({ startTime: 0 }, "startTime");
  assertRefused({ startTime: "1" }, "startTime");
  assertRefused({ smt: "1" }, "smt");
  assertRefused({ smt: -1 }, "smt");
  assertRefused({ shared: "x" }, "shared");
  assertRefused({ monitoringStatus: 4 }, "monitoringStatus");
  assertRefused({ monitoringStatus: -1 }, "monitoringStatus");
  assertRefused({ bogus: 1 }, "bogus");
  assertRefused({ resources: [null] }, "resources[0]");
  assertRefused({ tags: [null] }, "tags[0]");
  assertRefused({ metaData: { a: 1 } }, "metaData.a");
  assertRefused({ resources: [{ hostname: "h", hwthreads: [1.5] }] }, "1.5");
});

Deno.test("decodeStartJob runs the checks in the order of the contract", () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ cluster: "zz" }, "cluster"],
    [{ subCluster: "nope" }, "subCluster"],
    [{ resources: [] }, "resources"],
    [{ user: "" }, "user"],
    [{ numAcc: -1 }, "numAcc"],
    [{ numHwthreads: -1 }, "numHwthreads"],
    [{ numNodes: 0 }, "numNodes"],
    [{ numNodes: 5 }, "1 resources"],
  ];
  for (const [i, [change, word]] of wrong.entries()) {
    assertRefused(change, word);
    for (const [later] of wrong.slice(i + 1)) {
      assertRefused({ ...later, ...change }, word);
    }
  }
});

Deno.test("decodeStartJob answers every mutated byte with a job or E_BAD_REQUEST", () => {
  const bytes = new TextEncoder().encode(JSON.stringify(FULL));
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [0x00, 0x22, 0x30, 0x7b, 0x7d, 0x80, 0xff]) {
      const mutated = bytes.slice();
      mutated[at] = change;
      try {
        assert.ok(decodeStartJob(mutated, CLUSTERS, NOW).job.jobId > 0);
      } catch (error) {
        assert.ok(error instanceof ClientError, String(error));
        assert.equal(error.code, "E_BAD_REQUEST");
      }
    }
  }
});

Deno.test("decodeStartJob reads back what jobAnswer has written", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" })
    .map((text) => text.toWellFormed());
  const words = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), name, {
    noNullPrototype: true,
  });
  const resource = fc.record({
    hostname: name,
    hwthreads: fc.array(fc.nat(256), { minLength: 1, maxLength: 4 }),
    accelerators: fc.array(name, { minLength: 1, maxLength: 2 }),
  }, { requiredKeys: ["hostname"], noNullPrototype: true });
  const job = fc.record({
    jobId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    user: name,
    project: fc.string({ unit: "grapheme" }),
    partition: fc.string({ unit: "grapheme" }),
    shared: fc.constantFrom("none", "single_user", "multi_user" as const),
    monitoringStatus: fc.constantFrom(0, 1, 2, 3 as const),
    submitTime: fc.nat(),
    startTime: fc.integer({ min: 1, max: 2 ** 40 }),
    walltime: fc.nat(),
    arrayJobId: fc.nat(),
    numHwthreads: fc.nat(),
    numAcc: fc.nat(),
    smt: fc.nat(8),
    requestedMemory: fc.nat(),
    energy: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
    resources: fc.array(resource, { minLength: 1, maxLength: 4 }),
    metaData: fc.option(words),
  });
  fc.assert(
    fc.property(job, (some) => {
      const row = {
        ...some,
        id: 17,
        cluster: "alpha",
        subCluster: "cpu",
        jobState: "running",
        duration: 60,
        numNodes: some.resources.length,
        energyFootprint: null,
        footprint: null,
      } as JobRow;
      const answer = jobAnswer(row, {
        nowSec: row.startTime + 60,
        withMetaData: true,
      });
      const { id: _, ...want } = row;
      assert.deepEqual(
        decodeStartJob(JSON.stringify(answer), CLUSTERS, Infinity).job,
        want,
      );
    }),
    { numRuns: fuzzRuns(200) },
  );
});
