/**
 * What people see of the metric routes: hosts of their jobs, while these ran. The tables
 * are the documentation.
 */
import assert from "node:assert/strict";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

const STEP = 60;
/** Samples of cpu_load on each host, each as large as its number. */
const SAMPLES = 30;
const HOSTS = ["f0101", "f0102", "f0103", "f0104"];
const END = HOUR_AGO + SAMPLES * STEP;

/**
 * By caller and host: which samples it sees; `-`: the host might as well not exist.
 *
 * On f0101 ran a job of eve (samples 0 to 9) and then one of bob (20 on, running); on
 * f0102 one of bob of project p2 (5 to 14); f0103 is shared by both (10 to 19 eve, 15
 * to 24 bob); nobody had f0104.
 */
const TABLE = `
caller          | f0101      | f0102      | f0103 | f0104
eve:user        | 0-9        | -          | 10-19 | -
eve:user+api    | 0-9        | -          | 10-19 | -
bob:user        | 20-29      | 5-14       | 15-24 | -
mia:manager     | -          | 5-14       | -     | -
mia:manager+api | -          | 5-14       | -     | -
zoe:user        | -          | -          | -     | -
sam:support     | 0-29       | 0-29       | 0-29  | 0-29
sam:support+api | 0-29       | 0-29       | 0-29  | 0-29
bot:api         | 0-29       | 0-29       | 0-29  | 0-29
demo:admin      | 0-29       | 0-29       | 0-29  | 0-29
demo:admin+user | 0-29       | 0-29       | 0-29  | 0-29
token:reader    | 0-29       | 0-29       | 0-29  | 0-29
`;

function sampleTime(sample: number): number {
  return HOUR_AGO + sample * STEP;
}

interface Run {
  readonly user: string;
  readonly project: string;
  readonly host: string;
  readonly from: number;
  /** Absent: it still runs. */
  readonly to?: number;
}

const RUNS: readonly Run[] = [
  { user: "eve", project: "p1", host: "f0101", from: 0, to: 10 },
  { user: "bob", project: "p1", host: "f0101", from: 20 },
  { user: "bob", project: "p2", host: "f0102", from: 5, to: 15 },
  { user: "eve", project: "p1", host: "f0103", from: 10, to: 20 },
  { user: "bob", project: "p1", host: "f0103", from: 15, to: 25 },
];

async function start(server: JobApiServer, jobId: number, run: Run) {
  await server.expect(201, "POST", "/api/jobs/start_job/", {
    body: minimalJob(jobId, {
      ...{ user: run.user, project: run.project },
      ...{ startTime: sampleTime(run.from) },
      resources: [{ hostname: run.host }],
    }),
  });
}

async function stop(server: JobApiServer, jobId: number, sample: number) {
  await server.expect(200, "POST", "/api/jobs/stop_job/", {
    body: {
      ...{ jobId, cluster: "fritz", jobState: "completed" },
      stopTime: sampleTime(sample),
    },
  });
}

const USERS = [
  { username: "mia", roles: ["manager", "api"], projects: ["p2"] },
].map((user) => ({ ...user, fingerprint: "" }));

async function startServer(): Promise<JobApiServer> {
  const server = await JobApiServer.start({
    users: USERS,
    policies: [{
      ...{ name: "reader", active: true, expiresSec: Infinity },
      scopes: ["metrics:read"],
      realms: [{ instance: "*", cluster: "*", selectors: [] }],
    }],
  });
  const lines = HOSTS.flatMap((host) =>
    Array.from(
      { length: SAMPLES },
      (_, i) =>
        `cpu_load,cluster=fritz,hostname=${host} value=${i} ${sampleTime(i)}`,
    )
  );
  const body = lines.join("\n") + "\n";
  assert.equal((await server.ask("POST", "/api/write", { body })).status, 200);
  return server;
}

/** `0-9`, or `-` for a host that is absent; `[]` for one without a value. */
async function seen(
  server: JobApiServer,
  as: string,
  host: string,
): Promise<string> {
  const query = { metric: "cpu_load", host };
  const { json } = await server.expect(200, "POST", "/api/query", {
    as,
    body: {
      ...{ cluster: "fritz", from: HOUR_AGO, to: END, "with-padding": false },
      ...{ queries: [query], "for-all-nodes": ["cpu_load"] },
    },
  });
  const listed = (json.queries ?? [query]).slice(1)
    .some((one: { host: string }) => one.host === host);
  const [entry] = json.results[0];
  assert.equal(listed, entry !== undefined, `${as} ${host}`);
  if (entry === undefined) return "-";
  const values = entry.data.filter((value: number | null) => value !== null);
  assert.equal(entry.data.length <= SAMPLES, true);
  // Where a sample is, is where it was written.
  for (const [i, value] of entry.data.entries()) {
    if (value === null) continue;
    assert.equal(entry.from + i * STEP, sampleTime(value));
  }
  if (values.length === 0) return "[]";
  assert.equal(entry.min, values[0]);
  assert.equal(entry.max, values.at(-1));
  assert.equal(values.at(-1) - values[0] + 1, values.length);
  return `${values[0]}-${values.at(-1)}`;
}

Deno.test("people see the hosts of their jobs while these ran, others everything", async (t) => {
  await using server = await startServer();
  for (const [i, run] of RUNS.entries()) {
    await start(server, 100 + i, run);
    if (run.to !== undefined) await stop(server, 100 + i, run.to);
  }
  const [, ...rows] = TABLE.trim().split("\n");
  for (const row of rows) {
    const [caller = "", ...cells] = row.split("|").map((cell) => cell.trim());
    await t.step(caller, async () => {
      for (const [i, host] of HOSTS.entries()) {
        assert.equal(await seen(server, caller, host), cells[i], host);
      }
    });
  }
  await t.step("health shows hosts of running jobs", async () => {
    const known = async (as: string) => {
      const { json } = await server.expect(200, "POST", "/api/healthcheck", {
        ...{ as, body: { cluster: "fritz", nodes: HOSTS } },
      });
      return HOSTS.filter((host) => json[host].HealthMetrics !== "");
    };
    assert.deepEqual(await known("eve:user"), []);
    assert.deepEqual(await known("bob:user"), ["f0101"]);
    assert.deepEqual(await known("bot:api"), HOSTS);
  });
});

Deno.test("what was found out of jobs counts no more once one starts, ends or goes", async () => {
  await using server = await startServer();
  const look = () => seen(server, "eve:user", "f0101");
  assert.equal(await look(), "-");
  await start(server, 1, { ...RUNS[0]!, from: 3 });
  assert.equal(await look(), "3-29");
  await stop(server, 1, 7);
  assert.equal(await look(), "3-6");
  await start(server, 2, { ...RUNS[0]!, from: 20 });
  const { json } = await server.expect(200, "POST", "/api/query", {
    as: "eve:user",
    body: {
      ...{ cluster: "fritz", from: HOUR_AGO, to: END, "with-padding": false },
      queries: [{ metric: "cpu_load", host: "f0101" }],
    },
  });
  const values = json.results[0][0].data.filter((value: unknown) =>
    value !== null
  );
  assert.deepEqual(values, [
    ...[3, 4, 5, 6],
    ...Array.from({ length: 10 }, (_, i) => 20 + i),
  ]);
  const jobs = await server.tables.jobs.list({ user: "eve" }, { limit: 10 });
  for (const { id } of jobs) {
    await server.expect(200, "DELETE", `/api/jobs/delete_job/${id}`, {
      as: "admin+api",
    });
  }
  assert.equal(await look(), "-");
});

Deno.test("with open-metrics every known role reads everything, and people write nothing", async () => {
  await using server = await startServer();
  server.access.openMetrics = true;
  for (const as of ["eve:user", "mia:manager", "x:user+api", "x:api+what"]) {
    assert.equal(await seen(server, as, "f0104"), "0-29", as);
    const body = "cpu_load,cluster=fritz,hostname=f0104 value=666";
    const written = await server.ask("POST", "/api/write", { as, body });
    assert.equal(written.status, 403, as);
  }
  server.access.openMetrics = false;
  const refused = await server.ask("POST", "/api/query", {
    ...{ as: "x:api+what", body: { cluster: "fritz" } },
  });
  assert.equal(refused.status, 403);
});

Deno.test("people name fewer ids at a time than programs", async () => {
  await using server = await startServer();
  const body = {
    ...{ cluster: "fritz", from: HOUR_AGO, to: END, "with-padding": false },
    queries: [{
      ...{ metric: "cpu_load", host: "f0101", type: "core", aggreg: true },
      "type-ids": new Array(100_001).fill("0"),
    }],
  };
  for (const [as, status] of [["eve:user", 422], ["bot:api", 200]] as const) {
    assert.equal(
      (await server.ask("POST", "/api/query", { as, body })).status,
      status,
    );
  }
});
