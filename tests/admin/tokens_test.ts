/** The admin API by its contract: tokens, clusters and licences. */
import assert from "node:assert/strict";
import { AdminServer, basic } from "./admin_server.ts";

const POLICY = {
  name: "readers",
  realms: [{ instance: "", cluster: "*" }],
  scopes: ["metrics:read"],
};

Deno.test("a token shows its secret when it is made and never again", async () => {
  await using server = await AdminServer.start();
  await server.make("accesspolicies", POLICY);
  const made = await server.ask("POST", "/tokens", {
    body: {
      name: "grafana",
      display_name: "Grafana",
      created_at: "x",
      expiration: "2030-01-01T00:00:00Z",
      access_policy: "readers",
    },
  });
  assert.equal(made.status, 201);
  assert.equal(made.headers["location"], "/admin/api/v1/tokens/grafana");
  assert.equal(made.headers["etag"], '"1"');
  assert.equal(made.headers["cache-control"], "no-store");
  const { token, ...shown } = made.json;
  assert.match(atob(token), /^grafana:[0-9a-f]{64}$/);
  assert.deepEqual(Object.keys(shown), [
    "name",
    "display_name",
    "created_at",
    "expiration",
    "access_policy",
  ]);
  const answers = await Promise.all([
    server.ask("GET", "/tokens/grafana"),
    server.ask("POST", "/tokens/grafana"),
    server.ask("GET", "/tokens"),
    server.ask("GET", "/tokens?include-non-active=true"),
  ]);
  assert.deepEqual(answers[0]!.json, shown);
  assert.deepEqual(answers[1]!.json, shown);
  assert.deepEqual(answers[2]!.json.items[0], shown);
  assert.equal(answers[2]!.json.type, "key");
  const secret = atob(token).split(":")[1]!;
  for (const { text } of answers) {
    assert.equal(text.includes(secret) || text.includes(token), false);
  }
  assert.equal(
    (await server.ask("GET", "/api/query", {
      body: { cluster: "emmy", from: 0, to: 1 },
      authorization: basic(token),
    })).status,
    200,
  );
});

Deno.test("a time that Go never set is no expiration", async () => {
  await using server = await AdminServer.start();
  const never = ["0001-01-01T00:00:00Z", "0001-01-01T01:00:00.5+01:00", null];
  for (const [i, expiration] of never.entries()) {
    const policy = await server.ask("POST", "/accesspolicies", {
      body: { ...POLICY, name: `readers${i}`, expiration },
    });
    assert.equal(policy.status, 201, policy.text);
    assert.equal(policy.json.expiration, undefined);
    const made = await server.ask("POST", "/tokens", {
      body: {
        name: `grafana${i}`,
        access_policy: `readers${i}`,
        expiration,
      },
    });
    assert.equal(made.status, 201);
    assert.equal(made.json.expiration, undefined);
    const changed = await server.ask("PUT", `/accesspolicies/readers${i}`, {
      body: { expiration },
    });
    assert.equal(changed.status, 200);
    assert.equal(changed.json.expiration, undefined);
    assert.equal(
      (await server.ask("GET", "/api/query", {
        body: { cluster: "emmy", from: 0, to: 1 },
        authorization: basic(made.json.token),
      })).status,
      200,
    );
  }
});

Deno.test("what is wrong with a token is said with field and value", async () => {
  await using server = await AdminServer.start();
  await server.make("accesspolicies", POLICY);
  await server.make("accesspolicies", { ...POLICY, name: "gone" });
  await server.ask("DELETE", "/accesspolicies/gone");
  const good = { name: "grafana", access_policy: "readers" };
  const cases: [object, number, RegExp][] = [
    [{ name: "A" }, 400, /^name: .*"A"/],
    [{ access_policy: undefined }, 400, /^access_policy: /],
    [{ access_policy: "nope" }, 400, /^access_policy: .*nope/],
    [{ access_policy: "gone" }, 400, /^access_policy: .*gone/],
    [{ access_policy: ["readers"] }, 400, /^access_policy: /],
    [{ expiration: "2030-02-30T00:00:00Z" }, 400, /^expiration: .*2030-02-30/],
    [{ token: "x" }, 400, /^token: unknown field/],
    [{ status: "active" }, 400, /^status: unknown field/],
    [{ name: "root" }, 409, /^name: .*root/],
  ];
  for (const [part, status, pattern] of cases) {
    const body = { ...good, ...part };
    const answer = await server.ask("POST", "/tokens", { body });
    assert.equal(answer.status, status, JSON.stringify(part));
    assert.match(answer.json.error, pattern);
  }
});

Deno.test("a deleted token is listed as inactive, and its name stays taken", async () => {
  await using server = await AdminServer.start();
  await server.makeToken("readers", POLICY);
  const stale = await server.ask("DELETE", "/tokens/readers", {
    headers: { "If-Match": '"2"' },
  });
  assert.equal(stale.status, 412);
  const gone = await server.ask("DELETE", "/tokens/readers", {
    headers: { "If-Match": "1" },
  });
  assert.equal(gone.status, 204);
  const names = async (path: string) =>
    (await server.ask("GET", path)).json.items.map((
      { name, status }: { name: string; status?: string },
    ) => `${name} ${status ?? ""}`);
  assert.deepEqual(await names("/tokens"), ["root "]);
  assert.deepEqual(await names("/tokens?include-non-active=true"), [
    "readers inactive",
    "root ",
  ]);
  const { headers } = await server.ask("GET", "/tokens/readers");
  assert.equal(headers["etag"], '"2"');
  const again = await server.ask("POST", "/tokens", {
    body: { name: "readers", access_policy: "readers" },
  });
  assert.equal(again.status, 409);
});

Deno.test("many changes at a time all happen, each name once", async () => {
  await using server = await AdminServer.start();
  await server.make("accesspolicies", POLICY);
  const asked = Array.from(
    { length: 40 },
    (_, i) =>
      server.ask("POST", "/tokens", {
        body: { name: `token-${i % 20}`, access_policy: "readers" },
      }),
  );
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 201).length, 20);
  assert.equal(statuses.filter((status) => status === 409).length, 20);
  assert.equal((await server.ask("GET", "/tokens")).json.items.length, 21);
});

Deno.test("clusters are those configured and those with samples, since their first", async () => {
  await using server = await AdminServer.start();
  const { json } = await server.ask("GET", "/clusters");
  assert.equal(json.type, "cluster");
  assert.deepEqual(
    json.items.map(({ name }: { name: string }) => name),
    ["emmy", "fritz", "woody"],
  );
  const one = await server.ask("GET", "/clusters/woody");
  assert.equal(one.headers["etag"], '"1"');
  assert.deepEqual(one.json, json.items[2]);
  const { created_at, ...rest } = one.json;
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual(rest, {
    name: "woody",
    display_name: "woody",
    kind: "cortex",
    base_url: "https://metrics.example",
  });
  server.engine.clusters.note(1, "new one/ü", true);
  const path = `/clusters/${encodeURIComponent("new one/ü")}`;
  const added = await server.ask("GET", path);
  assert.equal(added.json.name, "new one/ü");
  server.engine.clusters.note(1, "new one/ü", false);
  assert.equal((await server.ask("GET", path)).status, 404);
  // A read behind the note: calls are answered in their order.
  server.engine.clusters.note(1, "new one/ü", true);
  const again = await server.ask("GET", path);
  assert.equal(again.json.created_at, added.json.created_at);
  await server.ask("GET", "/instances");
  const rows = server.otherProcess.clusters.list();
  assert.equal(
    rows.find(({ name }) => name === "new one/ü")?.createdAt,
    added.json.created_at,
  );
  const restoring = server.engine;
  restoring.state = "restoring";
  restoring.clusters.note(0, "woody", false);
  assert.equal((await server.ask("GET", "/clusters/woody")).status, 200);
  restoring.state = "ready";
  assert.equal((await server.ask("GET", "/clusters/woody")).status, 404);
});

function licence(claims: object): string {
  const part = (value: object) =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-")
      .replaceAll("/", "_");
  return `${part({ alg: "ES512" })}.${part(claims)}.c2lnbmF0dXJl`;
}

Deno.test("licences are read from their files; what is none is left out and logged once", async () => {
  const directory = await Deno.makeTempDir();
  const claims = {
    jti: "1",
    iss: "https://grafana.com",
    sub: "https://metrics.example",
    iat: 1600000000,
    exp: 1700000000,
    nbf: 1600000000,
    lexp: 1700000000,
    lid: "10500",
    max_users: 25,
    included_admins: 5,
    included_viewers: 20,
    lic_exp_warn_days: 30,
    prod: ["grafana-metrics-enterprise"],
    company: "ACME",
    slug: "acme",
  };
  await Deno.writeTextFile(`${directory}/b.jwt`, licence(claims));
  await Deno.writeTextFile(`${directory}/a.jwt`, licence({ jti: "2" }));
  await Deno.writeTextFile(`${directory}/bad.jwt`, "rubbish");
  await Deno.writeTextFile(`${directory}/odd.jwt`, licence({ exp: "soon" }));
  await Deno.writeTextFile(`${directory}/big.jwt`, "x".repeat(70_000));
  await Deno.writeTextFile(`${directory}/notes.txt`, "x");
  await using server = await AdminServer.start({ licenceDirectory: directory });
  try {
    const { json } = await server.ask("GET", "/licenses");
    assert.equal(json.type, "license");
    assert.deepEqual(
      json.items.map(({ name }: { name: string }) => name),
      ["a", "b"],
    );
    const { created_at, ...rest } = json.items[1];
    assert.match(created_at, /^20.*Z$/);
    assert.deepEqual(rest, { name: "b", display_name: "b", token: claims });
    assert.equal(json.items[0].token.company, "");
    assert.deepEqual(json.items[0].token.prod, []);
    const one = await server.ask("GET", "/licenses/b");
    assert.equal(one.headers["etag"], '"1"');
    assert.deepEqual(one.json, json.items[1]);
    await Deno.writeTextFile(
      `${directory}/b.jwt`,
      licence({ ...claims, max_users: 26 }),
    );
    const changed = await server.ask("GET", "/licenses/b");
    assert.equal(changed.headers["etag"], '"2"');
    assert.equal(changed.json.token.max_users, 26);
    for (const name of ["bad", "odd", "big", "..%2Fx", "%2e%2e"]) {
      const answer = await server.ask("GET", `/licenses/${name}`);
      assert.equal(answer.status, 404, name);
    }
    for (const name of ["bad", "odd", "big"]) {
      const about = server.problems.filter((line) =>
        line.includes(`/${name}.jwt`)
      );
      assert.notEqual(about.length, 0, name);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("without a licence directory, or with one that is missing, the list is empty", async () => {
  for (const licenceDirectory of ["", "/does/not/exist"]) {
    await using server = await AdminServer.start({ licenceDirectory });
    const answer = await server.ask("GET", "/licenses");
    assert.equal(answer.text, '{"items":[],"type":"license"}\n');
    assert.equal(server.problems.length > 0, licenceDirectory !== "");
  }
});
