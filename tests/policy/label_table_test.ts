/** The table of routes and label policies in docs/SECURITY.md, tried route by route. */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { type HttpAnswer, TestClient } from "../support/client.ts";
import { ROOT, TestServer } from "../support/server.ts";

const SHOWN = "n01";
const HIDDEN = "n02";
const TIME = nowSec() - 120;

/** `[route, verdict]` of its rows. */
async function table(): Promise<[string, string][]> {
  const page = await Deno.readTextFile(`${ROOT}docs/SECURITY.md`);
  const section = page.split("## Label policies, route by route")[1]!
    .split("\n## ")[0]!;
  return [...section.matchAll(/^\| `([A-Z]+ [^`]+)` *\| (\w+) *\|$/gm)]
    .map(([, route, verdict]) => [route!, verdict!]);
}

/** What the request needs beside its path, by route. */
const REQUESTS: Readonly<Record<string, { query?: string; body?: unknown }>> = {
  "POST /api/query": {
    body: {
      ...{ cluster: "c", from: TIME - 60, to: TIME + 60 },
      "for-all-nodes": ["load"],
    },
  },
  "POST /api/healthcheck": {
    body: { cluster: "c", nodes: [SHOWN, HIDDEN], "metric-names": ["load"] },
  },
  "GET /prometheus/api/v1/query": { query: `?query=load&time=${TIME}` },
  "GET /prometheus/api/v1/series": { query: "?match[]=load" },
  "POST /api/free": { query: `?to=${TIME + 3600}`, body: [["c"]] },
  "GET /api/debug": { query: "?selector=c" },
  "POST /api/jobs/tag_job/1": {
    body: [{ type: "app", name: "solver", scope: "global" }],
  },
  "POST /api/jobs/start_job/": {
    body: {
      ...{ jobId: 1, user: "eve", project: "p1", cluster: "c", numNodes: 1 },
      ...{ startTime: TIME, resources: [{ hostname: SHOWN }] },
    },
  },
  "GET /api/nodestate/": { query: `?cluster=c&hostname=${SHOWN}` },
  "POST /api/write": {
    query: "?cluster=c",
    body: `load,hostname=${SHOWN} value=2 ${TIME}\n`,
  },
};

function verdictOf(route: string, { status, text }: HttpAnswer): string {
  if (status === 403) return "refused";
  assert.equal(status, 200, `${route}: ${text}`);
  if (route.endsWith("/free")) {
    assert.equal(text, "buffers freed: 1\n");
    return "enforced";
  }
  if (route.endsWith("/healthcheck")) {
    const { [SHOWN]: shown, [HIDDEN]: hidden } = JSON.parse(text);
    assert.notDeepEqual(shown, hidden);
    return "enforced";
  }
  assert.ok(text.includes(SHOWN), `${route}: ${text}`);
  return text.includes(HIDDEN) ? "open" : "enforced";
}

Deno.test("the table of label policies in docs/SECURITY.md is what a narrowed token meets", async () => {
  await using server = await TestServer.start({
    metrics: { load: { frequency: 60, aggregation: null } },
  });
  const client = new TestClient(server.url);
  try {
    const lines = [SHOWN, HIDDEN].map((host) =>
      `load,cluster=c,hostname=${host} value=1 ${TIME}\n`
    );
    assert.equal((await client.write(lines.join(""))).status, 200);
    const admin = async (path: string, body: unknown) => {
      const answer = await client.send({
        ...{ method: "POST", path: `/admin/api/v1/${path}` },
        body: JSON.stringify(body),
      });
      assert.ok(answer.status < 300, answer.text);
      return JSON.parse(answer.text);
    };
    const selector = [{ type: "EQ", name: "hostname", value: SHOWN }];
    await admin("accesspolicies", {
      name: "narrowed",
      scopes: ["metrics:read", "metrics:delete", "jobs:read", "jobs:write"],
      realms: [{
        ...{ instance: "*", cluster: "*", label_policies: [{ selector }] },
      }],
    });
    const { token } = await admin("tokens", {
      ...{ name: "narrowed-token", access_policy: "narrowed" },
    });
    const rows = await table();
    assert.ok(rows.length >= 18, `${rows.length} rows`);
    // What frees comes last, so that there is something to be seen before.
    rows.sort(([a], [b]) =>
      Number(a.endsWith("free")) - Number(b.endsWith("free"))
    );
    for (const [route, verdict] of rows) {
      const [method = "", path = ""] = route.split(" ");
      const { query = "", body } = REQUESTS[route] ?? {};
      const answer = await client.send({
        ...{ method, path: path + query },
        authorization: `Basic ${btoa(`:${token}`)}`,
        body: body === undefined || typeof body === "string"
          ? body
          : JSON.stringify(body),
      });
      assert.equal(verdictOf(route, answer), verdict, route);
    }
  } finally {
    client.close();
  }
});
