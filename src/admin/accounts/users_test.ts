import assert from "node:assert/strict";
import { MemoryUsers } from "../../../tests/support/memory_users.ts";
import { ClientError } from "../../base/errors.ts";
import { type NewUser, type UserChange, Users } from "./users.ts";

const EVE: NewUser = { username: "eve", password: "pw", roles: ["user"] };

function setUp() {
  const store = new MemoryUsers();
  const counts = { changed: 0 };
  const users = new Users(store, () => {
    counts.changed++;
    return Promise.resolve();
  });
  return { store, users, counts };
}

async function assertRefused(
  doing: Promise<unknown>,
  status: number,
  pattern: RegExp,
) {
  await assert.rejects(doing, (error: unknown) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, status);
    assert.match(error.message, pattern);
    return true;
  });
}

Deno.test("Users.create() keeps a hash, never the password", async () => {
  const { store, users, counts } = setUp();
  await users.create({ ...EVE, name: "Eve", email: "e@x.org" });
  const { passwordHash, ...rest } = store.users.get("eve")!;
  assert.match(passwordHash ?? "", /^\$scrypt\$/);
  assert.deepEqual(rest, {
    username: "eve",
    authSource: 0,
    name: "Eve",
    email: "e@x.org",
    roles: ["user"],
    projects: [],
  });
  assert.equal(counts.changed, 1);
  await assertRefused(users.create(EVE), 422, /eve exists already/);
});

Deno.test("Users.create() keeps to the rules", async () => {
  const { users } = setUp();
  const wrong: [Partial<NewUser>, RegExp][] = [
    [{ username: "" }, /^username: 1 to 100 bytes .* got 0$/],
    [{ username: "ü".repeat(51) }, /^username: .* got 102$/],
    [{ roles: [] }, /^role: one is needed/],
    [{ roles: ["bogus"] }, /^role: .*"bogus"/],
    [{ password: "" }, /^password: only API users/],
    [{ password: "", roles: ["api", "user"] }, /^password: only API users/],
    [{ password: "x".repeat(1025) }, /^password: at most/],
    [{ roles: ["manager"] }, /^project: managers require/],
    [{ projects: ["p"] }, /^project: only managers/],
  ];
  for (const [part, pattern] of wrong) {
    await assertRefused(users.create({ ...EVE, ...part }), 400, pattern);
  }
  await users.create({ username: "bot", password: "", roles: ["API"] });
  await users.create({ ...EVE, roles: ["manager"], projects: ["p"] });
});

Deno.test("Users.change() does the first change that is given", async () => {
  const { store, users, counts } = setUp();
  await users.create(EVE);
  counts.changed = 0;
  const change = async (given: UserChange) => {
    const done = await users.change("eve", given);
    const { roles, projects } = store.users.get("eve")!;
    return [done, roles, projects];
  };
  assert.deepEqual(
    await change({ "add-role": "Manager", "remove-role": "user" }),
    ["Add Role Success", ["user", "manager"], []],
  );
  assert.deepEqual(await change({ "add-role": "", "add-project": "p1" }), [
    "Add Project Success",
    ["user", "manager"],
    ["p1"],
  ]);
  await assertRefused(
    change({ "remove-role": "manager" }),
    422,
    /still manages p1/,
  );
  await assertRefused(change({ "add-role": "manager" }), 422, /already has/);
  await assertRefused(change({ "add-role": "bogus" }), 422, /one of .*"bogus"/);
  await assertRefused(change({ "remove-role": "admin" }), 422, /has no role/);
  await assertRefused(change({ "add-project": "p1" }), 422, /already manages/);
  await assertRefused(
    change({ "remove-project": "p2" }),
    422,
    /does not manage/,
  );
  await assertRefused(change({}), 400, /no operation specified/);
  assert.deepEqual(await change({ "remove-project": "p1" }), [
    "Remove Project Success",
    ["user", "manager"],
    [],
  ]);
  assert.deepEqual(await change({ "remove-role": "MANAGER" }), [
    "Remove Role Success",
    ["user"],
    [],
  ]);
  await assertRefused(change({ "add-project": "p1" }), 422, /not a manager/);
  await assertRefused(
    users.change("bob", { "add-role": "user" }),
    422,
    /no user "bob"/,
  );
  assert.equal(counts.changed, 4);
});

Deno.test("Users.list() leaves out plain users where asked", async () => {
  const { users } = setUp();
  await users.create(EVE);
  await users.create({ username: "bot", password: "", roles: ["api"] });
  await users.create({ ...EVE, username: "both", roles: ["user", "api"] });
  const names = async (notJustUser: boolean) =>
    (await users.list(notJustUser)).map(({ username }) => username);
  assert.deepEqual(await names(false), ["bot", "both", "eve"]);
  assert.deepEqual(await names(true), ["bot", "both"]);
});

Deno.test("Users.delete() tells that something changed, when it did", async () => {
  const { users, counts } = setUp();
  await users.create(EVE);
  await users.delete("bob");
  assert.equal(counts.changed, 1);
  await users.delete("eve");
  assert.equal(counts.changed, 2);
  assert.equal(await users.get("eve"), undefined);
  await assertRefused(users.delete(""), 400, /^username/);
});

Deno.test("Users.setPassword() changes it for who logs in by one", async () => {
  const { store, users, counts } = setUp();
  await users.create(EVE);
  const before = store.users.get("eve")!.passwordHash;
  await users.setPassword("eve", "another");
  const after = store.users.get("eve")!.passwordHash;
  assert.match(after ?? "", /^\$scrypt\$/);
  assert.notEqual(after, before);
  assert.equal(counts.changed, 2);
  store.users.set("sso", {
    ...store.users.get("eve")!,
    username: "sso",
    authSource: 2,
  });
  await assertRefused(
    users.setPassword("nobody", "x"),
    422,
    /no user "nobody"/,
  );
  await assertRefused(users.setPassword("sso", "x"), 422, /logs in elsewhere/);
  await assertRefused(users.setPassword("eve", ""), 400, /password: .*empty/);
  await assertRefused(
    users.setPassword("eve", "x".repeat(1025)),
    400,
    /password: at most 1024/,
  );
  assert.equal(store.users.get("eve")!.passwordHash, after);
});

Deno.test("Users.setRoles() puts roles in place of others, by the rules of a new user", async () => {
  const { users } = setUp();
  await users.create(EVE);
  const rolesOf = async () => {
    const { roles, projects } = (await users.get("eve"))!;
    return [roles, projects];
  };
  await users.setRoles("eve", ["API", "manager", "api"], ["p1", "p2"]);
  assert.deepEqual(await rolesOf(), [["api", "manager"], ["p1", "p2"]]);
  // Projects stay with a manager, and go with the role.
  await users.setRoles("eve", ["manager", "user"]);
  assert.deepEqual(await rolesOf(), [["manager", "user"], ["p1", "p2"]]);
  assert.deepEqual(
    await users.setRoles("eve", ["support"]),
    { name: "", roles: ["support"], projects: [] },
  );
  assert.deepEqual(await rolesOf(), [["support"], []]);
  await assertRefused(users.setRoles("bob", ["user"]), 422, /no user "bob"/);
  await assertRefused(users.setRoles("eve", []), 400, /role: one is needed/);
  await assertRefused(users.setRoles("eve", ["root"]), 400, /role: .*"root"/);
  await assertRefused(users.setRoles("eve", ["manager"]), 400, /project: /);
  await assertRefused(
    users.setRoles("eve", ["user"], ["p1"]),
    400,
    /project: only managers/,
  );
  assert.deepEqual(await rolesOf(), [["support"], []]);
});

Deno.test("Users.change() looks again where another change came in between", async () => {
  const { store, users } = setUp();
  await users.create(EVE);
  await Promise.all([
    users.change("eve", { "add-role": "support" }),
    users.change("eve", { "add-role": "api" }),
  ]);
  assert.deepEqual(store.users.get("eve")!.roles.toSorted(), [
    "api",
    "support",
    "user",
  ]);
});
