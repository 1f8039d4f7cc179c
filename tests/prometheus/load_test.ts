/**
 * Queries that are too expensive: they end at their bounds, they end when nobody
 * waits, and they hold up neither writes nor the queries of others.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { nowSec } from "../../src/base/clock.ts";
import { SAMPLE_TOKEN, TestClient } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { form, PromClient } from "./_client.ts";
import { makeToken } from "./_tokens.ts";

const METRICS = {
  flops_any: { frequency: 60, aggregation: "sum" },
} as const;
const NOW = Math.floor(nowSec() / 60) * 60;
const STEPS = 60;

function lines(host: string): string {
  const all: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    for (let id = 0; id < 20; id++) {
      all.push(
        `flops_any,cluster=fritz,hostname=${host},type=hwthread,type-id=${id} value=${
          id + step
        } ${NOW - 60 * step}`,
      );
    }
  }
  return all.join("\n");
}

/** It would take minutes. */
const ENDLESS = form({
  query: "sum(mad_over_time(sin(flops_any)[30m:1s]))",
  start: `${NOW - 3600}`,
  end: `${NOW}`,
  step: "1",
});

interface Open {
  readonly ended: Promise<{ status: number; text: string } | "gone">;
  destroy(): void;
}

/** A question whose answer nobody may ever read. */
function ask(url: string, path: string, token = SAMPLE_TOKEN): Open {
  const { hostname, port } = new URL(url);
  const req = request({
    hostname,
    port,
    path,
    headers: { Authorization: `Bearer ${token}` },
  });
  const ended = new Promise<{ status: number; text: string } | "gone">(
    (resolve) => {
      req.on("response", (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (chunk: string) => text += chunk);
        res.on("end", () => resolve({ status: res.statusCode ?? 0, text }));
      });
      req.on("error", () => resolve("gone"));
    },
  );
  req.end();
  return { ended, destroy: () => void req.destroy() };
}

class Watch {
  readonly #client: TestClient;

  constructor(client: TestClient) {
    this.#client = client;
  }

  /** Sum of a metric over its label sets. */
  async value(name: string, ...labels: string[]): Promise<number> {
    const { text } = await this.#client.send({
      method: "GET",
      path: "/metrics",
    });
    return text.split("\n")
      .filter((line) => new RegExp(`^ringstore_${name}[{ ]`).test(line))
      .filter((line) => labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async until(name: string, wanted: number): Promise<void> {
    while (await this.value(name) !== wanted) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function withServer(
  prometheus: Record<string, unknown>,
  test: (client: TestClient, server: TestServer, watch: Watch) => Promise<void>,
) {
  await using server = await TestServer.start({
    metrics: METRICS,
    sections: { prometheus },
  });
  const client = new TestClient(server.url);
  try {
    for (const host of ["f1", "f2", "f3"]) {
      assert.equal((await client.write(lines(host))).status, 200);
    }
    await test(client, server, new Watch(client));
  } finally {
    client.close();
  }
}

const RANGE = `/api/v1/query_range?${ENDLESS}`;

Deno.test("a query whose client has gone ends, and gives its turn back", async () => {
  await withServer({ "max-concurrency": 1 }, async (client, server, watch) => {
    const running = ask(server.url, RANGE);
    await watch.until("promql_queries_running", 1);
    // One runs, one of the same caller waits, and goes as well.
    const waiting = ask(server.url, RANGE);
    await watch.until("promql_queries_waiting", 1);
    waiting.destroy();
    await watch.until("promql_queries_waiting", 0);
    running.destroy();
    await watch.until("promql_queries_running", 0);
    await watch.until("selections_open", 0);
    assert.deepEqual(await Promise.all([running.ended, waiting.ended]), [
      "gone",
      "gone",
    ]);
    const api = new PromClient(client);
    const answer = await api.get("query", { query: "1+1", time: "4" });
    assert.deepEqual(answer.json.data.result, [4, "2"]);
    assert.equal(
      await watch.value("promql_queries_total", 'outcome="canceled"'),
      2,
    );
  });
});

Deno.test("writes and the queries of others are answered beside one that is too expensive", async () => {
  await withServer({ "max-concurrency": 1 }, async (client, server, watch) => {
    const other = await makeToken(client, "others", {
      scopes: ["metrics:read"],
      realms: [{ instance: "", cluster: "*" }],
    });
    const large = ask(server.url, RANGE);
    await watch.until("promql_queries_running", 1);
    for (let i = 0; i < 20; i++) {
      assert.equal((await client.write(lines(`g${i}`))).status, 200);
    }
    const api = new PromClient(client, { authorization: `Bearer ${other}` });
    const { json } = await api.get("query", {
      query: "count(flops_any)",
      time: `${NOW}`,
    });
    assert.deepEqual(json.data.result, [{ metric: {}, value: [NOW, "460"] }]);
    // The large one is still at it.
    assert.equal(await watch.value("promql_queries_running"), 1);
    large.destroy();
    await watch.until("promql_queries_running", 0);
  });
});

Deno.test("a query ends with its time, also while it waits", async () => {
  await withServer({ "max-concurrency": 1 }, async (_client, server, watch) => {
    const envelope = (error: string) =>
      JSON.stringify({ status: "error", errorType: "timeout", error });
    const first = ask(server.url, RANGE);
    await watch.until("promql_queries_running", 1);
    const second = await ask(server.url, `${RANGE}&timeout=50ms`).ended;
    assert.deepEqual(second, {
      status: 503,
      text: envelope("query timed out in query queue"),
    });
    first.destroy();
    await watch.until("promql_queries_running", 0);
    const third = await ask(server.url, `${RANGE}&timeout=0.2`).ended;
    assert.deepEqual(third, {
      status: 503,
      text: envelope("query timed out in expression evaluation"),
    });
    await watch.until("selections_open", 0);
  });
});

Deno.test("a query ends at the bounds of the configuration", async () => {
  await withServer(
    { "max-samples": 2000, "max-series": 10, "query-timeout": "1s" },
    async (client) => {
      const api = new PromClient(client);
      const cases: [string, Record<string, string>, number, string][] = [
        [
          "query",
          { query: "flops_any" },
          422,
          "a selector matches more than 10 series",
        ],
        [
          "query_range",
          {
            query: 'flops_any{hostname="f1",type_id=~"."}',
            start: `${NOW - 10_000}`,
            end: `${NOW}`,
            step: "1",
          },
          422,
          "query processing would load too many samples into memory in query execution",
        ],
        [
          "query",
          {
            query: 'sum_over_time(flops_any{type_id="1"}[1h:1s])',
            timeout: "10h",
          },
          422,
          "query processing would load too many samples into memory in query execution",
        ],
      ];
      for (const [path, asked, status, error] of cases) {
        const answer = await api.get(path, { time: `${NOW}`, ...asked });
        assert.deepEqual(
          [answer.status, answer.json],
          [status, { status: "error", errorType: "execution", error }],
        );
      }
      // Names are not bounded by series.
      const { json } = await api.get("series", { "match[]": "flops_any" });
      assert.equal(json.data.length, 60);
    },
  );
});

Deno.test("one question more than may wait is refused, whoever has most of them", async () => {
  await withServer({ "max-concurrency": 1 }, async (client, server, watch) => {
    const other = await makeToken(client, "latecomer", {
      scopes: ["metrics:read"],
      realms: [{ instance: "", cluster: "*" }],
    });
    const waiting = Array.from({ length: 513 }, () => ask(server.url, RANGE));
    await watch.until("promql_queries_waiting", 512);
    const refused = await client.send({ method: "GET", path: RANGE });
    assert.equal(refused.status, 429);
    assert.equal(refused.headers["retry-after"], "1");
    assert.deepEqual(JSON.parse(refused.text), {
      status: "error",
      errorType: "too_many_requests",
      error: "too many outstanding requests: 512 queries wait",
    });
    // Others are let in, and reads of jobs have places of their own.
    const api = new PromClient(client, { authorization: `Bearer ${other}` });
    assert.equal((await api.get("query", { query: "1" })).status, 200);
    for (const { destroy } of waiting) destroy();
    await watch.until("promql_queries_waiting", 0);
    await watch.until("promql_queries_running", 0);
  });
});
