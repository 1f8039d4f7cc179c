/**
 * Grafana as a client: its requests as it sends them, and every panel of the shipped
 * dashboards over the traces of a real job.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { nowSec } from "../../src/base/clock.ts";
import { parseExpr } from "../../src/prometheus/language/parser.ts";
import { SAMPLE_TOKEN, TestClient } from "../support/client.ts";
import {
  intervalBody,
  readRealJob,
  REAL_JOB_CLUSTER,
  REAL_JOB_STEP_SEC,
} from "../support/real_job.ts";
import { ROOT, TestServer } from "../support/server.ts";
import { type Envelope, PromClient } from "./_client.ts";
import { basicOf, makeInstance, makeToken } from "./_tokens.ts";

const EXAMPLES = `${ROOT}docs/examples/grafana`;
const JOB = readRealJob();
/** The last hours of the job, up to now. */
const SLOTS = 150;
const NOW = Math.floor(nowSec() / REAL_JOB_STEP_SEC) * REAL_JOB_STEP_SEC;
/** In the middle of the job, where every node works. */
const FIRST = Math.floor((JOB.slots - SLOTS) / 2);

interface Panel {
  readonly title: string;
  readonly targets: readonly {
    readonly expr: string;
    readonly instant: boolean;
  }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly type: string;
      readonly definition?: string;
    }[];
  };
}

async function dashboardsOf(): Promise<Map<string, Dashboard>> {
  const all = new Map<string, Dashboard>();
  for await (const { name } of Deno.readDir(`${EXAMPLES}/dashboards`)) {
    if (!name.endsWith(".json")) continue;
    const text = await Deno.readTextFile(`${EXAMPLES}/dashboards/${name}`);
    all.set(name, JSON.parse(text));
  }
  return all;
}

/** Variables as Grafana puts them in; several values become an alternation. */
function filled(expr: string): string {
  const several = `(${JOB.hosts.slice(0, 5).join("|")})`;
  const text = expr.replaceAll("$cluster", REAL_JOB_CLUSTER)
    .replaceAll("$nodes", several)
    .replaceAll("$node", JOB.hosts[0]!)
    .replaceAll("$__range", "3600s")
    .replaceAll("$__rate_interval", "4m");
  assert.ok(!text.includes("$"), text);
  return text;
}

async function withJob(
  test: (client: TestClient, server: TestServer) => Promise<void>,
): Promise<void> {
  const metrics = Object.fromEntries(
    JOB.metrics.map((name) =>
      [name, { frequency: REAL_JOB_STEP_SEC, aggregation: "avg" }] as const
    ),
  );
  await using server = await TestServer.start({
    metrics,
    async prepare(directory) {
      const cluster = `${directory}/job-archive/${REAL_JOB_CLUSTER}`;
      await Deno.mkdir(cluster, { recursive: true });
      await Deno.writeTextFile(`${directory}/job-archive/version.txt`, "3\n");
      await Deno.copyFile(
        new URL(
          `../testdata/clusters/${REAL_JOB_CLUSTER}.json`,
          import.meta.url,
        ),
        `${cluster}/cluster.json`,
      );
    },
  });
  const client = new TestClient(server.url);
  try {
    let lines = "";
    for (let slot = 0; slot < SLOTS; slot++) {
      const time = NOW - (SLOTS - 1 - slot) * REAL_JOB_STEP_SEC;
      lines += intervalBody(JOB, FIRST + slot, time);
    }
    const answer = await client.write(lines);
    assert.equal(answer.status, 200, answer.text);
    await test(client, server);
  } finally {
    client.close();
  }
}

/** Sends these bytes; gives the status and the body, which came with its length. */
function sendBytes(
  url: string,
  bytes: string,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes);
    });
    let received = "";
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("data", (text: string) => received += text);
    socket.on("end", () => {
      const at = received.indexOf("\r\n\r\n");
      const status = Number(received.split(" ")[1]);
      resolve({ status, text: received.slice(at + 4) });
    });
  });
}

/** The bytes of Grafana's data source: headers in the order of Go's client. */
function grafanaRequest(
  host: string,
  method: "GET" | "POST",
  target: string,
  form: string | undefined,
  authorization: string,
): string {
  const body = form ?? "";
  const type = "Content-Type: application/x-www-form-urlencoded\r\n";
  return `${method} ${target} HTTP/1.1\r\n` +
    `Host: ${host}\r\n` +
    "User-Agent: Grafana/12.1.0\r\n" +
    (method === "POST" ? `Content-Length: ${body.length}\r\n` : "") +
    `Authorization: ${authorization}\r\n` +
    (method === "POST" ? type : "") +
    "X-Grafana-Org-Id: 1\r\n" +
    "Accept-Encoding: gzip\r\n" +
    "Connection: close\r\n\r\n" +
    body;
}

Deno.test("Grafana's requests are answered as it sends them", async (t) => {
  await withJob(async (client, server) => {
    const { host } = new URL(server.url);
    const start = NOW - 3600;
    const times = `end=${NOW}&`;
    const load = "cpu_load%7Bcluster%3D%22emmy%22%7D";
    const hasData = ({ data }: Envelope) =>
      assert.ok(data.result?.length > 0 || data.length > 0);
    type Check = (json: Envelope) => void;
    const requests: [
      when: string,
      method: "GET" | "POST",
      path: string,
      form: string | undefined,
      check: Check,
    ][] = [
      [
        "Save & test",
        "POST",
        "query",
        "query=1%2B1&time=4",
        ({ data }) =>
          assert.deepEqual(data, { resultType: "scalar", result: [4, "2"] }),
      ],
      [
        "Save & test: the build",
        "GET",
        "status/buildinfo",
        undefined,
        ({ data }) => assert.equal(data.features, undefined),
      ],
      [
        "a panel",
        "POST",
        "query_range",
        `${times}query=${load}&start=${start}&step=60`,
        ({ data }) => {
          assert.equal(data.resultType, "matrix");
          assert.equal(data.result.length, JOB.hosts.length);
        },
      ],
      [
        "a panel with a step of milliseconds and a timeout",
        "POST",
        "query_range",
        `end=${NOW}.25&query=sum%28${load}%29&start=${start}.25&step=15.5&timeout=30s`,
        hasData,
      ],
      [
        "Explore, instant",
        "POST",
        "query",
        `query=${load}&time=${NOW}.123`,
        ({ data }) => assert.equal(data.result[0].value[0], NOW + 0.123),
      ],
      [
        "exemplars",
        "POST",
        "query_exemplars",
        `${times}query=${load}&start=${start}`,
        ({ data }) => assert.deepEqual(data, []),
      ],
      [
        "a variable",
        "GET",
        `label/hostname/values?${times}limit=40000&match%5B%5D=${load}&start=${start}`,
        undefined,
        ({ data }) => assert.deepEqual(data, JOB.hosts.toSorted()),
      ],
      [
        "a variable of everything",
        "GET",
        `label/cluster/values?${times}limit=40000&match%5B%5D=%7B__name__%21%3D%22%22%7D&start=${start}`,
        undefined,
        ({ data }) => assert.deepEqual(data, [REAL_JOB_CLUSTER]),
      ],
      [
        "the editor: labels",
        "POST",
        "labels",
        `${times}limit=40000&match%5B%5D=cpu_load&start=${start}`,
        ({ data }) =>
          assert.deepEqual(data, ["__name__", "cluster", "hostname"]),
      ],
      [
        "the editor: series",
        "POST",
        "series",
        `${times}limit=40000&match%5B%5D=${load}&start=${start}`,
        ({ data }) => assert.equal(data.length, JOB.hosts.length),
      ],
      [
        "Drilldown: metadata",
        "GET",
        "metadata?limit=40000",
        undefined,
        ({ data }) => {
          assert.deepEqual(data.mem_bw, [
            { type: "gauge", help: "", unit: "GB/s" },
          ]);
        },
      ],
      [
        "Drilldown: labels with a trailing comma",
        "GET",
        "labels?match%5B%5D=%7B__name__%3D~%22.%2B%22%2C%7D",
        undefined,
        hasData,
      ],
      [
        "Drilldown: metrics",
        "GET",
        "label/__name__/values",
        undefined,
        ({ data }) => assert.deepEqual(data, JOB.metrics.toSorted()),
      ],
      [
        "alerting",
        "GET",
        "rules",
        undefined,
        ({ data }) => assert.deepEqual(data, { groups: [] }),
      ],
    ];
    const ask = (
      method: "GET" | "POST",
      target: string,
      form: string | undefined,
      authorization = `Bearer ${SAMPLE_TOKEN}`,
    ) =>
      sendBytes(
        server.url,
        grafanaRequest(host, method, target, form, authorization),
      );
    for (const [when, method, path, form, check] of requests) {
      await t.step(when, async () => {
        for (const base of ["/prometheus", "/api/prom", ""]) {
          const { status, text } = await ask(
            method,
            `${base}/api/v1/${path}`,
            form,
          );
          assert.equal(status, 200, text);
          const json = JSON.parse(text) as Envelope;
          assert.equal(json.status, "success");
          assert.equal(json.warnings, undefined);
          check(json);
        }
      });
    }

    await t.step("the probe of a ruler finds no page", async () => {
      for (
        const path of [
          "/prometheus/rules/test/test",
          "/prometheus/config/v1/rules/test/test?subtype=cortex",
          "/api/prom/rules/test/test",
          "/api/v1/rules/test/test",
        ]
      ) {
        const { status, text } = await ask("GET", path, undefined);
        assert.equal(status, 404, path);
        assert.match(text, /page not found/, path);
      }
    });

    await t.step("all three ways of the data source", async () => {
      await makeInstance(client, "dev", REAL_JOB_CLUSTER);
      const write = await client.send({
        method: "POST",
        path: "/api/write",
        body: `cpu_load,hostname=tenant1 value=1 ${NOW}`,
        headers: { "X-Scope-OrgID": "dev" },
      });
      assert.equal(write.status, 200, write.text);
      const token = await makeToken(client, "grafana", {
        scopes: ["metrics:read"],
        realms: [
          { instance: "", cluster: "*" },
          { instance: "dev", cluster: REAL_JOB_CLUSTER },
        ],
      });
      const only = await makeToken(client, "default-only", {
        scopes: ["metrics:read"],
        realms: [{ instance: "", cluster: "*" }],
      });
      const ways: [string, string, number][] = [
        ["a JWT in a header", `Bearer ${SAMPLE_TOKEN}`, JOB.hosts.length],
        ["a token in a header", `Bearer ${only}`, JOB.hosts.length],
        ["Basic with an empty user", basicOf("", only), JOB.hosts.length],
        ["Basic with an instance", basicOf("dev", token), 1],
      ];
      for (const [way, authorization, count] of ways) {
        const { status, text } = await ask(
          "POST",
          "/prometheus/api/v1/query",
          `query=count%28cpu_load%29&time=${NOW}`,
          authorization,
        );
        assert.equal(status, 200, `${way}: ${text}`);
        assert.equal(
          JSON.parse(text).data.result[0].value[1],
          String(count),
          way,
        );
      }
    });

    await t.step("metadata names what the caller sees", async () => {
      const token = await makeToken(client, "one-metric", {
        scopes: ["metrics:read"],
        realms: [{
          instance: "",
          cluster: "*",
          label_policies: [{
            selector: [{ type: "EQ", name: "__name__", value: "mem_bw" }],
          }],
        }],
      });
      const api = new PromClient(client, { authorization: `Bearer ${token}` });
      const { json } = await api.get("metadata");
      assert.deepEqual(Object.keys(json.data), ["mem_bw"]);
    });

    await t.step("every panel of the dashboards shows something", async () => {
      const api = new PromClient(client);
      let queries = 0;
      for (const [name, { panels, templating }] of await dashboardsOf()) {
        for (const { type, definition } of templating.list) {
          if (type !== "query") continue;
          const [, selector = "", label = ""] = /^label_values\((.+), (\w+)\)$/
            .exec(definition ?? "") ?? [];
          const { json } = await api.get(`label/${label}/values`, {
            "match[]": filled(selector),
          });
          assert.ok(json.data.length > 0, `${name}: ${definition}`);
        }
        for (const { title, targets } of panels) {
          for (const { expr, instant } of targets) {
            const query = filled(expr);
            parseExpr(query);
            const { status, json, text } = instant
              ? await api.post("query", { query, time: String(NOW) })
              : await api.post("query_range", {
                query,
                start: String(NOW - 3600),
                end: String(NOW),
                step: "60",
              });
            const where = `${name}, ${title}: ${query}`;
            assert.equal(status, 200, `${where}: ${text}`);
            assert.ok(json.data.result.length > 0, `${where} is empty`);
            assert.deepEqual(
              [json.warnings, json.infos],
              [undefined, undefined],
              where,
            );
            queries++;
          }
        }
      }
      assert.ok(queries >= 35, `${queries} queries`);
    });
  });
});

Deno.test("the provisioned data sources have the interval of the metrics and the way of each", async () => {
  const text = await Deno.readTextFile(
    `${EXAMPLES}/datasources/ringstore.yaml`,
  );
  const sources = text.split("  - name: ").slice(1);
  assert.equal(sources.length, 3);
  for (const source of sources) {
    assert.match(source, /\n {4}type: prometheus\n/);
    assert.match(source, /\n {4}url: http:\/\/localhost:8082\/prometheus\n/);
    assert.match(source, /\n {6}httpMethod: POST\n/);
    assert.match(source, /\n {6}timeInterval: 60s\n/);
  }
  const [header = "", empty = "", named = ""] = sources;
  assert.match(header, /httpHeaderName1: Authorization\n/);
  assert.match(header, /httpHeaderValue1: Bearer \$RINGSTORE_TOKEN/);
  assert.match(empty, /basicAuth: true\n {4}basicAuthUser: ""\n/);
  assert.match(named, /basicAuth: true\n {4}basicAuthUser: dev\n/);
  const config = await Deno.readTextFile(`${ROOT}config.json`);
  for (const name of JOB.metrics) {
    assert.match(config, new RegExp(`"${name}": \\{ "frequency": 60,`));
  }
});
