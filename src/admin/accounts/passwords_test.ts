import assert from "node:assert/strict";
import { hashPassword, isCurrentHash, verifyPassword } from "./passwords.ts";

/** Of "secret", with cost 4. */
const BCRYPT = "$2y$04$sxGY/I4.gq2F1PbFVK/VLOiZV5YA/u4iPM9nPPhqcmEGVT/I/HFei";

Deno.test("hashPassword() salts, and verifyPassword() knows the password again", async () => {
  const [a, b] = await Promise.all([
    hashPassword("sec ret"),
    hashPassword("sec ret"),
  ]);
  assert.notEqual(a, b);
  assert.match(a, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.ok(await verifyPassword("sec ret", a));
  assert.ok(!await verifyPassword("sec rets", a));
  assert.ok(!await verifyPassword("", a));
});

Deno.test("isCurrentHash() is false for weaker scrypt and for bcrypt, which verify all the same", async () => {
  // Of "secret", as hashes were made before.
  const weaker =
    "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$71MrULv6YuZMr+5TlqzaKGb6X4rZEs0/5cvElSZBr2s";
  assert.ok(await verifyPassword("secret", weaker));
  assert.ok(!isCurrentHash(weaker));
  assert.ok(!isCurrentHash(BCRYPT));
  assert.ok(isCurrentHash(await hashPassword("secret")));
});

Deno.test("verifyPassword() still knows bcrypt", async () => {
  assert.ok(await verifyPassword("secret", BCRYPT));
  assert.ok(!await verifyPassword("Secret", BCRYPT));
});

Deno.test("verifyPassword() fits nothing to what is no hash, nor to endless passwords", async () => {
  const good = await hashPassword("x");
  for (
    const stored of [
      "",
      "x",
      "$2y$04$short",
      "$scrypt$ln=99,r=8,p=1$AA$AA",
      good.slice(0, -1),
    ]
  ) {
    assert.ok(!await verifyPassword("x", stored), stored);
  }
  assert.ok(!await verifyPassword("x".repeat(2000), good));
});

Deno.test("verifyPassword() refuses when too many wait already", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, () => verifyPassword("x", BCRYPT)),
  );
  const refused = results.filter((result) => result.status === "rejected");
  assert.equal(refused.length, 60 - 34);
  for (const { reason } of refused) assert.match(reason.message, /too many/);
});
