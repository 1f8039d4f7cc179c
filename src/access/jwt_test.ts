import assert from "node:assert/strict";
import { SignJWT } from "jose";
import credentials from "../../tests/testdata/sample_credentials.json" with {
  type: "json",
};
import { ClientError } from "../base/errors.ts";
import { generateKeyPair, type PrivateKey, readPublicKey } from "./ed25519.ts";
import { CACHE_MAX, type JwtClaims, JwtVerifier } from "./jwt.ts";

const NOW = 1_700_000_000;

function sign(
  pair: PrivateKey,
  claims: Record<string, unknown>,
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "EdDSA" })
    .sign(pair.key);
}

async function setUp() {
  const pair = await generateKeyPair();
  const clock = { now: NOW };
  const verifier = new JwtVerifier(pair.publicKey.key, () => clock.now);
  return { pair, clock, verifier };
}

async function assertRefused(
  verify: () => JwtClaims | Promise<JwtClaims>,
  reason: RegExp,
): Promise<void> {
  await assert.rejects(async () => await verify(), (error: unknown) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, 401);
    assert.match(error.message, reason);
    return true;
  });
}

Deno.test("JwtVerifier takes the documented sample token", async () => {
  const { key } = await readPublicKey(credentials.publicKey, "sample");
  const claims = await new JwtVerifier(key).verify(credentials.token);
  assert.deepEqual(claims, {
    name: "admin",
    isSubject: false,
    roles: ["ROLE_ADMIN", "ROLE_ANALYST", "ROLE_USER"],
    expiresSec: Infinity,
    issuedSec: undefined,
  });
});

Deno.test("JwtVerifier takes tokens of previous keys, and of no others", async () => {
  const [present, previous, other] = await Promise.all(
    [0, 1, 2].map(() => generateKeyPair()),
  );
  const verifier = new JwtVerifier([
    present!.publicKey.key,
    previous!.publicKey.key,
  ]);
  const sign = (pair: { key: CryptoKey }) =>
    new SignJWT({ sub: "eve" }).setProtectedHeader({ alg: "EdDSA" })
      .sign(pair.key);
  for (const pair of [present!, previous!]) {
    assert.equal((await verifier.verify(await sign(pair))).name, "eve");
  }
  await assert.rejects(
    async () => await verifier.verify(await sign(other!)),
    /verification error/,
  );
});

Deno.test("JwtVerifier takes both names of the algorithm, spelt exactly", async () => {
  const { pair, verifier } = await setUp();
  for (const alg of ["EdDSA", "Ed25519"]) {
    const token = await new SignJWT({ sub: alg }).setProtectedHeader({ alg })
      .sign(pair.key);
    assert.equal((await verifier.verify(token)).name, alg);
  }
  const [, body = "", signature = ""] = (await sign(pair, { sub: "u" })).split(
    ".",
  );
  for (const alg of ["eddsa", "ED25519", "Ed448", ["Ed25519"], null]) {
    const header = btoa(JSON.stringify({ alg })).replaceAll("=", "");
    await assertRefused(
      () => verifier.verify(`${header}.${body}.${signature}`),
      /only Ed25519\/EdDSA supported/,
    );
  }
});

Deno.test("JwtVerifier lets no token live longer for a fraction of a second", async () => {
  const { pair, clock, verifier } = await setUp();
  const token = await sign(pair, { sub: "u", nbf: NOW + 0.5, exp: NOW + 2.9 });
  await assertRefused(() => verifier.verify(token), /not valid yet/);
  clock.now = NOW + 1;
  assert.equal((await verifier.verify(token)).name, "u");
  clock.now = NOW + 2;
  await assertRefused(() => verifier.verify(token), /expired/);
});

Deno.test("JwtVerifier answers at once for a token it has seen", async () => {
  const { pair, verifier } = await setUp();
  const token = await sign(pair, { sub: "u", roles: ["user"] });
  const first = verifier.verify(token);
  assert.ok(first instanceof Promise);
  const principal = await first;
  assert.equal(verifier.verify(token), principal);
});

Deno.test("JwtVerifier looks at exp and nbf on every use", async () => {
  const { pair, clock, verifier } = await setUp();
  const token = await sign(pair, { sub: "u", nbf: NOW + 10, exp: NOW + 20 });
  await assertRefused(() => verifier.verify(token), /not valid yet/);
  clock.now = NOW + 10;
  await verifier.verify(token);
  assert.equal(verifier.cached, 1);
  clock.now = NOW + 19;
  assert.ok(!(verifier.verify(token) instanceof Promise));
  clock.now = NOW + 20;
  await assertRefused(() => verifier.verify(token), /expired/);
  clock.now = NOW + 9;
  await assertRefused(() => verifier.verify(token), /not valid yet/);
});

Deno.test("JwtVerifier ignores iat, and takes a time of 0 as absent", async () => {
  const { pair, verifier } = await setUp();
  const token = await sign(pair, { sub: "u", iat: NOW + 999, exp: 0, nbf: 0 });
  assert.equal((await verifier.verify(token)).name, "u");
});

Deno.test("JwtVerifier prefers sub to user as the name", async () => {
  const { pair, verifier } = await setUp();
  const both = await sign(pair, { sub: "a", user: "b" });
  assert.equal((await verifier.verify(both)).name, "a");
  const empty = await sign(pair, { sub: "", user: "b" });
  assert.equal((await verifier.verify(empty)).name, "b");
});

Deno.test("JwtVerifier refuses what is not a good token, with the reason", async () => {
  const { pair, verifier } = await setUp();
  const good = await sign(pair, { sub: "u", roles: ["admin"] });
  const [head = "", body = "", signature = ""] = good.split(".");
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("=", "");
  const admin = part({ sub: "root", roles: ["admin"] });
  const other = await generateKeyPair();
  const hmacKey = new TextEncoder().encode(pair.publicKey.base64);
  const hs256 = await new SignJWT({ sub: "u" })
    .setProtectedHeader({ alg: "HS256" }).sign(hmacKey);
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /number of segments/],
    ["abc", /number of segments/],
    [`${good}.x`, /number of segments/],
    ["a.b.c", /header of the token/],
    [`${part({ alg: "none" })}.${admin}.`, /only Ed25519\/EdDSA supported/],
    [`${part({ alg: "none" })}.${admin}.${signature}`, /only Ed25519\/EdDSA/],
    [`${part({})}.${admin}.${signature}`, /only Ed25519\/EdDSA supported/],
    [hs256, /only Ed25519\/EdDSA supported/],
    [`${head}.${admin}.${signature}`, /ed25519: verification error/],
    [`${head}.${body}.`, /ed25519: verification error|not valid/],
    [`${head}.${body}.!!`, /not valid|verification error/],
    [
      `${part({ alg: "EdDSA", crit: ["x"], x: 1 })}.${body}.${signature}`,
      /not valid/,
    ],
    [await sign(other, { sub: "u" }), /ed25519: verification error/],
    [await sign(pair, {}), /names no user/],
    [await sign(pair, { sub: 7 }), /names no user/],
    [await sign(pair, { sub: "u", exp: NOW - 1 }), /expired/],
  ];
  for (const [token, reason] of cases) {
    await assertRefused(() => verifier.verify(token), reason);
  }
  assert.equal(verifier.cached, 0);
});

Deno.test("JwtVerifier refuses time claims that are no numbers", async () => {
  const { pair, verifier } = await setUp();
  for (const claim of ["exp", "nbf"]) {
    const token = await sign(pair, { sub: "u", [claim]: "0" });
    await assertRefused(() => verifier.verify(token), /is not a number/);
  }
});

Deno.test("JwtVerifier remembers a bounded number of tokens, the newest", async () => {
  const { pair, verifier } = await setUp();
  const tokens = await Promise.all(
    Array.from(
      { length: CACHE_MAX + 1 },
      (_, i) => sign(pair, { sub: `u${i}` }),
    ),
  );
  for (const token of tokens) await verifier.verify(token);
  assert.equal(verifier.cached, CACHE_MAX);
  assert.ok(verifier.verify(tokens[0] ?? "") instanceof Promise);
  assert.ok(!(verifier.verify(tokens[CACHE_MAX] ?? "") instanceof Promise));
});
