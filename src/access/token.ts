/** Makes tokens as the backend's own tools do. */
import { SignJWT } from "jose";
import { nowSec } from "../base/clock.ts";
import type { Keys } from "./keys.ts";
import { KeyError } from "./ed25519.ts";

/** A token that the command line makes lasts a year unless told otherwise. */
export const PROGRAM_TOKEN_SEC = 8760 * 3600;
/** One that people make for their scripts lasts 30 days. */
export const PERSON_TOKEN_SEC = 720 * 3600;

/**
 * The lifetime of a new token, seconds: the first that is given, else `fallback`.
 * A given 0 is no end: `undefined`.
 */
export function tokenLifetimeSec(
  given: readonly (number | undefined)[],
  fallback: number,
): number | undefined {
  const chosen = given.find((seconds) => seconds !== undefined) ?? fallback;
  return chosen === 0 ? undefined : chosen;
}

export interface TokenRequest {
  readonly user: string;
  readonly roles: readonly string[];
  /** `undefined`: it does not expire. */
  readonly maxAgeSec: number | undefined;
}

/** A signed token. Throws the {@linkcode KeyError} that says why there is no key. */
export function signToken(
  keys: Keys,
  request: TokenRequest,
  now: number = nowSec(),
): Promise<string> {
  if (keys.privateKey instanceof KeyError) throw keys.privateKey;
  const token = new SignJWT({ roles: [...request.roles] })
    .setProtectedHeader({ alg: "EdDSA", typ: "JWT" })
    .setSubject(request.user)
    .setIssuedAt(now);
  if (request.maxAgeSec !== undefined) {
    token.setExpirationTime(now + Math.floor(request.maxAgeSec));
  }
  return token.sign(keys.privateKey.key);
}
