/** Metadata of jobs in every stage of their lives (job-api 2.10, 7.3; job-api O27). */
import assert from "node:assert/strict";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

const PLACE = { cluster: "fritz", jobId: 1, startTime: HOUR_AGO };

/** Sets an entry and gives the job's metadata as the answer has them. */
async function edit(
  server: JobApiServer,
  id: number,
  key: string,
  value: string,
) {
  const { json } = await server.expect(
    200,
    "PATCH",
    `/api/jobs/edit_meta/${id}`,
    { body: { key, value } },
  );
  assert.equal(json.tags, undefined);
  assert.equal(json.id, id);
  return json.metaData;
}

Deno.test("edit_meta sets an entry of a running job, by both spellings and methods", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(
    minimalJob(1, { tags: [{ type: "t", name: "n" }] }),
  );
  assert.deepEqual(await edit(server, id, "a", "1"), { a: "1" });
  assert.deepEqual(await edit(server, id, "a", "2"), { a: "2" });
  assert.deepEqual(await edit(server, id, "__proto__", ""), {
    a: "2",
    ["__proto__"]: "",
  });
  for (const method of ["PATCH", "POST"]) {
    for (const slash of ["", "/"]) {
      const path = `/api/jobs/edit_meta/${id}${slash}`;
      const body = { key: method + slash, value: "x" };
      await server.expect(200, method, path, { body });
    }
  }
  const { json } = await server.expect(200, "GET", `/api/jobs/${id}`);
  assert.deepEqual(Object.keys(json.Meta.metaData).sort(), [
    ...["PATCH", "PATCH/", "POST", "POST/", "__proto__", "a"],
  ]);
});

Deno.test("edit_meta by key means the job with the highest id", async () => {
  await using server = await JobApiServer.start();
  await server.startJob(minimalJob(1));
  const older = minimalJob(1, { startTime: HOUR_AGO - 200_000 });
  await server.startJob(older);
  const ask = (status: number, body: unknown, slash = "/") =>
    server.expect(status, "PATCH", `/api/jobs/edit_meta${slash}`, { body });
  const payload = { key: "k", value: "v" };
  const last = await ask(200, { jobId: 1, payload });
  assert.equal(last.json.startTime, older.startTime);
  assert.deepEqual(last.json.metaData, { k: "v" });
  const named = await ask(200, { ...PLACE, payload }, "");
  assert.equal(named.json.startTime, HOUR_AGO);
  await ask(422, { jobId: 2, payload });
  await ask(422, { jobId: 1, cluster: "alex", payload });
  await ask(400, { payload });
  await ask(400, { jobId: 1 });
  await ask(400, { jobId: 1, payload: { ...payload, key: "" } });
  await ask(400, { jobId: 1, payload: { ...payload, more: 1 } });
  await server.expect(405, "POST", "/api/jobs/edit_meta/");
});

Deno.test("edit_meta refuses an entry without a key, and a job that is none", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  const ask = (status: number, job: unknown, body: unknown) =>
    server.expect(status, "PATCH", `/api/jobs/edit_meta/${job}`, { body });
  for (
    const body of [{ key: "", value: "v" }, { value: "v" }, { key: 1 }, [], ""]
  ) {
    await ask(400, id, body);
  }
  await ask(400, id, { key: "k", value: "v", more: 1 });
  await ask(404, 999, { key: "k", value: "v" });
  await ask(400, "x", { key: "k", value: "v" });
});

Deno.test("edit_meta changes an archived job in the database and in its file", async () => {
  await using server = await JobApiServer.start();
  for (const metaData of [{ jobName: "a" }, undefined]) {
    const id = await server.startJob(minimalJob(1, { metaData }));
    await server.stopAndArchive(id, HOUR_AGO + 60);
    const expected = { ...metaData, k: "v" };
    assert.deepEqual(await edit(server, id, "k", "v"), expected);
    const { job } = await server.archive.readMeta(PLACE);
    assert.deepEqual(job.metaData, expected);
    await server.expect(200, "DELETE", `/api/jobs/delete_job/${id}`);
  }
});

Deno.test("edit_meta changes a stopped job that has no archive: not monitored, or lost", async () => {
  await using server = await JobApiServer.start();
  const off = await server.startJob(minimalJob(2, { monitoringStatus: 0 }));
  await server.stopAndArchive(off, HOUR_AGO + 60);
  assert.deepEqual(await edit(server, off, "k", "v"), { k: "v" });
  const lost = await server.startJob(minimalJob(1));
  await server.stopAndArchive(lost, HOUR_AGO + 60);
  await server.archive.remove(PLACE);
  assert.deepEqual(await edit(server, lost, "k", "v"), { k: "v" });
  assert.equal(
    (await server.tables.jobs.get(lost))?.metaData?.k,
    "v",
  );
});
