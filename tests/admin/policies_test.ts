/** The admin API by its contract: access policies. */
import assert from "node:assert/strict";
import { AdminServer } from "./admin_server.ts";

const REALM = { instance: "*", cluster: "emmy" };

Deno.test("an access policy is made, read, listed and changed", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  const made = await server.ask("POST", "/accesspolicies", {
    body: {
      name: "readers",
      display_name: "All readers",
      created_at: "2020-07-13T16:50:41.953793Z",
      realms: [
        { instance: "dev", cluster: "emmy" },
        { instance: "", cluster: "*", label_policies: [] },
        { instance: "*", cluster: "woody" },
      ],
      scopes: ["jobs:read", "metrics:read", "jobs:read"],
      expiration: "2030-01-01T01:00:00.1234567+01:00",
    },
  });
  assert.equal(made.status, 201);
  assert.equal(
    made.headers["location"],
    "/admin/api/v1/accesspolicies/readers",
  );
  assert.equal(made.headers["etag"], '"1"');
  const { created_at, ...rest } = made.json;
  assert.match(created_at, /^20.*\.\d{6}Z$/);
  assert.notEqual(created_at, "2020-07-13T16:50:41.953793Z");
  assert.deepEqual(rest, {
    name: "readers",
    display_name: "All readers",
    status: "active",
    realms: [
      { instance: "dev", cluster: "emmy" },
      { instance: "", cluster: "*" },
      { instance: "*", cluster: "woody" },
    ],
    scopes: ["metrics:read", "jobs:read"],
    expiration: "2030-01-01T00:00:00.123456Z",
  });
  for (const method of ["GET", "POST"]) {
    const read = await server.ask(method, "/accesspolicies/readers");
    assert.deepEqual(read.json, made.json);
  }
  const list = await server.ask("GET", "/accesspolicies");
  assert.equal(list.json.type, "key");
  assert.deepEqual(
    list.json.items.map(({ name }: { name: string }) => name),
    ["__admin__", "readers"],
  );
  const changed = await server.ask("PUT", "/accesspolicies/readers", {
    body: { scopes: ["metrics:write"], expiration: null },
    headers: { "If-Match": '"1"' },
  });
  assert.equal(changed.headers["etag"], '"2"');
  const { expiration: _, ...kept } = made.json;
  assert.deepEqual(changed.json, { ...kept, scopes: ["metrics:write"] });
  const stale = await server.ask("PUT", "/accesspolicies/readers", {
    body: { scopes: ["nonsense"] },
    headers: { "If-Match": '"1"' },
  });
  assert.equal(stale.status, 412);
});

Deno.test("matchers are kept under the names of their labels, NE as NEQ", async () => {
  await using server = await AdminServer.start();
  const matcher = (type: string, name: string, value = "x") => ({
    type,
    name,
    value,
  });
  const { realms } = await server.make("accesspolicies", {
    name: "narrow",
    realms: [{
      ...REALM,
      label_policies: [
        {
          selector: [
            matcher("NE", "metric"),
            matcher("EQ", "host"),
            matcher("RE", "type_id", "[0-9]+"),
            matcher("NRE", "stype_id", "a|b"),
          ],
        },
        { selector: [matcher("NEQ", "__name__", "")] },
      ],
    }],
    scopes: ["metrics:read"],
  });
  assert.deepEqual(realms, [{
    ...REALM,
    label_policies: [
      {
        selector: [
          matcher("NEQ", "__name__"),
          matcher("EQ", "hostname"),
          matcher("RE", "type-id", "[0-9]+"),
          matcher("NRE", "stype-id", "a|b"),
        ],
      },
      { selector: [matcher("NEQ", "__name__", "")] },
    ],
  }]);
});

Deno.test("what is wrong with an access policy is said with field and value", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  const good = { name: "wrong", realms: [REALM], scopes: ["metrics:read"] };
  const selecting = (...selector: unknown[]) => ({
    realms: [{ ...REALM, label_policies: [{ selector }] }],
  });
  const long = "x".repeat(1025);
  const cases: [object, RegExp][] = [
    [{ name: "Wrong!" }, /^name: /],
    [{ realms: undefined }, /^realms: /],
    [{ realms: [] }, /^realms: at least one/],
    [{ realms: Array(101).fill(REALM) }, /^realms: at most 100/],
    [{ realms: REALM }, /^realms: .*array/],
    [{ realms: [{ cluster: "emmy" }] }, /^realms\.0\.instance: /],
    [{ realms: [{ instance: "" }] }, /^realms\.0\.cluster: /],
    [
      { realms: [REALM, { instance: "*", cluster: "nope" }] },
      /^realms\.1\.cluster: there is no cluster "nope"/,
    ],
    [
      { realms: [{ instance: "nope", cluster: "*" }] },
      /^realms\.0\.instance: there is no instance "nope"/,
    ],
    [
      { realms: [{ instance: "dev", cluster: "fritz" }] },
      /^realms\.0\.cluster: instance dev is in cluster "emmy", not in "fritz"/,
    ],
    [{ realms: [{ ...REALM, labels: [] }] }, /^realms\.0\.labels: unknown/],
    [selecting(), /selector: at least one/],
    [
      selecting({ type: "LIKE", name: "host", value: "x" }),
      /^realms\.0\.label_policies\.0\.selector\.0\.type: .*"LIKE"/,
    ],
    [
      selecting({ type: "EQ", name: "job", value: "x" }),
      /selector\.0\.name: .*"job"/,
    ],
    [selecting({ type: "EQ", name: "host" }), /selector\.0\.value: /],
    [
      selecting({ type: "EQ", name: "host", value: 5 }),
      /selector\.0\.value: .*5/,
    ],
    [selecting({ type: "EQ", name: "host", value: long }), /at most 1024/],
    [
      selecting({ type: "RE", name: "host", value: "a(" }),
      /selector\.0\.value: .*"a\("/,
    ],
    [selecting({ type: "RE", name: "host", value: "(?=a)b" }), /value: /],
    [selecting({ type: "NRE", name: "host", value: "(a)\\1" }), /value: /],
    [
      selecting({ type: "RE", name: "host", value: "(a{100}){100}" }),
      /value: /,
    ],
    [{ scopes: [] }, /^scopes: at least one/],
    [{ scopes: ["metrics:all"] }, /^scopes\.0: .*"metrics:all"/],
    [{ scopes: "admin" }, /^scopes: /],
    [{ expiration: "tomorrow" }, /^expiration: .*"tomorrow"/],
    [{ expiration: 5 }, /^expiration: .*5/],
    [{ expiration: "" }, /^expiration: /],
    [{ status: "inactive" }, /^status: /],
    [{ secret: 1 }, /^secret: unknown field/],
  ];
  for (const [part, pattern] of cases) {
    const body = { ...good, ...part };
    const answer = await server.ask("POST", "/accesspolicies", { body });
    assert.equal(answer.status, 400, JSON.stringify(part));
    assert.match(answer.json.error, pattern);
  }
  await server.make("accesspolicies", good);
  for (const [part, pattern] of cases) {
    if ("name" in part) continue;
    if (Object.values(part)[0] === undefined || "status" in part) continue;
    const answer = await server.ask("PUT", "/accesspolicies/wrong", {
      body: part,
    });
    assert.equal(answer.status, 400, JSON.stringify(part));
    assert.match(answer.json.error, pattern);
  }
  const { headers } = await server.ask("GET", "/accesspolicies/wrong");
  assert.equal(headers["etag"], '"1"');
});

Deno.test("a policy as a whole has at most 500 matchers", async () => {
  await using server = await AdminServer.start();
  const selector = Array.from({ length: 10 }, (_, i) => ({
    type: "RE",
    name: "host",
    value: `n${i}.*`,
  }));
  const policy = (name: string, selectors: number) => ({
    name,
    realms: [{
      ...REALM,
      label_policies: Array(selectors).fill({ selector }),
    }],
    scopes: ["metrics:read"],
  });
  await server.make("accesspolicies", policy("just", 50));
  const answer = await server.ask("POST", "/accesspolicies", {
    body: policy("over", 51),
  });
  assert.equal(answer.status, 400);
  assert.match(answer.json.error, /^realms: 510 matchers, at most 500/);
});

Deno.test("a policy can be sent back although what it names has vanished", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "woody" });
  const made = await server.make("accesspolicies", {
    name: "readers",
    realms: [{ instance: "dev", cluster: "woody" }],
    scopes: ["metrics:read"],
  });
  await server.ask("DELETE", "/instances/dev");
  server.engine.clusters.note(0, "woody", false);
  const back = await server.ask("PUT", "/accesspolicies/readers", {
    body: made,
  });
  assert.equal(back.status, 200);
  const added = await server.ask("PUT", "/accesspolicies/readers", {
    body: { realms: [...made.realms, { instance: "*", cluster: "woody" }] },
  });
  assert.equal(added.status, 400);
  assert.match(added.json.error, /^realms\.1\.cluster: /);
});

Deno.test("a policy with active tokens is deleted by cascade only", async () => {
  await using server = await AdminServer.start();
  await server.makeToken("readers", { realms: [REALM], scopes: ["jobs:read"] });
  const refused = await server.ask("DELETE", "/accesspolicies/readers");
  assert.equal(refused.status, 409);
  assert.match(refused.json.error, /active tokens/);
  const one = "/accesspolicies/readers";
  assert.equal((await server.ask("GET", one)).headers["etag"], '"1"');
  const odd = await server.ask("DELETE", `${one}?cascade=1`);
  assert.equal(odd.status, 400);
  const stale = await server.ask("DELETE", `${one}?cascade=true`, {
    headers: { "If-Match": "9" },
  });
  assert.equal(stale.status, 412);
  const gone = await server.ask("DELETE", `${one}?cascade=true`);
  assert.equal(gone.status, 204);
  assert.equal((await server.ask("GET", one)).json.status, "inactive");
  const token = await server.ask("GET", "/tokens/readers");
  assert.equal(token.json.status, "inactive");
  const taken = await server.ask("POST", "/accesspolicies", {
    body: { name: "readers", realms: [REALM], scopes: ["admin"] },
  });
  assert.equal(taken.status, 409);
  await server.ask("PUT", one, { body: { status: "active" } });
  const still = await server.ask("GET", "/tokens/readers");
  assert.equal(still.json.status, "inactive");
});

Deno.test("the built-in policy is listed, and nobody changes or deletes it", async () => {
  await using server = await AdminServer.start();
  const one = "/accesspolicies/__admin__";
  const before = await server.ask("GET", one);
  assert.deepEqual(before.json.scopes, ["admin"]);
  assert.deepEqual(before.json.realms, [{ instance: "*", cluster: "*" }]);
  for (const [method, body] of [["PUT", {}], ["PUT", "["], ["DELETE", ""]]) {
    const answer = await server.ask(String(method), `${one}?cascade=true`, {
      body: body === "" ? undefined : body,
    });
    assert.equal(answer.status, 403);
    assert.match(answer.json.error, /built in/);
  }
  const taken = await server.ask("POST", "/accesspolicies", {
    body: { name: "__admin__", realms: [REALM], scopes: ["admin"] },
  });
  assert.equal(taken.status, 409);
  assert.deepEqual((await server.ask("GET", one)).json, before.json);
});

Deno.test("scopes that labels or an instance cannot narrow are refused with them", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  const selector = [{ type: "EQ", name: "hostname", value: "e0101" }];
  const labels = { ...REALM, label_policies: [{ selector }] };
  const dev = { instance: "dev", cluster: "emmy" };
  const cases: [object[], string[], RegExp | undefined][] = [
    [[REALM, labels], ["metrics:write"], /^realms\.1\.label_policies: .*write/],
    [
      [labels],
      ["metrics:read", "admin"],
      /^realms\.0\.label_policies: .*admin/,
    ],
    [[labels], ["metrics:read", "metrics:delete", "jobs:read"], undefined],
    [[REALM, dev], ["admin"], /^realms\.1\.instance: .*"dev"/],
    [[dev], ["metrics:read", "metrics:write"], undefined],
    [[REALM], ["admin"], undefined],
    [[{ instance: "*", cluster: "*" }], ["admin"], undefined],
  ];
  for (const [i, [realms, scopes, message]] of cases.entries()) {
    const body = { name: `made-${i}`, realms, scopes };
    const made = await server.ask("POST", "/accesspolicies", { body });
    if (message !== undefined) {
      assert.equal(made.status, 400);
      assert.match(made.json.error, message);
      continue;
    }
    assert.equal(made.status, 201);
    // Nor can it become one; what leaves that alone can be changed.
    const path = `/accesspolicies/made-${i}`;
    const bad = { realms: [dev, labels], scopes: ["admin"] };
    assert.equal((await server.ask("PUT", path, { body: bad })).status, 400);
    const name = { display_name: "x" };
    assert.equal((await server.ask("PUT", path, { body: name })).status, 200);
  }
});
