import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SignJWT } from "jose";
import { ClientError } from "../base/errors.ts";
import type { PolicyRecord, TokenRecord } from "./access_records.ts";
import { AccessState } from "./access_state.ts";
import { makeToken } from "./admin_token.ts";
import { CredentialAuthenticator, OpenDoor } from "./authenticator.ts";
import type { CredentialPlace, RequestHeaders } from "./credentials.ts";
import { generateKeyPair, KeyError } from "./ed25519.ts";
import { JwtVerifier } from "./jwt.ts";
import type { Keys } from "./keys.ts";
import { Principal } from "./principal.ts";
import { Sessions } from "./sessions.ts";
import { signToken } from "./token.ts";

const NOW = 1_700_000_000;
const EVE = {
  username: "eve",
  roles: ["user", "api"],
  projects: ["p1"],
  fingerprint: "f1",
};
const POLICY: PolicyRecord = {
  name: "readers",
  active: true,
  scopes: ["metrics:read"],
  realms: [{ instance: "*", cluster: "*", selectors: [] }],
  expiresSec: NOW + 100,
};

async function setUp(options: { validateUser?: boolean } = {}) {
  const pair = await generateKeyPair();
  const keys: Keys = {
    publicKey: pair.publicKey,
    privateKey: pair,
    madeIn: undefined,
  };
  const clock = { now: NOW };
  const made = makeToken("t1");
  const token: TokenRecord = {
    name: "t1",
    active: true,
    policy: "readers",
    secretHash: made.secretHash,
    expiresSec: NOW + 50,
  };
  const access = new AccessState();
  const records = {
    instances: [],
    policies: [POLICY],
    tokens: [token],
    users: [EVE],
  };
  access.replace(records);
  const sessions = new Sessions({
    key: new Uint8Array(32).fill(7),
    maxAgeSec: 60,
    access,
    now: () => clock.now,
  });
  const refreshed = { count: 0, then: () => {} };
  const authenticator = new CredentialAuthenticator({
    verifier: new JwtVerifier(pair.publicKey.key, () => clock.now),
    access,
    sessions,
    validateUser: options.validateUser ?? false,
    refresh: () => {
      refreshed.count++;
      refreshed.then();
      return Promise.resolve();
    },
    now: () => clock.now,
  });
  const jwt = await signToken(
    keys,
    { user: "u", roles: ["user"], maxAgeSec: 60 },
    NOW,
  );
  const ask = async (headers: RequestHeaders, place?: CredentialPlace) =>
    await authenticator.authenticate(headers, place);
  return {
    access,
    ask,
    authenticator,
    clock,
    jwt,
    keys,
    records,
    refreshed,
    sessions,
    token,
    text: made.text,
  };
}

async function assertRefused(
  ask: Promise<Principal>,
  reason: RegExp,
): Promise<void> {
  await assert.rejects(ask, (error: unknown) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, 401);
    assert.match(error.message, reason);
    return true;
  });
}

Deno.test("CredentialAuthenticator finds a JWT in X-Auth-Token and Authorization", async () => {
  const { jwt, ask } = await setUp();
  for (
    const headers of [
      { authorization: `Bearer ${jwt}` },
      { "x-auth-token": jwt },
      { "x-auth-token": "", authorization: `Bearer ${jwt}` },
    ]
  ) assert.equal((await ask(headers)).name, "u");
});

Deno.test("CredentialAuthenticator asks for a credential where there is none", async () => {
  const { jwt, ask } = await setUp();
  const without: readonly RequestHeaders[] = [
    {},
    { authorization: "" },
    { authorization: "Bearer" },
    { authorization: "Bearer " },
    { authorization: jwt },
    { authorization: `bearer ${jwt}` },
    { authorization: [`Bearer ${jwt}`, `Bearer ${jwt}`] },
    { "x-auth-token": [jwt, jwt], authorization: `Bearer ${jwt}` },
    { cookie: `session=${jwt}` },
  ];
  for (const headers of without) {
    await assertRefused(ask(headers), /^Use JWT Authentication$/);
  }
});

Deno.test("CredentialAuthenticator takes a bare JWT on job routes alone", async () => {
  const { jwt, ask } = await setUp();
  assert.equal((await ask({ authorization: jwt }, "job")).name, "u");
  await assertRefused(ask({ authorization: jwt }), /Use JWT/);
});

Deno.test("CredentialAuthenticator does not fall back from a bad X-Auth-Token", async () => {
  const { jwt, text, ask } = await setUp();
  for (const token of ["bad", text]) {
    await assertRefused(
      ask({ "x-auth-token": token, authorization: `Bearer ${jwt}` }),
      /number of segments/,
    );
  }
});

Deno.test("CredentialAuthenticator answers without a promise for a JWT it knows", async () => {
  const { jwt, ask, authenticator } = await setUp();
  const headers = { authorization: `Bearer ${jwt}` };
  const first = await ask(headers);
  assert.equal(authenticator.authenticate(headers), first);
});

Deno.test("CredentialAuthenticator takes an admin-API token by Bearer and Basic, at once", async () => {
  const { text, authenticator } = await setUp();
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  for (
    const authorization of [
      `Bearer ${text}`,
      basic("", text),
      basic("team-a", text),
    ]
  ) {
    const principal = authenticator.authenticate({ authorization });
    assert.ok(principal instanceof Principal);
    assert.equal(principal.name, "t1");
  }
});

Deno.test("CredentialAuthenticator refuses tokens that are wrong, revoked or expired", async () => {
  const { access, ask, clock, records, text, token } = await setUp();
  const plain = Buffer.from(text, "base64").toString();
  const encode = (value: string) => Buffer.from(value).toString("base64");
  for (
    const bad of [
      "x",
      "****",
      encode("t1"),
      encode("t1:"),
      encode(`t2:${plain.slice(3)}`),
      encode(`${plain}0`),
      encode(plain.slice(0, -1)),
      "A".repeat(2000),
    ]
  ) await assertRefused(ask({ authorization: `Bearer ${bad}` }), /token/);

  const good = { authorization: `Bearer ${text}` };
  await ask(good);
  const states: [Partial<TokenRecord>, Partial<PolicyRecord>][] = [
    [{ active: false }, {}],
    [{ expiresSec: NOW }, {}],
    [{ policy: "nothing" }, {}],
    [{}, { active: false }],
    [{}, { expiresSec: NOW }],
  ];
  for (const [ofToken, ofPolicy] of states) {
    access.replace({
      ...records,
      policies: [{ ...POLICY, ...ofPolicy }],
      tokens: [{ ...token, ...ofToken }],
    });
    await assertRefused(ask(good), /unknown, expired or revoked/);
  }
  access.replace(records);
  await ask(good);
  clock.now = NOW + 50;
  await assertRefused(ask(good), /unknown, expired or revoked/);
});

Deno.test("CredentialAuthenticator looks once more for a token that another process may have made", async () => {
  const { access, ask, records, refreshed, text } = await setUp();
  access.replace({ ...records, tokens: [] });
  refreshed.then = () => access.replace(records);
  assert.equal((await ask({ authorization: `Bearer ${text}` })).name, "t1");
  assert.equal(refreshed.count, 1);
});

Deno.test("CredentialAuthenticator takes roles and projects from the users where it must", async () => {
  const { access, ask, keys, records } = await setUp({ validateUser: true });
  const sign = (user: string) =>
    signToken(keys, { user, roles: ["admin"], maxAgeSec: undefined }, NOW);
  const eve = { authorization: `Bearer ${await sign("eve")}` };
  const principal = await ask(eve);
  assert.deepEqual([...principal.roles], ["user", "api"]);
  await assertRefused(
    ask({ authorization: `Bearer ${await sign("mallory")}` }),
    /not known/,
  );
  assert.ok(!(keys.privateKey instanceof KeyError));
  const unnamed = await new SignJWT({ user: "eve" })
    .setProtectedHeader({ alg: "EdDSA" })
    .sign(keys.privateKey.key);
  const bySide = await ask({ authorization: `Bearer ${unnamed}` });
  assert.deepEqual([...bySide.roles], ["user", "api"]);
  assert.ok(principal.mayUseJobs("userapi", "jobs:read"));
  assert.ok(!bySide.mayUseJobs("userapi", "jobs:read"), "it has no sub");
  access.replace({ ...records, users: [] });
  await assertRefused(ask(eve), /not known/);
});

Deno.test("CredentialAuthenticator takes a session for pages of people alone, until it ends", async () => {
  const { access, ask, clock, records, sessions } = await setUp();
  const { cookie } = sessions.create({ user: EVE, from: "192.0.2.1" });
  const headers = { cookie: `a=b; session=${cookie}; c=d` };
  assert.equal((await ask(headers, "session")).name, "eve");
  await assertRefused(ask(headers), /Use JWT/);
  await assertRefused(ask({}, "session"), /log in/);

  await assertRefused(
    ask({ cookie: `session=${cookie.slice(0, -1)}` }, "session"),
    /not valid/,
  );
  const forged = Buffer.from(
    JSON.stringify({ i: "x", u: "root", f: "", e: NOW + 9 }),
  ).toString("base64url");
  await assertRefused(
    ask({ cookie: `session=${forged}.${cookie.split(".")[1]}` }, "session"),
    /not valid/,
  );

  const promoted = { ...EVE, roles: ["admin"] };
  access.replace({ ...records, users: [promoted] });
  assert.ok((await ask(headers, "session")).has("admin"));
  access.replace({ ...records, users: [{ ...EVE, fingerprint: "f2" }] });
  await assertRefused(ask(headers, "session"), /not there any more/);
  access.replace({ ...records, users: [] });
  await assertRefused(ask(headers, "session"), /not there any more/);
  access.replace(records);
  await ask(headers, "session");

  sessions.revoke(sessions.check(cookie).session);
  await assertRefused(ask(headers, "session"), /has ended/);
  const later = {
    cookie: `session=${sessions.create({ user: EVE, from: "" }).cookie}`,
  };
  await ask(later, "session");
  clock.now = NOW + 60;
  await assertRefused(ask(later, "session"), /has ended/);
});

Deno.test("OpenDoor lets everybody in as an administrator and API client", () => {
  const principal = new OpenDoor(new AccessState()).authenticate();
  assert.equal(principal.name, "anonymous");
  assert.ok(principal.isAdministrator);
  assert.ok(principal.mayUseJobs("job", "jobs:write"));
});
