/**
 * Who sees which jobs, by every route that reads, and who changes which
 * (job-api 1.2; settled 6). The table is the documentation.
 */
import type { PolicyScope } from "../../src/base/policy_scopes.ts";
import assert from "node:assert/strict";
import type { PolicyRecord } from "../../src/access/access_records.ts";
import type { LabelSelector } from "../../src/metricstore/engine/data_scope.ts";
import {
  HOUR_AGO,
  JobApiServer,
  type JobQuestion,
  minimalJob,
} from "./job_api.ts";

/**
 * By caller and job: `all` sees the job with its metrics, `job` the job alone,
 * `some` a part of its metrics; `-` does not see it; 401: may not ask; 403: labels narrow it.
 *
 * Jobs 1 to 4 run, 5 is archived. eve has 1, 3, 5; bob has 2; mia, who manages
 * p2, has
 * 4. Of p2 are 2 and 3. 3 ran on alex, the others on fritz, each on two nodes.
 */
const TABLE = `
caller                 | group    | 1    2    3    4    5
nobody                 | /api     | 401  401  401  401  401
nobody                 | /userapi | 401  401  401  401  401
eve:user+api           | /userapi | all  -    all  -    all
eve:user+api           | /api     | 401  401  401  401  401
bob:user+api           | /userapi | -    all  -    -    -
mia:manager+api        | /userapi | -    all  all  all  -
max:manager+api        | /userapi | -    -    -    -    -
sam:support+api        | /userapi | all  all  all  all  all
sam:support+api        | /api     | 401  401  401  401  401
demo:admin+api         | /userapi | all  all  all  all  all
demo:admin+api         | /api     | all  all  all  all  all
bot:api                | /userapi | all  all  all  all  all
bot:api                | /api     | all  all  all  all  all
token:reader           | /api     | all  all  all  all  all
token:reader           | /userapi | all  all  all  all  all
token:administrator    | /api     | all  all  all  all  all
token:fritz            | /api     | all  all  -    all  all
token:fritz            | /userapi | all  all  -    all  all
token:both             | /api     | all  all  all  all  all
token:jobs             | /api     | job  job  job  job  job
token:narrow           | /api     | 403  403  403  403  403
token:narrow           | /userapi | 403  403  403  403  403
token:writer           | /api     | 401  401  401  401  401
token:metrics          | /api     | 401  401  401  401  401
token:tenant           | /api     | 401  401  401  401  401
token:inactive         | /api     | 401  401  401  401  401
`;

const USERS = [
  { username: "eve", roles: ["user", "api"], projects: [] },
  { username: "bob", roles: ["user", "api"], projects: ["p2"] },
  { username: "mia", roles: ["manager", "api"], projects: ["p2"] },
  { username: "max", roles: ["manager", "api"], projects: [] },
  { username: "sam", roles: ["support", "api"], projects: [] },
  { username: "demo", roles: ["admin", "api"], projects: [] },
  { username: "bot", roles: ["api"], projects: [] },
].map((user) => ({ ...user, fingerprint: "" }));

function policy(
  name: string,
  scopes: readonly PolicyScope[],
  realms: readonly [string, string, ...LabelSelector[]][],
): PolicyRecord {
  return {
    ...{ name, active: name !== "inactive", scopes, expiresSec: Infinity },
    realms: realms.map(([instance, cluster, ...selectors]) => ({
      ...{ instance, cluster, selectors },
    })),
  };
}

const READ: readonly PolicyScope[] = ["jobs:read", "metrics:read"];
const WRITE: readonly PolicyScope[] = ["jobs:write", ...READ];
const ODD_HOSTS: LabelSelector = [
  { type: "RE", name: "hostname", value: ".*[13579]" },
];
const POLICIES = [
  policy("reader", READ, [["*", "*"]]),
  policy("administrator", ["admin"], [["*", "*"]]),
  policy("fritz", READ, [["", "fritz"]]),
  policy("both", READ, [["", "fritz"], ["*", "alex"], ["other", "emmy"]]),
  policy("jobs", ["jobs:read"], [["", "*"]]),
  policy("narrow", READ, [["*", "*", ODD_HOSTS]]),
  policy("writer", ["jobs:write"], [["", "*"]]),
  policy("metrics", ["metrics:read", "metrics:write"], [["*", "*"]]),
  policy("tenant", WRITE, [["dev", "fritz"]]),
  policy("inactive", WRITE, [["*", "*"]]),
  policy("fritz-writer", WRITE, [["", "fritz"]]),
  policy("all-writer", WRITE, [["", "*"]]),
];

const OWNERS = [
  ["eve", "p1", "fritz"],
  ["bob", "p2", "fritz"],
  ["eve", "p2", "alex"],
  ["mia", "p3", "fritz"],
  ["eve", "p1", "fritz"],
] as const;

/** The five jobs of the table; gives their database ids. */
async function makeJobs(server: JobApiServer): Promise<number[]> {
  const ids: number[] = [];
  const as = "bot:api";
  for (const [i, [user, project, cluster]] of OWNERS.entries()) {
    const hosts = cluster === "fritz"
      ? [`f01${i}1`, `f01${i}2`]
      : ["a0601", "a0602"];
    const lines = hosts.map((host) =>
      `cpu_load,cluster=${cluster},hostname=${host},type=node value=1 ${HOUR_AGO}`
    );
    await server.expect(200, "POST", "/api/write", {
      as,
      body: lines.join("\n"),
    });
    ids.push(
      await server.startJob(
        minimalJob(i + 1, {
          ...{ user, project, cluster, numNodes: 2 },
          resources: hosts.map((hostname) => ({ hostname })),
          footprint: { cpu_load_avg: 1 },
        }),
      ),
    );
  }
  await server.stopAndArchive(ids[4]!, HOUR_AGO + 60);
  return ids;
}

function start(): Promise<JobApiServer> {
  return JobApiServer.start({
    ...{ policies: POLICIES, users: USERS, validateUser: true },
  });
}

/** What a caller meets at one job, by all routes; they must agree. */
async function meets(
  server: JobApiServer,
  as: string | null,
  group: string,
  id: number,
): Promise<string> {
  const ask = (method: string, path: string, more: JobQuestion = {}) =>
    server.ask(method, `${group}/jobs/${path}`, { as, ...more });
  const list = await ask("GET", "");
  const one = await ask("GET", `${id}`);
  const all = await ask("GET", `${id}?all-metrics=true`);
  const post = await ask("POST", `${id}`, { body: '["cpu_load"]' });
  const only = await ask("GET", `metrics/${id}`);
  const answers = [list, one, all, post, only];
  if (list.status === 401 || list.status === 403) {
    const { status } = list;
    assert.deepEqual(answers.map((one) => one.status), Array(5).fill(status));
    return String(status);
  }
  const listed = list.json.jobs.find((job: { id: number }) => job.id === id);
  if (one.status === 422) {
    assert.equal(listed, undefined);
    assert.equal(all.status, 422);
    assert.equal(post.status, 422);
    assert.equal(only.json.data, null);
    return "-";
  }
  assert.equal(listed.id, id);
  assert.equal(one.json.Meta.id, id);
  if (all.status === 403) {
    assert.equal(post.status, 403);
    assert.equal(only.json.data, null);
    assert.equal(listed.statistics, null);
    return "job";
  }
  const series = all.json.Data.cpu_load?.node.series.length ?? 0;
  assert.equal(post.json.Data[0]?.metric.series.length ?? 0, series);
  const metrics = only.json.data.jobMetrics;
  assert.equal(metrics[0]?.metric.series.length ?? 0, series);
  const isNarrowed = series < 2;
  assert.equal(listed.footprint === null, isNarrowed);
  assert.equal(one.json.Meta.footprint === null, isNarrowed);
  const hasStatistics = listed.statistics !== null;
  assert.equal(hasStatistics, listed.monitoringStatus === 3 && !isNarrowed);
  return ["job", "some", "all"][series]!;
}

Deno.test("every reading route shows each caller the jobs that the table says", async (t) => {
  await using server = await start();
  const ids = await makeJobs(server);
  for (const row of TABLE.trim().split("\n").slice(1)) {
    const [caller = "", group = "", cells = ""] = row.split("|")
      .map((cell) => cell.trim());
    await t.step(`${caller} at ${group}`, async () => {
      const as = caller === "nobody" ? null : caller;
      const found: string[] = [];
      for (const id of ids) found.push(await meets(server, as, group, id));
      assert.deepEqual(found, cells.split(/\s+/));
    });
  }
});

Deno.test("a list is paged over what its caller sees", async () => {
  await using server = await start();
  await makeJobs(server);
  const page = async (as: string, search: string) =>
    (await server.expect(200, "GET", `/userapi/jobs/${search}`, { as })).json
      .jobs.map(({ jobId }: { jobId: number }) => jobId);
  assert.deepEqual(await page("eve:user+api", "?items-per-page=1&page=2"), [3]);
  assert.deepEqual(await page("eve:user+api", "?project=p2"), [3]);
  assert.deepEqual(await page("bob:user+api", "?state=completed"), []);
  assert.deepEqual(await page("mia:manager+api", "?cluster=fritz"), [4, 2]);
  assert.deepEqual(await page("token:fritz", "?cluster=alex"), []);
});

Deno.test("clusters and used_nodes show a token the clusters of its realms", async () => {
  await using server = await start();
  await makeJobs(server);
  const seen = async (as: string) => {
    const { json } = await server.expect(200, "GET", "/api/clusters/", { as });
    const used = await server.expect(
      200,
      "GET",
      `/api/jobs/used_nodes?ts=${HOUR_AGO + 1}`,
      { as },
    );
    const names = json.clusters.map(({ name }: { name: string }) => name);
    return [names.sort().join(), Object.keys(used.json.usedNodes).join()];
  };
  assert.deepEqual(await seen("bot:api"), ["alex,emmy,fritz", "alex,fritz"]);
  assert.deepEqual(await seen("token:jobs"), ["alex,emmy,fritz", "alex,fritz"]);
  assert.deepEqual(await seen("token:fritz"), ["fritz", "fritz"]);
  assert.deepEqual(await seen("token:both"), ["alex,fritz", "alex,fritz"]);
});

Deno.test("a token changes jobs of the clusters of its realms, and no others", async () => {
  await using server = await start();
  const ids = await makeJobs(server);
  const [own, foreign] = [ids[0]!, ids[2]!];
  const as = "token:fritz-writer";
  const expect = (
    status: number,
    method: string,
    path: string,
    body?: unknown,
  ) => server.expect(status, method, `/api/jobs/${path}`, { as, body });
  const alex = {
    cluster: "alex",
    resources: [{ hostname: "a0601" }],
  };
  await expect(403, "POST", "start_job/", minimalJob(77, alex));
  await expect(404, "POST", "stop_job/", { jobId: 3, stopTime: HOUR_AGO });
  const entry = { key: "k", value: "v" };
  await expect(404, "PATCH", `edit_meta/${foreign}`, entry);
  await expect(422, "PATCH", "edit_meta/", { jobId: 3, payload: entry });
  await expect(404, "POST", `tag_job/${foreign}`, []);
  await expect(404, "DELETE", `tag_job/${foreign}`, []);
  await expect(422, "DELETE", "delete_job/", { jobId: 3 });
  // As with an id that is none.
  await expect(200, "DELETE", `delete_job/${foreign}`);
  await expect(403, "DELETE", `delete_job_before/${HOUR_AGO + 9}`);
  assert.equal(await server.tables.jobs.count({}), 5);
  await expect(201, "POST", "start_job/", minimalJob(77));
  await expect(200, "POST", "stop_job/", { jobId: 77, stopTime: HOUR_AGO });
  await expect(200, "PATCH", `edit_meta/${own}`, entry);
  await expect(200, "DELETE", `delete_job/${own}`);
  assert.equal(await server.tables.jobs.count({}), 5);
});

Deno.test("a token that writes jobs tags them as a program does, everywhere only with a realm of all clusters", async () => {
  await using server = await start();
  const [own, , foreign] = await makeJobs(server);
  const tags = [
    { type: "t", name: "n", scope: "global" },
    { type: "t", name: "n", scope: "admin" },
  ];
  const expect = (status: number, method: string, path: string, as: string) =>
    server.expect(status, method, path, { as, body: tags });
  const path = (id: number | undefined) => `/api/jobs/tag_job/${id}`;
  const [fritz, all] = ["token:fritz-writer", "token:all-writer"];
  await expect(401, "POST", path(own), "token:reader");
  await expect(200, "POST", path(own), fritz);
  await expect(404, "POST", path(foreign), fritz);
  await expect(200, "POST", path(foreign), all);
  await server.expect(403, "POST", path(own), {
    ...{ as: all, body: [{ type: "t", name: "n", scope: "eve" }] },
  });
  await expect(403, "DELETE", "/api/tags/", fritz);
  await expect(200, "DELETE", path(own), fritz);
  await expect(200, "DELETE", "/api/tags/", all);
});
