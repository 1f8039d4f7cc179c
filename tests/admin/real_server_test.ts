/**
 * The admin API on a real process: `tokengen`, the examples of the source text as
 * they are printed there, and a log without secrets.
 */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { TestClient } from "../support/client.ts";
import {
  programArguments,
  TestServer,
  workDirectory,
} from "../support/server.ts";
import examples from "../testdata/admin_api_examples.json" with {
  type: "json",
};
import { basic } from "./admin_server.ts";

const METRICS = { m: { frequency: 60, aggregation: "avg" } } as const;

/** Runs a command of the program on the configuration of a server. */
async function run(server: TestServer, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...programArguments(),
      "-config",
      `${server.directory}/config.json`,
      ...args,
    ],
    cwd: workDirectory(),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

async function firstToken(server: TestServer): Promise<string> {
  const { code, out, err } = await run(server, "tokengen");
  assert.equal(code, 0, err);
  return out.trim();
}

/** A client whose requests carry this token. */
function clientOf(server: TestServer, token: string) {
  const client = new TestClient(server.url);
  return {
    close: () => client.close(),
    ask: (method: string, path: string, body?: unknown) =>
      client.send({
        method,
        path,
        body: body === undefined ? undefined : JSON.stringify(body),
        authorization: basic(token),
      }),
  };
}

Deno.test("tokengen makes tokens that a running server takes at once", async () => {
  await using server = await TestServer.start({ metrics: METRICS });
  const first = await firstToken(server);
  assert.match(atob(first), /^__admin__-[0-9a-f]{16}:[0-9a-f]{64}$/);
  const root = clientOf(server, first);
  const list = await root.ask("GET", "/admin/api/v1/tokens");
  assert.equal(list.status, 200);
  assert.equal(list.text.includes(atob(first).split(":")[1]!), false);
  const made = await root.ask("POST", "/admin/api/v1/accesspolicies", {
    name: "readers",
    realms: [{ instance: "", cluster: "*" }],
    scopes: ["metrics:read"],
  });
  assert.equal(made.status, 201);

  const file = `${server.directory}/token`;
  const second = await run(
    server,
    "tokengen",
    "--access-policy",
    "readers",
    "--token-file",
    file,
  );
  assert.equal(second.code, 0, second.err);
  assert.equal(await Deno.readTextFile(file), second.out);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  const reader = clientOf(server, second.out.trim());
  const health = "/api/healthcheck?cluster=emmy";
  assert.equal((await reader.ask("GET", health)).status, 200);
  assert.equal((await reader.ask("GET", "/admin/api/v1/tokens")).status, 403);
  assert.equal((await root.ask("GET", "/admin/api/v1/tokens")).status, 200);

  const count = async () => {
    const { text } = await root.ask("GET", "/admin/api/v1/tokens");
    return JSON.parse(text).items.length;
  };
  assert.equal(await count(), 2);
  const again = await run(server, "tokengen", "--token-file", file);
  assert.equal(again.code, 1);
  assert.match(again.err, /exists: it is not overwritten/);
  const unknown = await run(
    server,
    "tokengen",
    "--access-policy=nope",
    `--token-file=${file}2`,
  );
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /nope/);
  await assert.rejects(Deno.stat(`${file}2`), Deno.errors.NotFound);
  assert.equal(await count(), 2);
  root.close();
  reader.close();
});

Deno.test("the examples of the source text run as they are printed", async () => {
  await using server = await TestServer.start({ metrics: METRICS });
  const token = await firstToken(server);
  const client = new TestClient(server.url);
  // Settled 24: a stored sample makes a cluster known.
  for (const cluster of ["metrics-enterprise-dev", "dev-cluster"]) {
    const line =
      `m,cluster=${cluster},hostname=h,type=node value=1 ${nowSec()}`;
    assert.equal((await client.write(line)).status, 200);
  }
  const made = await client.send({
    method: "POST",
    path: "/admin/api/v1/instances",
    body: JSON.stringify({
      name: "metrics-enterprise-dev",
      display_name: "Metrics Enterprise Dev Instance",
      cluster: "metrics-enterprise-dev",
    }),
  });
  assert.equal(made.status, 201, made.text);
  client.close();
  for (const { command, answer } of examples) {
    const output = await shell(
      command.replaceAll("localhost:8080", new URL(server.url).host),
      token,
    );
    const got = JSON.parse(output);
    assert.match(output, /"created_at": ?"\d{4}-\d\d-\d\dT[^"]*Z"/);
    if (answer !== undefined) {
      assert.deepEqual(withoutTimes(got), withoutTimes(answer), command);
    }
  }
});

/** What a new instance may have here, and tells (settled 48). */
const DEFAULT_LIMITS = JSON.stringify({ max_series: 2_000_000 });

/** Clusters of the examples are among others here; when they were made differs, and limits are ours. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutTimes).filter((item) =>
      (item as { name?: string }).name !== "dev-cluster"
    );
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) =>
        key !== "limits" || JSON.stringify(member) !== DEFAULT_LIMITS
      )
      .map(([key, member]) => [
        key,
        key === "created_at" ? typeof member : withoutTimes(member),
      ]),
  );
}

async function shell(command: string, token: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      // Where there is no jq its input is as good.
      `set -eo pipefail; command -v jq >&2 || jq() { cat; }; ${command}`,
    ],
    env: { API_TOKEN: token, NO_PROXY: "*" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("no secret is in the log, whatever is done with them", async () => {
  await using server = await TestServer.start({
    metrics: METRICS,
    flags: ["-loglevel", "debug"],
  });
  const token = await firstToken(server);
  const root = clientOf(server, token);
  const create = async (collection: string, body: unknown) =>
    JSON.parse(
      (await root.ask("POST", `/admin/api/v1/${collection}`, body)).text,
    );
  await create("accesspolicies", {
    name: "readers",
    realms: [{ instance: "", cluster: "*" }],
    scopes: ["metrics:read"],
  });
  const made = await create("tokens", {
    name: "short-lived",
    access_policy: "readers",
  });
  const reader = clientOf(server, made.token);
  const guessed = "guessed-secret-0123456789abcdef";
  const stranger = clientOf(server, btoa(`short-lived:${guessed}`));
  const bodyless = new TestClient(server.url);
  for (const client of [reader, stranger]) {
    await client.ask("GET", "/api/healthcheck?cluster=emmy");
    await client.ask("GET", "/admin/api/v1/tokens");
    await client.ask("POST", "/api/write", "m,cluster=emmy value=1");
    await client.ask("GET", "/api/query", { token: made.token });
  }
  const jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJndWVzc2VkIn0.c2lnbmVk";
  await bodyless.send({
    method: "GET",
    path: "/admin/api/v1/tokens",
    authorization: `Bearer ${jwt}`,
  });
  await root.ask("DELETE", "/admin/api/v1/tokens/short-lived");
  await reader.ask("GET", "/api/healthcheck?cluster=emmy");
  for (const client of [root, reader, stranger, bodyless]) client.close();

  const log = server.child.output;
  // From its first line to its last: nothing was cut off.
  assert.match(log, /listening on/);
  assert.match(log, /changed.*deleteToken/);
  assert.match(log, /access refused/);
  const secrets = [token, made.token].flatMap((text) => [
    text,
    atob(text).split(":")[1]!,
    basic(text).slice("Basic ".length),
  ]);
  for (const secret of [...secrets, guessed, jwt, jwt.split(".")[1]!]) {
    assert.equal(log.includes(secret), false, `the log has ${secret}`);
  }
});
