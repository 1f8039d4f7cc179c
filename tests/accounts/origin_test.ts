/** From where browsers may send what: sessions, logins, and servers without credentials. */
import assert from "node:assert/strict";
import { OpenDoor } from "../../src/access/authenticator.ts";
import { Fixture } from "../http/fixture.ts";
import { testAccounts } from "../support/accounts.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
type Headers = Record<string, string>;

/** A server with an administrator, and the cookie of her session. */
async function start(main: Record<string, unknown> = {}) {
  const people = await testAccounts();
  await people.accounts.users.create({
    username: "root",
    password: "pw",
    roles: ["admin"],
  });
  const door = await Fixture.start({ people, main });
  const cookie = `session=${
    people.accounts.sessions.create({
      user: people.access.user("root")!,
      from: "",
    }).cookie
  }`;
  return { door, cookie, people };
}

/** What an attack sends: every way to change something by session. */
const UNSAFE: readonly (readonly [string, string, string])[] = [
  ["POST", "/config/users", "username=e&password=x&role=admin"],
  ["PUT", "/config/users", "username=e&password=x&role=admin"],
  ["DELETE", "/config/users", "username=root"],
  ["POST", "/config/user/root", "add-role=support"],
  ["POST", "/config/notice", "new-content=x"],
  ["POST", "/config/taggers/run", "name=x"],
  ["POST", "/frontend/configuration", "key=a&value=1"],
  ["DELETE", "/frontend/sessions", ""],
];

Deno.test("what a session changes needs proof that a page of ours sent it", async () => {
  const { door, cookie, people } = await start({
    "base-url": "https://metrics.example/",
  });
  await using _door = door;
  const foreign: readonly Headers[] = [
    { Origin: "http://evil.example" },
    { Origin: "null" },
    { Origin: "http://127.0.0.1:1" },
    { Origin: door.origin.replace("127.0.0.1", "localhost") },
    { Origin: `${door.origin}, http://evil.example` },
    { Origin: `http://evil.example/${door.origin}` },
    { Origin: door.origin, "Sec-Fetch-Site": "same-site" },
    { Origin: door.origin, "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-origin, cross-site" },
    { Referer: `${door.origin}/` },
    { "Content-Type": "text/plain" },
    {},
  ];
  for (const [method, path, body] of UNSAFE) {
    for (const headers of foreign) {
      const answer = await door.ask(method, path, {
        role: null,
        body,
        headers: { ...FORM, Cookie: cookie, ...headers },
      });
      const what = `${method} ${path} ${JSON.stringify(headers)}`;
      assert.equal(answer.status, 403, `${what} is ${answer.status}`);
    }
  }
  assert.deepEqual([...people.store.users.keys()], ["root"]);
  assert.deepEqual(people.store.users.get("root")?.roles, ["admin"]);
  assert.deepEqual(people.settings, []);
  const unproved = await door.ask("POST", "/config/users", {
    role: null,
    headers: { Cookie: cookie },
  });
  assert.match(unproved.text, /send Origin: https:\/\/metrics\.example"/);

  const own: readonly Headers[] = [
    { Origin: door.origin },
    { Origin: "https://metrics.example" },
    { "Sec-Fetch-Site": "same-origin" },
    { "Sec-Fetch-Site": "none" },
    // A proxy may have changed Host; the browser knows better.
    { "Sec-Fetch-Site": "same-origin", Origin: "https://public.example" },
  ];
  for (const headers of own) {
    const answer = await door.ask("POST", "/frontend/configuration", {
      role: null,
      body: "key=a&value=1",
      headers: { ...FORM, Cookie: cookie, ...headers },
    });
    assert.equal(answer.status, 200, JSON.stringify(headers));
  }
  assert.equal(people.settings.length, own.length);
});

Deno.test("a request without a cookie is asked to log in, not for its origin", async () => {
  const { door } = await start();
  await using _door = door;
  const answer = await door.ask("POST", "/config/users", { role: null });
  assert.equal(answer.status, 401);
});

Deno.test("nobody is logged in or out by a page of another origin", async () => {
  const { door, cookie } = await start();
  await using _door = door;
  const ask = (path: string, headers: Headers) =>
    door.ask("POST", path, {
      role: null,
      body: "username=root&password=pw",
      headers: { ...FORM, ...headers },
    });
  const foreign: readonly Headers[] = [
    { Origin: "http://users.example" },
    { Origin: "null" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "cross-site" },
  ];
  for (const path of ["/login", "/jwt-login", "/logout"]) {
    for (const headers of foreign) {
      for (const more of [{}, { Cookie: cookie }]) {
        const answer = await ask(path, { ...headers, ...more });
        assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
        assert.equal(answer.headers["set-cookie"], undefined);
      }
    }
  }
  // Scripts send neither header; browsers send at least one.
  assert.equal((await ask("/login", {})).status, 302);
  assert.equal((await ask("/login", { Origin: door.origin })).status, 302);
  assert.equal((await ask("/logout", { Cookie: cookie })).status, 200);
});

Deno.test("over HTTPS a page of plain HTTP is foreign", async () => {
  const { door, cookie } = await start();
  await using _door = door;
  const ask = (origin: string) =>
    door.ask("POST", "/frontend/configuration", {
      role: null,
      body: "key=a&value=1",
      headers: {
        ...FORM,
        Cookie: cookie.replace("session", "__Host-session"),
        "X-Forwarded-Proto": "https",
        Origin: origin,
      },
    });
  assert.equal((await ask(door.origin)).status, 403);
  assert.equal((await ask(door.origin.replace("http", "https"))).status, 200);
});

Deno.test("without credentials every route is for pages of this server and for programs", async () => {
  const people = await testAccounts();
  await using door = await Fixture.start({
    people: { ...people, authenticator: new OpenDoor(people.access) },
    main: {
      "disable-authentication": true,
      "base-url": "https://metrics.example",
    },
  });
  const paths: readonly (readonly [string, string])[] = [
    ["GET", "/admin/api/v1/tokens"],
    ["POST", "/admin/api/v1/tokens"],
    ["GET", "/api/query"],
    ["POST", "/api/write"],
    ["GET", "/metrics"],
    ["GET", "/config/users"],
    ["OPTIONS", "/admin/api/v1/tokens"],
  ];
  const refused: readonly Headers[] = [
    { Origin: "http://evil.example" },
    { Origin: "null" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors" },
    // A name of the attacker that points at this machine.
    { Host: "rebound.evil.example" },
    {
      Host: "rebound.evil.example:8082",
      Origin: "http://rebound.evil.example:8082",
    },
  ];
  for (const [method, path] of paths) {
    for (const headers of refused) {
      const answer = await door.ask(method, path, { role: null, headers });
      const what = `${method} ${path} ${JSON.stringify(headers)}`;
      assert.equal(answer.status, 403, `${what} is ${answer.status}`);
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
  }
  const allowed: readonly Headers[] = [
    {},
    { Host: "localhost:8082" },
    { Host: "[::1]:8082" },
    { Host: "metrics.example" },
    { Origin: door.origin },
    { "Sec-Fetch-Site": "same-origin" },
    {
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Dest": "document",
    },
  ];
  for (const headers of allowed) {
    const answer = await door.ask("GET", "/metrics", { role: null, headers });
    assert.equal(answer.status, 200, JSON.stringify(headers));
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
  }
});
