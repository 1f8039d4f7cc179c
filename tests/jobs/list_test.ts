/** The job list: its query string, its pages, what a job shows in it (job-api 2.6). */
import assert from "node:assert/strict";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

type Listed = { jobId: number; metaData: unknown; statistics: unknown };

async function list(server: JobApiServer, search: string) {
  return (await server.expect(200, "GET", `/api/jobs/${search}`)).json;
}

async function ids(server: JobApiServer, search: string): Promise<number[]> {
  const { jobs } = await list(server, search);
  return jobs.map(({ jobId }: Listed) => jobId);
}

Deno.test("jobs answers with an empty list, and with its page and page size, where there are no jobs", async () => {
  await using server = await JobApiServer.start();
  const empty = { jobs: [], items: 25, page: 1 };
  assert.deepEqual(await list(server, ""), empty);
  for (const path of ["/api/jobs", "/userapi/jobs", "/userapi/jobs/"]) {
    assert.deepEqual((await server.expect(200, "GET", path)).json, empty);
  }
  assert.deepEqual(
    await list(server, "?items-per-page=9999999&page=1&with-metadata=false"),
    { jobs: [], items: 9_999_999, page: 1 },
  );
});

Deno.test("jobs filters by every key, the newest first, then the highest id", async () => {
  await using server = await JobApiServer.start();
  for (let i = 1; i <= 6; i++) {
    await server.startJob(minimalJob(i, {
      project: i % 2 === 0 ? "even" : "odd",
      startTime: HOUR_AGO + (i === 6 ? 5 : i),
    }));
  }
  const alex = { cluster: "alex", resources: [{ hostname: "a0601" }] };
  await server.startJob(minimalJob(7, { ...alex, startTime: HOUR_AGO + 7 }));
  const one = (await server.tables.jobs.findByKey({ jobId: 1 }))!.id;
  await server.stopAndArchive(one, HOUR_AGO + 10, "failed");
  const expected: Readonly<Record<string, number[]>> = {
    "": [7, 6, 5, 4, 3, 2, 1],
    "?cluster=alex": [7],
    "?cluster=nope": [],
    "?project=even": [6, 4, 2],
    "?state=failed": [1],
    "?job-id=3": [3],
    "?job-id=3&job-id=5&job-id=99&job-id=3": [5, 3],
    "?job-id=1&job-id=2&state=running": [2],
    "?job-id=2&job-id=7&cluster=alex": [7],
    "?job-id=2&job-id=3&project=odd&items-per-page=1": [3],
    "?job-id=99": [],
    "?state=running&cluster=fritz": [6, 5, 4, 3, 2],
    "?state=failed&state=running&project=odd": [5, 3, 1],
    [`?start-time=${HOUR_AGO + 2}-${HOUR_AGO + 4}`]: [4, 3, 2],
    [`?start-time=${HOUR_AGO + 4}-${HOUR_AGO + 2}`]: [],
    "?items-per-page=2": [7, 6],
    "?items-per-page=2&page=2": [5, 4],
    "?items-per-page=2&page=4": [1],
    "?items-per-page=2&page=5": [],
    "?items-per-page=2&page=900719925474": [],
    "?items-per-page=9007199254740991&page=9007199254740991": [],
    // Of a key that is not a list the first counts.
    "?cluster=alex&cluster=fritz": [7],
    "?page=1&page=9&items-per-page=9": [7, 6, 5, 4, 3, 2, 1],
  };
  for (const [search, jobs] of Object.entries(expected)) {
    assert.deepEqual(await ids(server, search), jobs, search);
  }
});

Deno.test("jobs names the key and the value it cannot use", async () => {
  await using server = await JobApiServer.start();
  for (
    const [key, value] of [
      ["state", "stopped"],
      ["state", "RUNNING"],
      ["state", ""],
      ["page", "0"],
      ["page", "-1"],
      ["page", "1.5"],
      ["page", ""],
      ["page", "99999999999999999999"],
      ["items-per-page", "0"],
      ["items-per-page", "x"],
      ["start-time", "5"],
      ["start-time", "5-"],
      ["start-time", "-5-7"],
      ["start-time", "a-b"],
      ["user", "eve"],
      ["job-id", "x"],
      ["job-id", "1.5"],
      ["job-id", "9223372036854775808"],
      ["bogus", "1"],
    ] as const
  ) {
    const search = new URLSearchParams({ [key]: value });
    const { json } = await server.expect(400, "GET", `/api/jobs/?${search}`);
    assert.equal(json.status, "Bad Request");
    assert.ok(json.error.includes(key) && json.error.includes(value));
  }
});

Deno.test("jobs gives metadata where it is asked for, and false and 0 mean no (job-api O7)", async () => {
  await using server = await JobApiServer.start();
  const metaData = { jobName: "a" };
  await server.startJob(minimalJob(1, { metaData }));
  for (
    const [value, isOn] of [["true", 1], ["", 1], ["1", 1], ["false", 0], [
      "0",
      0,
    ]] as const
  ) {
    const { jobs } = await list(server, `?with-metadata=${value}`);
    assert.deepEqual(jobs[0].metaData, isOn ? metaData : null, value);
  }
  assert.equal((await list(server, "")).jobs[0].metaData, null);
});

Deno.test("jobs goes on past an archived job whose file cannot be read (job-api O8)", async () => {
  await using server = await JobApiServer.start();
  for (const jobId of [1, 2, 3]) {
    const id = await server.startJob(minimalJob(jobId));
    await server.write([
      `cpu_load,cluster=fritz,hostname=f0101,type=node value=${jobId} ${HOUR_AGO}`,
    ]);
    await server.stopAndArchive(id, HOUR_AGO + 60);
  }
  const files = (jobId: number) =>
    `${server.archiveRoot}/fritz/0/00${jobId}/${HOUR_AGO}`;
  await Deno.remove(files(1), { recursive: true });
  await Deno.writeTextFile(`${files(2)}/meta.json`, '{"jobId":2');
  const { jobs } = await list(server, "");
  const byId = new Map<number, Listed>(
    jobs.map((job: Listed) => [job.jobId, job]),
  );
  assert.equal(byId.get(1)?.statistics, null);
  assert.equal(byId.get(2)?.statistics, null);
  assert.deepEqual(byId.get(3)?.statistics, {
    cpu_load: { unit: { base: "" }, avg: 3, min: 3, max: 3 },
  });
  const told = server.log.filter((line) => line.startsWith("warn"));
  assert.equal(told.length, 2, told.join("\n"));
});

Deno.test("jobs answers only to GET", async () => {
  await using server = await JobApiServer.start();
  for (const path of ["/api/jobs", "/api/jobs/", "/userapi/jobs/"]) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "HEAD"]) {
      const { headers } = await server.expect(405, method, path);
      assert.equal(headers["allow"], "GET");
    }
  }
});

Deno.test("used_nodes gives the hosts of running jobs that began before, by cluster, sorted", async () => {
  await using server = await JobApiServer.start();
  const hosts = (...names: string[]) => ({
    numNodes: names.length,
    resources: names.map((hostname) => ({ hostname })),
  });
  await server.startJob(minimalJob(1, hosts("f0103", "f0101")));
  await server.startJob(minimalJob(2, hosts("f0102", "f0101")));
  const late = { startTime: HOUR_AGO + 60, cluster: "alex" };
  await server.startJob(minimalJob(3, { ...late, ...hosts("a0601") }));
  const id = await server.startJob(minimalJob(4, hosts("f0110")));
  await server.stopAndArchive(id, HOUR_AGO + 1);
  const used = async (ts: number, path = "/api/jobs/used_nodes") =>
    (await server.expect(200, "GET", `${path}?ts=${ts}`)).json;
  assert.deepEqual(await used(HOUR_AGO), { usedNodes: {} });
  const fritz = ["f0101", "f0102", "f0103"];
  assert.deepEqual(await used(HOUR_AGO + 60), { usedNodes: { fritz } });
  assert.deepEqual(await used(HOUR_AGO + 61, "/api/jobs/used_nodes/"), {
    usedNodes: { alex: ["a0601"], fritz },
  });
  for (const search of ["", "?ts=", "?ts=x", "?ts=1.5"]) {
    await server.expect(400, "GET", `/api/jobs/used_nodes${search}`);
  }
});

Deno.test("clusters answers with all clusters or one, and refuses a name it does not know", async () => {
  await using server = await JobApiServer.start();
  const names = async (path: string) =>
    (await server.expect(200, "GET", path)).json.clusters
      .map(({ name }: { name: string }) => name).sort();
  for (const path of ["/api/clusters", "/api/clusters/"]) {
    assert.deepEqual(await names(path), ["alex", "emmy", "fritz"]);
    assert.deepEqual(await names(`${path}?cluster=emmy`), ["emmy"]);
    await server.expect(400, "GET", `${path}?cluster=nope`);
    await server.expect(400, "GET", `${path}?cluster=`);
  }
});

Deno.test("jobs by id are those that the caller may see", async () => {
  await using server = await JobApiServer.start();
  for (const [jobId, user] of [[1, "eve"], [2, "bob"]] as const) {
    await server.startJob(minimalJob(jobId, { user }));
  }
  const { json } = await server.expect(
    200,
    "GET",
    "/userapi/jobs/?job-id=1&job-id=2",
    { as: "eve:user+api" },
  );
  assert.deepEqual(json.jobs.map(({ jobId }: Listed) => jobId), [1]);
});
