/** That every change, every login and every refusal is a line of the audit. */
import assert from "node:assert/strict";
import { signToken } from "../../src/access/token.ts";
import type { ApiRoute } from "../../src/http/api_route.ts";
import { describedRoutes } from "../../src/app/routes/described_routes.ts";
import { Fixture } from "../http/fixture.ts";
import { testAccounts } from "../support/accounts.ts";

const FORM = "application/x-www-form-urlencoded";
const SECRET = "never-in-any-log";
const BASE = "/admin/api/v1";

/** Operation, request, and what the line says after `what`, `who` and `from`. */
const CHANGES: readonly (readonly [string, string, string, string])[] = [
  [
    "createInstance",
    `POST ${BASE}/instances`,
    '{"name":"dev","cluster":"fritz"}',
    "instances/dev ",
  ],
  [
    "changeInstance",
    `PUT ${BASE}/instances/dev`,
    '{"limits":{"max_series":7}}',
    'instances/dev status="active" limits={"max_series":7}',
  ],
  [
    "createAccessPolicy",
    `POST ${BASE}/accesspolicies`,
    '{"name":"pol","scopes":["metrics:read"],"realms":[{"instance":"","cluster":"*"}]}',
    'accesspolicies/pol scopes=["metrics:read"]',
  ],
  [
    "changeAccessPolicy",
    `PUT ${BASE}/accesspolicies/pol`,
    '{"scopes":["metrics:write"]}',
    'accesspolicies/pol scopes=["metrics:write"]',
  ],
  [
    "createToken",
    `POST ${BASE}/tokens`,
    '{"name":"tok","access_policy":"pol"}',
    'tokens/tok policy="pol"',
  ],
  ["deleteToken", `DELETE ${BASE}/tokens/tok`, "", "tokens/tok"],
  [
    "deleteAccessPolicy",
    `DELETE ${BASE}/accesspolicies/pol`,
    "",
    "accesspolicies/pol",
  ],
  ["deleteInstance", `DELETE ${BASE}/instances/dev`, "", "instances/dev"],
  [
    "createUser",
    "POST /config/users",
    `username=u&password=${SECRET}&role=manager&project=p1`,
    "user/u role=manager project=p1",
  ],
  [
    "createUserByPut",
    "PUT /config/users",
    `username=v&password=${SECRET}&role=user`,
    "user/v role=user",
  ],
  [
    "changeUserBySession",
    "POST /config/user/v",
    "add-role=support",
    "user/v add-role=support",
  ],
  [
    "changeUser",
    "POST /api/user/v",
    '{"remove-role":"support"}',
    "user/v remove-role=support",
  ],
  ["deleteUser", "DELETE /config/users", "username=v", "user/v"],
  ["setNotice", "POST /config/notice", `new-content=${SECRET}`, "notice"],
  [
    "setConfiguration",
    "POST /frontend/configuration",
    `key=theme&value="${SECRET}"`,
    "configuration/theme",
  ],
  ["makeToken", "GET /frontend/jwt?username=boss", "", "jwt of user/boss"],
  [
    "endSessions",
    "DELETE /frontend/sessions",
    "username=u",
    "sessions of user/u ",
  ],
  ["login", "POST /login", "username=boss&password=pw", "session/"],
  ["logout", "POST /logout", "", "session/"],
];

/** Audited as well, and shown by their own tests: they need jobs, or a sign-on. */
const ELSEWHERE = new Set([
  "deleteJob",
  "deleteJobByKey",
  "deleteJobsBefore",
  "deleteTags",
  "jwtLogin",
  "jwtLoginByGet",
  "reload",
  "webAddTags",
  "webDeleteTag",
  "webJobDownload",
  "webRemoveTags",
  "webSetMeta",
]);

const OPERATIONS = describedRoutes().filter((route): route is ApiRoute =>
  route.kind === "api"
).flatMap(({ group, operations }) =>
  Object.entries(operations).map(([method, operation]) => ({
    group,
    method,
    operation,
  }))
);

Deno.test("every operation that changes rights or settings is audited", () => {
  const groups = ["admin", "config", "frontend", "public"];
  const unaudited = OPERATIONS.filter(({ group, method, operation }) =>
    method !== "GET" && !operation.id.startsWith("read") &&
    groups.includes(group) && !operation.audited
  ).map(({ operation }) => operation.id);
  // It changes nothing: there are no taggers.
  assert.deepEqual(unaudited, ["runTagger"]);
  const audited = OPERATIONS.filter(({ operation }) => operation.audited)
    .map(({ operation }) => operation.id);
  const shown = [...CHANGES.map(([id]) => id), ...ELSEWHERE];
  assert.deepEqual(audited.filter((id) => !shown.includes(id)), []);
});

Deno.test("every change is a line with who, from where, what, which and the outcome", async () => {
  const people = await testAccounts({
    noticeFile: await Deno.makeTempFile({ suffix: ".notice" }),
  });
  const { users, sessions } = people.accounts;
  await users.create({
    username: "boss",
    password: "pw",
    roles: ["admin", "api"],
  });
  await using door = await Fixture.start({ people });
  door.engine.clusters.note(0, "fritz", true);
  const jwt = await signToken(people.keys, {
    user: "boss",
    roles: ["admin", "api"],
    maxAgeSec: 60,
  });
  const user = people.access.user("boss")!;
  const { cookie } = sessions.create({ user, from: "" });
  const before = door.notes.length;
  for (const [id, to, body, object] of CHANGES) {
    const [method = "", path = ""] = to.split(" ");
    const isApi = /^\/(api|admin)\//.test(path);
    const answer = await door.ask(method, path, {
      role: null,
      headers: isApi ? { "X-Auth-Token": jwt } : {
        Cookie: `session=${cookie}`,
        Origin: door.origin,
        "Content-Type": FORM,
      },
      ...(body === "" ? {} : { body }),
    });
    assert.ok(answer.status < 400, `${to}: ${answer.status} ${answer.text}`);
    const note = JSON.parse(door.notes.at(-1)!);
    const { message, what, who, from, outcome } = note;
    assert.deepEqual(
      { message, what, who, from, outcome },
      {
        message: "changed",
        what: id,
        who: "boss",
        from: "127.0.0.1",
        outcome: "done",
      },
    );
    assert.ok(note.object.startsWith(object), `${id}: ${note.object}`);
  }
  assert.equal(door.notes.length - before, CHANGES.length, "one line each");
  const all = door.notes.join("\n");
  for (const secret of [SECRET, 'pw"', jwt, cookie]) {
    assert.ok(!all.includes(secret));
  }
});

Deno.test("a change that fails is a line with its status", async () => {
  const people = await testAccounts();
  await people.accounts.users.create({
    username: "boss",
    password: "pw",
    roles: ["admin"],
  });
  await using door = await Fixture.start({ people });
  const user = people.access.user("boss")!;
  const { cookie } = people.accounts.sessions.create({ user, from: "" });
  const answer = await door.ask("POST", "/config/user/nobody", {
    role: null,
    headers: { Cookie: `session=${cookie}`, Origin: door.origin },
    body: "add-role=admin",
  });
  assert.equal(answer.status, 422);
  assert.match(
    door.notes.at(-1) ?? "",
    /"object":"user\/nobody add-role=admin","outcome":422/,
  );
});

Deno.test("every kind of refusal is a line, without what was sent as a secret", async () => {
  const people = await testAccounts();
  await people.accounts.users.create({
    username: "eve",
    password: "pw",
    roles: ["user"],
  });
  await using door = await Fixture.start({ people });
  const user = people.access.user("eve")!;
  const { cookie } = people.accounts.sessions.create({ user, from: "" });
  const jwt = await signToken(people.keys, {
    user: "eve",
    roles: ["user"],
    maxAgeSec: 60,
  });
  const own = { Cookie: `session=${cookie}`, Origin: door.origin };
  const cases:
    readonly (readonly [string, Record<string, string>, string, RegExp])[] = [
      ["GET /api/query", {}, "", /unauthenticated.*"route":"query"/],
      ["GET /api/query", { "X-Auth-Token": SECRET }, "", /unauthenticated/],
      [
        "GET /api/query",
        { Authorization: `Bearer a.${SECRET}.c` },
        "",
        /unauthenticated/,
      ],
      [
        "POST /api/write",
        { "X-Auth-Token": jwt },
        "m v=1",
        /forbidden.*"who":"eve".*"route":"write"/,
      ],
      [
        "GET /admin/api/v1/tokens",
        { "X-Auth-Token": jwt },
        "",
        /forbidden.*"who":"eve"/,
      ],
      [
        "GET /metrics",
        { "X-Auth-Token": jwt },
        "",
        /forbidden.*"route":"metrics"/,
      ],
      [
        "POST /config/users",
        own,
        `password=${SECRET}`,
        /unauthenticated.*"who":"eve"/,
      ],
      ["GET /frontend/jwt?username=boss", own, "", /forbidden.*"who":"eve"/],
      [
        "POST /config/users",
        { Cookie: own.Cookie },
        "",
        /forbidden.*send Origin/,
      ],
      [
        "POST /login",
        {},
        `username=eve&password=${SECRET}`,
        /"reason":"login","claims":"eve"/,
      ],
      ["POST /login", { "Sec-Fetch-Site": "cross-site" }, "", /cross-site/],
    ];
  for (const [to, headers, body, line] of cases) {
    const [method = "", path = ""] = to.split(" ");
    const before = door.notes.length;
    const { status } = await door.ask(method, path, {
      role: null,
      headers: { "Content-Type": FORM, ...headers },
      ...(body === "" ? {} : { body }),
    });
    assert.ok(status === 401 || status === 403, `${to}: ${status}`);
    assert.equal(door.notes.length, before + 1, to);
    assert.match(door.notes.at(-1)!, /"message":"access refused"/);
    assert.match(door.notes.at(-1)!, line);
  }
  assert.ok(!door.notes.join("\n").includes(SECRET));
});
