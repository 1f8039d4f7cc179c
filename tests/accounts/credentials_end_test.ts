/**
 * That credentials end: with their time, with their account, and with the rights that
 * were taken from it.
 */
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { KeyError } from "../../src/access/mod.ts";
import { nowSec } from "../../src/base/clock.ts";
import { Fixture } from "../http/fixture.ts";
import { type TestAccounts, testAccounts } from "../support/accounts.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const SHARED_KEY = new Uint8Array(64).fill(7);

interface Claims {
  readonly sub: string;
  readonly roles?: readonly string[];
  readonly projects?: readonly string[];
  readonly exp?: number;
  readonly iat?: number;
}

async function start(options: Parameters<typeof testAccounts>[0] = {}) {
  const people = await testAccounts({
    sharedKey: btoa(String.fromCharCode(...SHARED_KEY)),
    ...options,
  });
  const { users } = people.accounts;
  await users.create({ username: "boss", password: "pw", roles: ["admin"] });
  const door = await Fixture.start({ people });
  return { door, people, users };
}

/** A token of the server's own key. */
function own({ keys }: TestAccounts, claims: Claims): Promise<string> {
  assert.ok(!(keys.privateKey instanceof KeyError));
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: "EdDSA" })
    .sign(keys.privateKey.key);
}

/** A token of the sign-on. */
function foreign(claims: Claims, alg = "HS512"): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg })
    .sign(SHARED_KEY);
}

async function statusBy(door: Fixture, jwt: string, path: string) {
  const headers = { "X-Auth-Token": jwt };
  return (await door.ask("GET", path, { role: null, headers })).status;
}

async function enter(door: Fixture, token: string) {
  const answer = await door.ask("POST", "/jwt-login", {
    role: null,
    headers: FORM,
    body: `login-token=${token}`,
  });
  const [cookie = ""] = answer.headers["set-cookie"] ?? [];
  return { answer, cookie: cookie.split(";", 1)[0]!, whole: cookie };
}

async function statusOf(door: Fixture, cookie: string, path: string) {
  const headers = { Cookie: cookie };
  return (await door.ask("GET", path, { role: null, headers })).status;
}

const ADMIN_PATH = "/admin/api/v1/tokens";
const ADMIN_PAGE = "/config/roles";
const OWN_PAGE = "/frontend/sessions";

Deno.test("a role that was taken away is taken from the tokens of that person", async () => {
  const { door, people, users } = await start();
  await using _door = door;
  await users.create({
    username: "eve",
    password: "pw",
    roles: ["user", "admin"],
  });
  const jwt = await own(people, {
    sub: "eve",
    roles: ["ROLE_USER", "ROLE_ADMIN"],
  });
  assert.equal(await statusBy(door, jwt, ADMIN_PATH), 200);
  await users.change("eve", { "remove-role": "admin" });
  assert.equal(await statusBy(door, jwt, ADMIN_PATH), 403);
  await users.change("eve", { "add-role": "admin" });
  assert.equal(await statusBy(door, jwt, ADMIN_PATH), 200);
  // A token with less keeps to it.
  const less = await own(people, { sub: "eve", roles: ["user"] });
  assert.equal(await statusBy(door, less, ADMIN_PATH), 403);
});

Deno.test("tokens end with the account, also where somebody else has the name", async () => {
  const { door, people, users } = await start();
  await using _door = door;
  const account = { username: "bob", password: "pw", roles: ["admin"] };
  await users.create(account);
  const iat = Math.floor(nowSec());
  const old = await own(people, { sub: "bob", roles: ["admin"], iat });
  const undated = await own(people, { sub: "bob", roles: ["admin"] });
  const other = await own(people, { sub: "tool", roles: ["admin"] });
  assert.equal(await statusBy(door, old, ADMIN_PATH), 200);
  await users.delete("bob");
  const next = await own(people, {
    sub: "bob",
    roles: ["admin"],
    iat: iat + 3600,
  });
  for (const jwt of [old, undated, next]) {
    assert.equal(await statusBy(door, jwt, ADMIN_PATH), 401);
  }
  await users.create(account);
  assert.equal(await statusBy(door, old, ADMIN_PATH), 401);
  assert.equal(await statusBy(door, undated, ADMIN_PATH), 401);
  assert.equal(await statusBy(door, next, ADMIN_PATH), 200);
  assert.equal(await statusBy(door, other, ADMIN_PATH), 200);
});

Deno.test("with validate-user the table alone says what a token may", async () => {
  const { door, people, users } = await start({
    jwts: { "validate-user": true },
  });
  await using _door = door;
  await users.create({ username: "eve", password: "pw", roles: ["admin"] });
  const jwt = await own(people, { sub: "eve", roles: [] });
  assert.equal(await statusBy(door, jwt, ADMIN_PATH), 200);
  await users.delete("eve");
  assert.equal(await statusBy(door, jwt, ADMIN_PATH), 401);
});

Deno.test("tokens of /frontend/jwt end after 30 days unless told otherwise", async () => {
  const lifetimes: [number | undefined, number | undefined][] = [
    [undefined, 720 * 3600],
    [3600, 3600],
    [0, undefined],
  ];
  for (const [configured, expected] of lifetimes) {
    const { door, people } = await start({ jwts: { "max-age": configured } });
    await using _door = door;
    const user = people.access.user("boss")!;
    const { cookie } = people.accounts.sessions.create({ user, from: "" });
    const { text } = await door.ask("GET", "/frontend/jwt?username=boss", {
      role: null,
      headers: { Cookie: `session=${cookie}` },
    });
    const { iat, exp } = JSON.parse(atob(text.split(".")[1]!));
    assert.equal(exp === undefined ? undefined : exp - iat, expected);
  }
});

Deno.test("a session lasts no longer than the token it was made from", async () => {
  const clock = { now: Math.floor(nowSec()) };
  const { door } = await start({ now: () => clock.now });
  await using _door = door;
  const exp = clock.now + 120;
  const { cookie, whole } = await enter(
    door,
    await foreign({ sub: "zoe", roles: ["user"], exp }),
  );
  assert.match(whole, /; Max-Age=120; /);
  assert.equal(await statusOf(door, cookie, OWN_PAGE), 200);
  const hour = await enter(
    door,
    await foreign({ sub: "zoe", roles: ["user"] }),
  );
  assert.match(hour.whole, /; Max-Age=3[56]\d\d; /);
  clock.now = exp;
  assert.equal(await statusOf(door, cookie, OWN_PAGE), 401);
  assert.equal(await statusOf(door, hour.cookie, OWN_PAGE), 200);
  clock.now += 3700;
  assert.equal(await statusOf(door, hour.cookie, OWN_PAGE), 401);
});

Deno.test("a session is worth no more than the token, nor than the account", async () => {
  const { door, users } = await start();
  await using _door = door;
  const exp = Math.floor(nowSec()) + 600;
  const token = await foreign({ sub: "zoe", roles: ["user", "admin"], exp });
  const { cookie } = await enter(door, token);
  assert.equal(await statusOf(door, cookie, ADMIN_PAGE), 200);
  await users.create({ username: "zoe", password: "pw", roles: ["user"] });
  assert.equal(await statusOf(door, cookie, ADMIN_PAGE), 401);
  assert.equal(await statusOf(door, cookie, OWN_PAGE), 200);
  await users.delete("zoe");
  assert.equal(await statusOf(door, cookie, OWN_PAGE), 401);
  assert.equal((await enter(door, token)).answer.status, 401, "deleted");
});

Deno.test("accounts with a password here are not entered by token", async () => {
  for (
    const jwts of [
      {},
      { "sync-user-on-login": true },
      { "update-user-on-login": true },
    ]
  ) {
    const { door, people } = await start({ jwts });
    await using _door = door;
    const { answer } = await enter(
      door,
      await foreign({ sub: "boss", roles: ["user"] }),
    );
    assert.equal(answer.status, 401);
    assert.match(answer.text, /has a password here/);
    assert.deepEqual(people.store.users.get("boss")?.roles, ["admin"]);
  }
  const { door } = await start({ jwts: { "validate-user": true } });
  await using _door = door;
  const token = await foreign({ sub: "boss", roles: ["user"] });
  assert.equal((await enter(door, token)).answer.status, 302);
});

Deno.test("a token that says less than the account makes a session that may less", async () => {
  const { door, people, users } = await start({
    jwts: { "sync-user-on-login": true },
  });
  await using _door = door;
  const first = await enter(
    door,
    await foreign({ sub: "zoe", roles: ["user", "admin"] }),
  );
  assert.equal(await statusOf(door, first.cookie, ADMIN_PAGE), 200);
  const second = await enter(
    door,
    await foreign({ sub: "zoe", roles: ["user"] }),
  );
  assert.equal(await statusOf(door, second.cookie, ADMIN_PAGE), 401);
  assert.equal(await statusOf(door, second.cookie, OWN_PAGE), 200);
  assert.equal(people.store.users.get("zoe")?.authSource, 2);
  await users.delete("zoe");
  assert.equal(await statusOf(door, first.cookie, ADMIN_PAGE), 401);
});

Deno.test("a session that does not fit into a cookie is refused when it is made", async () => {
  const { door } = await start();
  await using _door = door;
  const projects = Array.from({ length: 500 }, (_, i) => `project-${i}`);
  const { answer } = await enter(
    door,
    await foreign({ sub: "zoe", roles: ["manager"], projects }),
  );
  assert.equal(answer.status, 401);
  assert.match(answer.text, /too many roles or projects/);
  assert.equal(answer.headers["set-cookie"], undefined);
});

Deno.test("people see and end their sessions, administrators those of others", async () => {
  const { door, people, users } = await start();
  await using _door = door;
  await users.create({ username: "eve", password: "pw", roles: ["user"] });
  const enterAs = async (username: string) => {
    const answer = await door.ask("POST", "/login", {
      role: null,
      headers: FORM,
      body: `username=${username}&password=pw`,
    });
    return answer.headers["set-cookie"]![0]!.split(";", 1)[0]!;
  };
  const ask = (method: string, cookie: string, fields = "", search = "") =>
    door.ask(method, `/frontend/sessions/${search}`, {
      role: null,
      headers: { ...FORM, Cookie: cookie, Origin: door.origin },
      ...(fields === "" ? {} : { body: fields }),
    });
  const [first, second, third, boss] = [
    await enterAs("eve"),
    await enterAs("eve"),
    await enterAs("eve"),
    await enterAs("boss"),
  ];
  const listed = JSON.parse((await ask("GET", first)).text);
  assert.equal(listed.length, 3);
  assert.deepEqual(
    listed.map((one: { current: boolean }) => one.current),
    [true, false, false],
  );
  assert.equal(listed[0].from, "127.0.0.1");
  assert.ok(Date.parse(listed[0].expires) > Date.parse(listed[0].began));

  const one = await ask("DELETE", first, `id=${listed[1].id}`);
  assert.equal(one.text, '{"ended":1}\n');
  assert.equal(await statusOf(door, second, OWN_PAGE), 401);
  assert.equal(await statusOf(door, third, OWN_PAGE), 200);
  assert.equal((await ask("DELETE", first, `id=${listed[1].id}`)).status, 404);
  assert.deepEqual(people.revoked, [listed[1].id]);

  const [bossSession] = people.accounts.sessions.of("boss");
  const foreign = await ask("DELETE", first, `id=${bossSession!.id}`);
  assert.equal(foreign.status, 404);
  assert.equal((await ask("DELETE", first, "username=boss")).status, 403);
  assert.equal((await ask("GET", first, "", "?username=boss")).status, 403);

  const all = await ask("DELETE", boss, "username=eve");
  assert.equal(all.text, '{"ended":2}\n');
  assert.equal(await statusOf(door, first, OWN_PAGE), 401);
  assert.equal(await statusOf(door, third, OWN_PAGE), 401);
  assert.equal(await statusOf(door, boss, OWN_PAGE), 200);
});
