import assert from "node:assert/strict";
import { TemporaryDatabase } from "./_fixture.ts";
import { newJob } from "./_job_fixture.ts";
import type { TagKey } from "./job_row.ts";

function tag(name: string, scope = "global"): TagKey {
  return { type: "kind", name, scope };
}

Deno.test("TagTable.attach() makes tags once and is idempotent", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, tags } = fixture.open().tables;
  const one = jobs.start(newJob({ jobId: 1 }), []).id;
  const two = jobs.start(newJob({ jobId: 2 }), []).id;
  const first = tags.attach(one, [tag("b"), tag("a"), tag("a", "eve")]);
  assert.deepEqual(tags.attach(two, [tag("b")]), first?.slice(0, 1));
  assert.deepEqual(tags.attach(two, [tag("b")]), first?.slice(0, 1));
  const byJob = tags.forJobs([one, two, 999]);
  assert.deepEqual([...byJob.keys()].sort(), [one, two]);
  assert.deepEqual(
    byJob.get(one)?.map(({ name, scope }) => [name, scope]),
    [["a", "eve"], ["a", "global"], ["b", "global"]],
  );
  assert.deepEqual(byJob.get(two), first?.slice(0, 1));
  assert.equal(tags.forJobs([]).size, 0);
});

Deno.test("TagTable.attach() makes no tag for a job that does not exist", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, tags } = fixture.open().tables;
  assert.equal(tags.attach(1, [tag("a")]), undefined);
  const { id } = jobs.start(newJob({ jobId: 1 }), []);
  assert.deepEqual(tags.detach(id, [tag("a")]), [tag("a")]);
});

Deno.test("TagTable.detach() passes over what a job does not have and names what is unknown", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, tags } = fixture.open().tables;
  const one = jobs.start(newJob({ jobId: 1 }), [tag("a"), tag("b")]).id;
  const two = jobs.start(newJob({ jobId: 2 }), [tag("c")]).id;
  const unknown = tags.detach(one, [tag("a"), tag("c"), tag("b", "eve")]);
  assert.deepEqual(unknown, [tag("b", "eve")]);
  assert.deepEqual(tags.forJobs([one]).get(one)?.map((t) => t.name), ["b"]);
  assert.equal(tags.forJobs([two]).size, 1);
});

Deno.test("TagTable.remove() takes tags from every job and tells whose archives name them", () => {
  using fixture = new TemporaryDatabase();
  const { jobs, tags } = fixture.open().tables;
  const all = [tag("a"), tag("b"), tag("c")];
  const running = jobs.start(newJob({ jobId: 1 }), all).id;
  const stopped = jobs.start(
    newJob({ jobId: 2, jobState: "completed" }),
    all,
  ).id;
  assert.deepEqual(tags.remove([tag("a"), tag("b"), tag("x")]), {
    removed: 2,
    unknown: [tag("x")],
    stoppedJobs: [stopped],
  });
  for (const id of [running, stopped]) {
    assert.deepEqual(tags.forJobs([id]).get(id)?.map((t) => t.name), ["c"]);
  }
});
