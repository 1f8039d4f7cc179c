/** The rules of a `UserStore`, as tests for every implementation. */
import assert from "node:assert/strict";
import {
  type Account,
  AUTH_SOURCE,
  type UserStore,
} from "../../src/admin/accounts/user_store.ts";

function account(username: string, change: Partial<Account> = {}): Account {
  return {
    username,
    passwordHash: null,
    authSource: AUTH_SOURCE.local,
    name: `Name of ${username}`,
    email: "",
    roles: ["user"],
    projects: [],
    ...change,
  };
}

/** Registers the tests; `make` gives an empty store. */
export function userStoreContract(name: string, make: () => UserStore): void {
  Deno.test(`${name}.create() keeps an account as it is`, async () => {
    const store = make();
    assert.equal(await store.get("eve"), undefined);
    const eve = account("eve", {
      passwordHash: "hash",
      email: "eve@example.org",
      authSource: AUTH_SOURCE.ldap,
      roles: ["user", "manager"],
      projects: ["p", "q"],
    });
    await store.create(eve);
    assert.deepEqual(await store.get("eve"), eve);
  });

  Deno.test(`${name}.create() refuses a name that is taken and changes nothing`, async () => {
    const store = make();
    await store.create(account("eve"));
    await assert.rejects(
      store.create(account("eve", { roles: ["admin"] })),
      { name: "ClientError", code: "E_CONFLICT" },
    );
    assert.deepEqual(await store.get("eve"), account("eve"));
  });

  Deno.test(`${name}.list() is by name and without password hashes`, async () => {
    const store = make();
    assert.deepEqual(await store.list(), []);
    for (const one of ["eve", "adam", "zoe"]) {
      await store.create(account(one, { passwordHash: "hash" }));
    }
    const all = await store.list();
    assert.deepEqual(all.map(({ username }) => username), [
      "adam",
      "eve",
      "zoe",
    ]);
    const { passwordHash: _, ...adam } = account("adam");
    assert.deepEqual(all[0], adam);
  });

  Deno.test(`${name}.delete() tells whether there was such a user`, async () => {
    const store = make();
    await store.create(account("eve"));
    assert.equal(await store.delete("eve"), true);
    assert.equal(await store.get("eve"), undefined);
    assert.equal(await store.delete("eve"), false);
    await store.create(account("eve"));
    assert.deepEqual(await store.get("eve"), account("eve"));
  });

  for (const key of ["roles", "projects"] as const) {
    const title = key === "roles" ? "setRoles" : "setProjects";
    const set = (store: UserStore) =>
      (key === "roles" ? store.setRoles : store.setProjects).bind(store);
    Deno.test(`${name}.${title}() changes what the caller has seen, and nothing newer`, async () => {
      const store = make();
      await store.create(account("eve", { [key]: ["a"] }));
      assert.equal(await set(store)("eve", ["a"], ["a", "b"]), true);
      assert.equal(await set(store)("eve", ["a"], ["c"]), false);
      assert.equal(await set(store)("eve", ["b", "a"], ["c"]), false);
      assert.deepEqual(
        await store.get("eve"),
        account("eve", { [key]: ["a", "b"] }),
      );
      assert.equal(await set(store)("adam", [], ["a"]), false);
      assert.equal(await store.get("adam"), undefined);
    });
  }

  Deno.test(`${name}.update() changes name, roles and projects, of a user that is there`, async () => {
    const store = make();
    const change = { name: "Eve", roles: ["manager"], projects: ["p"] };
    await store.update("eve", change);
    assert.equal(await store.get("eve"), undefined);
    await store.create(account("eve", { passwordHash: "hash" }));
    await store.update("eve", change);
    assert.deepEqual(
      await store.get("eve"),
      account("eve", { passwordHash: "hash", ...change }),
    );
  });

  Deno.test(`${name}.setPassword() changes the hash alone, of a user that is there`, async () => {
    const store = make();
    await store.setPassword("eve", "hash");
    assert.equal(await store.get("eve"), undefined);
    await store.create(account("eve"));
    await store.setPassword("eve", "hash");
    assert.deepEqual(
      await store.get("eve"),
      account("eve", { passwordHash: "hash" }),
    );
  });
}
