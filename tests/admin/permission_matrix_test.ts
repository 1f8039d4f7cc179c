/** Every route × every kind of credential. The table is the documentation. */
import assert from "node:assert/strict";
import type { Operation, Route } from "../../src/http/route.ts";
import { describedRoutes } from "../../src/app/routes/described_routes.ts";
import { AdminServer } from "./admin_server.ts";
import { makeCredentials } from "./credentials.ts";

/**
 * What a credential meets at each kind of route: `in`, or the status of the refusal.
 *
 * write, query, health, free, debug: the metric store. metrics: the server's own.
 * doc: the API document. admin: /admin. read, write: /api for programs, by what a
 * token needs; users, user: /api/users and /api/user, where programs must be
 * administrators. userapi: /userapi. config, front, logs: pages by session,
 * the log of the server for administrators.
 */
const MATRIX = `
                                   | write query health free debug | metrics doc | admin | read write users user | userapi | config front logs
nobody                             | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
rubbish                            | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
JWT expired                        | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
JWT of another key                 | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
JWT alg none                       | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
JWT HS256 by the public key        | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
JWT without roles                  | 403   403   403    403  403   | 403     403 | 403   | 401  401   401   401  | 401     | 401    401   401
JWT of an unknown role             | 403   403   403    403  403   | 403     403 | 403   | 401  401   401   401  | 401     | 401    401   401
JWT user                           | 403   in    in     403  403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
JWT manager                        | 403   in    in     403  403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
JWT support                        | 403   in    in     403  403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
JWT api                            | in    in    in     403  403   | 403     in  | 403   | in   in    403   403  | in      | 401    401   401
JWT admin                          | in    in    in     in   in    | in      in  | in    | 401  401   401   401  | 401     | 401    401   401
JWT api, user                      | 403   in    in     403  403   | 403     in  | 403   | 401  401   401   401  | in      | 401    401   401
JWT api, admin                     | in    in    in     in   in    | in      in  | in    | in   in    in    in   | in      | 401    401   401
JWT ROLE_API, ROLE_ADMIN           | in    in    in     in   in    | in      in  | in    | in   in    in    in   | in      | 401    401   401
token metrics:read                 | 403   in    in     403  403   | in      in  | 403   | 401  401   401   401  | 401     | 401    401   401
token metrics:write                | in    403   403    403  403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
token metrics:delete               | 403   403   403    in   403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
token jobs:read                    | 403   403   403    403  403   | 403     in  | 403   | in   401   403   401  | in      | 401    401   401
token jobs:write                   | 403   403   403    403  403   | 403     in  | 403   | 401  in    401   403  | 401     | 401    401   401
token admin                        | in    in    in     in   in    | in      in  | in    | in   in    in    in   | in      | 401    401   401
token of one instance              | in    in    in     in   403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
token with label policy            | 403   in    in     in   403   | 403     in  | 403   | 403  403   403   403  | 403     | 401    401   401
token of another instance          | 403   403   403    403  403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
token of two instances, none named | 401   401   401    401  403   | 403     in  | 403   | 401  401   401   401  | 401     | 401    401   401
token, unknown instance            | 403   403   403    403  403   | in      in  | 403   | 401  401   401   401  | 401     | 401    401   401
token, inactive instance           | 403   403   403    403  403   | in      in  | 403   | 401  401   401   401  | 401     | 401    401   401
token, wrong secret                | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
token, deleted                     | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
token, expired                     | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
token of an inactive policy        | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
token of an expired policy         | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
session without roles              | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
session user                       | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    in    403
session api                        | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    in    403
session admin                      | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | in     in    in
session of a deleted user          | 401   401   401    401  401   | 401     401 | 401   | 401  401   401   401  | 401     | 401    401   401
`;

/** Routes that everybody may use; what they give is theirs to decide. */
const PUBLIC = [
  "/",
  "/-/healthy",
  "/-/ready",
  "/config",
  "/favicon.ico",
  "/health",
  "/jwt-login",
  "/login",
  "/logout",
  "/monitoring/*",
  "/prometheus/-/healthy",
  "/prometheus/-/ready",
  "/ready",
  "/search",
  "/web/assets/:name",
];

const COLUMNS = [
  ...["write", "query", "health", "free", "debug", "metrics", "document"],
  ...["admin", "jobs:read", "jobs:write", "users", "user", "userapi"],
  ...["config", "frontend", "logs"],
] as const;
type Column = typeof COLUMNS[number];

/** The kind of a route's operation; `undefined`: public. */
function columnOf(route: Route, operation: Operation): Column | undefined {
  if (route.kind !== "api") {
    return route.access === "public" ? undefined : route.access;
  }
  if (route.path === "/api/users") return "users";
  if (route.path.startsWith("/api/user/")) return "user";
  if (route.path === "/frontend/logs") return "logs";
  switch (route.group) {
    case "public":
      return undefined;
    case "job":
      return "scope" in operation && operation.scope === "jobs:write"
        ? "jobs:write"
        : "jobs:read";
    case "prometheus":
      return "query";
    case "web":
      return "frontend";
    default:
      return route.group;
  }
}

function expectations(): Map<string, ReadonlyMap<Column, string>> {
  const [, ...rows] = MATRIX.trim().split("\n");
  return new Map(rows.map((row) => {
    const [name = "", ...groups] = row.split("|");
    const cells = groups.join(" ").trim().split(/\s+/);
    assert.equal(cells.length, COLUMNS.length, row);
    return [
      name.trim(),
      new Map(COLUMNS.map((column, i) => [column, cells[i]!])),
    ];
  }));
}

Deno.test("every route lets in exactly whom the matrix lets in", async (t) => {
  await using server = await AdminServer.start({ withJobs: true });
  const credentials = await makeCredentials(server);
  const rows = expectations();
  assert.deepEqual([...rows.keys()].sort(), [...credentials.keys()].sort());
  const operations = describedRoutes().flatMap((route) =>
    Object.entries<Operation>(route.operations).map(([method, operation]) => ({
      route,
      method,
      operation,
      column: columnOf(route, operation),
    }))
  ).filter(({ route }) =>
    // Swagger UI is there with -dev alone.
    route.name !== "swagger" &&
    // They have tables of their own: tests/prometheus and tests/web, rights_test.ts.
    !(route.kind === "api" && ["prometheus", "web"].includes(route.group))
  );
  const open = operations.filter(({ column }) => column === undefined);
  assert.deepEqual(
    [...new Set(open.map(({ route }) => route.path))].sort(),
    PUBLIC,
  );
  for (const [name, headers] of credentials) {
    await t.step(name, async () => {
      const expected = rows.get(name)!;
      for (const { route, method, operation, column } of operations) {
        if (column === undefined) continue;
        const status = await ask(server, route, method, operation, headers);
        const wanted = expected.get(column)!;
        const got = status === 401 || status === 403 ? String(status) : "in";
        const what = `${name}: ${method} ${route.path} is ${status}`;
        assert.equal(got, wanted, what);
        assert.ok(status < 500 || status === 503, what);
      }
    });
  }
});

async function ask(
  server: AdminServer,
  route: Route,
  method: string,
  { body }: Operation,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const path = route.path.replaceAll(/:[\w-]+/g, "0-none-such");
  const session = /session=/.test(headers["Cookie"] ?? "");
  const sent = body?.example ?? (body === undefined ? undefined : {});
  const answer = await server.client.send({
    method,
    // Users may ask for what is theirs.
    path: `${path}?cluster=emmy&to=0${session ? ownName(headers) : ""}`,
    headers: { Origin: server.url, ...headers },
    authorization: null,
    body: typeof sent === "object" ? JSON.stringify(sent) : sent as string,
  });
  return answer.status;
}

/** Whose session it is. */
function ownName(headers: Readonly<Record<string, string>>): string {
  const [content = ""] = headers["Cookie"]!.split("=")[1]!.split(".");
  return `&username=${JSON.parse(atob(content)).u}`;
}
