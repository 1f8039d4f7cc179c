import assert from "node:assert/strict";
import { ROLES, sharedRoles } from "./roles.ts";

/** Token, table, what is left. */
const CASES: readonly (readonly [string, string, string])[] = [
  ["admin,user", "user", "user"],
  ["admin", "user", ""],
  ["user", "user,admin", "user"],
  ["api", "api", "api"],
  ["api,admin", "api,admin", "api,admin"],
  ["api,admin", "api", "api"],
  ["api", "admin,api", "api"],
  // Alone it would be worth more than either.
  ["api,user", "api", "api,user"],
  ["api", "user,api", "api,user"],
  ["api,manager", "api,support", "api,manager,support"],
  ["api,boss", "api", "api,boss"],
  ["user,api", "user,api", "user,api"],
  ["user", "", ""],
];

Deno.test("sharedRoles() is what token and table have in common", () => {
  const words = (text: string) => text.split(",").filter(Boolean);
  for (const [token, table, shared] of CASES) {
    assert.deepEqual(
      sharedRoles(words(token), words(table)).sort(),
      words(shared).sort(),
      `${token} and ${table}`,
    );
  }
});

Deno.test("sharedRoles() makes a program of nobody who is none by both", () => {
  const sets = [...Array(2 ** ROLES.length).keys()].map((bits) =>
    ROLES.filter((_, i) => bits & (1 << i))
  );
  const isProgram = (roles: readonly string[]) =>
    roles.length === 1 && roles[0] === "api";
  const hasItsRights = (roles: readonly string[]) =>
    isProgram(roles) || roles.includes("admin");
  for (const token of sets) {
    for (const table of sets) {
      const shared = sharedRoles(token, table);
      assert.equal(
        shared.includes("admin"),
        token.includes("admin") && table.includes("admin"),
      );
      if (!isProgram(shared)) continue;
      assert.ok(
        hasItsRights(token) && hasItsRights(table),
        `${token} and ${table}`,
      );
    }
  }
});
