/** The admin API by its contract: instances, and what all collections have in common. */
import assert from "node:assert/strict";
import { AdminServer, basic } from "./admin_server.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

Deno.test("an instance is made with 201, Location and version 1, and read back", async () => {
  await using server = await AdminServer.start();
  const made = await server.ask("POST", "/instances", {
    body: {
      name: "dev",
      display_name: "Dev Instance",
      cluster: "emmy",
      created_at: 5,
      limits: { max_series: 10 },
    },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  assert.equal(made.status, 201);
  assert.equal(made.headers["location"], "/admin/api/v1/instances/dev");
  assert.equal(made.headers["etag"], '"1"');
  assert.match(made.headers["content-type"] ?? "", /^application\/json/);
  const { created_at, ...rest } = made.json;
  assert.match(created_at, TIME);
  assert.deepEqual(rest, {
    name: "dev",
    display_name: "Dev Instance",
    status: "active",
    cluster: "emmy",
    limits: { max_series: 10 },
  });
  for (const method of ["GET", "POST"]) {
    const read = await server.ask(method, "/instances/dev");
    assert.equal(read.status, 200);
    assert.equal(read.headers["etag"], '"1"');
    assert.deepEqual(read.json, made.json);
  }
  const list = await server.ask("GET", "/instances/");
  assert.deepEqual(list.json, { items: [made.json], type: "instance" });
});

Deno.test("an empty list is empty, and a list goes by name", async () => {
  await using server = await AdminServer.start();
  const none = await server.ask("GET", "/instances");
  assert.equal(none.text, '{"items":[],"type":"instance"}\n');
  for (const name of ["zeta", "alpha", "mid_1"]) {
    await server.make("instances", { name, cluster: "emmy" });
  }
  const { json } = await server.ask("GET", "/instances");
  assert.deepEqual(
    json.items.map(({ name }: { name: string }) => name),
    ["alpha", "mid_1", "zeta"],
  );
  assert.equal(json.items[0].display_name, "alpha");
  assert.deepEqual(json.items[0].limits, { max_series: 2_000_000 });
  const free = await server.make("instances", {
    ...{ name: "free", cluster: "emmy", limits: { max_series: 0 } },
  });
  assert.deepEqual(free.limits, { max_series: 0 });
});

Deno.test("PUT merges, counts versions, and keeps what cannot change", async () => {
  await using server = await AdminServer.start();
  const made = await server.make("instances", {
    name: "dev",
    cluster: "emmy",
    limits: { max_series: 10, ingestion_rate: 20 },
  });
  const renamed = await server.ask("PUT", "/instances/dev", {
    body: { display_name: "ünï ☃", limits: { ingestion_rate: 0 } },
  });
  assert.equal(renamed.status, 200);
  assert.equal(renamed.headers["etag"], '"2"');
  assert.deepEqual(renamed.json, {
    ...made,
    display_name: "ünï ☃",
    limits: { max_series: 10, ingestion_rate: 0 },
  });
  const back = await server.ask("PUT", "/instances/dev", {
    body: renamed.json,
  });
  assert.equal(back.status, 200);
  assert.deepEqual(back.json, renamed.json);
  const refused: [object, RegExp][] = [
    [{ name: "other" }, /^name: .*"dev".*"other"/],
    [{ cluster: "fritz" }, /^cluster: .*"emmy".*"fritz"/],
    [{ status: "unknown" }, /^status: /],
    [{ status: "gone" }, /^status: .*"gone"/],
    [{ limits: { max_series: -1 } }, /^limits\.max_series: .*-1/],
    [{ limits: { max_samples: 1 } }, /^limits\.max_samples: unknown field/],
  ];
  for (const [body, pattern] of refused) {
    const answer = await server.ask("PUT", "/instances/dev", { body });
    assert.equal(answer.status, 400);
    assert.equal(answer.json.status, "error");
    assert.match(answer.json.error, pattern);
  }
  const read = await server.ask("GET", "/instances/dev");
  assert.equal(read.headers["etag"], '"3"');
});

Deno.test("If-Match is honoured by PUT and DELETE, quoted or not", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  const change = (tag: string) =>
    server.ask("PUT", "/instances/dev", {
      body: { display_name: tag },
      headers: { "If-Match": tag },
    });
  assert.equal((await change('"1"')).status, 200);
  assert.equal((await change("2")).status, 200);
  assert.equal((await change('"7", "3"')).status, 200);
  assert.equal((await change("*")).status, 200);
  for (const stale of ['"1"', "4", 'W/"5"', "rubbish", '""']) {
    const answer = await change(stale);
    assert.equal(answer.status, 412, stale);
    assert.equal(answer.json.status, "error");
    assert.match(answer.json.error, /^If-Match: /);
  }
  const remove = (tag: string) =>
    server.ask("DELETE", "/instances/dev", { headers: { "If-Match": tag } });
  assert.equal((await remove('"4"')).status, 412);
  const gone = await remove('"5"');
  assert.equal(gone.status, 204);
  assert.equal(gone.text, "");
});

Deno.test("a deleted instance is inactive, keeps its name, and can come back", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  assert.equal((await server.ask("DELETE", "/instances/dev")).status, 204);
  assert.deepEqual((await server.ask("GET", "/instances")).json.items, []);
  for (const [value, count] of [["true", 1], ["false", 0]] as const) {
    const path = `/instances?include-non-active=${value}`;
    const { json } = await server.ask("GET", path);
    assert.equal(json.items.length, count);
    if (count > 0) assert.equal(json.items[0].status, "inactive");
  }
  const wrong = await server.ask("GET", "/instances?include-non-active=yes");
  assert.equal(wrong.status, 400);
  assert.match(wrong.json.error, /^include-non-active: .*"yes"/);
  const read = await server.ask("GET", "/instances/dev");
  assert.equal(read.json.status, "inactive");
  assert.equal(read.headers["etag"], '"2"');
  const again = await server.ask("POST", "/instances", {
    body: { name: "dev", cluster: "fritz" },
  });
  assert.equal(again.status, 409);
  assert.match(again.json.error, /^name: .*dev/);
  const back = await server.ask("PUT", "/instances/dev", {
    body: { status: "active" },
  });
  assert.equal(back.json.status, "active");
  assert.equal((await server.ask("GET", "/instances")).json.items.length, 1);
});

Deno.test("the status of an instance is unknown without its cluster", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "woody" });
  const status = async () =>
    (await server.ask("GET", "/instances/dev")).json.status;
  assert.equal(await status(), "active");
  server.engine.clusters.note(0, "woody", false);
  assert.equal(await status(), "unknown");
  assert.deepEqual((await server.ask("GET", "/instances")).json.items, []);
  const read = await server.ask("GET", "/instances/dev");
  const kept = await server.ask("PUT", "/instances/dev", { body: read.json });
  assert.equal(kept.status, 200);
  server.engine.clusters.note(0, "woody", true);
  assert.equal(await status(), "active");
});

Deno.test("what is wrong with a new instance is said with field and value", async () => {
  await using server = await AdminServer.start();
  const cases: [unknown, RegExp][] = [
    ["", /^the body: expected JSON, got none/],
    ["{", /^the body: not JSON/],
    ['{"name":"dev","cluster":"emmy"} x', /^the body: not JSON/],
    ["[]", /^the body: .*object/],
    ["null", /^the body: .*object/],
    [{ cluster: "emmy" }, /^name: .*string/],
    [{ name: 5, cluster: "emmy" }, /^name: .*string.*5/],
    [{ name: "ab", cluster: "emmy" }, /^name: expected 3 to 64.*"ab"/],
    [{ name: "x".repeat(65), cluster: "emmy" }, /^name: expected 3 to 64/],
    [{ name: "Dev", cluster: "emmy" }, /^name: .*"Dev"/],
    [{ name: "dev\n", cluster: "emmy" }, /^name: /],
    [{ name: "dev" }, /^cluster: /],
    [{ name: "dev", cluster: "nope" }, /^cluster: .*"nope"/],
    [{ name: "dev", cluster: "emmy", nmae: 1 }, /^nmae: unknown field/],
    ['{"name":"dev","cluster":"emmy","__proto__":1}', /^__proto__: /],
    [{ name: "dev", cluster: "emmy", display_name: null }, /^display_name: /],
    [
      { name: "dev", cluster: "emmy", display_name: "x".repeat(257) },
      /^display_name: at most 256/,
    ],
    [
      '{"name":"dev","cluster":"emmy","display_name":"\\ud800"}',
      /^display_name/,
    ],
    [{ name: "dev", cluster: "emmy", status: "inactive" }, /^status: /],
    [{ name: "dev", cluster: "emmy", limits: 5 }, /^limits: /],
    [
      { name: "dev", cluster: "emmy", limits: { ingestion_rate: 1.5 } },
      /^limits\.ingestion_rate: .*1\.5/,
    ],
  ];
  for (const [body, pattern] of cases) {
    const answer = await server.ask("POST", "/instances", { body });
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal(answer.json.status, "error");
    assert.match(answer.json.error, pattern);
  }
  const bytes = await server.client.send({
    method: "POST",
    path: "/admin/api/v1/instances",
    body: new Uint8Array([0x22, 0xff, 0x22]),
    authorization: basic(server.adminToken),
  });
  assert.equal(bytes.status, 400);
  assert.deepEqual((await server.ask("GET", "/instances")).json.items, []);
});

Deno.test("each collection answers 401, 403, 404, 405 and 413 alike", async () => {
  await using server = await AdminServer.start();
  const reader = await server.makeToken("reader", {
    realms: [{ instance: "*", cluster: "*" }],
    scopes: ["metrics:read", "metrics:write", "metrics:delete", "jobs:write"],
  });
  const collections = {
    clusters: ["GET", "GET"],
    instances: ["GET, POST", "GET, POST, PUT, DELETE"],
    accesspolicies: ["GET, POST", "GET, POST, PUT, DELETE"],
    tokens: ["GET, POST", "GET, POST, DELETE"],
    licenses: ["GET", "GET"],
  };
  for (const [name, [list, one]] of Object.entries(collections)) {
    const nobody = await server.ask("GET", `/${name}`, { authorization: null });
    assert.equal(nobody.status, 401);
    assert.equal(nobody.json.status, "error");
    assert.equal(
      nobody.headers["www-authenticate"],
      'Basic realm="ringstore"',
    );
    const poor = await server.ask("GET", `/${name}`, {
      authorization: basic(reader),
    });
    assert.equal(poor.status, 403);
    assert.match(poor.json.error, /scope admin/);
    const missing = await server.ask("GET", `/${name}/no-such-thing`);
    assert.equal(missing.status, 404, name);
    assert.match(missing.json.error, /no-such-thing/);
    for (const [path, allow] of [["", list], ["/x", one]]) {
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]) {
        if (allow!.includes(method)) continue;
        const answer = await server.ask(method, `/${name}${path}`, {
          authorization: null,
        });
        assert.equal(answer.status, 405, `${method} ${name}${path}`);
        assert.equal(answer.headers["allow"], allow);
      }
    }
    if (list === "GET") continue;
    const body = JSON.stringify({ name: "x".repeat(1 << 20) });
    const large = await server.ask("POST", `/${name}`, { body });
    assert.equal(large.status, 413);
    assert.equal(large.json.status, "error");
  }
  for (const method of ["PUT", "DELETE"]) {
    for (const name of ["instances", "accesspolicies"]) {
      const answer = await server.ask(method, `/${name}/no-such-thing`, {
        body: method === "PUT" ? {} : undefined,
        headers: { "If-Match": '"5"' },
      });
      assert.equal(answer.status, 404);
    }
  }
  assert.equal((await server.ask("DELETE", "/tokens/nobody")).status, 404);
});

Deno.test("a JWT with role admin is as good as a token, others are not", async () => {
  await using server = await AdminServer.start();
  const ask = async (...roles: string[]) => {
    const authorization = `Bearer ${await server.jwt(...roles)}`;
    return (await server.ask("GET", "/tokens", { authorization })).status;
  };
  assert.equal(await ask("admin"), 200);
  assert.equal(await ask("ROLE_ADMIN"), 200);
  assert.equal(await ask("api", "user", "manager", "support"), 403);
  const bearer = `Bearer ${server.adminToken}`;
  const answer = await server.ask("GET", "/tokens", { authorization: bearer });
  assert.equal(answer.status, 200);
});

Deno.test("reading by POST takes no body", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  const answer = await server.ask("POST", "/instances/dev", { body: "{}" });
  assert.equal(answer.status, 400);
  assert.match(answer.json.error, /PUT/);
});

Deno.test("every change is a line of the log and a count, without secrets", async () => {
  await using server = await AdminServer.start();
  const secret = await server.makeToken("reader", {
    realms: [{ instance: "", cluster: "*" }],
    scopes: ["metrics:read"],
  });
  await server.ask("DELETE", "/tokens/reader");
  await server.ask("DELETE", "/tokens/nobody");
  const changes = server.log.filter((line) => line.includes(" changed "));
  assert.equal(changes.length, 4);
  assert.match(
    changes[0]!,
    /createAccessPolicy.*"root".*accesspolicies\/reader scopes=.*metrics:read/,
  );
  assert.match(changes[1]!, /createToken.*"root".*tokens\/reader policy=/);
  assert.match(changes[2]!, /deleteToken.*"from":"127.*tokens\/reader.*"done"/);
  assert.match(changes[3]!, /deleteToken.*tokens\/nobody","outcome":404/);
  const text = server.log.join("\n");
  const plain = atob(secret).split(":")[1]!;
  assert.equal(text.includes(secret) || text.includes(plain), false);
  const metrics = await server.client.send({
    method: "GET",
    path: "/metrics",
    authorization: basic(server.adminToken),
  });
  assert.match(
    metrics.text,
    /^ringstore_changes_total\{change="createToken"\} 1$/m,
  );
});
