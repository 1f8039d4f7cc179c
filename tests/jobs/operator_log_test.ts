/** What the log tells an operator of jobs: what happened, and which calls were refused. */
import assert from "node:assert/strict";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

/** Lines with what changes from run to run taken out. */
function ofLevel(server: JobApiServer, level: string) {
  return server.log.filter((line) => line.startsWith(`${level} `));
}

Deno.test("the log tells of starts, stops and archived jobs at info", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(7));
  await server.stopAndArchive(id, HOUR_AGO + 60);
  await server.jobs.close();
  const cluster = minimalJob(7).cluster;
  assert.deepEqual(ofLevel(server, "info"), [
    `info job started ${
      JSON.stringify({ job: 7, cluster, id, nodes: 1, by: "bot" })
    }`,
    `info job stopped ${
      JSON.stringify({ job: 7, cluster, id, state: "completed", by: "bot" })
    }`,
    `info job archived ${JSON.stringify({ job: 7, cluster, id })}`,
  ]);
});

Deno.test("the log warns of refused calls of batch systems, with job, cluster and reason", async () => {
  await using server = await JobApiServer.start();
  const { cluster } = minimalJob(7);
  const calls: [string, unknown, number, Record<string, unknown>][] = [
    ["start_job", minimalJob(7, { cluster: "nowhere" }), 400, {
      job: "7",
      cluster: "nowhere",
    }],
    ["start_job", "{", 400, {}],
    ["stop_job", { jobId: 9, cluster, stopTime: HOUR_AGO }, 404, {
      job: "9",
      cluster,
    }],
  ];
  for (const [path, body, status] of calls) {
    await server.expect(status, "POST", `/api/jobs/${path}/`, { body });
  }
  await server.expect(401, "POST", "/api/jobs/start_job/", {
    as: "user",
    body: minimalJob(8),
  });
  const told = ofLevel(server, "warn").map((line) =>
    JSON.parse(line.slice(line.indexOf("{")))
  );
  assert.equal(told.length, 4);
  calls.forEach(([path, , status, about], i) => {
    const { reason, from, ...rest } = told[i];
    assert.equal(from, "127.0.0.1");
    assert.ok(reason.length > 0);
    assert.deepEqual(rest, {
      route: path.replace("_", "-"),
      ...about,
      who: "bot",
      status,
    });
  });
  assert.match(told[0].reason, /cluster.*nowhere/);
  assert.equal(told[3].status, 401);
  assert.equal(told[3].path, "/api/jobs/start_job/");
});

Deno.test("a call that is refused again and again does not fill the log, nor hide others", async () => {
  await using server = await JobApiServer.start();
  for (let i = 0; i < 30; i++) {
    await server.expect(404, "POST", "/api/jobs/stop_job/", {
      body: { jobId: i, cluster: "fritz", stopTime: HOUR_AGO },
    });
  }
  await server.expect(400, "POST", "/api/jobs/stop_job/", { body: "{" });
  const told = ofLevel(server, "warn");
  assert.equal(told.length, 6);
  assert.match(told[5]!, /"status":400/);
});

Deno.test("what people ask wrongly is not in the log", async () => {
  await using server = await JobApiServer.start();
  await server.expect(400, "GET", "/api/jobs/?state=nope");
  await server.expect(422, "GET", "/userapi/jobs/99", { as: "eve:user+api" });
  assert.deepEqual(ofLevel(server, "warn"), []);
});
