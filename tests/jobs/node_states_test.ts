/** States of nodes as the batch system tells them (job-api 9.1). */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { HOUR_AGO, JobApiServer } from "./job_api.ts";

function report(hostname: string, states: string[], more: object = {}) {
  return { cluster: "fritz", nodes: [{ hostname, states, ...more }] };
}

Deno.test("nodestate keeps the first state that applies, whatever the case of the words", async () => {
  await using server = await JobApiServer.start();
  const vectors: [string[], string][] = [
    [["ALLOCATED", "MAINT"], "allocated"],
    [["mixed", "allocated"], "allocated"],
    [["RESERVED", "idle"], "reserved"],
    [["IDLE", "DOWN"], "down"],
    [["idle", "mixed"], "idle"],
    [["down", "mixed"], "down"],
    [["Mixed"], "mixed"],
    [["drain"], "unknown"],
    [[], "unknown"],
  ];
  for (const [states, expected] of vectors) {
    const { text, headers } = await server.expect(
      200,
      "POST",
      "/api/nodestate/",
      { body: report("f0101", states) },
    );
    assert.equal(text, "");
    assert.equal(headers["content-type"], undefined);
    const [row] = await server.tables.nodes.latest("fritz");
    assert.equal(row?.state, expected, states.join());
  }
});

Deno.test("nodestate is the same at both paths, spellings and methods; each call is a row of its own", async () => {
  await using server = await JobApiServer.start();
  const paths: [string, string][] = [
    ["POST", "/api/nodestate"],
    ["PUT", "/api/nodestate"],
    ["POST", "/api/nodestate/"],
    ["PUT", "/api/nodestate/"],
    ["POST", "/api/healthcheck"],
    ["POST", "/api/healthcheck/"],
  ];
  for (const [i, [method, path]] of paths.entries()) {
    const body = report("f0102", ["idle"], { jobsRunning: i });
    await server.expect(200, method, path, { body });
    const [row] = await server.tables.nodes.latest("fritz");
    assert.equal(row?.jobsRunning, i);
  }
  const rows = await server.tables.nodes.oldStates(nowSec() + 10, 100);
  assert.equal(rows.length, paths.length - 1);
});

Deno.test("nodestate answers what was reported last of a node, to who may read the jobs of its cluster", async () => {
  await using server = await JobApiServer.start();
  const path = "/api/nodestate/?cluster=fritz&hostname=f0101";
  await server.expect(404, "GET", path);
  for (const jobsRunning of [1, 2]) {
    await server.expect(200, "POST", "/api/nodestate/", {
      body: report("f0101", ["mixed"], { jobsRunning, cpusAllocated: 3 }),
    });
  }
  const { json } = await server.expect(200, "GET", path);
  const { time, ...state } = json;
  assert.ok(Math.abs(time - nowSec()) < 60);
  assert.deepEqual(state, {
    ...{ cluster: "fritz", hostname: "f0101", subCluster: "main" },
    ...{ state: "mixed", health: "failed", jobsRunning: 2, cpusAllocated: 3 },
    healthMetrics: { missing: [], degraded: [] },
    ...{ memoryAllocated: 0, gpusAllocated: 0 },
  });
  await server.expect(200, "GET", path.replace("/?", "?"));
  for (
    const other of [
      "cluster=alex&hostname=f0101",
      "cluster=fritz&hostname=f0102",
    ]
  ) {
    await server.expect(404, "GET", `/api/nodestate/?${other}`);
  }
  for (const part of ["", "cluster=fritz", "hostname=f0101"]) {
    await server.expect(400, "GET", `/api/nodestate/?${part}`);
  }
  await server.expect(401, "GET", path, { as: "user" });
});

Deno.test("nodestate takes everything as optional, but no unknown keys and no wrong types", async () => {
  await using server = await JobApiServer.start();
  const good = ["{}", '{"cluster":"nope"}', '{"nodes":null}'];
  const bad = ["", "null", "{", "[]", '{"bogus":1}', '{"nodes":{}}'];
  for (const body of good) {
    await server.expect(200, "POST", "/api/nodestate/", { body });
  }
  for (
    const body of [
      ...bad,
      report("f0101", ["idle"], { bogus: 1 }),
      report("f0101", ["idle"], { jobsRunning: "1" }),
      report("f0101", ["idle"], { jobsRunning: 1.5 }),
    ]
  ) {
    await server.expect(400, "POST", "/api/nodestate/", { body });
  }
  // Nodes of no sub-cluster are passed over.
  await server.expect(200, "POST", "/api/nodestate/", {
    body: {
      cluster: "fritz",
      nodes: [{ hostname: "x1" }, { hostname: "f0103" }, {}],
    },
  });
  const rows = await server.tables.nodes.latest("fritz");
  assert.deepEqual(rows.map(({ hostname }) => hostname), ["f0103"]);
  assert.match(server.log.join("\n"), /without a sub-cluster.*x1/);
});

Deno.test("nodestate judges health by the metrics that the sub-cluster should have", async () => {
  await using server = await JobApiServer.start();
  const subCluster = server.clusters.subCluster("fritz", "main")!;
  const metrics = [...subCluster.metrics.keys()];
  const lines = (host: string, names: readonly string[], time: number) =>
    names.map((name) =>
      `${name},cluster=fritz,hostname=${host},type=node value=1 ${time}`
    );
  const now = nowSec();
  await server.write([
    ...lines("f0101", metrics, now),
    ...lines("f0102", metrics.slice(1), now),
    ...lines("f0103", metrics, HOUR_AGO),
  ]);
  await server.expect(200, "POST", "/api/nodestate/", {
    body: {
      cluster: "fritz",
      nodes: [
        ...["f0101", "f0102", "f0103", "f0104"].map((hostname) => ({
          ...{ hostname, states: ["idle"] },
        })),
        { hostname: "f0105", states: ["down"] },
      ],
    },
  });
  const rows = await server.tables.nodes.latest("fritz");
  assert.deepEqual(
    rows.map(({ hostname, health }) => `${hostname} ${health}`),
    [
      "f0101 full",
      "f0102 partial",
      "f0103 failed",
      "f0104 failed",
      "f0105 full",
    ],
  );
  assert.deepEqual(rows[1]?.healthMetrics, {
    missing: [metrics[0]],
    degraded: [],
  });
  assert.deepEqual(
    [...rows[2]!.healthMetrics.degraded].sort(),
    [...metrics].sort(),
  );
});

Deno.test("nodestate by the health route follows the rules of the job API", async () => {
  await using server = await JobApiServer.start();
  const body = report("f0101", ["idle"]);
  const statuses: [string, number][] = [
    ["api", 200],
    ["admin+api", 200],
    ["admin", 401],
    ["user", 401],
    ["user+api", 401],
  ];
  for (const [as, status] of statuses) {
    for (const path of ["/api/healthcheck", "/api/nodestate"]) {
      await server.expect(status, "POST", path, { as, body });
    }
  }
});

Deno.test("nodestate takes each node once, the last of several, and looks at a thousand times as many in no time", async () => {
  await using server = await JobApiServer.start();
  const doubles = Array.from({ length: 20_000 }, (_, i) => ({
    ...{ hostname: "f0101", states: ["idle"], jobsRunning: i },
  }));
  const strangers = Array.from({ length: 20_000 }, (_, i) => ({
    ...{ hostname: `x${i}`, states: ["idle"] },
  }));
  const body = { cluster: "fritz", nodes: [...doubles, ...strangers] };
  for (let i = 0; i < 2; i++) {
    await server.expect(200, "POST", "/api/nodestate/", { body });
  }
  const rows = await server.tables.nodes.latest("fritz");
  assert.deepEqual(
    rows.map(({ hostname, jobsRunning }) => [hostname, jobsRunning]),
    [["f0101", 19_999]],
  );
  assert.ok(
    (await server.tables.nodes.oldStates(nowSec() + 10, 100)).length <= 1,
  );
  // Told once, however often it is reported.
  const told = server.log.filter((line) => line.includes("sub-cluster"));
  assert.equal(told.length, 1);
  assert.match(told[0]!, /"first":"x0 x1 x2 x3 x4"/);
  assert.equal(server.jobs.status.passedOverNodes(), 40_000);
});
