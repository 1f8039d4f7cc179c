/**
 * Answers that are not the usual ones, of every group of routes: the API document
 * has their status and their media type, and says where there is no body.
 */
import assert from "node:assert/strict";
import { SESSION_COOKIE } from "../../src/access/credentials.ts";
import type { HttpAnswer } from "../support/client.ts";
import { AdminServer } from "./admin_server.ts";

interface Documented {
  readonly content?: Readonly<Record<string, unknown>>;
}

const DOCUMENT: {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly responses: Record<string, Documented> }>
      >
    >
  >;
} = JSON.parse(
  await Deno.readTextFile(new URL("../../api/openapi.json", import.meta.url)),
);

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

interface Question {
  /** As the document writes it, after the method. */
  readonly to: string;
  /** What stands for the names in braces, and what follows `?`. */
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

class Documentation implements AsyncDisposable {
  readonly server: AdminServer;
  readonly #authorization: string;
  readonly #cookie: string;

  private constructor(server: AdminServer, token: string, cookie: string) {
    this.server = server;
    this.#authorization = `Bearer ${token}`;
    this.#cookie = cookie;
  }

  static async start(): Promise<Documentation> {
    const server = await AdminServer.start({ withJobs: true });
    server.otherProcess.users.create({
      ...{ username: "ann", authSource: 0, name: "", email: "" },
      ...{ roles: ["admin"], projects: [] },
    }, "hash");
    await server.access.reload(["users"]);
    const user = server.access.state.user("ann")!;
    const session = server.sessions.create({ user, from: "" }).cookie;
    return new Documentation(
      server,
      await server.jwt("admin", "api"),
      `${SESSION_COOKIE}=${session}`,
    );
  }

  /** Asks, and holds status, media type and body against the document. */
  async expect(status: number, question: Question): Promise<HttpAnswer> {
    const [method = "", template = ""] = question.to.split(" ");
    const answer = await this.server.client.send({
      method,
      path: question.path ?? template,
      body: question.body,
      headers: {
        Cookie: this.#cookie,
        Origin: this.server.url,
        ...question.headers,
      },
      authorization: this.#authorization,
    });
    const what = `${question.to}: ${answer.status} ${answer.text}`;
    assert.equal(answer.status, status, what);
    const documented = DOCUMENT.paths[template]?.[method.toLowerCase()]
      ?.responses[status];
    assert.ok(documented !== undefined, `not documented: ${what}`);
    const type = answer.headers["content-type"]?.split(";")[0];
    if (documented.content === undefined) {
      assert.equal(answer.text, "", what);
      assert.equal(type, undefined, what);
    } else {
      assert.deepEqual(Object.keys(documented.content), [type], what);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

Deno.test("api/openapi.json has the answers of /login, /jwt-login and /logout", async () => {
  await using docs = await Documentation.start();
  for (const to of ["POST /login", "POST /jwt-login"]) {
    const wrong = { to, body: "username=ann&password=x", headers: FORM };
    await docs.expect(401, wrong);
    await docs.expect(400, { to, body: "&".repeat(200), headers: FORM });
    await docs.expect(413, { to, body: "x".repeat(20_000), headers: FORM });
    const coded = { ...FORM, "Content-Encoding": "br" };
    await docs.expect(415, { ...wrong, headers: coded });
    const foreign = { ...FORM, "Sec-Fetch-Site": "same-site" };
    await docs.expect(403, { ...wrong, headers: foreign });
  }
  await docs.expect(401, { to: "GET /jwt-login" });
  await docs.expect(200, { to: "GET /login" });
  const foreign = { "Sec-Fetch-Site": "same-site" };
  await docs.expect(403, { to: "POST /logout", headers: foreign });
  await docs.expect(200, { to: "POST /logout" });
});

Deno.test("api/openapi.json has the answers of forms that go by session", async () => {
  await using docs = await Documentation.start();
  await docs.expect(200, { to: "GET /config/roles" });
  await docs.expect(200, { to: "GET /config/taggers" });
  const run = { to: "POST /config/taggers/run", headers: FORM };
  await docs.expect(409, { ...run, body: "name=x" });
  await docs.expect(200, {
    to: "DELETE /config/users",
    headers: FORM,
    body: "username=nobody",
  });
  const setting = { to: "POST /frontend/configuration", headers: FORM };
  await docs.expect(400, { ...setting, body: "key=&value=1" });
  await docs.expect(413, { ...setting, body: "x".repeat(300_000) });
  const notice = { to: "POST /config/notice", headers: FORM };
  await docs.expect(200, { ...notice, body: "new-content=x" });
  await docs.expect(413, { ...notice, body: "x".repeat(300_000) });
});

Deno.test("api/openapi.json has the answers of machine_state", async () => {
  await using docs = await Documentation.start();
  const path = "/api/machine_state/emmy/w1127";
  const put = { to: "PUT /api/machine_state/{cluster}/{host}", path };
  const get = { to: "GET /api/machine_state/{cluster}/{host}", path };
  await docs.expect(404, get);
  await docs.expect(201, put);
  await docs.expect(201, { ...put, body: "{}" });
  const { headers } = await docs.expect(200, get);
  const modified = String(headers["last-modified"]);
  await docs.expect(206, { ...get, headers: { Range: "bytes=0-0" } });
  await docs.expect(304, {
    ...get,
    headers: { "If-Modified-Since": modified },
  });
  await docs.expect(416, { ...get, headers: { Range: "bytes=9-" } });
});

Deno.test("api/openapi.json has the answers to bodies that are not taken", async () => {
  await using docs = await Documentation.start();
  const headers = { "Content-Encoding": "br" };
  for (
    const to of [
      "GET /api/query",
      "POST /api/healthcheck",
      "POST /api/write",
      "POST /api/jobs/start_job",
      "DELETE /api/tags",
      "POST /admin/api/v1/instances",
    ]
  ) {
    await docs.expect(415, { to, body: "{}", headers });
  }
  await docs.expect(415, {
    to: "POST /api/free",
    path: "/api/free?to=1",
    body: "[]",
    headers,
  });
  await docs.expect(413, {
    to: "PUT /api/jobs/stop_job",
    body: "x".repeat((16 << 20) + 1),
  });
});

Deno.test("api/openapi.json has the answers of pages, also while the store is down", async () => {
  await using docs = await Documentation.start();
  const pages = ["GET /health", "GET /ready", "GET /metrics"];
  for (const to of [...pages, "GET /api/openapi.json"]) {
    await docs.expect(200, { to });
  }
  docs.server.engine.state = "failed";
  await docs.expect(503, { to: "GET /health" });
  await docs.expect(503, { to: "GET /ready" });
});
