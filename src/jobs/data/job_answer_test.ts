import assert from "node:assert/strict";
import type { JobRow } from "../../db/job_row.ts";
import { durationAt, jobAnswer } from "./job_answer.ts";

const ROW: JobRow = {
  id: 17,
  jobId: 4711,
  cluster: "alpha",
  subCluster: "cpu",
  user: "eve",
  project: "p1",
  partition: "main",
  jobState: "completed",
  shared: "none",
  monitoringStatus: 1,
  submitTime: 0,
  startTime: 1_700_000_000,
  duration: 60,
  walltime: 3600,
  arrayJobId: 0,
  numNodes: 1,
  numHwthreads: 0,
  numAcc: 0,
  smt: 0,
  requestedMemory: 0,
  energy: 0,
  energyFootprint: { cpu_power: 1 },
  footprint: null,
  resources: [{ hostname: "a0101" }],
  metaData: { jobName: "md" },
};

Deno.test("jobAnswer writes the keys of the contract's example in its order", () => {
  assert.equal(
    JSON.stringify(jobAnswer(ROW, { nowSec: 0 })),
    '{"cluster":"alpha","subCluster":"cpu","partition":"main","project":"p1",' +
      '"user":"eve","shared":"none","jobState":"completed",' +
      '"resources":[{"hostname":"a0101"}],"energyFootprint":null,"footprint":null,' +
      '"metaData":null,"concurrentJobs":{"items":null,"count":0},"energy":0,' +
      '"walltime":3600,"jobId":4711,"duration":60,"monitoringStatus":1,' +
      '"numNodes":1,"statistics":null,"id":17,"startTime":1700000000}',
  );
});

Deno.test("jobAnswer leaves out what says nothing, but never the monitoring status", () => {
  const answer = jobAnswer(
    { ...ROW, partition: "", walltime: 0, project: "", monitoringStatus: 0 },
    { nowSec: 0, tags: [] },
  );
  assert.ok(!("partition" in answer));
  assert.ok(!("walltime" in answer));
  assert.ok(!("tags" in answer));
  assert.equal(answer.project, "");
  assert.equal(answer.monitoringStatus, 0);
});

Deno.test("jobAnswer shows submit time and requested memory when they are known", () => {
  const answer = jobAnswer(
    {
      ...ROW,
      submitTime: 1_699_999_000,
      requestedMemory: 5,
      arrayJobId: 3,
      smt: 2,
      numAcc: 1,
      numHwthreads: 4,
    },
    { nowSec: 0 },
  );
  assert.equal(answer.submitTime, 1_699_999_000);
  assert.equal(answer.requestedMemory, 5);
  assert.equal(answer.arrayJobId, 3);
  assert.equal(answer.smt, 2);
  assert.equal(answer.numAcc, 1);
  assert.equal(answer.numHwthreads, 4);
});

Deno.test("jobAnswer adds tags, metadata and statistics where the route has them", () => {
  const tag = { id: 3, type: "t", name: "n", scope: "global" };
  const statistics = {
    cpu_load: { unit: { base: "" }, avg: 1, min: 0, max: 2 },
  };
  const answer = jobAnswer(ROW, {
    nowSec: 0,
    tags: [tag],
    withMetaData: true,
    statistics,
  });
  assert.equal(
    JSON.stringify(answer.tags),
    '[{"type":"t","name":"n","scope":"global","id":3}]',
  );
  assert.deepEqual(answer.metaData, { jobName: "md" });
  assert.deepEqual(answer.statistics, statistics);
});

Deno.test("durationAt counts up to now only while the job runs", () => {
  const running = { ...ROW, jobState: "running" as const };
  assert.equal(durationAt(running, ROW.startTime + 7), 7);
  assert.equal(durationAt(running, ROW.startTime - 7), 0);
  assert.equal(durationAt(ROW, ROW.startTime + 7), 60);
});
