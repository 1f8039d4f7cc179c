/** Deleting jobs from the database (job-api 2.11). */
import assert from "node:assert/strict";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

async function left(server: JobApiServer): Promise<number[]> {
  const { json } = await server.expect(200, "GET", "/api/jobs/");
  return json.jobs.map(({ jobId }: { jobId: number }) => jobId).sort();
}

Deno.test("delete_job by id deletes a job, running or not, and does not mind one that is none", async () => {
  await using server = await JobApiServer.start();
  const running = await server.startJob(minimalJob(1));
  const stopped = await server.startJob(minimalJob(2));
  await server.stopAndArchive(stopped, HOUR_AGO + 60);
  const path = (id: unknown) => `/api/jobs/delete_job/${id}`;
  const { json } = await server.expect(200, "DELETE", path(running));
  assert.deepEqual(json, { msg: `Successfully deleted job ${running}` });
  await server.expect(200, "DELETE", `${path(stopped)}/`);
  await server.expect(200, "DELETE", path(running));
  await server.expect(200, "DELETE", path(-4));
  await server.expect(400, "DELETE", path("x"));
  assert.deepEqual(await left(server), []);
  // The archive keeps what it has.
  await Deno.stat(`${server.archiveRoot}/fritz/0/002/${HOUR_AGO}/meta.json`);
  for (const method of ["GET", "POST", "PUT", "PATCH"]) {
    await server.expect(405, method, path(1));
  }
});

Deno.test("delete_job by key deletes the newest match", async () => {
  await using server = await JobApiServer.start();
  const older = HOUR_AGO - 200_000;
  await server.startJob(minimalJob(1));
  await server.startJob(minimalJob(1, { startTime: older }));
  const remove = (status: number, body: unknown, slash = "/") =>
    server.expect(status, "DELETE", `/api/jobs/delete_job${slash}`, { body });
  await remove(422, { jobId: 1, cluster: "alex" });
  await remove(422, { jobId: 1, startTime: 5 });
  await remove(422, { jobId: 2 });
  await remove(400, { cluster: "fritz" });
  await remove(400, { jobId: 1, bogus: 1 });
  await remove(400, "");
  await remove(200, { jobId: 1, cluster: "fritz", startTime: HOUR_AGO }, "");
  const { json } = await server.expect(200, "GET", "/api/jobs/");
  assert.equal(json.jobs[0].startTime, older);
  await remove(200, { jobId: 1 });
  await remove(422, { jobId: 1 });
});

Deno.test("delete_job_before deletes what began before, and spares tagged jobs as it is told", async () => {
  const tag = (type: string) => [{ type, name: "n", scope: "global" }];
  const cases: [string, number[]][] = [
    ["", [5]],
    ["?omit-tagged=none", [5]],
    ["?omit-tagged=user", [2, 5]],
    ["?omit-tagged=all", [2, 3, 4, 5]],
  ];
  for (const [search, expected] of cases) {
    await using server = await JobApiServer.start();
    await server.startJob(minimalJob(1));
    await server.startJob(minimalJob(2, { tags: tag("t") }));
    await server.startJob(minimalJob(3, { tags: tag("app") }));
    await server.startJob(minimalJob(4, { tags: tag("jobClass") }));
    await server.startJob(minimalJob(5, { startTime: HOUR_AGO + 1 }));
    const path = `/api/jobs/delete_job_before/${HOUR_AGO + 1}`;
    for (const word of ["All", "tagged", ""]) {
      await server.expect(400, "DELETE", `${path}?omit-tagged=${word}`);
    }
    await server.expect(400, "DELETE", "/api/jobs/delete_job_before/x");
    const { json } = await server.expect(200, "DELETE", path + search);
    const count = 5 - expected.length;
    assert.deepEqual(json, { msg: `Successfully deleted ${count} jobs` });
    assert.deepEqual(await left(server), expected, search);
  }
});
