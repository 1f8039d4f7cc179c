/** What strangers, and users with a grudge, may make the HTTP server read. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { testAccounts } from "../support/accounts.ts";
import { Fixture } from "./fixture.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

Deno.test("/login refuses a long body by its header alone", async () => {
  await using door = await Fixture.start({ people: await testAccounts() });
  const client = door.raw();
  client.write(
    "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n",
  );
  assert.match(await client.until("bytes"), /^HTTP\/1.1 413 /);
  client.close();
});

Deno.test("/login refuses a short body that inflates to a long one", async () => {
  await using door = await Fixture.start({ people: await testAccounts() });
  const answer = await door.ask("POST", "/login", {
    role: null,
    headers: { ...FORM, "Content-Encoding": "gzip" },
    body: gzipSync("a=b&".repeat(1 << 18)),
  });
  assert.equal(answer.status, 413);
});

Deno.test("/login refuses a form of thousands of fields", async () => {
  await using door = await Fixture.start({ people: await testAccounts() });
  const answer = await door.ask("POST", "/login", {
    role: null,
    headers: FORM,
    body: "a&".repeat(4000),
  });
  assert.equal(answer.status, 400);
});

Deno.test("healthcheck tells of the first wrong node, however many there are", async () => {
  await using door = await Fixture.start();
  const answer = await door.ask("POST", "/api/healthcheck", {
    role: "user",
    body: `{"metric-names":[],"nodes":[${"1,".repeat(400_000)}1]}`,
  });
  assert.equal(answer.status, 400);
  assert.match(JSON.parse(answer.text).error, /nodes\[0\]/);
});

Deno.test("people may send 1 MiB of JSON, machines more", async () => {
  await using door = await Fixture.start({
    main: { "max-body-size": 8 << 20, "max-in-flight": 16 << 20 },
  });
  const questions = [
    ["/api/query", "{}"],
    ["/api/healthcheck", '{"cluster":"c"}'],
  ] as const;
  for (const [path, body] of questions) {
    for (const role of ["user", "manager", "support"] as const) {
      const most = await door.ask("POST", path, {
        ...{ role, body: body.padEnd(1 << 20) },
      });
      assert.equal(most.status, 200, `${role} ${most.text}`);
      const more = await door.ask("POST", path, {
        ...{ role, body: body.padEnd((1 << 20) + 1) },
      });
      assert.equal(more.status, 413);
      assert.match(more.text, /larger than 1048576 bytes/);
    }
    for (const role of ["api", "admin"] as const) {
      const answer = await door.ask("POST", path, {
        ...{ role, body: body.padEnd(4 << 20) },
      });
      assert.equal(answer.status, 200, `${role} ${answer.text}`);
    }
  }
});
