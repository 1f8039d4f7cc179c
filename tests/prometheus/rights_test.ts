/**
 * Who may ask what by the Prometheus API. The table is the documentation: every kind
 * of credential, a question for data, and one that any principal may ask.
 */
import assert from "node:assert/strict";
import { generateKeyPair } from "../../src/access/ed25519.ts";
import { signToken } from "../../src/access/token.ts";
import { nowSec } from "../../src/base/clock.ts";
import { TestClient } from "../support/client.ts";
import { ringstore } from "../support/job_server.ts";
import { TestServer } from "../support/server.ts";
import { PromClient } from "./_client.ts";
import { basicOf, makeInstance, makeToken } from "./_tokens.ts";

const METRICS = {
  cpu_load: { frequency: 60, aggregation: "avg" },
  flops_any: { frequency: 60, aggregation: "sum" },
} as const;
const NOW = nowSec();
const PEOPLE = "users and managers see the metrics of their jobs";

/**
 * The hosts of cpu_load that a credential sees, or the status of the refusal, and part
 * of its text; then the status of routes that any principal may use.
 */
const TABLE = `
nobody                                 | 401                    | 401
rubbish                                | 401                    | 401
cookie of an administrator             | 401                    | 401
JWT without roles                      | 401 a role or a scope  | 401
JWT user                               | 403 ${PEOPLE} | 403
JWT manager                            | 403 ${PEOPLE} | 403
JWT api, user                          | 403 ${PEOPLE} | 403
JWT support                            | e1 f1 f2               | 200
JWT support, user                      | e1 f1 f2               | 200
JWT api                                | e1 f1 f2               | 200
JWT admin                              | e1 f1 f2               | 200
JWT admin by X-Auth-Token              | e1 f1 f2               | 200
JWT admin with an instance             | t1                     | 200
JWT admin with an unknown instance     | 403                    | 200
JWT support with an instance           | 403 needs the role admin | 200
Bearer, everything                     | e1 f1 f2               | 200
Basic, empty user                      | e1 f1 f2               | 200
Basic, an instance                     | t1                     | 200
Bearer with an instance                | t1                     | 200
Bearer with an unknown instance        | 403                    | 200
Bearer with several instances          | 403                    | 200
Bearer of one instance                 | t1                     | 200
Bearer of two instances                | 401 no org id          | 200
Basic, an instance that is not its own | 403                    | 200
Bearer of a cluster                    | f1 f2                  | 200
Bearer of a cluster with nothing       |                        | 200
Bearer with a label policy             | f2                     | 200
Bearer of two label policies           | e1 f1                  | 200
Bearer with a policy on the metric     |                        | 200
Bearer, metrics:write only             | 403 needs scope        | 200
Bearer, jobs:read only                 | 403 needs scope        | 200
`;

type Headers = Readonly<Record<string, string>>;

async function credentialsOf(
  admin: TestClient,
  jwt: (...roles: string[]) => Promise<string>,
  cookie: string,
): Promise<ReadonlyMap<string, Headers>> {
  const bearer = (token: string, more: Headers = {}) => ({
    Authorization: `Bearer ${token}`,
    ...more,
  });
  const org = (name: string) => ({ "X-Scope-OrgID": name });
  let count = 0;
  const token = (
    realms: readonly unknown[],
    scopes: readonly string[] = ["metrics:read"],
  ) => makeToken(admin, `policy-${++count}`, { scopes, realms });
  const policy = (...selectors: [string, string, string][][]) => ({
    label_policies: selectors.map((selector) => ({
      selector: selector.map(([type, name, value]) => ({ type, name, value })),
    })),
  });
  const all = await token([{ instance: "*", cluster: "*" }]);
  const dev = { instance: "dev", cluster: "tenant" };
  const one = await token([dev]);
  const own = (more: object = {}) => ({ instance: "", cluster: "*", ...more });
  return new Map<string, Headers>([
    ["nobody", {}],
    ["rubbish", bearer("rubbish")],
    ["cookie of an administrator", { Cookie: cookie }],
    ["JWT without roles", bearer(await jwt())],
    ["JWT user", bearer(await jwt("user"))],
    ["JWT manager", bearer(await jwt("manager"))],
    ["JWT api, user", bearer(await jwt("api", "user"))],
    ["JWT support", bearer(await jwt("support"))],
    ["JWT support, user", bearer(await jwt("support", "user"))],
    ["JWT api", bearer(await jwt("api"))],
    ["JWT admin", bearer(await jwt("admin"))],
    ["JWT admin by X-Auth-Token", { "X-Auth-Token": await jwt("admin") }],
    ["JWT admin with an instance", bearer(await jwt("admin"), org("dev"))],
    [
      "JWT admin with an unknown instance",
      bearer(await jwt("admin"), org("nope")),
    ],
    ["JWT support with an instance", bearer(await jwt("support"), org("dev"))],
    ["Bearer, everything", bearer(all)],
    ["Basic, empty user", { Authorization: basicOf("", all) }],
    ["Basic, an instance", { Authorization: basicOf("dev", all) }],
    ["Bearer with an instance", bearer(all, org("dev"))],
    ["Bearer with an unknown instance", bearer(all, org("nope"))],
    ["Bearer with several instances", bearer(all, org("dev|stage"))],
    ["Bearer of one instance", bearer(one)],
    [
      "Bearer of two instances",
      bearer(await token([dev, { ...dev, instance: "stage" }])),
    ],
    [
      "Basic, an instance that is not its own",
      { Authorization: basicOf("stage", one) },
    ],
    [
      "Bearer of a cluster",
      bearer(await token([{ instance: "", cluster: "fritz" }])),
    ],
    [
      "Bearer of a cluster with nothing",
      bearer(await token([{ instance: "", cluster: "tenant" }])),
    ],
    [
      "Bearer with a label policy",
      bearer(await token([own(policy([["RE", "hostname", ".2"]]))])),
    ],
    [
      "Bearer of two label policies",
      bearer(
        await token([own(policy(
          [["EQ", "hostname", "f1"]],
          [["NEQ", "cluster", "fritz"]],
        ))]),
      ),
    ],
    [
      "Bearer with a policy on the metric",
      bearer(await token([own(policy([["NEQ", "__name__", "cpu_load"]]))])),
    ],
    [
      "Bearer, metrics:write only",
      bearer(await token([own()], ["metrics:write"])),
    ],
    ["Bearer, jobs:read only", bearer(await token([own()], ["jobs:read"]))],
  ]);
}

async function withServer(
  main: Record<string, unknown>,
  test: (
    client: TestClient,
    jwt: (...roles: string[]) => Promise<string>,
    cookie: string,
  ) => Promise<void>,
): Promise<void> {
  const pair = await generateKeyPair();
  const keys = {
    publicKey: pair.publicKey,
    privateKey: pair,
    madeIn: undefined,
  };
  const jwt = (...roles: string[]) =>
    signToken(keys, { user: "eve", roles, maxAgeSec: 3600 });
  await using server = await TestServer.start({
    metrics: METRICS,
    main: { "jwt-public-key": pair.publicKey.base64, ...main },
    async prepare(_directory, configFile) {
      const add = ["user", "add", "boss", "--roles", "admin,api"];
      await ringstore(add, configFile, "long enough a secret\n");
    },
  });
  const authorization = `Bearer ${await jwt("admin")}`;
  const client = new TestClient(server.url);
  const admin = {
    send: (question: Parameters<TestClient["send"]>[0]) =>
      client.send({ authorization, ...question }),
  } as TestClient;
  const write = async (lines: string[], org?: string) => {
    const answer = await admin.send({
      method: "POST",
      path: "/api/write",
      body: lines.map((line) => `${line} value=1 ${NOW}`).join("\n"),
      headers: org === undefined ? {} : { "X-Scope-OrgID": org },
    });
    assert.equal(answer.status, 200, answer.text);
  };
  try {
    await write([
      "cpu_load,cluster=fritz,hostname=f1",
      "cpu_load,cluster=fritz,hostname=f2",
      "cpu_load,cluster=emmy,hostname=e1",
      "flops_any,cluster=fritz,hostname=f9",
      // Instances are made for clusters that are there.
      "flops_any,cluster=tenant,hostname=f8",
    ]);
    await makeInstance(admin, "dev", "tenant");
    await makeInstance(admin, "stage", "tenant");
    await write(["cpu_load,cluster=tenant,hostname=t1"], "dev");
    const login = await client.send({
      method: "POST",
      path: "/login",
      body: "username=boss&password=long+enough+a+secret",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      authorization: null,
    });
    const cookie = login.headers["set-cookie"]?.[0]?.split(";")[0];
    assert.ok(cookie !== undefined, login.text);
    await test(admin, jwt, cookie);
  } finally {
    client.close();
  }
}

const PREFIXES = ["/prometheus/api/v1", "/api/prom/api/v1", "/api/v1"];
/** Questions for data, and the part of their answers that names hosts. */
const DATA: readonly (readonly [string, Record<string, string>])[] = [
  ["query", { query: "cpu_load", time: `${NOW}` }],
  ["query_range", {
    query: "cpu_load",
    start: `${NOW}`,
    end: `${NOW}`,
    step: "1",
  }],
  ["series", { "match[]": "cpu_load" }],
  ["label/hostname/values", { "match[]": "cpu_load" }],
];
const EMPTY = [
  "labels",
  "metadata",
  "query_exemplars",
  "rules",
  "alerts",
  "targets",
  "targets/metadata",
  "scrape_pools",
  "alertmanagers",
];
const FOR_ALL = [
  "status/buildinfo",
  "status/flags",
  "status/config",
  "status/runtimeinfo",
  "features",
  "format_query?query=up",
];

function hostsOf(text: string): string[] {
  return [...new Set(text.match(/\b[eft]\d\b/g))].sort();
}

Deno.test("the table says who sees what", async (t) => {
  await withServer({}, async (client, jwt, cookie) => {
    const credentials = await credentialsOf(client, jwt, cookie);
    const rows = TABLE.trim().split("\n").map((row) =>
      row.split("|").map((cell) => cell.trim())
    );
    assert.deepEqual(
      rows.map(([name]) => name),
      [...credentials.keys()],
    );
    for (const [name = "", sees = "", any] of rows) {
      await t.step(name, async () => {
        const headers = credentials.get(name)!;
        const refusal = /^(\d{3})(?: (.*))?$/.exec(sees);
        for (const prefix of PREFIXES) {
          const api = new PromClient(client, {
            prefix,
            headers,
            authorization: headers["Authorization"] ?? null,
          });
          for (const [path, asked] of DATA) {
            const answer = await api.get(path, asked);
            if (refusal === null) {
              assert.equal(answer.status, 200, `${path} ${answer.text}`);
              assert.deepEqual(
                hostsOf(answer.text),
                sees === "" ? [] : sees.split(" "),
              );
            } else {
              assert.equal(answer.status, Number(refusal[1]), path);
              const { status, errorType, error } = answer.json;
              assert.equal(status, "error");
              assert.equal(
                errorType,
                answer.status === 401 ? "unauthorized" : "forbidden",
              );
              assert.ok(error?.includes(refusal[2] ?? ""), error);
            }
          }
          if (prefix !== PREFIXES[0]) continue;
          for (const path of EMPTY) {
            const { status } = await api.get(path);
            assert.equal(status, Number(refusal?.[1] ?? 200), path);
          }
          for (const path of FOR_ALL) {
            assert.equal((await api.get(path)).status, Number(any), path);
          }
        }
      });
    }
    await t.step(
      "only who sees everything learns how much there is",
      async () => {
        const counts = await Promise.all(
          [
            "Bearer, everything",
            "Bearer with a label policy",
            "JWT api",
            "Bearer, jobs:read only",
          ].map(
            async (name) => {
              const headers = credentials.get(name)!;
              const api = new PromClient(client, {
                authorization: headers["Authorization"]!,
              });
              const { json } = await api.get("status/runtimeinfo");
              return json.data.timeSeriesCount;
            },
          ),
        );
        assert.deepEqual(counts, [6, 0, 6, 0]);
      },
    );
  });
});

Deno.test("main.open-metrics opens PromQL to every known role", async () => {
  await withServer({ "open-metrics": true }, async (client, jwt) => {
    for (const roles of [["user"], ["manager"], ["api", "user"], ["support"]]) {
      const api = new PromClient(client, {
        authorization: `Bearer ${await jwt(...roles)}`,
      });
      const answer = await api.get("query", {
        query: "cpu_load",
        time: `${NOW}`,
      });
      assert.deepEqual(hostsOf(answer.text), ["e1", "f1", "f2"], `${roles}`);
      assert.equal((await api.get("status/buildinfo")).status, 200);
    }
    const nobody = new PromClient(client, {
      authorization: `Bearer ${await jwt()}`,
    });
    assert.equal((await nobody.get("query", { query: "1" })).status, 401);
  });
});
