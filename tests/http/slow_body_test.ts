/** What happens between the headers of a request and the end of its body. */
import assert from "node:assert/strict";
import type { AccessRecords } from "../../src/access/access_records.ts";
import { makeToken } from "../../src/access/admin_token.ts";
import { signToken } from "../../src/access/token.ts";
import { testAccounts } from "../support/accounts.ts";
import { Fixture } from "./fixture.ts";

const MADE = makeToken("boss");

const RECORDS: AccessRecords = {
  instances: [{
    name: "tenant-a",
    cluster: "T",
    active: true,
    maxSeries: 0,
    ingestionRate: 10,
    maxQuerySamples: 0,
  }],
  policies: [],
  tokens: [{
    name: "boss",
    active: true,
    policy: "__admin__",
    secretHash: MADE.secretHash,
    expiresSec: Infinity,
  }],
  users: [],
};

/** A server that asks again after every piece of a body, and one request to it. */
async function begin(path: string, headers = "") {
  const people = await testAccounts({ records: RECORDS });
  const door = await Fixture.start({ people, limits: { recheckMs: 0 } });
  const client = door.raw();
  client.write(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${MADE.text}\r\n` +
      `${headers}Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n`,
  );
  await client.until("100 Continue");
  return {
    client,
    door,
    people,
    revoke: () => people.access.replace({ ...RECORDS, tokens: [] }),
    async [Symbol.asyncDispose]() {
      client.close();
      await door[Symbol.asyncDispose]();
    },
  };
}

for (
  const [path, body] of [
    ["/admin/api/v1/instances", '{"name":"dev","cluster":"T"}'],
    ["/api/query", '{"cluster":"T"}'],
    ["/api/healthcheck", '{"cluster":"T"}'],
    ["/api/free?to=1", "[]"],
  ] as const
) {
  Deno.test(`a token revoked before the body has come is refused: ${path}`, async () => {
    await using slow = await begin(path);
    slow.revoke();
    slow.client.write(body.padEnd(2000));
    assert.match(await slow.client.until("revoked"), /HTTP\/1.1 401 /);
    assert.equal(slow.door.engine.queries.length, 0);
  });

  Deno.test(`a body that takes long is answered all the same: ${path}`, async () => {
    await using slow = await begin(path);
    slow.client.write(body.padEnd(2000));
    assert.match(
      await slow.client.until("Content-Length"),
      /HTTP\/1.1 (200|201|400) /,
    );
  });
}

Deno.test("an upload ends when its token is revoked", async () => {
  await using slow = await begin("/api/write");
  const { engine } = slow.door;
  const opened = engine.batchIs("open");
  slow.client.write("m,hostname=h value=1\n");
  await opened;
  slow.revoke();
  const aborted = engine.batchIs("aborted");
  slow.client.write("m,hostname=h value=1\n");
  await aborted;
  assert.match(await slow.client.until("revoked"), /HTTP\/1.1 401 /);
});

Deno.test("an upload that breaks off counts for the ingestion rate", async () => {
  await using slow = await begin(
    "/api/write",
    "X-Scope-OrgID: tenant-a\r\n",
  );
  const { engine } = slow.door;
  const opened = engine.batchIs("open");
  slow.client.write("m,hostname=h value=1\n".repeat(50));
  await opened;
  const aborted = engine.batchIs("aborted");
  slow.client.close();
  await aborted;
  const { keys } = slow.people;
  const jwt = await signToken(keys, {
    user: "root",
    roles: ["admin"],
    maxAgeSec: undefined,
  });
  const answer = await slow.door.ask("POST", "/api/write", {
    role: null,
    headers: { "X-Scope-OrgID": "tenant-a", "X-Auth-Token": jwt },
    body: "m,hostname=h value=1\n",
  });
  assert.equal(answer.status, 429);
});
