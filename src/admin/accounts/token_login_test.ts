import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { generateKeyPair } from "../../access/ed25519.ts";
import { ClientError } from "../../base/errors.ts";
import { TokenLogin } from "./token_login.ts";

const SECRET = new Uint8Array(64).fill(5);

async function setUp() {
  const [own, issuer] = [await generateKeyPair(), await generateKeyPair()];
  const login = await TokenLogin.create({
    sharedKey: btoa(String.fromCharCode(...SECRET)),
    issuerKey: issuer.publicKey.base64,
    ownKey: own.publicKey,
    cookieName: "sso",
    trustedIssuer: "https://sso.example",
  });
  return { own, issuer, login };
}

function sign(
  algorithm: string,
  key: Uint8Array | CryptoKey,
  claims: Record<string, unknown>,
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm }).sign(key);
}

async function assertRefused(doing: Promise<unknown> | undefined) {
  await assert.rejects(async () => await doing, (error: unknown) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, 401);
    return true;
  });
}

Deno.test("TokenLogin takes HS256 and HS512 with the shared key, by header or parameter", async () => {
  const { login, own } = await setUp();
  const claims = {
    sub: "eve",
    roles: ["user", "nonsense", 5],
    projects: ["p1", 7],
    exp: 4_000_000_000,
    name: { values: ["Eve", "Example"] },
  };
  for (const algorithm of ["HS256", "HS512"]) {
    const token = await sign(algorithm, SECRET, claims);
    for (
      const asked of [
        login.find({ authorization: `Bearer ${token}` }, null),
        login.find({ authorization: token }, null),
        login.find({}, token),
      ]
    ) {
      assert.deepEqual(await asked, {
        username: "eve",
        name: "Eve Example",
        roles: ["user"],
        projects: ["p1"],
        expiresSec: 4_000_000_000,
      });
    }
  }
  const expired = { sub: "eve", exp: 1000 };
  for (
    const token of [
      await sign("HS256", new Uint8Array(64), claims),
      await sign("HS384", SECRET, claims),
      await sign("EdDSA", own.key, claims),
      await sign("HS256", SECRET, expired),
      await sign("HS256", SECRET, {}),
      "rubbish",
    ]
  ) await assertRefused(login.find({}, token));
});

Deno.test("TokenLogin takes EdDSA tokens in the cookie, each with the key of its issuer", async () => {
  const { login, own, issuer } = await setUp();
  const ask = (token: string) => login.find({ cookie: `sso=${token}` }, null);
  const eve = { sub: "eve", roles: ["api"], name: "Eve" };
  const trusted = { ...eve, iss: "https://sso.example" };
  for (
    const token of [
      await sign("EdDSA", own.key, eve),
      await sign("Ed25519", own.key, eve),
      await sign("EdDSA", issuer.key, trusted),
    ]
  ) assert.equal((await ask(token))?.username, "eve");
  for (
    const token of [
      await sign("EdDSA", issuer.key, eve),
      await sign("EdDSA", own.key, trusted),
      await sign("EdDSA", issuer.key, { ...eve, iss: "https://other" }),
      await sign("HS256", SECRET, eve),
      "rubbish",
    ]
  ) await assertRefused((async () => await ask(token))());
});

Deno.test("TokenLogin.find() is undefined where nobody logs in by token", async () => {
  const { login } = await setUp();
  assert.equal(login.find({}, null), undefined);
  assert.equal(login.find({ cookie: "a=b" }, null), undefined);
  const off = await TokenLogin.create({ cookieName: "", trustedIssuer: "" });
  assert.equal(off.find({ authorization: "Bearer x" }, "y"), undefined);
});

Deno.test("TokenLogin refuses shared keys that are short or no base64", async () => {
  const create = (sharedKey: string) =>
    TokenLogin.create({ sharedKey, cookieName: "", trustedIssuer: "" });
  for (const bytes of [1, 16, 31]) {
    await assert.rejects(
      create(btoa("x".repeat(bytes))),
      new RegExp(`CROSS_LOGIN_JWT_HS512_KEY has ${bytes} bytes`),
    );
  }
  await assert.rejects(create("no base64!"), /not base64/);
  for (const bytes of [32, 63, 64]) {
    const login = await create(btoa("x".repeat(bytes)));
    assert.equal(login.sharedKeyBytes, bytes);
  }
});
