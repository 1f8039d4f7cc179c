import assert from "node:assert/strict";
import { TemporaryDatabase } from "./_fixture.ts";
import { newJob } from "./_job_fixture.ts";
import type { JobKey, NewJob, TagKey } from "./job_row.ts";
import { inSlices } from "./job_slices.ts";
import type { JobTable } from "./job_table.ts";

const DAY = 86400;
const T = 1_000_000;

function insert(jobs: JobTable, job: Partial<NewJob> & { jobId: number }) {
  const { id, isNew } = jobs.start(newJob(job), []);
  assert.ok(isNew);
  return id;
}

Deno.test("JobTable.start() keeps every field", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const full: NewJob = {
    jobId: 2n ** 63n - 1n,
    cluster: "alpha",
    subCluster: "gpu",
    user: "eve",
    project: "p1",
    partition: "main",
    jobState: "out_of_memory",
    shared: "multi_user",
    monitoringStatus: 3,
    submitTime: 5,
    startTime: T,
    duration: 6,
    walltime: 7,
    arrayJobId: -(2n ** 63n),
    numNodes: 2,
    numHwthreads: 144,
    numAcc: 8,
    smt: 2,
    requestedMemory: 2 ** 33,
    energy: 1.25,
    energyFootprint: { cpu_power: 0.5 },
    footprint: { cpu_load_avg: 3.5 },
    resources: [
      { hostname: "a0101", hwthreads: [0, 1], accelerators: ["00:01.0"] },
      { hostname: "a0102", configuration: "x" },
    ],
    metaData: { jobName: "näme", jobScript: "#!/bin/sh\n" },
  };
  const { id } = jobs.start(full, []);
  assert.deepEqual(jobs.get(id), { id, ...full });
  const [brief] = jobs.list({}, { limit: 1 });
  assert.deepEqual(brief, { id, ...full, metaData: null });
  const [whole] = jobs.list({}, { limit: 1, withMetaData: true });
  assert.deepEqual(whole, { id, ...full });
});

Deno.test("JobTable.start() takes a start less than a day away for the same job", () => {
  // The test vectors of the contract.
  for (
    const [startTime, isNew] of [
      [T, false],
      [T - 1, false],
      [T + DAY - 1, false],
      [T + DAY, true],
      [900_000, true],
      [T - DAY, true],
      [T - DAY + 1, false],
    ] as const
  ) {
    using fixture = new TemporaryDatabase();
    const { jobs } = fixture.open().tables;
    const known = insert(jobs, { jobId: 9, jobState: "running" });
    insert(jobs, { jobId: 9, cluster: "beta", startTime });
    insert(jobs, { jobId: 8, startTime });
    const outcome = jobs.start(newJob({ jobId: 9, startTime }), []);
    assert.equal(outcome.isNew, isNew, `start at ${startTime}`);
    assert.equal(outcome.id === known, !isNew);
    assert.equal(jobs.count({}), isNew ? 4 : 3);
  }
});

Deno.test("JobTable.start() attaches its tags, or nothing of it happens", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, tags } = fixture.open().tables;
  const tag = { type: "a", name: "b", scope: "global" };
  const { id } = jobs.start(newJob({ jobId: 1 }), [tag, tag]);
  assert.deepEqual(tags.forJobs([id]).get(id)?.map(({ name }) => name), ["b"]);
  const bad = { ...tag, name: null as unknown as string };
  assert.throws(() => jobs.start(newJob({ jobId: 2 }), [tag, bad]));
  assert.equal(jobs.findByKey({ jobId: 2 }), undefined);
});

Deno.test("JobTable refuses values that are none of an enumeration", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  for (
    const wrong of [
      { jobState: "stopped" },
      { shared: "" },
      { monitoringStatus: 4 },
    ]
  ) {
    const job = { ...newJob({ jobId: 1 }), ...wrong } as NewJob;
    assert.throws(() => jobs.start(job, []), /CHECK/);
  }
});

Deno.test("JobTable.delete() frees no id for another job", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const first = insert(jobs, { jobId: 1 });
  assert.ok(jobs.delete(first));
  assert.ok(!jobs.delete(first));
  assert.ok(insert(jobs, { jobId: 1 }) > first);
});

Deno.test("JobTable.findByKey() wants all that is given and takes the highest id", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const late = insert(jobs, { jobId: 1, startTime: T + 5 * DAY });
  const early = insert(jobs, { jobId: 1, startTime: T });
  const beta = insert(jobs, { jobId: 1, cluster: "beta", startTime: T });
  const find = (key: Omit<JobKey, "jobId">) =>
    jobs.findByKey({ jobId: 1, ...key })?.id;
  assert.equal(find({}), beta);
  assert.equal(find({ cluster: "alpha" }), early);
  assert.equal(find({ startTime: T + 5 * DAY }), late);
  assert.equal(find({ clusters: ["alpha", "gamma"] }), early);
  assert.equal(find({ clusters: [] }), undefined);
  assert.equal(find({ cluster: "beta", clusters: ["alpha"] }), undefined);
  assert.equal(jobs.findByKey({ jobId: 2 }), undefined);
  assert.equal(jobs.deleteByKey({ jobId: 1, cluster: "alpha" }), early);
  assert.equal(jobs.deleteByKey({ jobId: 1, cluster: "alpha" }), late);
  assert.equal(jobs.deleteByKey({ jobId: 1, cluster: "alpha" }), undefined);
});

Deno.test("JobTable.start() takes a run after a requeue as a new job once every run has ended", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const start = (startTime: number) =>
    jobs.start(newJob({ jobId: 9, startTime, jobState: "running" }), []);
  const stop = (stopTime: number) =>
    jobs.stop({ jobId: 9, stopTime, jobState: "preempted" });
  const first = start(T);
  // It runs still: any start of that day is the same one.
  assert.deepEqual(start(T + 200), { id: first.id, isNew: false });
  assert.equal(stop(T + 100).kind, "stopped");
  assert.deepEqual(start(T + 99), { id: first.id, isNew: false });
  const second = start(T + 100);
  assert.ok(second.isNew && second.id > first.id);
  // The first stop told again is not the end of the second run.
  for (const stopTime of [T + 50, T + 100]) {
    const again = stop(stopTime);
    assert.equal(again.kind, "not-running");
    assert.equal("job" in again && again.job.id, first.id);
  }
  assert.equal(jobs.get(second.id)?.jobState, "running");
  assert.equal(stop(T + 300).kind, "stopped");
  assert.deepEqual(start(T), { id: first.id, isNew: false });
  assert.deepEqual(start(T + 100), { id: second.id, isNew: false });
  assert.deepEqual(start(T + 299), { id: second.id, isNew: false });
  assert.ok(start(T + 300).isNew);
  // A run that is named by its start may end as it began.
  const named = jobs.stop({
    ...{ jobId: 9, startTime: T + 300, stopTime: T + 300 },
    jobState: "failed",
  });
  assert.equal(named.kind, "stopped");
  assert.equal(start(T + 300).isNew, false);
});

Deno.test("JobTable.stop() of another cluster's run is no reason to refuse one", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  insert(jobs, {
    ...{ jobId: 1, cluster: "beta", startTime: T - 50, duration: 100 },
    jobState: "completed",
  });
  const id = insert(jobs, { jobId: 1, startTime: T, jobState: "running" });
  const stop = { jobId: 1, stopTime: T, jobState: "failed" } as const;
  const outcome = jobs.stop(stop);
  assert.equal(outcome.kind === "stopped" && outcome.job.id, id);
});

Deno.test("JobTable.stop() refuses a duration beyond 32 bits", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const id = insert(jobs, { jobId: 1, startTime: T, jobState: "running" });
  const stop = (stopTime: number) =>
    jobs.stop({ jobId: 1, stopTime, jobState: "failed" }).kind;
  assert.equal(stop(T + 2 ** 31), "too-long");
  assert.equal(jobs.get(id)?.jobState, "running");
  assert.equal(stop(T + 2 ** 31 - 1), "stopped");
});

Deno.test("JobTable.judgeStop() prefers running jobs, then the latest start", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const old = insert(jobs, { jobId: 1, startTime: T });
  const running = insert(jobs, { jobId: 1, startTime: T - 5 * DAY });
  const stopped = insert(jobs, {
    jobId: 1,
    startTime: T + 5 * DAY,
    jobState: "completed",
  });
  const stop = { jobId: 1, stopTime: T + DAY, jobState: "failed" } as const;
  const judged = () => {
    const judgement = jobs.judgeStop(stop);
    return "job" in judgement ? judgement.job.id : undefined;
  };
  assert.equal(judged(), old);
  assert.equal(jobs.stop(stop).kind, "stopped");
  assert.equal(judged(), running);
  assert.equal(jobs.stop(stop).kind, "stopped");
  assert.equal(judged(), stopped);
});

Deno.test("JobTable.stop() ends a job once and queues it for the archive", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, archiveQueue } = fixture.open().tables;
  const id = insert(jobs, { jobId: 1, metaData: { a: "b" } });
  const request = { jobId: 1, jobState: "timeout" } as const;
  const early = jobs.stop({ ...request, stopTime: T - 1 });
  assert.equal(early.kind, "too-early");
  assert.equal(archiveQueue.size(), 0);
  const outcome = jobs.stop({ ...request, stopTime: T });
  assert.deepEqual(outcome, {
    kind: "stopped",
    job: { id, ...newJob({ jobId: 1, jobState: "timeout" }) },
  });
  assert.equal(jobs.get(id)?.jobState, "timeout");
  assert.equal(jobs.stop({ ...request, stopTime: T }).kind, "not-running");
  assert.equal(
    jobs.stop({ ...request, jobId: 2, stopTime: T }).kind,
    "not-found",
  );
  assert.equal(archiveQueue.size(), 1);
});

Deno.test("JobTable.stop() does not queue a job that is not monitored", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, archiveQueue } = fixture.open().tables;
  insert(jobs, { jobId: 1, monitoringStatus: 0 });
  const outcome = jobs.stop({
    ...{ jobId: 1, stopTime: T + 60, jobState: "completed" },
  });
  assert.equal(outcome.kind === "stopped" && outcome.job.duration, 60);
  assert.equal(archiveQueue.size(), 0);
});

Deno.test("ArchiveQueueTable keeps jobs over a restart until they are finished", () => {
  using fixture = new TemporaryDatabase();
  const tag: TagKey = { type: "a", name: "b", scope: "eve" };
  const metaData = { jobName: "x" };
  const first = fixture.open();
  for (const jobId of [1, 2, 3]) {
    first.tables.jobs.start(newJob({ jobId, metaData }), [tag]);
    first.tables.jobs.stop({ jobId, stopTime: T, jobState: "completed" });
  }
  const { jobs, archiveQueue } = fixture.open().tables;
  const [one, two, three] = archiveQueue.waiting(10);
  assert.equal(archiveQueue.waiting(2).length, 2);
  assert.deepEqual(one?.job.metaData, metaData);
  assert.deepEqual(one?.tags.map(({ scope }) => scope), ["eve"]);
  archiveQueue.noteAttempt(one!.job.id);
  assert.deepEqual(
    archiveQueue.waiting(10).map(({ attempts }) => attempts),
    [1, 0, 0],
  );
  const results = { monitoringStatus: 3, energy: 2.5 } as const;
  assert.ok(archiveQueue.finish(one!.job.id, results));
  jobs.delete(two!.job.id);
  assert.ok(!archiveQueue.finish(two!.job.id, { monitoringStatus: 2 }));
  assert.deepEqual(
    archiveQueue.waiting(10).map(({ job }) => job.id),
    [three!.job.id],
  );
  assert.deepEqual(jobs.get(one!.job.id), { ...one!.job, ...results });
});

Deno.test("JobTable.importJobs() adds what is not there and leaves the rest", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, tags } = fixture.open().tables;
  const id = insert(jobs, { jobId: 1, user: "adam" });
  const imported = (jobId: number, startTime = T) => ({
    job: newJob({ jobId, startTime }),
    tags: [{ type: "a", name: "b", scope: "global" }],
  });
  assert.equal(
    jobs.importJobs([imported(1), imported(1, T + 5), imported(2)]),
    2,
  );
  assert.equal(jobs.importJobs([imported(2)]), 0);
  assert.equal(jobs.get(id)?.user, "adam");
  assert.equal(tags.forJobs([id]).size, 0);
  assert.equal(jobs.count({}), 3);
});

Deno.test("JobTable.deleteBefore() goes on to the end in slices and spares what it is told", async () => {
  for (
    const [omitTagged, left] of [
      ["none", 0],
      ["all", 600],
      ["user", 200],
    ] as const
  ) {
    using fixture = new TemporaryDatabase();
    const { jobs, tags } = fixture.open().tables;
    const types = ["app", "own", "jobClass"];
    jobs.importJobs(Array.from({ length: 2000 }, (_, i) => ({
      // Many begin at the same second.
      job: newJob({ jobId: i + 1, startTime: T + i % 7 }),
      tags: i < 600
        ? [{ type: types[i % 3]!, name: "x", scope: "global" }]
        : [],
    })));
    insert(jobs, { jobId: 5000, startTime: T + 10 });
    let slices = 0;
    const deleted = await inSlices((after) => {
      slices++;
      const slice = jobs.deleteBefore(T + 10, omitTagged, after);
      assert.ok(slice.count <= 500);
      return slice;
    });
    assert.equal(deleted, 2000 - left);
    assert.ok(slices >= 4);
    assert.equal(jobs.count({}), left + 1);
    const ids = jobs.list({}, { limit: 1000 }).map(({ id }) => id);
    assert.equal(tags.forJobs(ids).size, left);
  }
});

Deno.test("JobTable.oldJobs() finds in parts what deleteJobs() may delete", () => {
  for (
    const [omitTagged, wanted] of [["none", 900], ["all", 600]] as const
  ) {
    using fixture = new TemporaryDatabase();
    const { jobs } = fixture.open().tables;
    jobs.importJobs(Array.from({ length: 1800 }, (_, i) => ({
      job: newJob({
        jobId: i + 1,
        startTime: T + i % 7,
        jobState: i % 2 === 0 ? "running" : "failed",
      }),
      tags: i % 3 === 0 ? [{ type: "a", name: "x", scope: "global" }] : [],
    })));
    const late = insert(jobs, { jobId: 5000, startTime: T + 10 });
    const ids: number[] = [];
    let part = jobs.oldJobs(T + 10, omitTagged);
    while (part.next !== undefined) {
      ids.push(...part.jobs.map(({ id }) => id));
      part = jobs.oldJobs(T + 10, omitTagged, part.next);
    }
    ids.push(...part.jobs.map(({ id }) => id));
    assert.equal(new Set(ids).size, wanted);
    jobs.deleteJobs(ids);
    assert.equal(jobs.count({ states: ["failed"] }), 900 - wanted);
    assert.equal(jobs.count({ states: ["running"] }), 901);
    assert.ok(!ids.includes(late));
  }
});

Deno.test("JobTable.updateDurations() counts from the start of each running job", async () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  jobs.importJobs(Array.from({ length: 1200 }, (_, i) => ({
    job: newJob({ jobId: i + 1, startTime: T + Math.floor(i / 3) }),
    tags: [],
  })));
  const done = insert(jobs, { jobId: 5000, jobState: "failed", duration: 3 });
  const now = T + 100;
  assert.equal(
    await inSlices((after) => jobs.updateDurations(now, after)),
    1200,
  );
  for (const job of jobs.list({ states: ["running"] }, { limit: 1000 })) {
    assert.equal(job.duration, Math.max(0, now - job.startTime));
  }
  assert.equal(jobs.get(done)?.duration, 3);
});

Deno.test("JobTable.failOverdue() ends what is past its walltime and the grace", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, archiveQueue } = fixture.open().tables;
  const overdue = insert(jobs, { jobId: 1, walltime: 99, duration: 50 });
  const inTime = insert(jobs, { jobId: 2, walltime: 100 });
  const endless = insert(jobs, { jobId: 3, walltime: 0 });
  const done = insert(jobs, { jobId: 4, walltime: 9, jobState: "completed" });
  assert.equal(jobs.failOverdue(T + 160, 60), 1);
  const { jobState, duration, monitoringStatus } = jobs.get(overdue)!;
  assert.deepEqual([jobState, duration, monitoringStatus], ["failed", 0, 2]);
  assert.equal(jobs.get(inTime)?.jobState, "running");
  assert.equal(jobs.get(endless)?.jobState, "running");
  assert.equal(jobs.get(done)?.jobState, "completed");
  assert.equal(archiveQueue.size(), 0);
});

Deno.test("JobTable.updateMetadata() sets one entry, whatever its name", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const id = insert(jobs, { jobId: 1 });
  jobs.updateMetadata(id, "a", "1");
  jobs.updateMetadata(id, "__proto__", "2");
  const job = jobs.updateMetadata(id, "a", "3");
  const entries = [["a", "3"], ["__proto__", "2"]];
  assert.deepEqual(Object.entries(job?.metaData ?? {}), entries);
  assert.deepEqual(Object.entries(jobs.get(id)?.metaData ?? {}), entries);
  assert.equal(jobs.updateMetadata(id + 1, "a", "1"), undefined);
});

Deno.test("JobTable.setFootprints() leaves jobs alone that have ended", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const running = insert(jobs, { jobId: 1 });
  const ended = insert(jobs, { jobId: 2, jobState: "completed" });
  const footprint = { cpu_load_avg: 1.5 };
  jobs.setFootprints(new Map([[running, footprint], [ended, footprint]]));
  assert.deepEqual(jobs.get(running)?.footprint, footprint);
  assert.equal(jobs.get(ended)?.footprint, null);
});

Deno.test("JobTable.usedNodes() names each host of earlier running jobs once", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  const on = (...hosts: string[]) => ({
    resources: hosts.map((hostname) => ({ hostname })),
  });
  insert(jobs, { jobId: 1, ...on("a2", "a1") });
  insert(jobs, { jobId: 2, ...on("a1", "a3"), startTime: T + 1 });
  insert(jobs, { jobId: 3, ...on("b1"), cluster: "__proto__" });
  insert(jobs, { jobId: 4, ...on("a9"), startTime: T + 2 });
  insert(jobs, { jobId: 5, ...on("c1"), cluster: "c", jobState: "failed" });
  assert.deepEqual([...jobs.usedNodes(T + 2)], [
    ["__proto__", ["b1"]],
    ["alpha", ["a1", "a2", "a3"]],
  ]);
});
