import assert from "node:assert/strict";
import { ClientError } from "../errors.ts";
import {
  type Action,
  Principal,
  type Role,
  ROLES,
  rolesOf,
} from "./principal.ts";

Deno.test("Principal.may() grants each role what the table says", () => {
  const granted: Readonly<Record<Role, readonly Action[]>> = {
    api: ["write", "query", "health"],
    user: ["query", "health"],
    manager: ["query", "health"],
    support: ["query", "health"],
    admin: ["write", "query", "health", "free", "debug"],
  };
  for (const role of ROLES) {
    for (const action of granted.admin) {
      const principal = new Principal("u", [role]);
      const wanted = granted[role].includes(action);
      assert.equal(principal.may(action), wanted, `${role} ${action}`);
      if (wanted) principal.demand(action);
      else assert.throws(() => principal.demand(action), isForbidden);
    }
  }
});

Deno.test("Principal.may() grants nothing without roles", () => {
  assert.equal(new Principal("u", []).may("query"), false);
});

Deno.test("Principal.instance() lets only admin choose an instance", () => {
  const admin = new Principal("a", ["admin"]);
  const api = new Principal("b", ["api"]);
  assert.equal(admin.instance(undefined), "");
  assert.equal(api.instance(""), "");
  assert.equal(admin.instance("tenant-1"), "tenant-1");
  assert.throws(() => api.instance("tenant-1"), isForbidden);
  for (const bad of ["A", "ab", "a/b", "..", "x".repeat(65), ["abc", "abc"]]) {
    assert.throws(() => admin.instance(bad), isForbidden);
  }
});

Deno.test("rolesOf() knows both spellings and drops the rest", () => {
  assert.deepEqual(
    rolesOf(["ROLE_ADMIN", "api", "admin", "ROLE_ANALYST", "ADMIN", 1]),
    ["admin", "api"],
  );
  assert.deepEqual(rolesOf(undefined), []);
});

function isForbidden(error: unknown): boolean {
  return error instanceof ClientError && error.status === 403;
}
