/**
 * Nodes of running jobs outlive the retention: a server with a backend that says
 * which, and one whose backend does not want to.
 */
import assert from "node:assert/strict";
import { nowSec } from "../src/base/clock.ts";
import { readSeries, write } from "./crash/answers.ts";
import { DurableServer, type StoreSettings } from "./crash/durable_server.ts";

const METRICS = { load: { frequency: 10, aggregation: "avg" } } as const;
const HOSTS = ["busy", "idle"];
const LONG: StoreSettings = { metrics: METRICS };
const START_SEC = nowSec() - 3600;
const VALUES = [1, 2, 3];
const CONDITION_MS = 20_000;

/** A cc-backend whose only running job is on one node. */
class FakeBackend implements AsyncDisposable {
  readonly requests: { path: string; authorization: string | null }[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(token: string) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        const { pathname } = new URL(request.url);
        const authorization = request.headers.get("authorization");
        this.requests.push({ path: pathname, authorization });
        return authorization === `Bearer ${token}`
          ? Response.json({ usedNodes: { c: ["busy"] } })
          : new Response("no", { status: 401 });
      },
    );
  }

  /** Settings under which everything written is past the retention. */
  settings(token: string): StoreSettings {
    const url = `http://127.0.0.1:${this.#server.addr.port}`;
    return {
      metrics: METRICS,
      main: { "backend-url": url, "backend-token": token },
      store: { "retention-in-memory": "30m" },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function fill(server: DurableServer): Promise<void> {
  await write(
    server,
    HOSTS.flatMap((host) =>
      VALUES.map((value, i) =>
        `load,cluster=c,hostname=${host} value=${value} ${START_SEC + 10 * i}`
      )
    ),
  );
}

async function values(server: DurableServer, host: string) {
  const entry = await readSeries(server, {
    cluster: "c",
    host,
    metric: "load",
    from: START_SEC - 60,
    to: START_SEC + 600,
  });
  return entry?.data;
}

Deno.test("a server spares the nodes of running jobs from hiding and from freeing, and only these", async () => {
  await using backend = new FakeBackend("secret");
  await using server = await DurableServer.create();
  await server.start(LONG);
  await fill(server);

  await server.restart(backend.settings("secret"));
  // The backend is asked when the server is ready.
  await server.child.until(
    "what the job needs",
    CONDITION_MS,
    () => values(server, "busy"),
  );
  assert.deepEqual(await values(server, "busy"), VALUES);
  assert.equal(await values(server, "idle"), undefined);
  assert.equal(backend.requests[0]?.path, "/api/jobs/used_nodes");
  await server.stop();

  const child = await server.spawn(
    backend.settings("secret"),
    "-cleanup-checkpoints",
  );
  assert.equal((await child.ended()).code, 0, child.output);
  await server.start(LONG);
  assert.deepEqual(await values(server, "busy"), VALUES);
  assert.equal(await values(server, "idle"), undefined);
});

Deno.test("a server whose backend refuses its token says so and frees nothing", async () => {
  await using backend = new FakeBackend("secret");
  await using server = await DurableServer.create();
  await server.start(LONG);
  await fill(server);
  await server.restart(backend.settings("wrong"));
  await server.child.until(
    "a warning",
    CONDITION_MS,
    () => /running jobs.*it answers 401/.test(server.child.output) || undefined,
  );
  assert.equal(server.child.output.includes("wrong"), false);
  await server.stop();

  const child = await server.spawn(
    backend.settings("wrong"),
    "-cleanup-checkpoints",
  );
  assert.equal((await child.ended()).code, 1, child.output);
  assert.match(child.output, /not known which nodes have running jobs/);
  await server.start(LONG);
  for (const host of HOSTS) {
    assert.deepEqual(await values(server, host), VALUES);
  }
});
