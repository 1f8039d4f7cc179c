import assert from "node:assert/strict";
import { ClientError, type ErrorCode } from "../base/errors.ts";
import { TemporaryDatabase } from "./_fixture.ts";
import type { DatabaseTables } from "./database.ts";
import type { InstanceRow } from "./instance_table.ts";
import { ADMIN_POLICY_NAME, type PolicyRow } from "./policy_table.ts";
import type { TokenRow } from "./token_table.ts";
import type { New } from "./versioned.ts";

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

function instance(name: string): New<InstanceRow> {
  return { name, displayName: `The ${name}`, cluster: "emmy", limits: {} };
}

function policy(name: string): New<PolicyRow> {
  return {
    name,
    displayName: name,
    realms: [{
      instance: "",
      cluster: "emmy",
      labelPolicies: [[{ type: "EQ", name: "hostname", value: "e0101" }]],
    }],
    scopes: ["metrics:read"],
    expiration: null,
  };
}

function token(name: string, accessPolicy: string): New<TokenRow> {
  const secretSha256 = new Uint8Array(32);
  new TextEncoder().encodeInto(name, secretSha256);
  return {
    name,
    displayName: name,
    secretSha256,
    accessPolicy,
    expiration: "2030-01-01T00:00:00Z",
  };
}

function throwsCode(work: () => unknown, code: ErrorCode): void {
  assert.throws(
    work,
    (error) => error instanceof ClientError && error.code === code,
  );
}

function namesOf(rows: readonly { readonly name: string }[]): string[] {
  return rows.map(({ name }) => name);
}

/** What holds for instances and policies alike. */
const KINDS = {
  instances: {
    table: (tables: DatabaseTables) => tables.instances,
    create: (tables: DatabaseTables, name: string) =>
      tables.instances.create(instance(name)),
    others: [] as string[],
  },
  policies: {
    table: (tables: DatabaseTables) => tables.policies,
    create: (tables: DatabaseTables, name: string) =>
      tables.policies.create(policy(name)),
    others: [ADMIN_POLICY_NAME],
  },
};

for (const [kind, { table, create, others }] of Object.entries(KINDS)) {
  Deno.test(`${kind}: a name stays taken, active or not`, () => {
    using fixture = new TemporaryDatabase();
    const { tables } = fixture.open();
    const made = create(tables, "one");
    assert.equal(made.version, 1);
    assert.equal(made.status, "active");
    assert.match(made.createdAt, TIMESTAMP);
    assert.deepEqual(table(tables).get("one"), made);
    throwsCode(() => create(tables, "one"), "E_CONFLICT");
    table(tables).delete("one");
    throwsCode(() => create(tables, "one"), "E_CONFLICT");
  });

  Deno.test(`${kind}: lists are by name and leave inactive ones out`, () => {
    using fixture = new TemporaryDatabase();
    const { tables } = fixture.open();
    for (const name of ["two", "one", "three"]) create(tables, name);
    table(tables).delete("three");
    assert.deepEqual(namesOf(table(tables).list()), [...others, "one", "two"]);
    assert.deepEqual(namesOf(table(tables).list({ includeInactive: true })), [
      ...others,
      "one",
      "three",
      "two",
    ]);
  });

  Deno.test(`${kind}: each change needs the version it was made for`, () => {
    using fixture = new TemporaryDatabase();
    const { tables } = fixture.open();
    const made = create(tables, "one");
    const renamed = table(tables).update("one", { displayName: "New" }, 1);
    assert.deepEqual(renamed, { ...made, displayName: "New", version: 2 });
    assert.deepEqual(table(tables).get("one"), renamed);
    const late = () => table(tables).update("one", { displayName: "Late" }, 1);
    throwsCode(late, "E_PRECONDITION");
    throwsCode(() => table(tables).update("none", {}), "E_NOT_FOUND");
    throwsCode(() => table(tables).delete("none"), "E_NOT_FOUND");
    assert.deepEqual(table(tables).get("one"), renamed);
    table(tables).update("one", { status: "inactive" });
    const back = table(tables).update("one", { status: "active" }, 3);
    assert.deepEqual(back, { ...renamed, version: 4 });
  });
}

Deno.test("InstanceTable.update() replaces the limits", () => {
  using fixture = new TemporaryDatabase();
  const { instances } = fixture.open().tables;
  instances.create({ ...instance("one"), limits: { maxSeries: 5 } });
  instances.update("one", { limits: { ingestionRate: 7 } });
  assert.deepEqual(instances.get("one")?.limits, { ingestionRate: 7 });
});

Deno.test("PolicyTable has the built-in policy, which nothing changes", () => {
  using fixture = new TemporaryDatabase();
  const { policies } = fixture.open().tables;
  const built = policies.get(ADMIN_POLICY_NAME);
  assert.deepEqual(built?.scopes, ["admin"]);
  assert.deepEqual(built?.realms, [
    { instance: "*", cluster: "*", labelPolicies: [] },
  ]);
  assert.match(built?.createdAt ?? "", TIMESTAMP);
  throwsCode(() => policies.update(ADMIN_POLICY_NAME, {}), "E_FORBIDDEN");
  throwsCode(() => policies.delete(ADMIN_POLICY_NAME), "E_FORBIDDEN");
  throwsCode(() => policies.create(policy(ADMIN_POLICY_NAME)), "E_CONFLICT");
  assert.deepEqual(policies.get(ADMIN_POLICY_NAME), built);
});

Deno.test("PolicyTable.delete() refuses while it has active tokens, or revokes them", () => {
  using fixture = new TemporaryDatabase();
  const { policies, tokens } = fixture.open().tables;
  policies.create(policy("one"));
  policies.create(policy("two"));
  tokens.create(token("a", "one"));
  tokens.create(token("b", "one"));
  tokens.create(token("c", "two"));
  throwsCode(() => policies.delete("one"), "E_CONFLICT");
  assert.equal(policies.get("one")?.version, 1);
  policies.delete("one", { cascade: true }, 1);
  assert.deepEqual(namesOf(tokens.list()), ["c"]);
  assert.equal(tokens.get("a")?.version, 2);
  tokens.delete("c");
  assert.equal(policies.delete("two").status, "inactive");
});

Deno.test("TokenTable.create() wants a free name and a policy that is active", () => {
  using fixture = new TemporaryDatabase();
  const { policies, tokens } = fixture.open().tables;
  policies.create(policy("one"));
  const made = tokens.create(token("a", "one"));
  assert.deepEqual(tokens.get("a"), made);
  assert.match(made.createdAt, TIMESTAMP);
  throwsCode(() => tokens.create(token("a", "one")), "E_CONFLICT");
  throwsCode(() => tokens.create(token("b", "none")), "E_BAD_REQUEST");
  policies.delete("one", { cascade: true });
  throwsCode(() => tokens.create(token("b", "one")), "E_BAD_REQUEST");
});

Deno.test("TokenTable.delete() revokes once, by the version that was seen", () => {
  using fixture = new TemporaryDatabase();
  const { tokens } = fixture.open().tables;
  tokens.create(token("a", ADMIN_POLICY_NAME));
  throwsCode(() => tokens.delete("a", 2), "E_PRECONDITION");
  assert.equal(tokens.get("a")?.status, "active");
  const revoked = tokens.delete("a", 1);
  assert.deepEqual(tokens.get("a"), revoked);
  assert.equal(revoked.status, "inactive");
  assert.equal(revoked.version, 2);
  assert.deepEqual(tokens.list(), []);
  assert.equal(tokens.list({ includeInactive: true }).length, 1);
  throwsCode(() => tokens.delete("none"), "E_NOT_FOUND");
});

Deno.test("ClusterTable.note() keeps the first time", () => {
  using fixture = new TemporaryDatabase();
  const { clusters } = fixture.open().tables;
  clusters.note(["fritz", "alex"]);
  const first = clusters.list();
  assert.deepEqual(namesOf(first), ["alex", "fritz"]);
  assert.match(first[0]?.createdAt ?? "", TIMESTAMP);
  clusters.note(["fritz", "emmy"]);
  assert.deepEqual(namesOf(clusters.list()), ["alex", "emmy", "fritz"]);
  assert.deepEqual(clusters.list()[2], first[1]);
});
