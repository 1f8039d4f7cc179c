/**
 * Checks JSON Web Tokens: EdDSA (Ed25519) signatures and nothing else. A
 * signature costs about 100 µs, so verified tokens are remembered by their text,
 * at most {@linkcode CACHE_MAX} of them; their times are looked at on every use.
 * Main thread.
 */
import { compactVerify, decodeProtectedHeader, errors } from "jose";
import { nowSec } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import { ED25519_NAMES } from "./ed25519.ts";

export const CACHE_MAX = 1024;

/** What a token says of its bearer. The same object as long as the token is remembered. */
export interface JwtClaims {
  /** `sub`, else `user`. */
  readonly name: string;
  /** Whether the name was given as `sub`. */
  readonly isSubject: boolean;
  /** As it stands in the token. */
  readonly roles: unknown;
  /** Seconds since the epoch: refused from then on; Infinity: never. */
  readonly expiresSec: number;
  /** When it was made, seconds since the epoch; `undefined`: it does not say. */
  readonly issuedSec: number | undefined;
}

/** A token whose signature was good. */
interface VerifiedToken {
  readonly claims: JwtClaims;
  /** Seconds since the epoch: refused before; 0: never. */
  readonly notBeforeSec: number;
}

export class JwtVerifier {
  /** The present one first. */
  readonly #keys: readonly CryptoKey[];
  readonly #now: () => number;
  /** Oldest first. */
  readonly #verified = new Map<string, VerifiedToken>();

  /** `keys`: one of them must have signed a token. `now`: seconds since the epoch. */
  constructor(
    keys: CryptoKey | readonly CryptoKey[],
    now: () => number = nowSec,
  ) {
    this.#keys = Array.isArray(keys) ? keys : [keys as CryptoKey];
    this.#now = now;
  }

  /** How many tokens are remembered. */
  get cached(): number {
    return this.#verified.size;
  }

  /**
   * Who a token speaks for; at once, without a promise, for one seen before.
   * Throws or rejects with a {@linkcode ClientError} (401) that gives the reason.
   */
  verify(token: string): JwtClaims | Promise<JwtClaims> {
    const known = this.#verified.get(token);
    return known === undefined ? this.#verifyNew(token) : this.#current(known);
  }

  async #verifyNew(token: string): Promise<JwtClaims> {
    const verified = readClaims(await this.#checkSignature(token));
    const claims = this.#current(verified);
    this.#remember(token, verified);
    return claims;
  }

  async #checkSignature(token: string): Promise<Uint8Array> {
    if (token.split(".").length !== 3) {
      throw refusal("token contains an invalid number of segments");
    }
    let algorithm: unknown;
    try {
      algorithm = decodeProtectedHeader(token).alg;
    } catch (cause) {
      throw refusal("the header of the token is not readable", cause);
    }
    if (
      typeof algorithm !== "string" || !ED25519_NAMES.includes(algorithm)
    ) {
      throw refusal("only Ed25519/EdDSA supported");
    }
    let problem: unknown;
    for (const key of this.#keys) {
      try {
        const { payload } = await compactVerify(token, key, {
          algorithms: [...ED25519_NAMES],
        });
        return payload;
      } catch (cause) {
        problem = cause;
        if (!(cause instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    if (problem instanceof errors.JWSSignatureVerificationFailed) {
      throw refusal("ed25519: verification error", problem);
    }
    throw refusal("the token is not valid", problem);
  }

  #current(token: VerifiedToken): JwtClaims {
    const now = this.#now();
    if (now >= token.claims.expiresSec) throw refusal("token is expired");
    if (now < token.notBeforeSec) throw refusal("token is not valid yet");
    return token.claims;
  }

  #remember(token: string, verified: VerifiedToken): void {
    if (this.#verified.size >= CACHE_MAX) {
      const now = this.#now();
      for (const [text, { claims }] of this.#verified) {
        if (now >= claims.expiresSec) this.#verified.delete(text);
      }
    }
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size < CACHE_MAX) break;
      this.#verified.delete(oldest);
    }
    this.#verified.set(token, verified);
  }
}

/** The claims that count: `sub` or `user`, `roles`, `exp`, `nbf`. */
function readClaims(payload: Uint8Array): VerifiedToken {
  let claims: Readonly<Record<string, unknown>> | null;
  try {
    claims = JSON.parse(new TextDecoder().decode(payload));
  } catch (cause) {
    throw refusal("the claims of the token are not JSON", cause);
  }
  if (typeof claims !== "object" || claims === null) {
    throw refusal("the claims of the token are not an object");
  }
  const subject = textClaim(claims.sub);
  const name = subject ?? textClaim(claims.user);
  if (name === undefined) throw refusal("the token names no user");
  return {
    claims: {
      name,
      isSubject: subject !== undefined,
      roles: claims.roles,
      // The clock gives whole seconds: no token is good for a part of one too long.
      expiresSec: Math.floor(timeClaim(claims, "exp") ?? Infinity),
      // It decides about nothing but tokens of deleted accounts.
      issuedSec: typeof claims.iat === "number" ? claims.iat : undefined,
    },
    notBeforeSec: Math.ceil(timeClaim(claims, "nbf") ?? 0),
  };
}

function textClaim(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A time in seconds; `undefined` where it is absent or 0, which means the same. */
function timeClaim(
  claims: Readonly<Record<string, unknown>>,
  key: string,
): number | undefined {
  const value = claims[key];
  if (value === undefined || value === 0) return undefined;
  if (typeof value === "number") return value;
  throw refusal(`${key} of the token is not a number`);
}

function refusal(reason: string, cause?: unknown): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason, { cause });
}
