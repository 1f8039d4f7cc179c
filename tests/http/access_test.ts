/** Who may ask what, and in which order paths, methods and credentials are looked at. */
import assert from "node:assert/strict";
import type { Role } from "../../src/access/mod.ts";
import { allowedMethods } from "../../src/http/route.ts";
import { describedRoutes } from "../../src/app/routes/described_routes.ts";
import { Fixture } from "./fixture.ts";

/** Without those of the pages, which this server has not. */
const STREAMED = describedRoutes().filter((route) => route.kind !== "api")
  .filter((route) =>
    !("when" in route) || route.path === "/" && route.name === "start"
  );

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

Deno.test("every route refuses other methods with 405 and Allow, before authentication", async () => {
  await using door = await Fixture.start({ dev: true });
  for (const route of STREAMED) {
    const allow = allowedMethods(route);
    for (const method of METHODS) {
      if (allow.split(", ").includes(method)) continue;
      for (const path of [route.path, `${route.path}/`.replace("//", "/")]) {
        const answer = await door.ask(method, path, { role: null });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers["allow"], allow);
        if (method !== "HEAD") assert.match(answer.text, /^Method Not Allowed/);
      }
    }
  }
});

Deno.test("every route that is not public answers 401 as text to nobody", async () => {
  await using door = await Fixture.start();
  for (const route of STREAMED) {
    if (route.access === "public") continue;
    for (const method of Object.keys(route.operations)) {
      const answer = await door.ask(method, route.path, { role: null });
      assert.equal(answer.status, 401, `${method} ${route.path}`);
      assert.equal(answer.text, "Use JWT Authentication\n");
      assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
    }
  }
});

Deno.test("unknown paths are 404, before authentication", async () => {
  await using door = await Fixture.start();
  for (
    const path of [
      "/nope",
      "/api",
      "/metricstore",
      "/swagger/",
      "/swagger/x",
    ]
  ) {
    for (const method of ["GET", "POST"]) {
      const answer = await door.ask(method, path, { role: null });
      assert.equal(answer.status, 404, path);
      assert.equal(answer.text, "404 page not found\n");
    }
  }
  for (const path of ["/api/", "/api/writes", "/config/x", "/admin/api/v2"]) {
    const answer = await door.ask("GET", path, { role: null });
    assert.equal(answer.status, 404, path);
    assert.ok(JSON.parse(answer.text).error, path);
  }
});

Deno.test("below /userapi and /frontend nobody learns which paths there are", async () => {
  await using door = await Fixture.start();
  for (const path of ["/userapi/x", "/frontend/x"]) {
    const answer = await door.ask("GET", path, { role: null });
    assert.equal(answer.status, 401);
    assert.equal(JSON.parse(answer.text).status, "Unauthorized");
  }
});

Deno.test("a browser on another site cannot make requests that change something", async () => {
  await using door = await Fixture.start();
  const headers = { "Sec-Fetch-Site": "cross-site" };
  for (const [method, path] of [["POST", "/api/write"], ["DELETE", "/x"]]) {
    const answer = await door.ask(method!, path!, { headers, body: "m v=1" });
    assert.equal(answer.status, 403);
  }
  assert.equal(door.engine.batches.length, 0);
  await door.ask("POST", "/jwt-login?login-token=secret", { headers });
  assert.match(door.notes.at(-1) ?? "", /cross-site.*: \/jwt-login"/);
  const read = await door.ask("GET", "/api/query", { headers, body: "{}" });
  assert.equal(read.status, 200);
});

Deno.test("a page of another origin may ask with a token, and read the answer", async () => {
  await using door = await Fixture.start();
  const asked = await door.ask("OPTIONS", "/api/query", {
    role: null,
    headers: {
      Origin: "https://grafana.example",
      "Access-Control-Request-Method": "PATCH",
    },
  });
  assert.equal(asked.status, 204);
  assert.equal(asked.headers["access-control-allow-origin"], "*");
  assert.match(asked.headers["access-control-allow-methods"] ?? "", /PATCH/);
  assert.match(
    asked.headers["access-control-allow-headers"] ?? "",
    /X-Auth-Token/,
  );
  assert.equal(asked.headers["access-control-allow-credentials"], undefined);
  for (const path of ["/api/query", "/health"]) {
    const answer = await door.ask("GET", path, {
      body: "{}",
      headers: { Origin: "https://grafana.example" },
    });
    assert.equal(answer.headers["access-control-allow-origin"], "*", path);
  }
});

Deno.test("roles decide who may", async () => {
  await using door = await Fixture.start();
  const allowed = async (role: Role) => {
    const statuses = await Promise.all([
      door.ask("POST", "/api/write", { role, body: "m v=1" }),
      door.ask("GET", "/api/query", { role, body: "{}" }),
      door.ask("GET", "/api/healthcheck?cluster=T", { role }),
      door.ask("POST", "/api/free?to=1", { role, body: "[]" }),
      door.ask("GET", "/api/debug", { role }),
      door.ask("GET", "/metrics", { role }),
    ]);
    return statuses.map((answer) => answer.status);
  };
  assert.deepEqual(await allowed("admin"), [200, 200, 200, 200, 200, 200]);
  assert.deepEqual(await allowed("api"), [200, 200, 200, 403, 403, 403]);
  assert.deepEqual(await allowed("user"), [403, 200, 200, 403, 403, 403]);
});

Deno.test("a refusal is an error object and is counted", async () => {
  await using door = await Fixture.start();
  const answer = await door.ask("GET", "/api/debug", { role: "user" });
  assert.equal(JSON.parse(answer.text).status, "Forbidden");
  await door.ask("GET", "/api/debug", { role: null });
  const metrics = await door.ask("GET", "/metrics");
  assert.match(
    metrics.text,
    /^ringstore_auth_denied_total\{reason="forbidden"\} 1$/m,
  );
  assert.match(
    metrics.text,
    /^ringstore_auth_denied_total\{reason="unauthenticated"\} 1$/m,
  );
});

Deno.test("a credential sent twice is none", async () => {
  await using door = await Fixture.start();
  const lists: [string, number][] = [
    ["Authorization: Bearer admin\r\n", 200],
    ["Authorization: Bearer admin\r\nAuthorization: Bearer admin\r\n", 401],
    ["authorization: Bearer admin\r\nAUTHORIZATION: Bearer user\r\n", 401],
    ["Authorization: Bearer admin\r\nX-Forwarded-Fo: Bearer admin\r\n", 200],
    ["X-Auth-Token: admin\r\nX-Auth-Token: admin\r\n", 401],
    [
      "X-Auth-Token: admin\r\nAuthorization: Bearer a\r\n" +
      "Authorization: Bearer b\r\n",
      200,
    ],
  ];
  for (const path of ["/api/debug", "/metrics"]) {
    for (const [lines, status] of lists) {
      const client = door.raw();
      client.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n${lines}\r\n`);
      const received = await client.until("\r\n\r\n");
      assert.match(received, new RegExp(`^HTTP/1.1 ${status} `), lines);
      client.close();
    }
  }
});

Deno.test("every answer but metric data tells browsers what it may not be used for", async () => {
  await using door = await Fixture.start();
  const headers = { "X-Forwarded-Proto": "https" };
  const asked = [
    ["GET", "/nope"],
    ["GET", "/"],
    ["GET", "/metrics"],
    ["GET", "/api/nope"],
    ["GET", "/admin/api/v1/nope"],
    ["HEAD", "/admin/api/v1/instances"],
    ["GET", "/logout"],
    ["PATCH", "/config/users"],
    ["GET", "/login"],
  ];
  for (const [method, path] of asked) {
    const answer = await door.ask(method!, path!, { headers, role: null });
    assert.equal(answer.headers["x-frame-options"], "DENY", path);
    assert.ok(answer.headers["content-security-policy"], path);
    assert.ok(answer.headers["strict-transport-security"], path);
  }
});

Deno.test("a refused page is noted with its route and where it was asked from", async () => {
  await using door = await Fixture.start();
  await door.ask("GET", "/metrics", { role: null });
  assert.match(
    door.notes.at(-1) ?? "",
    /"from":"127.0.0.1","route":"metrics"/,
  );
});
