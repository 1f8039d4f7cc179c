import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPair, KeyError, readPrivateKey } from "./ed25519.ts";
import { findKeys, type KeyOrigins } from "./keys.ts";

/** A fresh directory name below a temporary one that vanishes. */
async function inDirectory(
  use: (
    origins: (given?: {
      configured?: string;
      publicKey?: string;
      privateKey?: string;
    }) => KeyOrigins,
    directory: string,
  ) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir();
  const directory = `${parent}/keys`;
  try {
    await use((given = {}) => ({
      configured: given.configured ?? "",
      environment: {
        publicKey: given.publicKey,
        privateKey: given.privateKey,
      },
      directory,
    }), directory);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("findKeys() makes a pair for its owner alone when there is none anywhere", () =>
  inDirectory(async (origins, directory) => {
    const keys = await findKeys(origins());
    assert.equal(keys.madeIn, directory);
    const mode = async (path: string) =>
      ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assert.equal(await mode(directory), 0o700);
    assert.equal(await mode(`${directory}/jwt-private-key`), 0o600);
    assert.equal(await mode(`${directory}/jwt-public-key`), 0o600);
    const names = [...Deno.readDirSync(directory)].map((entry) => entry.name);
    assert.deepEqual(names.sort(), ["jwt-private-key", "jwt-public-key"]);
    const again = await findKeys(origins());
    assert.equal(again.madeIn, undefined);
    assert.equal(again.publicKey.base64, keys.publicKey.base64);
  }));

Deno.test("findKeys() gives one pair to two servers that start at once", () =>
  inDirectory(async (origins) => {
    const both = await Promise.all([findKeys(origins()), findKeys(origins())]);
    assert.equal(both[0].publicKey.base64, both[1].publicKey.base64);
  }));

Deno.test("findKeys() prefers the configuration, then the environment, then the directory", () =>
  inDirectory(async (origins) => {
    const [a, b] = [await generateKeyPair(), await generateKeyPair()];
    const own = await findKeys(origins());
    const both = await findKeys(origins({
      configured: a.publicKey.base64,
      publicKey: b.publicKey.base64,
    }));
    assert.equal(both.publicKey.base64, a.publicKey.base64);
    const environment = await findKeys(
      origins({ publicKey: b.publicKey.base64, privateKey: b.base64 }),
    );
    assert.equal(environment.publicKey.base64, b.publicKey.base64);
    assert.ok(!(environment.privateKey instanceof KeyError));
    assert.equal(
      (await findKeys(origins())).publicKey.base64,
      own.publicKey.base64,
    );
  }));

Deno.test("findKeys() keeps the reason why there is nothing to sign with", () =>
  inDirectory(async (origins, directory) => {
    const { publicKey } = await generateKeyPair();
    const alone = await findKeys(origins({ configured: publicKey.base64 }));
    assert.ok(alone.privateKey instanceof KeyError);
    assert.match(alone.privateKey.message, /only a public key/);
    await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
    await findKeys(origins());
    const other = await findKeys(origins({ configured: publicKey.base64 }));
    assert.ok(other.privateKey instanceof KeyError);
    assert.match(other.privateKey.message, /does not belong/);
  }));

Deno.test("findKeys() throws when the private key of the environment belongs to another", () =>
  inDirectory(async (origins) => {
    const [a, b] = [await generateKeyPair(), await generateKeyPair()];
    await assert.rejects(
      findKeys(
        origins({ configured: a.publicKey.base64, privateKey: b.base64 }),
      ),
      /JWT_PRIVATE_KEY\) does not belong to the public key \(main.jwt-public-key/,
    );
  }));

Deno.test("findKeys() throws for keys that are none, naming their origin and not the key", () =>
  inDirectory(async (origins) => {
    for (const text of ["x", "not base64!", "AAAA", "A".repeat(43) + "*"]) {
      for (
        const [name, given] of [
          ["main.jwt-public-key", { configured: text }],
          ["JWT_PUBLIC_KEY", { publicKey: text }],
          ["JWT_PRIVATE_KEY", { privateKey: text }],
        ] as const
      ) {
        await assert.rejects(findKeys(origins(given)), (error: Error) => {
          assert.ok(error instanceof KeyError);
          assert.ok(error.message.startsWith(`${name} is no Ed25519`));
          assert.ok(!error.message.includes(text) || text === "x");
          return true;
        });
      }
    }
  }));

Deno.test("readPrivateKey() takes a seed alone and refuses halves that do not match", async () => {
  const pair = await generateKeyPair();
  const bytes = Buffer.from(pair.base64, "base64");
  assert.equal(bytes.length, 64);
  const seed = bytes.subarray(0, 32).toString("base64");
  assert.equal((await readPrivateKey(seed, "seed")).base64, pair.base64);
  bytes.writeUInt8(bytes.readUInt8(63) ^ 1, 63);
  await assert.rejects(
    readPrivateKey(bytes.toString("base64"), "it"),
    /it: the public half does not belong/,
  );
});
