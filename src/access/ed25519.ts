/**
 * Ed25519 keys in the forms operators handle: standard base64 of the 32 bytes of
 * a public key, and of the 64 bytes (seed, then public key) of a private one.
 */
import { Buffer } from "node:buffer";

/** What tokens call the algorithm of these keys: RFC 8037, and RFC 9864. */
export const ED25519_NAMES: readonly string[] = ["EdDSA", "Ed25519"];

const KEY_BYTES = 32;
/** What stands before the seed in a PKCS #8 private key (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** A key cannot be used, or there is none for what is asked. */
export class KeyError extends Error {
  readonly code = "E_KEY";

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "KeyError";
  }
}

export interface PublicKey {
  readonly base64: string;
  readonly key: CryptoKey;
}

export interface PrivateKey {
  /** Seed and public key, 64 bytes. */
  readonly base64: string;
  readonly key: CryptoKey;
  readonly publicKey: PublicKey;
}

/** `where` names the origin in the message of the {@linkcode KeyError}. */
export async function readPublicKey(
  text: string,
  where: string,
): Promise<PublicKey> {
  const bytes = decode(text);
  if (bytes?.length !== KEY_BYTES) {
    throw new KeyError(
      `${where} is no Ed25519 public key: base64 of 32 bytes expected`,
    );
  }
  return { base64: encode(bytes), key: await importPublic(bytes, where) };
}

/** Takes the seed alone as well. Checks that the two halves belong together. */
export async function readPrivateKey(
  text: string,
  where: string,
): Promise<PrivateKey> {
  const bytes = decode(text);
  if (bytes?.length !== KEY_BYTES && bytes?.length !== 2 * KEY_BYTES) {
    throw new KeyError(
      `${where} is no Ed25519 private key: base64 of 64 bytes (seed and public key) or 32 bytes (seed) expected`,
    );
  }
  const pair = await fromSeed(bytes.slice(0, KEY_BYTES), where);
  if (bytes.length > KEY_BYTES && encode(bytes) !== pair.base64) {
    throw new KeyError(`${where}: the public half does not belong to the seed`);
  }
  return pair;
}

/** A new pair from the system's random numbers. */
export function generateKeyPair(): Promise<PrivateKey> {
  const seed = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return fromSeed(seed, "a new key");
}

async function fromSeed(seed: Uint8Array, where: string): Promise<PrivateKey> {
  const key = await crypto.subtle.importKey(
    "pkcs8",
    new Uint8Array([...PKCS8_HEAD, ...seed]),
    "Ed25519",
    true,
    ["sign"],
  );
  const { x } = await crypto.subtle.exportKey("jwk", key);
  if (x === undefined) throw new KeyError(`${where} has no public half`);
  const bytes = new Uint8Array(Buffer.from(x, "base64url"));
  return {
    base64: encode(new Uint8Array([...seed, ...bytes])),
    key,
    publicKey: { base64: encode(bytes), key: await importPublic(bytes, where) },
  };
}

async function importPublic(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", bytes, "Ed25519", true, [
      "verify",
    ]);
  } catch (cause) {
    throw new KeyError(`${where} is no Ed25519 public key`, { cause });
  }
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  const trimmed = text.trim();
  return BASE64.test(trimmed)
    ? new Uint8Array(Buffer.from(trimmed, "base64"))
    : undefined;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
