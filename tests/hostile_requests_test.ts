/**
 * Bodies built to cost as much as they can (products, depth, doubles, refused lines)
 * at every route of the API document, by every kind of credential: each is answered
 * in time, nothing becomes an error of ours, others are served meanwhile, and memory
 * stays within its cap.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import document from "../api/openapi.json" with { type: "json" };
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { type HttpAnswer, TestClient } from "./support/client.ts";
import { TestServer } from "./support/server.ts";

/** The longest that a client waits for an answer, whatever it sent. */
const ANSWER_MS = 10_000;
const HOSTS = 300;
const CLUSTER = "demo";
/** GB; with what the process takes besides, this is what it may grow to. */
const MEMORY_CAP = 0.8;
/** Bodies and answers under way, and what V8 has not collected yet. */
const BESIDE_CAP_BYTES = 700e6;

interface Hostile {
  readonly name: string;
  readonly body: string | Uint8Array;
  /** Also compressed: what is sent is small then. */
  readonly gzip?: boolean;
}

const HOST_NAMES = Array.from({ length: HOSTS }, (_, i) => `h${i}`);

function json(name: string, value: unknown): Hostile {
  return { name, body: JSON.stringify(value) };
}

/** Whatever a route expects. */
const ANYWHERE: readonly Hostile[] = [
  { name: "nesting of 200,000", body: "[".repeat(200_000) },
  { name: "deep objects", body: '{"a":'.repeat(100_000) },
  json("300,000 empty objects", Array.from({ length: 300_000 }, () => ({}))),
  json(
    "50,000 keys",
    Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
  ),
  json("one long text", "x".repeat(900_000)),
];

const IN_RANGE = { cluster: CLUSTER, from: 1, to: nowSec() };

/** By path: what costs most there. */
const SPECIAL: Readonly<Record<string, readonly Hostile[]>> = {
  "/api/query": [
    json("for-all-nodes of 100,000 names", {
      ...IN_RANGE,
      "for-all-nodes": Array.from({ length: 100_000 }, (_, i) => `m${i}`),
    }),
    json("for-all-nodes of 100,000 equal names", {
      ...IN_RANGE,
      "for-all-nodes": Array.from({ length: 100_000 }, () => "m60"),
    }),
    json("200,000 aggregated ids", {
      ...IN_RANGE,
      queries: [{
        metric: "m60",
        host: "h1",
        type: "hwthread",
        aggreg: true,
        "type-ids": Array.from({ length: 200_000 }, () => "1"),
      }],
    }),
    json("100,000 queries of one series", {
      ...IN_RANGE,
      queries: Array.from(
        { length: 100_000 },
        () => ({ metric: "m60", host: "h1" }),
      ),
    }),
  ],
  "/api/healthcheck": [
    json("300 nodes x 60,000 names", {
      cluster: CLUSTER,
      nodes: HOST_NAMES,
      "metric-names": Array.from({ length: 60_000 }, (_, i) => `m${i}`),
    }),
    json("200,000 nodes", {
      cluster: CLUSTER,
      nodes: Array.from({ length: 200_000 }, (_, i) => `n${i}`),
      "metric-names": ["m60"],
    }),
  ],
  "/api/nodestate": [
    json("40,000 nodes, each twice", {
      cluster: CLUSTER,
      nodes: Array.from({ length: 80_000 }, (_, i) => ({
        hostname: `h${i % 40_000}`,
        states: ["IDLE"],
      })),
    }),
  ],
  "/api/write": [
    { name: "rubbish", body: "x\n".repeat(4 << 20), gzip: true },
    {
      name: "an unknown metric",
      body: `nope,cluster=${CLUSTER},hostname=h value=1\n`.repeat(200_000),
      gzip: true,
    },
    { name: "empty lines", body: "\n".repeat(16 << 20), gzip: true },
    {
      name: "bad values",
      body: `m60,cluster=${CLUSTER},hostname=h value=oops\n`.repeat(200_000),
      gzip: true,
    },
  ],
  "/api/free": [
    json(
      "100,000 paths",
      Array.from({ length: 100_000 }, (_, i) => [CLUSTER, `x${i}`]),
    ),
  ],
  "/prometheus/api/v1/query": [
    { name: "nested sums", body: `query=${"sum(".repeat(10_000)}` },
    { name: "a long chain", body: `query=1${"%2B1".repeat(15_000)}` },
    {
      name: "a large pattern",
      body:
        `query=m60%7Bhostname%3D~%22(a%7Cb)%7B1000%7D(c%7Cd)%7B1000%7D%22%7D`,
    },
    {
      name: "many steps of many windows",
      body: "query=count_over_time((m60[5m:1s])[1d:1m])",
    },
  ],
  "/prometheus/api/v1/series": [
    ...[100, 9000].map((count) => ({
      name: `${count} selectors`,
      body: Array.from(
        { length: count },
        (_, i) => `match%5B%5D=m60%7Bhostname!%3D%22${i}%22%7D`,
      ).join("&"),
    })),
  ],
};

interface Route {
  readonly method: string;
  readonly path: string;
}

/** Operations of the API document that take a body. */
function routesWithBody(): Route[] {
  const paths = document.paths as Record<
    string,
    Record<string, { readonly requestBody?: unknown } | undefined>
  >;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation?.requestBody !== undefined)
      .map(([method]) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{[^}]+\}/g, "1"),
      }))
  );
}

/** One of each kind: `Authorization` by name. */
async function credentials(
  server: TestServer,
  sign: (claims: Record<string, unknown>) => Promise<string>,
): Promise<Map<string, string>> {
  const root = `Bearer ${await sign({ sub: "root", roles: ["admin", "api"] })}`;
  const client = new TestClient(server.url);
  const make = async (collection: string, body: unknown) => {
    const answer = await client.send({
      method: "POST",
      path: `/admin/api/v1/${collection}`,
      authorization: root,
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 201, answer.text);
    return JSON.parse(answer.text) as { token?: string };
  };
  const tokenOf = async (
    name: string,
    scopes: string[],
    selector: unknown[] = [],
  ) => {
    const labels = selector.length === 0
      ? {}
      : { label_policies: [{ selector }] };
    await make("accesspolicies", {
      name,
      scopes,
      realms: [{ instance: "", cluster: "*", ...labels }],
    });
    const { token } = await make("tokens", {
      name: `${name}-1`,
      access_policy: name,
    });
    return `Bearer ${token}`;
  };
  try {
    return new Map([
      ["JWT user", `Bearer ${await sign({ sub: "eve", roles: ["user"] })}`],
      ["JWT api", `Bearer ${await sign({ sub: "robot", roles: ["api"] })}`],
      ["JWT admin, api", root],
      ["token metrics:write", await tokenOf("writer", ["metrics:write"])],
      [
        "token metrics:read with labels",
        await tokenOf("reader", ["metrics:read"], [
          { type: "RE", name: "hostname", value: "h1.*" },
        ]),
      ],
      ["token jobs:write", await tokenOf("jobs", ["jobs:read", "jobs:write"])],
    ]);
  } finally {
    client.close();
  }
}

/** Fails where the answer is an error of ours. */
function assertServed(answer: HttpAnswer, what: string): void {
  if (answer.status === 503) {
    assert.ok(
      answer.headers["retry-after"],
      `${what}: 503 without Retry-After`,
    );
    return;
  }
  assert.ok(answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
}

/** Deno itself does not read below /proc. */
async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
  }).output();
  const status = new TextDecoder().decode(stdout);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

Deno.test("no body stops the server, whoever sends it and wherever", async (t) => {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", {
    extractable: true,
  });
  const { x } = await exportJWK(publicKey);
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: "EdDSA" })
      .setExpirationTime("1h").sign(privateKey);
  await using server = await TestServer.start({
    metrics: { m60: { frequency: 60, aggregation: "sum" } },
    main: { "jwt-public-key": Buffer.from(x!, "base64url").toString("base64") },
    metricStore: { "memory-cap": MEMORY_CAP },
  });
  const senders = await credentials(server, sign);
  const robot = senders.get("JWT api")!;
  const watcher = new TestClient(server.url);
  const lines = HOST_NAMES.map((host) =>
    `m60,cluster=${CLUSTER},hostname=${host},type=node value=1 ${nowSec()}`
  );
  const written = await watcher.send({
    method: "POST",
    path: "/api/write",
    authorization: robot,
    body: lines.join("\n"),
  });
  assert.equal(written.status, 200, written.text);

  let peakBytes = 0;
  /** Sends the body; meanwhile somebody else looks whether the server is alive. */
  const strike = async (
    authorization: string,
    { method, path }: Route,
    { name, body, gzip = false }: Hostile,
  ) => {
    const what = `${method} ${path}, ${name}`;
    const client = new TestClient(server.url);
    const startedMs = monotonicMs();
    try {
      const answered = client.send({
        method,
        path: `${path}?cluster=${CLUSTER}&to=1`,
        authorization,
        headers: {
          "Content-Type": path.startsWith("/prometheus")
            ? "application/x-www-form-urlencoded"
            : "application/json",
          ...(gzip ? { "Content-Encoding": "gzip" } : {}),
        },
        body: gzip ? gzipSync(body) : body,
      });
      const alive = await watcher.send({
        method: "GET",
        path: "/health",
        authorization: null,
      });
      assert.equal(alive.status, 200, what);
      const aliveMs = monotonicMs() - startedMs;
      assert.ok(aliveMs < ANSWER_MS, `${what}: /health after ${aliveMs} ms`);
      assertServed(await answered, what);
      const tookMs = monotonicMs() - startedMs;
      assert.ok(tookMs < ANSWER_MS, `${what}: answered after ${tookMs} ms`);
    } finally {
      client.close();
    }
    peakBytes = Math.max(peakBytes, await residentBytes(server.child.pid));
  };

  try {
    for (const [name, authorization] of senders) {
      await t.step(name, async () => {
        for (const [path, bodies] of Object.entries(SPECIAL)) {
          for (const hostile of bodies) {
            await strike(authorization, { method: "POST", path }, hostile);
          }
        }
        // Rights do not depend on the body, so one kind a route is enough here.
        for (const [i, route] of routesWithBody().entries()) {
          await strike(authorization, route, ANYWHERE[i % ANYWHERE.length]!);
        }
      });
    }
    const left = await watcher.send({
      method: "POST",
      path: "/api/query",
      authorization: robot,
      body: JSON.stringify({
        ...IN_RANGE,
        to: nowSec() + 60,
        "with-padding": false,
        queries: HOST_NAMES.map((host) => ({ metric: "m60", host })),
      }),
    });
    const { results } = JSON.parse(left.text) as { results: unknown[][] };
    assert.ok(results.every(({ length }) => length === 1), "samples are lost");
    assert.ok(
      peakBytes < MEMORY_CAP * 1e9 + BESIDE_CAP_BYTES,
      `the process took ${Math.round(peakBytes / 1e6)} MB`,
    );
  } finally {
    watcher.close();
  }
});
