/** Makes tokens as the backend's own tools do. */
import { SignJWT } from "jose";
import { nowSec } from "../clock.ts";
import type { Keys } from "./keys.ts";
import { KeyError } from "./ed25519.ts";

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
