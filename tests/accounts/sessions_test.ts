/** Logging in and out, and what a session may do until it ends. */
import assert from "node:assert/strict";
import { Fixture, type FixtureOptions } from "../http/fixture.ts";
import { type TestAccounts, testAccounts } from "../support/accounts.ts";
import type { HttpAnswer } from "../support/client.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

async function start(
  options: FixtureOptions = {},
): Promise<{ door: Fixture; people: TestAccounts }> {
  const people = await testAccounts();
  const { users } = people.accounts;
  await users.create({ username: "root", password: "pw", roles: ["admin"] });
  await users.create({ username: "eve", password: "pw", roles: ["user"] });
  return { door: await Fixture.start({ ...options, people }), people };
}

function logIn(
  door: Fixture,
  username: string,
  password: string,
  more: { redirect?: string; headers?: Record<string, string> } = {},
): Promise<HttpAnswer> {
  const fields = new URLSearchParams({ username, password });
  if (more.redirect !== undefined) fields.set("redirect", more.redirect);
  return door.ask("POST", "/login", {
    role: null,
    body: fields.toString(),
    headers: { ...FORM, ...more.headers },
  });
}

/** The cookie as a browser sends it back. */
function cookieOf(answer: HttpAnswer): string {
  const [cookie = ""] = answer.headers["set-cookie"] ?? [];
  return cookie.split(";", 1)[0]!;
}

function bySession(door: Fixture, cookie: string) {
  return (method: string, path: string, form?: Record<string, string>) =>
    door.ask(method, path, {
      role: null,
      headers: { Cookie: cookie, Origin: door.origin, ...FORM },
      ...(form ? { body: new URLSearchParams(form).toString() } : {}),
    });
}

Deno.test("login sets a signed cookie that scripts of the page cannot read", async () => {
  const { door } = await start();
  await using _door = door;
  const answer = await logIn(door, "eve", "pw");
  assert.equal(answer.status, 302);
  assert.equal(answer.headers["location"], "/");
  const [cookie = ""] = answer.headers["set-cookie"] ?? [];
  assert.match(
    cookie,
    /^session=[\w-]+\.[\w-]+; Path=\/; Expires=[^;]+ GMT; Max-Age=604800; HttpOnly; SameSite=Lax$/,
  );
});

Deno.test("over HTTPS a session is one that no neighbour can have set", async () => {
  const { door } = await start();
  await using _door = door;
  const https = { "X-Forwarded-Proto": "https" };
  const secure = await logIn(door, "eve", "pw", { headers: https });
  assert.match(
    secure.headers["set-cookie"]?.[0] ?? "",
    /^__Host-session=[\w-]+\.[\w-]+; Path=\/; .*; Secure; SameSite=Lax$/,
  );
  assert.match(secure.headers["strict-transport-security"] ?? "", /max-age/);
  const status = async (Cookie: string, headers: Record<string, string>) =>
    (await door.ask("GET", "/frontend/jwt/?username=eve", {
      role: null,
      headers: { Cookie, ...headers },
    })).status;
  const cookie = cookieOf(secure);
  assert.equal(await status(cookie, https), 200);
  assert.equal(await status(cookie.replace("__Host-", ""), https), 401);
  assert.equal(await status(`session=x; ${cookie}`, https), 200);
  const out = await door.ask("POST", "/logout", {
    role: null,
    headers: { Cookie: cookie, ...https },
  });
  assert.match(out.headers["set-cookie"]?.[0] ?? "", /^__Host-session=;/);
  assert.equal(await status(cookie, https), 401);
});

Deno.test("of two different session cookies none counts", async () => {
  const { door } = await start();
  await using _door = door;
  const first = cookieOf(await logIn(door, "eve", "pw"));
  const second = cookieOf(await logIn(door, "root", "pw"));
  const status = async (cookie: string) =>
    (await bySession(door, cookie)("GET", "/frontend/jwt/?username=eve"))
      .status;
  assert.equal(await status(`${first}; ${first}`), 200);
  assert.equal(await status(`${first}; ${second}`), 401);
});

Deno.test("login goes on to a path of this server and nowhere else", async () => {
  const { door } = await start();
  await using _door = door;
  const targets: [string, string][] = [
    ["/monitoring/jobs/", "/monitoring/jobs/"],
    ["https://evil.example/", "/"],
    ["//evil.example/", "/"],
    ["/\\evil.example/", "/"],
    ["/x\r\nSet-Cookie: a=b", "/"],
    [
      "/größe?a=%20✓\u0001\ud800",
      "/gr%C3%B6%C3%9Fe?a=%20%E2%9C%93%01%EF%BF%BD",
    ],
    ["", "/"],
  ];
  for (const [redirect, expected] of targets) {
    const answer = await logIn(door, "eve", "pw", { redirect });
    assert.equal(answer.headers["location"], expected, redirect);
  }
});

Deno.test("login answers 401 with the page, and slows down who guesses", async () => {
  const { door } = await start();
  await using _door = door;
  for (let i = 0; i < 5; i++) {
    const answer = await logIn(door, "eve", `wrong ${i}`);
    assert.equal(answer.status, 401);
    assert.match(answer.text, /<form method="post" action="\/login">/);
    assert.equal(answer.headers["retry-after"], undefined);
  }
  const right = await logIn(door, "eve", "pw");
  assert.equal(right.status, 401);
  assert.ok(Number(right.headers["retry-after"]) > 0);
  assert.equal((await logIn(door, "root", "pw")).status, 302);
  const elsewhere = await logIn(door, "eve", "pw", {
    headers: { "X-Forwarded-For": "198.51.100.9" },
  });
  assert.equal(elsewhere.status, 302);
  const nobody = await logIn(door, '<script>"', "x");
  assert.equal(nobody.status, 401);
  assert.ok(!nobody.text.includes("<script>"));
});

Deno.test("a session ends with logout, with the password, and with the user", async () => {
  const { door, people } = await start();
  await using _door = door;
  const enter = async () => cookieOf(await logIn(door, "eve", "pw"));
  const path = "/frontend/jwt/?username=eve";
  const status = async (cookie: string) =>
    (await bySession(door, cookie)("GET", path)).status;

  const first = await enter();
  const second = await enter();
  assert.equal(await status(first), 200);
  const out = await bySession(door, first)("POST", "/logout");
  assert.equal(out.status, 200);
  assert.match(out.headers["set-cookie"]?.[0] ?? "", /^session=; .*Max-Age=0/);
  assert.equal(await status(first), 401);
  assert.equal(await status(second), 200);
  assert.equal(people.revoked.length, 1);

  await people.accounts.users.setPasswordHash("eve", "another");
  assert.equal(await status(second), 401);
  assert.equal((await bySession(door, "")("POST", "/logout")).status, 200);
});

Deno.test("roles act on the next request of an open session", async () => {
  const { door, people } = await start();
  await using _door = door;
  const eve = bySession(door, cookieOf(await logIn(door, "eve", "pw")));
  assert.equal((await eve("GET", "/config/roles/")).status, 401);
  await people.accounts.users.change("eve", { "add-role": "admin" });
  assert.equal((await eve("GET", "/config/roles/")).status, 200);
  await people.accounts.users.change("eve", { "remove-role": "admin" });
  assert.equal((await eve("GET", "/config/roles/")).status, 401);
  await people.accounts.users.delete("eve");
  assert.equal((await eve("GET", "/frontend/jwt/?username=eve")).status, 401);
});

Deno.test("a token from /frontend/jwt/ speaks for its user, with the roles of the table", async () => {
  const { door } = await start();
  await using _door = door;
  const root = bySession(door, cookieOf(await logIn(door, "root", "pw")));
  const eve = bySession(door, cookieOf(await logIn(door, "eve", "pw")));
  const path = "/frontend/jwt/?username=";
  assert.equal((await root("GET", `${path}nobody`)).status, 404);
  assert.equal((await eve("GET", `${path}root`)).status, 403);
  const made = await root("GET", `${path}eve`);
  assert.equal(made.headers["content-type"], "text/plain");
  const headers = { "X-Auth-Token": made.text };
  const read = await door.ask("GET", "/api/query", {
    role: null,
    headers,
    body: "{}",
  });
  assert.equal(read.status, 200);
  const write = await door.ask("POST", "/api/write", {
    role: null,
    headers,
    body: "m v=1",
  });
  assert.equal(write.status, 403);
});

Deno.test("administrators make, change and delete users by session", async () => {
  const { door, people } = await start();
  await using _door = door;
  const root = bySession(door, cookieOf(await logIn(door, "root", "pw")));
  const made = await root("PUT", "/config/users/", {
    username: "new u/ü",
    password: "pw1",
    role: "user",
    name: "New",
  });
  assert.equal(made.status, 200);
  const change = await root("POST", "/config/user/new%20u%2F%C3%BC", {
    "add-role": "support",
  });
  assert.equal(change.text, '{"msg":"Add Role Success"}\n');
  const again = await root("POST", "/config/user/new%20u%2F%C3%BC", {
    "add-role": "support",
  });
  assert.equal(again.status, 422);
  assert.deepEqual(people.store.users.get("new u/ü")?.roles, [
    "user",
    "support",
  ]);
  assert.equal((await root("DELETE", "/config/users/", {})).status, 400);
  assert.equal(
    (await root("DELETE", "/config/users/", { username: "new u/ü" })).status,
    200,
  );
  const byUrl = await root("DELETE", "/config/users?username=eve");
  assert.equal(byUrl.status, 400, "a link must not delete anybody");
  await root("DELETE", "/config/users", { username: "eve" });
  const listed = JSON.parse((await root("GET", "/config/users/")).text);
  assert.deepEqual(listed.map((user: { username: string }) => user.username), [
    "root",
  ]);
  assert.equal((await root("PATCH", "/config/users/")).status, 404);
});

Deno.test("settings are kept for the user of the session, and must be JSON", async () => {
  const { door, people } = await start();
  await using _door = door;
  const eve = bySession(door, cookieOf(await logIn(door, "eve", "pw")));
  const path = "/frontend/configuration/";
  assert.equal(
    (await eve("POST", path, { key: "a", value: "[1]" })).text,
    "success",
  );
  assert.deepEqual(people.settings, ["eve a [1]"]);
  for (const form of [{ key: "a", value: "x" }, { key: "", value: "1" }]) {
    assert.equal(
      (await eve("POST", path, form as Record<string, string>)).status,
      400,
    );
  }
});

Deno.test("who tries many names is slowed down; others are not, nor is who succeeds", async () => {
  const { door, people } = await start();
  await using _door = door;
  const { limiter } = people.accounts;
  const from = (address: string) => ({
    headers: { "X-Forwarded-For": address },
  });
  const wrong = await logIn(door, "u0", "x", from("192.0.2.1"));
  assert.equal(wrong.headers["retry-after"], undefined);
  for (let i = 0; i < 18; i++) limiter.countFailure("192.0.2.1", `v${i}`);
  for (let i = 0; i < 2; i++) {
    const right = await logIn(door, "eve", "pw", from("192.0.2.1"));
    assert.equal(right.status, 302);
  }
  limiter.countFailure("192.0.2.1", "last");
  limiter.countFailure("192.0.2.1", "of all");
  const more = await logIn(door, "eve", "pw", from("192.0.2.1"));
  assert.equal(more.status, 401);
  assert.ok(Number(more.headers["retry-after"]) > 0);
  const other = await logIn(door, "eve", "pw", from("192.0.2.2"));
  assert.equal(other.status, 302);
});

Deno.test("a forwarding header of a stranger changes nothing, and is told of once", async () => {
  const people = await testAccounts();
  await people.accounts.users.create({
    username: "eve",
    password: "pw",
    roles: ["user"],
  });
  await using door = await Fixture.start({
    people,
    main: { "trusted-proxies": [] },
  });
  let last = "";
  for (let i = 0; i < 6; i++) {
    const answer = await logIn(door, "eve", "wrong", {
      headers: { "X-Forwarded-For": `10.9.${i}.1` },
    });
    last = String(answer.headers["retry-after"]);
  }
  assert.ok(Number(last) > 0, "all six were of one client");
  const told = door.warnings.filter((note) =>
    note.includes("main.trusted-proxies")
  );
  assert.equal(told.length, 1);
});

Deno.test("a forged form is refused before anybody looks at the password", async () => {
  const { door } = await start();
  await using _door = door;
  for (const site of ["cross-site", "same-site"]) {
    const answer = await logIn(door, "root", "pw", {
      headers: { "Sec-Fetch-Site": site },
    });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers["set-cookie"], undefined);
  }
});

Deno.test("a login by multipart form works, one by query string does not", async () => {
  const { door } = await start();
  await using _door = door;
  const multipart = await door.ask("POST", "/login", {
    role: null,
    headers: { "Content-Type": "multipart/form-data; boundary=x" },
    body:
      '--x\r\nContent-Disposition: form-data; name="username"\r\n\r\neve\r\n' +
      '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\npw\r\n--x--\r\n',
  });
  assert.equal(multipart.status, 302);
  const query = await door.ask("POST", "/login?username=eve&password=pw", {
    role: null,
  });
  assert.equal(query.status, 401);
  const page = await door.ask("GET", "/login?redirect=%2Fa%22b", {
    role: null,
  });
  assert.equal(page.status, 200);
  assert.match(page.text, /value="\/a&quot;b"/);
});
