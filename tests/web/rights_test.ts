/** Every route of the pages × every kind of login (web 2, web 4.1). The table is the documentation. */
import assert from "node:assert/strict";
import { describedRoutes } from "../../src/app/routes/described_routes.ts";
import type { ApiRoute } from "../../src/http/api_route.ts";
import { WebServer } from "./web_server.ts";

/**
 * `in`: let in, with whatever the route then says of what is asked for. `all`: what
 * everybody with a page may ask; `admin`: changes that are an administrator's.
 */
const MATRIX = `
nobody                | 401 401
token admin           | 401 401
token api             | 401 401
token user+api        | 401 401
session without roles | 403 403
session api           | 403 403
session user          | in  403
session user+api      | in  403
session manager       | in  403
session support       | in  403
session admin         | in  in
`;

const WHO: Readonly<Record<string, string | null>> = {
  "nobody": null,
  "token admin": "admin",
  "token api": "api",
  "token user+api": "eve:user+api",
  "session without roles": "session:nil",
  "session api": "session:bot",
  "session user": "session:eve",
  "session user+api": "session:bob",
  "session manager": "session:max",
  "session support": "session:sue",
  "session admin": "session:root",
};

/** Operations that are an administrator's alone. */
const ADMINS = new Set<string>(["webDeleteTag", "webSetMeta"]);

Deno.test("every route of the pages lets in exactly whom the matrix lets in", async () => {
  await using server = await WebServer.start();
  const routes = describedRoutes().filter((route): route is ApiRoute =>
    route.kind === "api" && route.group === "web"
  );
  assert.ok(routes.length >= 2);
  for (const row of MATRIX.trim().split("\n")) {
    const [name = "", cells = ""] = row.split("|").map((part) => part.trim());
    const [all = "", admin = ""] = cells.split(/\s+/);
    for (const { path, operations } of routes) {
      for (const [method, operation] of Object.entries(operations)) {
        const { status } = await server.api.ask(
          method,
          path.replaceAll(/:[\w-]+/g, "0"),
          {
            as: WHO[name] ?? null,
            body: operation.body === undefined
              ? undefined
              : operation.body.example ?? {},
            headers: { "Content-Type": "application/json" },
          },
        );
        const wanted = ADMINS.has(operation.id) ? admin : all;
        const got = status === 401 || status === 403 ? String(status) : "in";
        assert.equal(got, wanted, `${name}: ${method} ${path} is ${status}`);
        assert.ok(status < 500, `${name}: ${method} ${path} is ${status}`);
      }
    }
  }
});

Deno.test("a change needs JSON from a page of ours", async () => {
  await using server = await WebServer.start();
  const changes = describedRoutes().filter((route): route is ApiRoute =>
    route.kind === "api" && route.group === "web"
  ).flatMap(({ path, operations }) =>
    Object.keys(operations).filter((method) => method !== "GET")
      .map((method) => ({ method, path: path.replaceAll(/:[\w-]+/g, "0") }))
  );
  for (const { method, path } of changes) {
    const asked = (headers: Record<string, string>) =>
      server.api.ask(method, path, {
        as: "session:root",
        headers,
        body: "{}",
      });
    const form = await asked({
      "Content-Type": "application/x-www-form-urlencoded",
    });
    assert.equal(form.status, 400, path);
    assert.match(form.text, /Content-Type/);
    const foreign = await asked({ "Origin": "https://evil.example" });
    assert.equal(foreign.status, 403, path);
    for (const site of ["cross-site", "same-site"]) {
      const answer = await asked({ "Sec-Fetch-Site": site });
      assert.equal(answer.status, 403, path);
    }
  }
});
