/**
 * Logins by token (job-api 1.7): a JWT signed with a shared secret, or an
 * EdDSA token in a cookie of our own or of a trusted issuer. Main thread.
 */
import { Buffer } from "node:buffer";
import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import { isRole, roleWords } from "../../access/roles.ts";
import {
  ED25519_NAMES,
  KeyError,
  type PublicKey,
  readPublicKey,
} from "../../access/ed25519.ts";
import { findCookie, type RequestHeaders } from "../../access/credentials.ts";
import { nowSec } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";

/** Whom a token vouches for. */
export interface TokenUser {
  readonly username: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly projects: readonly string[];
  /** When the token ends, and the session with it, Unix seconds. */
  readonly expiresSec: number;
}

/** Of a session whose token does not say when it ends. */
const UNLIMITED_SESSION_SEC = 3600;
/** RFC 7518, 3.2: a key has at least as many bytes as the hash, here of HS256. */
const SHARED_KEY_BYTES_MIN = 32;
/** The same for HS512. */
export const SHARED_KEY_BYTES = 64;

export interface TokenLoginOptions {
  /** `CROSS_LOGIN_JWT_HS512_KEY`, base64; absent: no logins by shared secret. */
  readonly sharedKey?: string | undefined;
  /** `CROSS_LOGIN_JWT_PUBLIC_KEY`, base64; absent: no logins by cookie. */
  readonly issuerKey?: string | undefined;
  readonly ownKey?: PublicKey | undefined;
  readonly cookieName: string;
  readonly trustedIssuer: string;
}

export class TokenLogin {
  readonly #sharedKey: Uint8Array | undefined;
  readonly #cookie: CookieLogin | undefined;

  private constructor(
    sharedKey: Uint8Array | undefined,
    cookie: CookieLogin | undefined,
  ) {
    this.#sharedKey = sharedKey;
    this.#cookie = cookie;
  }

  /** Throws a `KeyError` for a key that cannot be used. */
  static async create(options: TokenLoginOptions): Promise<TokenLogin> {
    const { sharedKey, issuerKey, ownKey, cookieName, trustedIssuer } = options;
    const hasCookie = issuerKey && ownKey && cookieName && trustedIssuer;
    return new TokenLogin(
      sharedKey ? readSharedKey(sharedKey) : undefined,
      hasCookie
        ? {
          name: cookieName,
          issuer: trustedIssuer,
          ownKey: ownKey.key,
          issuerKey: (await readPublicKey(
            issuerKey,
            "CROSS_LOGIN_JWT_PUBLIC_KEY",
          )).key,
        }
        : undefined,
    );
  }

  /** Bytes of the shared key; 0: there is none. */
  get sharedKeyBytes(): number {
    return this.#sharedKey?.length ?? 0;
  }

  /** The cookie in which a token may be sent; it is deleted by a login. */
  get cookieName(): string | undefined {
    return this.#cookie?.name;
  }

  /**
   * The user of a request that logs in by token; `undefined`: it does not. Throws a
   * `ClientError` (401) for a token that is not good.
   */
  find(
    headers: RequestHeaders,
    parameter: string | null,
  ): Promise<TokenUser> | undefined {
    const authorization = headers["authorization"];
    const token = typeof authorization === "string" && authorization !== ""
      ? authorization.replace(/^Bearer /, "")
      : parameter;
    if (this.#sharedKey !== undefined && token !== null && token !== "") {
      return verify(token, this.#sharedKey, ["HS256", "HS512"]);
    }
    if (this.#cookie === undefined) return undefined;
    const cookie = findCookie(headers, this.#cookie.name);
    return cookie === undefined ? undefined : byCookie(cookie, this.#cookie);
  }
}

function readSharedKey(text: string): Uint8Array {
  const where = "CROSS_LOGIN_JWT_HS512_KEY";
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
    throw new KeyError(`${where} is not base64`);
  }
  const key = Buffer.from(text, "base64");
  if (key.length >= SHARED_KEY_BYTES_MIN) return key;
  throw new KeyError(
    `${where} has ${key.length} bytes: at least ${SHARED_KEY_BYTES_MIN} are needed, ${SHARED_KEY_BYTES} for HS512`,
  );
}

interface CookieLogin {
  readonly name: string;
  readonly issuer: string;
  readonly ownKey: CryptoKey;
  readonly issuerKey: CryptoKey;
}

function byCookie(token: string, login: CookieLogin): Promise<TokenUser> {
  const issuer = issuerOf(token);
  if (issuer === undefined) return verify(token, login.ownKey, ED25519_NAMES);
  if (issuer !== login.issuer) {
    return Promise.reject(refusal("the issuer of the token is not trusted"));
  }
  return verify(token, login.issuerKey, ED25519_NAMES);
}

/** Read before the signature is checked: it says which key to check with. */
function issuerOf(token: string): unknown {
  try {
    decodeProtectedHeader(token);
    const payload = token.split(".")[1] ?? "";
    return JSON.parse(Buffer.from(payload, "base64url").toString()).iss;
  } catch (cause) {
    throw refusal("the token is not readable", cause);
  }
}

async function verify(
  token: string,
  key: Uint8Array | CryptoKey,
  algorithms: readonly string[],
): Promise<TokenUser> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...algorithms],
    });
    if (typeof payload.sub !== "string" || payload.sub === "") {
      throw refusal("the token names no user");
    }
    return {
      username: payload.sub,
      name: nameOf(payload.name),
      roles: roleWords(payload.roles).filter(isRole),
      projects: texts(payload.projects),
      expiresSec: payload.exp ?? nowSec() + UNLIMITED_SESSION_SEC,
    };
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    if (cause instanceof errors.JWTExpired) {
      throw refusal("the token is expired", cause);
    }
    throw refusal("the token is not valid", cause);
  }
}

/** A text, or `{"values": […]}` as some issuers write it. */
function nameOf(claim: unknown): string {
  if (typeof claim === "string") return claim;
  const values = typeof claim === "object" && claim !== null &&
    "values" in claim && claim.values;
  return texts(values).join(" ");
}

function texts(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string")
    : [];
}

function refusal(reason: string, cause?: unknown): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason, { cause });
}
