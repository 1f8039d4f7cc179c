/** One job, and its metrics by the three routes that give them (job-api 2.7, 2.8, 4). */
import assert from "node:assert/strict";
import { ClientError } from "../../src/base/errors.ts";
import { FakeEngine } from "../http/fake_engine.ts";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

/** Three minutes of a node metric and of two hardware threads. */
function samples(): string[] {
  return [0, 1, 2].flatMap((i) => {
    const time = HOUR_AGO + 60 * i;
    const host = "cluster=fritz,hostname=f0101";
    return [
      `cpu_load,${host},type=node value=${i} ${time}`,
      `flops_any,${host},type=hwthread,type-id=0 value=${i} ${time}`,
      `flops_any,${host},type=hwthread,type-id=1 value=${10 * i} ${time}`,
    ];
  });
}

const TWO_THREADS = {
  resources: [{ hostname: "f0101", hwthreads: [0, 1] }],
};

Deno.test("a job is answered with its metrics only where they are asked for, by both spellings and groups", async () => {
  await using server = await JobApiServer.start();
  await server.write(samples());
  const id = await server.startJob(minimalJob(1, TWO_THREADS));
  for (const prefix of ["/api", "/userapi"]) {
    for (const slash of ["", "/"]) {
      const path = `${prefix}/jobs/${id}${slash}`;
      for (const search of ["", "?all-metrics=1", "?all-metrics=True"]) {
        const { json } = await server.expect(200, "GET", path + search);
        assert.deepEqual(Object.keys(json), ["Meta", "Data"]);
        assert.equal(json.Data, null);
      }
      const { json } = await server.expect(
        200,
        "GET",
        `${path}?all-metrics=true`,
      );
      assert.deepEqual(Object.keys(json.Data), ["cpu_load", "flops_any"]);
      const { core } = json.Data.flops_any;
      assert.deepEqual(
        core.series.map(({ id, data }: { id: string; data: number[] }) => [
          id,
          data.slice(0, 3),
        ]),
        [["0", [0, 1, 2]], ["1", [0, 10, 20]]],
      );
    }
  }
});

Deno.test("a job's metrics by POST are those of the list: null is all, [] none, unknown ones are left out", async () => {
  await using server = await JobApiServer.start();
  await server.write(samples());
  const id = await server.startJob(minimalJob(1, TWO_THREADS));
  const names = async (body: unknown) =>
    (await server.expect(200, "POST", `/api/jobs/${id}`, { body })).json.Data
      .map(({ name, scope }: { name: string; scope: string }) =>
        `${name} ${scope}`
      ).sort();
  assert.deepEqual(await names("null"), ["cpu_load node", "flops_any core"]);
  assert.deepEqual(await names([]), []);
  assert.deepEqual(await names(["nope", "cpu_load"]), ["cpu_load node"]);
  for (const body of ["", "{}", "[1]", '["a"', '"cpu_load"']) {
    await server.expect(400, "POST", `/api/jobs/${id}`, { body });
  }
  // The job is looked for first.
  await server.expect(422, "POST", "/api/jobs/999", { body: "{}" });
});

Deno.test("a job is named by its database id, a whole number of 53 bits at the most", async () => {
  await using server = await JobApiServer.start();
  for (const prefix of ["/api", "/userapi"]) {
    for (const id of ["x", "1.5", "0x1", "99999999999999999999", "%31x"]) {
      await server.expect(400, "GET", `${prefix}/jobs/${id}`);
      await server.expect(400, "POST", `${prefix}/jobs/${id}`, { body: "[]" });
      await server.expect(400, "GET", `${prefix}/jobs/metrics/${id}`);
    }
    await server.expect(422, "GET", `${prefix}/jobs/7`);
    await server.expect(405, "PUT", `${prefix}/jobs/7`);
    await server.expect(404, "GET", `${prefix}/jobs/7/8`);
  }
  const id = await server.startJob(minimalJob(1));
  // Percent-escapes in a path are decoded.
  await server.expect(200, "GET", `/api/jobs/%3${id}`);
  await server.expect(400, "GET", "/api/jobs/%zz");
});

Deno.test("metrics of a job tells its errors with status 200, but for a scope that is none", async () => {
  await using server = await JobApiServer.start();
  await server.write(samples());
  const id = await server.startJob(minimalJob(1, TWO_THREADS));
  const ask = async (search: string) =>
    (await server.expect(200, "GET", `/api/jobs/metrics/${id}${search}`)).json;
  const found = async (search: string) =>
    (await ask(search)).data.jobMetrics
      .map(({ name, scope }: { name: string; scope: string }) =>
        `${name} ${scope}`
      ).sort();
  assert.deepEqual(await found(""), ["cpu_load node", "flops_any node"]);
  assert.deepEqual(
    await found("?metric=flops_any&scope=core&scope=socket"),
    ["flops_any core", "flops_any socket"],
  );
  assert.deepEqual(await found("/?metric=cpu_load&scope=hwthread"), [
    "cpu_load node",
  ]);
  assert.deepEqual(await ask("?metric=nope"), {
    data: { jobMetrics: [] },
    error: null,
  });
  await server.expect(400, "GET", `/api/jobs/metrics/${id}?scope=nope`);
  await server.expect(400, "GET", `/api/jobs/metrics/${id}?scope=node&scope=`);
  const unknown = await server.expect(200, "GET", "/api/jobs/metrics/999");
  assert.equal(unknown.json.data, null);
  assert.match(unknown.json.error.message, /999/);
});

Deno.test("a job without data has none: running without samples, unmonitored, not archived (job-api O9)", async () => {
  await using server = await JobApiServer.start();
  const silent = await server.startJob(minimalJob(1));
  const off = await server.startJob(minimalJob(2, { monitoringStatus: 0 }));
  await server.stopAndArchive(off, HOUR_AGO + 60);
  const failed = await server.startJob(minimalJob(3));
  await server.tables.jobs.setResults(failed, { monitoringStatus: 2 });
  await server.tables.jobs.stop({
    ...{ jobId: 3, stopTime: HOUR_AGO + 60, jobState: "failed" },
  });
  for (const id of [silent, off, failed]) {
    const get = await server.expect(
      200,
      "GET",
      `/api/jobs/${id}?all-metrics=true`,
    );
    assert.deepEqual(get.json.Data, {});
    const post = await server.expect(200, "POST", `/api/jobs/${id}`, {
      body: ["cpu_load"],
    });
    assert.deepEqual(post.json.Data, []);
  }
});

Deno.test("a job's metrics are an error where the store fails, but not a job without them (job-api O9)", async () => {
  const engine = new FakeEngine();
  await using server = await JobApiServer.start({ engine });
  const id = await server.startJob(minimalJob(1));
  engine.failure = new Error("a shard is gone");
  const { json } = await server.expect(
    500,
    "GET",
    `/api/jobs/${id}?all-metrics=true`,
  );
  assert.equal(json.status, "Internal Server Error");
  await server.expect(500, "POST", `/api/jobs/${id}`, { body: "null" });
  await server.expect(200, "GET", `/api/jobs/${id}`);
  engine.failure = new ClientError("E_NOT_READY", "restoring");
  await server.expect(503, "GET", `/api/jobs/${id}?all-metrics=true`);
});
