/** Lists of jobs as pages ask for them (web R7, R8), by HTTP. */
import assert from "node:assert/strict";
import type { JobsAnswer } from "../../src/web/shared/answers.ts";
import { newJob } from "../../src/db/_job_fixture.ts";
import { WebServer } from "./web_server.ts";

const T = 1_700_000_000;
const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  "'; DROP TABLE job; --",
  "__proto__",
  "\u202Egnp.exe",
  "👩‍🔬".repeat(50),
  "%_\\",
];

async function listOf(
  server: WebServer,
  who: string,
  query = "",
): Promise<JobsAnswer> {
  const { json } = await server.api.expect(
    200,
    "GET",
    `/web/api/jobs?${query}`,
    {
      as: `session:${who}`,
    },
  );
  return json;
}

function ids({ jobs }: JobsAnswer): string[] {
  return jobs.map(({ jobId }) => jobId);
}

async function withJobs(): Promise<WebServer> {
  const server = await WebServer.start();
  const of = (jobId: number, more: Parameters<typeof newJob>[0] | object) =>
    newJob({
      jobId,
      cluster: "fritz",
      subCluster: "main",
      startTime: T + jobId,
      ...more,
    });
  await server.api.tables.jobs.importJobs([
    {
      job: of(1, { user: "eve", jobState: "completed", duration: 100 }),
      tags: [
        { type: "app", name: "x", scope: "global" },
        { type: "my", name: "own", scope: "eve" },
        { type: "staff", name: "a", scope: "admin" },
      ],
    },
    { job: of(2, { user: "bob", project: "p2" }), tags: [] },
    {
      job: of(3, {
        user: "eve",
        project: "p2",
        jobState: "failed",
        footprint: { cpu_load_avg: 0, unheard_of_max: 1 },
        metaData: {
          jobName: "solver",
          message: "look here",
          jobScript: "x".repeat(9999),
        },
      }),
      tags: [],
    },
  ]);
  return server;
}

Deno.test("R7: everybody sees the jobs that are theirs to see", async () => {
  await using server = await withJobs();
  for (
    const [who, seen] of [
      ["eve", ["3", "1"]],
      ["bob", ["2"]],
      ["max", ["1"]],
      ["sue", ["3", "2", "1"]],
      ["root", ["3", "2", "1"]],
    ] as const
  ) {
    assert.deepEqual(ids(await listOf(server, who)), seen, who);
    // A filter never widens that.
    assert.deepEqual(
      ids(await listOf(server, who, "jobId=1&jobId=2&jobId=3")),
      seen,
      who,
    );
    const { json } = await server.api.expect(
      200,
      "GET",
      "/web/api/jobs/count",
      {
        as: `session:${who}`,
      },
    );
    assert.equal(json.count, seen.length, who);
    assert.equal(json.exact, true);
  }
});

Deno.test("R7: a row has what columns show, and no job script", async () => {
  await using server = await withJobs();
  const { jobs } = await listOf(server, "eve", "jobId=3");
  const [{ id: _, ...row }] = jobs as [JobsAnswer["jobs"][number]];
  assert.deepEqual(row, {
    jobId: "3",
    name: "solver",
    user: "eve",
    project: "p2",
    cluster: "fritz",
    subCluster: "main",
    partition: "",
    state: "failed",
    shared: "none",
    monitoringStatus: 1,
    submitTime: 0,
    startTime: T + 3,
    duration: 0,
    walltime: 0,
    numNodes: 1,
    numHwthreads: 0,
    numAcc: 0,
    energy: 0,
    tags: [],
    footprint: [
      { metric: "cpu_load", stat: "avg", value: 0, level: "alert" },
      { metric: "unheard_of", stat: "max", value: 1, level: "none" },
    ],
    note: "look here",
  });
});

Deno.test("R7: tags of others are not shown, and no job is found by them", async () => {
  await using server = await withJobs();
  const names = async (who: string) =>
    (await listOf(server, who, "jobId=1")).jobs[0]!.tags.map(({ name }) =>
      name
    );
  assert.deepEqual(await names("eve"), ["x", "own"]);
  assert.deepEqual(await names("max"), ["x"]);
  assert.deepEqual(await names("sue"), ["x", "a"]);
  const { jobs } = await listOf(server, "eve", "jobId=1");
  const own = jobs[0]!.tags.find(({ name }) => name === "own")!;
  assert.deepEqual(ids(await listOf(server, "eve", `tag=${own.id}`)), ["1"]);
  assert.deepEqual(ids(await listOf(server, "root", `tag=${own.id}`)), []);
});

Deno.test("R7: pages go on in both directions while jobs come in", async () => {
  await using server = await withJobs();
  const first = await listOf(server, "root", "limit=2");
  assert.deepEqual(ids(first), ["3", "2"]);
  assert.equal(first.previous, undefined);
  await server.api.tables.jobs.importJobs([
    { job: newJob({ jobId: 9, startTime: T + 9 }), tags: [] },
  ]);
  const second = await listOf(server, "root", `limit=2&after=${first.next}`);
  assert.deepEqual(ids(second), ["1"]);
  assert.equal(second.next, undefined);
  const back = await listOf(
    server,
    "root",
    `limit=2&before=${second.previous}`,
  );
  assert.deepEqual(ids(back), ["3", "2"]);
  const newer = await listOf(server, "root", `limit=2&before=${back.previous}`);
  assert.deepEqual(ids(newer), ["9"]);
  assert.equal(newer.previous, undefined);
});

Deno.test("R7: ids of 64 bits keep every digit", async () => {
  await using server = await WebServer.start();
  const jobId = 2n ** 62n + 1n;
  await server.api.tables.jobs.importJobs([
    { job: newJob({ jobId, arrayJobId: jobId }), tags: [] },
  ]);
  const { jobs } = await listOf(
    server,
    "root",
    `jobId=${jobId}&arrayJobId=${jobId}`,
  );
  assert.equal(jobs[0]?.jobId, String(jobId));
  assert.equal(jobs[0]?.arrayJobId, String(jobId));
});

Deno.test("R7: names from outside are texts, and filters find them literally", async () => {
  await using server = await WebServer.start();
  await server.api.tables.jobs.importJobs(HOSTILE.map((name, i) => ({
    job: newJob({
      jobId: i,
      user: name,
      project: name,
      partition: name,
      metaData: { jobName: name },
      footprint: { [`${name}_avg`]: 1 },
      resources: [{ hostname: name }],
    }),
    tags: [{ type: name, name, scope: "global" }],
  })));
  for (const [i, name] of HOSTILE.entries()) {
    for (const key of ["user", "project", "partition", "jobName", "node"]) {
      const search = new URLSearchParams({ [key]: name });
      const found = await listOf(server, "root", String(search));
      assert.deepEqual(ids(found), [String(i)], `${key}=${name}`);
      assert.equal(found.jobs[0]!.name, name);
      assert.equal(found.jobs[0]!.tags[0]!.name, name);
    }
    const search = new URLSearchParams({
      stat: `${name}_avg-1-1`,
      sort: `${name}_avg`,
    });
    assert.deepEqual(ids(await listOf(server, "root", String(search))), [
      String(i),
    ]);
  }
});

Deno.test("R7, R8: a wrong parameter is 400 and named", async () => {
  await using server = await WebServer.start();
  for (
    const [path, key] of [
      ["jobs?state=walking", "state"],
      ["jobs?user=a%00b", "NUL"],
      ["jobs?whoami=1", "whoami"],
      ["jobs/count?limit=5", "limit"],
    ] as const
  ) {
    const { json } = await server.api.expect(400, "GET", `/web/api/${path}`, {
      as: "session:eve",
    });
    assert.ok(json.error.includes(key), json.error);
    assert.equal(json.status, "Bad Request");
  }
});
