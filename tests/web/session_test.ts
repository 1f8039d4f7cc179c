/** What pages ask first (web R1, R2), and who may ask at all (web 4.1, web 6). */
import assert from "node:assert/strict";
import type {
  ClustersAnswer,
  SessionAnswer,
} from "../../src/web/shared/answers.ts";
import { WebServer } from "./web_server.ts";

async function sessionOf(
  server: WebServer,
  who: string,
): Promise<SessionAnswer> {
  const answer = await server.api.expect(200, "GET", "/web/api/session", {
    as: `session:${who}`,
  });
  return answer.json;
}

Deno.test("R1: who is logged in and what the pages must know", async () => {
  await using server = await WebServer.start({
    web: {
      "time-zone": "Europe/Berlin",
      "short-job": 60,
      "emission-constant": 350,
      links: [{ title: "Help", url: "https://example.org/help" }],
      imprint: "https://example.org/imprint",
    },
  });
  const { nowSec, startedSec, ...answer } = await sessionOf(server, "max");
  assert.ok(startedSec <= nowSec);
  assert.deepEqual(answer, {
    user: {
      username: "max",
      name: "",
      email: "",
      roles: ["manager"],
      projects: ["p1"],
    },
    authentication: true,
    version: answer.version,
    build: "build-1",
    timeZone: "Europe/Berlin",
    notice: "",
    clusters: ["alex", "emmy", "fritz"],
    settings: {
      "web.defaultCluster": "",
      "web.plotsPerRow": 3,
      "web.jobViewMetrics": {},
    },
    features: { nats: false, journal: false, machineState: true },
    limits: { shortJobSec: 60, emissionConstant: 350, points: 2000 },
    links: [
      { title: "Help", url: "https://example.org/help" },
      { title: "Imprint", url: "https://example.org/imprint" },
    ],
  });
});

Deno.test("R1: keys of upstream's section main count where ours are absent", async () => {
  await using server = await WebServer.start({
    main: { "short-running-jobs-duration": 77, "emission-constant": 12 },
  });
  const { limits } = await sessionOf(server, "eve");
  assert.deepEqual(limits, {
    shortJobSec: 77,
    emissionConstant: 12,
    points: 2000,
  });
});

Deno.test("R1: first steps tick as they are taken, for administrators alone", async () => {
  await using server = await WebServer.start();
  assert.equal((await sessionOf(server, "sue")).firstSteps, undefined);
  assert.deepEqual((await sessionOf(server, "root")).firstSteps, {
    token: false,
    sample: false,
    clusterFile: true,
    job: false,
  });
  const { nowSec: now } = await sessionOf(server, "root");
  await server.api.write([
    `cpu_load,cluster=fritz,hostname=f0101,type=node value=1 ${now}`,
  ]);
  await server.api.startJob({
    ...{ jobId: 1, cluster: "fritz", user: "eve", project: "p1" },
    ...{ numNodes: 1, startTime: now - 60 },
    resources: [{ hostname: "f0101" }],
  } as { jobId: number; cluster: string });
  assert.deepEqual((await sessionOf(server, "root")).firstSteps, {
    token: true,
    sample: true,
    clusterFile: true,
    job: true,
  });
});

Deno.test("R1, R2: an answer that the page has already is 304", async () => {
  await using server = await WebServer.start();
  for (const path of ["/web/api/session", "/web/api/clusters"]) {
    const first = await server.api.expect(200, "GET", path, {
      as: "session:eve",
    });
    const tag = String(first.headers["etag"]);
    const again = await server.api.expect(304, "GET", path, {
      as: "session:eve",
      headers: { "If-None-Match": `"other", ${tag}` },
    });
    assert.equal(again.text, "");
    assert.equal(again.headers["etag"], tag);
  }
});

Deno.test("R2: clusters as the job API answers them, and those that only send", async () => {
  await using server = await WebServer.start();
  const ask = async () => {
    const { json } = await server.api.expect(200, "GET", "/web/api/clusters", {
      as: "session:eve",
    });
    return (json as ClustersAnswer).clusters;
  };
  const clusters = await ask();
  assert.deepEqual(clusters.map(({ name, configured }) => [name, configured]), [
    ["alex", true],
    ["emmy", true],
    ["fritz", true],
  ]);
  const { json } = await server.api.expect(200, "GET", "/api/clusters/");
  assert.deepEqual(
    clusters.map(({ configured: _, ...cluster }) => cluster),
    json.clusters,
  );
});

Deno.test("what pages ask for takes a login alone: one way in", async () => {
  await using server = await WebServer.start({
    policies: [{
      name: "all",
      active: true,
      scopes: ["admin"],
      realms: [{ instance: "*", cluster: "*", selectors: [] }],
      expiresSec: Infinity,
    }],
  });
  for (const as of [null, "admin", "api", "eve:user+api", "token:all"]) {
    const { json } = await server.api.expect(401, "GET", "/web/api/session", {
      as,
    });
    assert.deepEqual(json, { error: "log in first", status: "Unauthorized" });
  }
  for (const as of ["session:bot", "session:nil"]) {
    const { json } = await server.api.expect(403, "GET", "/web/api/session", {
      as,
    });
    assert.match(json.error, /the role api is for programs/);
  }
});

Deno.test("pages of other sites and hosts may not even read", async () => {
  await using server = await WebServer.start();
  const ask = (method: string, headers: Record<string, string>) =>
    server.api.ask(method, "/web/api/session", {
      as: "session:eve",
      headers,
    });
  for (const site of ["cross-site", "same-site"]) {
    assert.equal((await ask("GET", { "Sec-Fetch-Site": site })).status, 403);
  }
  for (const site of ["same-origin", "none"]) {
    const answer = await ask("GET", { "Sec-Fetch-Site": site });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
  }
  const preflight = await ask("OPTIONS", {
    "Origin": "https://evil.example",
    "Access-Control-Request-Method": "GET",
  });
  assert.equal(preflight.status, 405);
  assert.equal(preflight.headers["access-control-allow-origin"], undefined);
  const foreign = await ask("GET", { "Origin": "https://evil.example" });
  assert.equal(foreign.headers["access-control-allow-origin"], undefined);
});
