import assert from "node:assert/strict";
import { newJob } from "./_job_fixture.ts";
import { TemporaryDatabase } from "./_fixture.ts";
import type { DatabaseTables } from "./database.ts";

const T = 1_700_000_000;

/** Jobs that ran for `durations` seconds from T on, and were stopped; their ids. */
function stopped(
  { jobs }: DatabaseTables,
  durations: readonly number[],
): number[] {
  return durations.map((duration, i) => {
    const jobId = i + 1;
    const { id } = jobs.start(newJob({ jobId, startTime: T }), []);
    jobs.stop({ jobId, stopTime: T + duration, jobState: "completed" });
    return id;
  });
}

Deno.test("ArchiveQueueTable.due() leaves out what is to be tried later, until retryNow()", () => {
  using fixture = new TemporaryDatabase();
  const { tables } = fixture.open();
  const { archiveQueue } = tables;
  const [one, two] = stopped(tables, [60, 60]);
  const dueAt = (nowSec: number) =>
    archiveQueue.due(10, nowSec).map(({ job }) => job.id);
  assert.deepEqual(archiveQueue.counts().nextAt, 0);
  archiveQueue.noteAttempt(one!);
  archiveQueue.noteFailure(one!, T + 100, "no room");
  assert.deepEqual(dueAt(T + 99), [two]);
  assert.deepEqual(dueAt(T + 100), [one, two]);
  const [failed] = archiveQueue.waiting(1);
  assert.deepEqual(
    [failed?.attempts, failed?.retryAt, failed?.problem],
    [1, T + 100, "no room"],
  );
  const { oldestSince, ...counts } = archiveQueue.counts();
  assert.ok(oldestSince > T);
  assert.deepEqual(counts, { waiting: 2, failing: 1, nextAt: 0 });
  archiveQueue.finish(two!, { monitoringStatus: 3 });
  assert.equal(archiveQueue.counts().nextAt, T + 100);
  assert.equal(archiveQueue.retryNow(), 1);
  assert.equal(archiveQueue.retryNow(), 0);
  assert.deepEqual(dueAt(T), [one]);
});

Deno.test("ArchiveQueueTable.takeUpAgain() takes jobs whose samples may be there, once", () => {
  using fixture = new TemporaryDatabase();
  const { tables } = fixture.open();
  const { archiveQueue, jobs } = tables;
  // The third never was more than a row: it failed over its walltime.
  const ids = stopped(tables, [60, 600, 0]);
  for (const id of ids) archiveQueue.finish(id, { monitoringStatus: 2 });
  assert.equal(archiveQueue.givenUp(), 3);
  assert.equal(archiveQueue.takeUpAgain(T + 600, T + 1000), 1);
  assert.equal(archiveQueue.takeUpAgain(T + 600, T + 1000), 0);
  const [queued, ...others] = archiveQueue.waiting(10);
  assert.deepEqual([queued?.job.id, others], [ids[1], []]);
  assert.equal(queued?.since, T + 1000);
  assert.deepEqual(
    ids.map((id) => jobs.get(id)?.monitoringStatus),
    [2, 1, 2],
  );
  assert.equal(archiveQueue.takeUpAgain(0, T + 1000), 1);
});
