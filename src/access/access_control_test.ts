import assert from "node:assert/strict";
import { TemporaryDatabase } from "../db/_fixture.ts";
import { type DatabaseClient, openDatabaseWorker } from "../db/remote.ts";
import { ClientError } from "../base/errors.ts";
import { AccessControl } from "./access_control.ts";

class ControlFixture extends TemporaryDatabase implements AsyncDisposable {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly outside: string[] = [];
  #client: DatabaseClient | undefined;
  #control: AccessControl | undefined;

  async start() {
    const database = this.#client = await openDatabaseWorker(
      this.options,
      (reason) => assert.fail(reason),
    );
    const control = this.#control = await AccessControl.open(database, {
      err: (message) => void this.errors.push(message),
      warn: (message) => void this.warnings.push(message),
    }, (change) => void this.outside.push(change));
    return { database, control, outside: this.outside };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control?.close();
    await this.#client?.close();
    this[Symbol.dispose]();
  }
}

const POLICY = {
  name: "readers",
  displayName: "",
  realms: [{ instance: "", cluster: "*", labelPolicies: [] }],
  scopes: ["metrics:read"],
  expiration: "2030-01-01T00:00:00.5Z",
} as const;

function token(name: string) {
  return {
    name,
    displayName: "",
    secretSha256: new Uint8Array(32).fill(name.charCodeAt(0)),
    accessPolicy: "readers",
    expiration: null,
  };
}

Deno.test("AccessControl.reload() makes what was written count", async () => {
  await using fixture = new ControlFixture();
  const { database, control } = await fixture.start();
  const { state } = control;
  await database.policies.create(POLICY);
  await database.tokens.create(token("one"));
  await database.instances.create({
    ...{ name: "dev", displayName: "", cluster: "emmy" },
    limits: { maxSeries: 7 },
  });
  await database.users.create({
    ...{ username: "eve", name: "Eve", email: "", authSource: 0 },
    ...{ roles: ["user"], projects: ["p"] },
  }, "hash");
  assert.equal(state.token("one"), undefined);
  await control.reload();
  assert.equal(state.token("one")?.policy, "readers");
  assert.equal(state.token("one")?.expiresSec, Infinity);
  assert.equal(state.policy("readers")?.record.expiresSec, 1893456000);
  assert.deepEqual(state.policy("readers")?.record.realms, [
    { instance: "", cluster: "*", selectors: [] },
  ]);
  assert.deepEqual(state.instance("dev"), {
    ...{ name: "dev", cluster: "emmy", active: true, maxSeries: 7 },
    ...{ ingestionRate: 0, maxQuerySamples: 0 },
  });
  const fingerprint = state.user("eve")?.fingerprint;
  await database.users.setPassword("eve", "other");
  await database.tokens.delete("one");
  await control.reload(["tokens"]);
  assert.equal(state.token("one")?.active, false);
  assert.equal(state.user("eve")?.fingerprint, fingerprint);
  await control.reload(["users"]);
  assert.notEqual(state.user("eve")?.fingerprint, fingerprint);
});

Deno.test("AccessControl.reload() keeps the policies that have not changed", async () => {
  await using fixture = new ControlFixture();
  const { database, control } = await fixture.start();
  await database.policies.create(POLICY);
  await database.policies.create({ ...POLICY, name: "others" });
  await control.reload();
  const [readers, others] = ["readers", "others"].map((name) =>
    control.state.policy(name)
  );
  await database.policies.update("others", { scopes: ["metrics:write"] });
  await control.reload();
  assert.equal(control.state.policy("readers"), readers);
  assert.notEqual(control.state.policy("others"), others);
  assert.equal(control.state.policy("others")?.has("metrics:read"), false);
});

Deno.test("AccessControl.refresh() finds what another process wrote", async () => {
  await using fixture = new ControlFixture();
  const { control } = await fixture.start();
  const other = fixture.open().tables;
  other.policies.create(POLICY);
  for (const name of ["a", "b", "c"]) {
    other.tokens.create(token(name));
    const asked = Array.from({ length: 20 }, () => control.refresh());
    await Promise.all(asked);
    assert.equal(control.state.token(name)?.active, true, name);
  }
});

Deno.test("AccessControl takes the built-in policy from nobody", async () => {
  await using fixture = new ControlFixture();
  fixture.open();
  fixture.connect().exec(
    "UPDATE policy SET status = 'inactive', scopes = '[]'",
  );
  const { control } = await fixture.start();
  const policy = control.state.policy("__admin__");
  assert.equal(policy?.record.active, true);
  assert.equal(policy?.has("admin"), true);
});

Deno.test("AccessControl tells who waits of a reading that failed, and reads again", async () => {
  await using fixture = new ControlFixture();
  const { database, control } = await fixture.start();
  fixture.open();
  const broken = fixture.connect();
  await database.policies.create(POLICY);
  broken.exec("UPDATE policy SET realms = '{' WHERE name = 'readers'");
  await assert.rejects(
    control.reload(["policies"]),
    (error) => error instanceof ClientError && error.code === "E_INTERNAL",
  );
  assert.equal(fixture.errors.length > 0, true);
  assert.equal(control.state.policy("readers"), undefined);
  broken.exec("UPDATE policy SET realms = '[]' WHERE name = 'readers'");
  // Of all tables none is named: what failed is still due.
  await control.reload([]);
  assert.notEqual(control.state.policy("readers"), undefined);
});

Deno.test("AccessControl tells what another process changed, and nothing else", async () => {
  await using fixture = new ControlFixture();
  const { database, control, outside } = await fixture.start();
  await database.policies.create(POLICY);
  await database.users.create({
    ...{ username: "eve", name: "Eve", email: "", authSource: 0 },
    ...{ roles: ["user"], projects: [] },
  }, "hash");
  await control.reload();
  assert.deepEqual(outside, []);
  const other = fixture.open().tables;
  other.users.create({
    ...{ username: "mia", name: "Mia", email: "", authSource: 0 },
    ...{ roles: ["admin"], projects: [] },
  }, "hash");
  other.users.delete("eve");
  other.tokens.create(token("two"));
  await control.refresh();
  await control.reload();
  assert.deepEqual(outside, [
    'user mia is new {"roles":["admin"],"projects":[]}',
    "user eve is gone",
    'token two is new {"active":true,"policy":"readers"}',
  ]);
  await database.users.delete("mia");
  await control.reload();
  assert.equal(outside.length, 3);
});
