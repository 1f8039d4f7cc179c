/**
 * Tokens of the admin API: base64 of `<name>:<secret>`. Only a SHA-256 of the
 * secret is kept: it is random with 256 bits, so nothing slower is needed.
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;
/** Longer ones are none of ours; spares hashing what a stranger sends. */
const TEXT_CHARS_MAX = 512;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

export interface NewToken {
  /** What the client sends; shown once. */
  readonly text: string;
  readonly secretHash: Uint8Array;
}

export function makeToken(name: string): NewToken {
  const secret = randomBytes(SECRET_BYTES).toString("hex");
  return {
    text: Buffer.from(`${name}:${secret}`).toString("base64"),
    secretHash: hashSecret(secret),
  };
}

/** `undefined`: it has not the form of a token. */
export function parseToken(
  text: string,
): { readonly name: string; readonly secret: string } | undefined {
  if (text.length > TEXT_CHARS_MAX || !BASE64.test(text)) return undefined;
  const plain = Buffer.from(text, "base64").toString("utf8");
  const colon = plain.indexOf(":");
  if (colon < 1 || colon === plain.length - 1) return undefined;
  return { name: plain.slice(0, colon), secret: plain.slice(colon + 1) };
}

/** In constant time. `hash`: SHA-256, 32 bytes. */
export function secretMatches(secret: string, hash: Uint8Array): boolean {
  return timingSafeEqual(hashSecret(secret), hash);
}

function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
