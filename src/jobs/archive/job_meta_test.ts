import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import {
  JOB_STATES,
  MONITORING_STATUSES,
  SHARED_KINDS,
} from "../../db/job_row.ts";
import { JOB, META } from "./_archive_fixture.ts";
import { editJobMeta, readJobMeta, writeJobMeta } from "./job_meta.ts";

const PLACE = {
  cluster: JOB.cluster,
  jobId: JOB.jobId,
  startTime: JOB.startTime,
};

/** The least a file must say. */
const LEAST = {
  ...PLACE,
  jobState: "completed",
  resources: [{ hostname: "a" }, { hostname: "b" }],
};

Deno.test("readJobMeta fills in what old files lack", () => {
  const { job, tags, statistics } = readJobMeta({
    ...LEAST,
    stopTime: PLACE.startTime + 90,
    nobodyKnows: [1],
  }, PLACE);
  assert.equal(job.duration, 90);
  assert.equal(job.numNodes, 2);
  assert.equal(job.shared, "none");
  assert.equal(job.monitoringStatus, 1);
  assert.equal(job.id, 0);
  assert.equal(job.user, "");
  assert.equal(job.metaData, null);
  assert.deepEqual(tags, []);
  assert.deepEqual(statistics, {});
});

Deno.test("readJobMeta understands what came before shared", () => {
  const sharedOf = (json: Record<string, unknown>) =>
    readJobMeta({ ...LEAST, ...json }, PLACE).job.shared;
  assert.equal(sharedOf({ exclusive: 0 }), "multi_user");
  assert.equal(sharedOf({ exclusive: 1 }), "none");
  assert.equal(sharedOf({ exclusive: 2 }), "single_user");
  assert.equal(sharedOf({ exclusive: 2, shared: "none" }), "none");
});

Deno.test("readJobMeta reads states of older files as those of today, and says which word was there", () => {
  const stateOf = (jobState: string) => {
    const { job, formerState } = readJobMeta({ ...LEAST, jobState }, PLACE);
    return [job.jobState, formerState];
  };
  assert.deepEqual(stateOf("stopped"), ["cancelled", "stopped"]);
  assert.deepEqual(stateOf("canceled"), ["cancelled", "canceled"]);
  assert.deepEqual(stateOf("cancelled"), ["cancelled", undefined]);
});

Deno.test("readJobMeta knows that an archived job has ended", () => {
  for (
    const [written, read] of [
      ["running", "failed"],
      ["suspended", "failed"],
      ["pending", "preempted"],
    ]
  ) {
    const { job, formerState } = readJobMeta(
      { ...LEAST, jobState: written, duration: 90 },
      PLACE,
    );
    assert.deepEqual(
      [job.jobState, formerState, job.duration],
      [read, written, 90],
    );
  }
});

Deno.test("readJobMeta takes values of another type as missing", () => {
  const { job, tags, statistics } = readJobMeta({
    ...LEAST,
    user: 5,
    walltime: "1",
    smt: 1.5,
    tags: [null, { type: "t" }, { type: "t", name: "n" }],
    metaData: { a: 1, b: null, c: "d" },
    footprint: { x: "1", y: 2 },
    statistics: {
      filesystems: [],
      mem_used: { unit: "GB", avg: 1, min: 0, max: 2 },
    },
  }, PLACE);
  assert.deepEqual([job.user, job.walltime, job.smt], ["", 0, 0]);
  assert.deepEqual(tags, [{ type: "t", name: "n", scope: "global" }]);
  assert.deepEqual(job.metaData, { a: "1", c: "d" });
  assert.deepEqual(job.footprint, { y: 2 });
  assert.deepEqual(statistics, {
    mem_used: { unit: { base: "GB" }, avg: 1, min: 0, max: 2 },
  });
});

Deno.test("readJobMeta refuses what is no job, or another one", () => {
  const wrong: [unknown, RegExp][] = [
    [null, /the file/],
    [{}, /cluster/],
    [{ ...LEAST, jobId: Number(PLACE.jobId) + 1 }, /jobId.*where it lies/],
    [{ ...LEAST, startTime: "5" }, /startTime/],
    [{ ...LEAST, jobState: "Stopped" }, /jobState.*"Stopped"/],
    [{ ...LEAST, jobState: "toString" }, /jobState.*"toString"/],
    [{ ...LEAST, jobState: ["stopped"] }, /jobState/],
    [{ ...LEAST, shared: "x" }, /shared/],
    [{ ...LEAST, resources: null }, /resources/],
    [{ ...LEAST, resources: [null] }, /resources.0/],
    [{ ...LEAST, resources: [{}] }, /resources.0.hostname/],
  ];
  for (const [json, want] of wrong) {
    assert.throws(
      () => readJobMeta(json, PLACE),
      (error) => error instanceof SyntaxError && want.test(error.message),
    );
  }
});

Deno.test("readJobMeta answers every mutated byte with a job or a SyntaxError", () => {
  const bytes = new TextEncoder().encode(writeJobMeta(META));
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [0x00, 0x22, 0x30, 0x6e, 0x7b, 0x7d, 0xff]) {
      const mutated = bytes.slice();
      mutated[at] = change;
      try {
        readJobMeta(JSON.parse(decoder.decode(mutated)), PLACE);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }
  }
});

Deno.test("readJobMeta reads back what writeJobMeta has written", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" });
  const count = fc.nat();
  const size = fc.double({ noNaN: true, noDefaultInfinity: true })
    .map((one) => one + 0);
  const key = fc.stringMatching(/^[a-z]{1,5}$/);
  const map = <Value>(value: fc.Arbitrary<Value>) =>
    fc.dictionary(key, value, { noNullPrototype: true });
  const meta = fc.record({
    job: fc.record({
      id: count,
      cluster: fc.constant(JOB.cluster),
      jobId: fc.constant(JOB.jobId),
      startTime: fc.constant(JOB.startTime),
      subCluster: name,
      user: name,
      project: fc.string(),
      partition: fc.string(),
      jobState: fc.constantFrom(
        ...JOB_STATES.filter((state) =>
          !["pending", "running", "suspended"].includes(state)
        ),
      ),
      shared: fc.constantFrom(...SHARED_KINDS),
      monitoringStatus: fc.constantFrom(...MONITORING_STATUSES),
      submitTime: count,
      duration: count,
      walltime: count,
      arrayJobId: count,
      numNodes: fc.integer({ min: 1, max: 9 }),
      numHwthreads: count,
      numAcc: count,
      smt: count,
      requestedMemory: count,
      energy: size,
      energyFootprint: fc.option(map(size)),
      footprint: fc.option(map(size)),
      resources: fc.array(
        fc.record({
          hostname: name,
          hwthreads: fc.array(fc.nat(), { minLength: 1 }),
        }, { requiredKeys: ["hostname"], noNullPrototype: true }),
      ),
      metaData: fc.option(map(fc.string({ unit: "grapheme" }))),
    }, { noNullPrototype: true }),
    tags: fc.array(
      fc.record({ type: name, name, scope: name }, { noNullPrototype: true }),
    ),
    statistics: map(
      fc.record({
        unit: fc.constantFrom({ base: "W" }, { base: "B", prefix: "G" }),
        avg: size,
        min: size,
        max: size,
      }, { noNullPrototype: true }),
    ),
  }, { noNullPrototype: true });
  fc.assert(
    fc.property(meta, (want) => {
      const read = readJobMeta(JSON.parse(writeJobMeta(want)), PLACE);
      assert.deepEqual(read, want);
    }),
    { numRuns: fuzzRuns(200) },
  );
});

Deno.test("editJobMeta adds metadata where there is none, or null", () => {
  for (const old of [{}, { metaData: null }, { metaData: [] }]) {
    const text = editJobMeta(JSON.stringify(old), { metaData: { k: "v" } });
    assert.deepEqual(JSON.parse(text), { metaData: { k: "v" } });
  }
});
