import assert from "node:assert/strict";
import { ClientError } from "../errors.ts";
import { loadConfig } from "../config/mod.ts";
import { generateKeyPair } from "./ed25519.ts";
import { createAuthenticator, Principal, type RequestHeaders } from "./mod.ts";
import type { Keys } from "./keys.ts";
import { signToken } from "./token.ts";

function config(main: Record<string, unknown>) {
  const text = JSON.stringify({
    main,
    metrics: { m: { frequency: 60, aggregation: null } },
    "metric-store": { "retention-in-memory": "48h", "memory-cap": 1 },
  });
  return loadConfig("config.json", () => text).config;
}

async function setUp() {
  const pair = await generateKeyPair();
  const keys: Keys = {
    publicKey: pair.publicKey,
    privateKey: pair,
    madeIn: undefined,
  };
  const { authenticator } = await createAuthenticator(
    config({}),
    () => Promise.resolve(keys),
  );
  const token = await signToken(keys, {
    user: "u",
    roles: ["user"],
    maxAgeSec: 60,
  });
  const nameOf = async (headers: RequestHeaders) =>
    (await authenticator.authenticate(headers)).name;
  return { keys, token, nameOf, authenticator };
}

Deno.test("Authenticator finds a token in X-Auth-Token and Authorization", async () => {
  const { token, nameOf } = await setUp();
  assert.equal(await nameOf({ authorization: `Bearer ${token}` }), "u");
  assert.equal(await nameOf({ "x-auth-token": token }), "u");
  assert.equal(
    await nameOf({ "x-auth-token": "", authorization: `Bearer ${token}` }),
    "u",
  );
});

Deno.test("Authenticator asks for a token where there is none", async () => {
  const { token, nameOf } = await setUp();
  const without: readonly RequestHeaders[] = [
    {},
    { authorization: "" },
    { authorization: "Bearer" },
    { authorization: "Bearer " },
    { authorization: token },
    { authorization: `bearer ${token}` },
    { authorization: `Basic ${btoa("a:b")}` },
    { authorization: [`Bearer ${token}`, `Bearer ${token}`] },
    { "x-auth-token": [token, token], authorization: `Bearer ${token}` },
    { cookie: `session=${token}` },
  ];
  for (const headers of without) {
    await assert.rejects(nameOf(headers), (error: unknown) => {
      assert.ok(error instanceof ClientError);
      assert.equal(error.status, 401);
      assert.equal(error.message, "Use JWT Authentication");
      return true;
    });
  }
});

Deno.test("Authenticator does not fall back from a bad X-Auth-Token", async () => {
  const { token, nameOf } = await setUp();
  await assert.rejects(
    nameOf({ "x-auth-token": "bad", authorization: `Bearer ${token}` }),
    /number of segments/,
  );
});

Deno.test("Authenticator answers without a promise when it knows the token", async () => {
  const { token, nameOf, authenticator } = await setUp();
  const headers = { authorization: `Bearer ${token}` };
  await nameOf(headers);
  assert.ok(authenticator.authenticate(headers) instanceof Principal);
});

Deno.test("Authenticator lets everybody in when authentication is disabled", async () => {
  const { authenticator, keys } = await createAuthenticator(
    config({ "disable-authentication": true }),
    () => Promise.reject(new Error("no key is needed")),
  );
  assert.equal(keys, undefined);
  const principal = await authenticator.authenticate({ authorization: "x" });
  assert.equal(principal.name, "anonymous");
  assert.ok(principal.may("debug") && principal.may("write"));
});
