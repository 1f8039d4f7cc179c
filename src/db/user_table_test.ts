import assert from "node:assert/strict";
import { ClientError } from "../base/errors.ts";
import { TemporaryDatabase } from "./_fixture.ts";
import type { UserRow } from "./user_table.ts";

function user(username: string, ...roles: string[]): UserRow {
  return {
    username,
    authSource: 0,
    name: `Name of ${username}`,
    email: "",
    roles,
    projects: [],
  };
}

Deno.test("UserTable.create() refuses a name that is taken and changes nothing", () => {
  using fixture = new TemporaryDatabase();
  const { users } = fixture.open().tables;
  assert.equal(users.create(user("eve", "user"), "hash"), true);
  assert.equal(users.create(user("eve", "admin"), null), false);
  assert.deepEqual(users.get("eve"), user("eve", "user"));
  assert.equal(users.passwordHash("eve"), "hash");
  assert.equal(users.get("adam"), undefined);
});

Deno.test("UserTable.list() leaves out those who are users and no more", () => {
  using fixture = new TemporaryDatabase();
  const { users } = fixture.open().tables;
  const all = [
    user("anna", "user", "admin"),
    user("bob", "user"),
    user("carl"),
    user("dora", "api"),
  ];
  for (const one of all.toReversed()) users.create(one, null);
  assert.deepEqual(users.list(), all);
  assert.deepEqual(
    users.list({ notJustUser: true }).map(({ username }) => username),
    ["anna", "dora"],
  );
});

Deno.test("UserTable.setRoles() and setProjects() lose no change of another", () => {
  using fixture = new TemporaryDatabase();
  const { users } = fixture.open().tables;
  users.create(user("eve", "manager"), null);
  assert.ok(users.setRoles("eve", ["manager"], ["manager", "api"]));
  assert.ok(!users.setRoles("eve", ["manager"], ["manager", "user"]));
  assert.ok(users.setProjects("eve", [], ["p1"]));
  assert.ok(!users.setProjects("eve", [], ["p2"]));
  assert.ok(!users.setRoles("adam", [], ["api"]));
  assert.deepEqual(users.get("eve"), {
    ...user("eve", "manager", "api"),
    projects: ["p1"],
  });
});

Deno.test("UserTable.update() changes what is named and leaves the rest", () => {
  using fixture = new TemporaryDatabase();
  const { users } = fixture.open().tables;
  users.create(user("eve", "user"), "hash");
  assert.ok(users.update("eve", { email: "eve@b.c", authSource: 2 }));
  assert.ok(!users.update("adam", { email: "" }));
  assert.deepEqual(users.get("eve"), {
    ...user("eve", "user"),
    email: "eve@b.c",
    authSource: 2,
  });
  assert.ok(users.setPassword("eve", "other"));
  assert.ok(!users.setPassword("adam", "other"));
  assert.equal(users.passwordHash("eve"), "other");
});

Deno.test("UserTable.delete() takes what the user has set along", () => {
  using fixture = new TemporaryDatabase();
  const { users, configuration } = fixture.open().tables;
  users.create(user("eve"), null);
  users.create(user("adam"), null);
  configuration.set("eve", "b", "1");
  configuration.set("eve", "a", "[true]");
  configuration.set("eve", "b", "2");
  configuration.set("adam", "b", "3");
  assert.deepEqual([...configuration.get("eve")], [["a", "[true]"], [
    "b",
    "2",
  ]]);
  assert.ok(users.delete("eve"));
  assert.ok(!users.delete("eve"));
  users.create(user("eve"), null);
  assert.equal(configuration.get("eve").size, 0);
  assert.equal(configuration.get("adam").size, 1);
});

Deno.test("ConfigurationTable.set() refuses a user that does not exist", () => {
  using fixture = new TemporaryDatabase();
  const { configuration } = fixture.open().tables;
  assert.throws(
    () => configuration.set("eve", "a", "1"),
    (error) => error instanceof ClientError && error.code === "E_NOT_FOUND",
  );
});

Deno.test("UserTable.listAccess() has a fingerprint that changes with password and account only", () => {
  using fixture = new TemporaryDatabase();
  const { users } = fixture.open().tables;
  const fingerprints = () =>
    new Map(users.listAccess().map((one) => [one.username, one.fingerprint]));
  users.create(user("eve", "user"), "hash");
  users.create(user("bot", "api"), null);
  const before = fingerprints();
  assert.deepEqual([...before.keys()].sort(), ["bot", "eve"]);
  assert.doesNotMatch(before.get("eve")!, /hash/);
  users.setRoles("eve", ["user"], ["admin"]);
  assert.deepEqual(fingerprints(), before);
  users.setPassword("eve", "other");
  assert.notEqual(fingerprints().get("eve"), before.get("eve"));
  assert.equal(fingerprints().get("bot"), before.get("bot"));
  users.delete("bot");
  users.create(user("bot", "api"), null);
  assert.notEqual(fingerprints().get("bot"), before.get("bot"));
});

Deno.test("ConfigurationTable.set() bounds the settings of a user, by number and by bytes", () => {
  using fixture = new TemporaryDatabase();
  const { users, configuration } = fixture.open().tables;
  for (const name of ["eve", "adam"]) users.create(user(name), null);
  const refused = (name: string, key: string, value: string, words: RegExp) =>
    assert.throws(
      () => configuration.set(name, key, value),
      (error) =>
        error instanceof ClientError && error.code === "E_UNPROCESSABLE" &&
        words.test(error.message),
    );
  for (let i = 0; i < 256; i++) configuration.set("eve", `k${i}`, "1");
  refused("eve", "k256", "1", /^key: .*256/);
  configuration.set("eve", "k0", "2");
  configuration.set("adam", "k256", "1");
  const long = JSON.stringify("x".repeat(60_000));
  for (let i = 0; i < 17; i++) configuration.set("adam", `k${i}`, long);
  refused("adam", "k17", long, /^value: .*1048576 bytes/);
  // What takes the place of another counts instead of it.
  configuration.set("adam", "k16", long);
  assert.equal(configuration.get("adam").size, 18);
});
