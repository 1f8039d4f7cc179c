/** Where a request carries its credential, and of which kind it is. */
import { Buffer } from "node:buffer";

/** Names in lower case; a header of which a request has several is a list. */
export type RequestHeaders = Readonly<
  Record<string, string | string[] | undefined>
>;

/**
 * Where credentials are looked for: the metric and admin routes take tokens; the
 * job routes a bare JWT as well; pages of people a session alone.
 */
export type CredentialPlace = "metric" | "job" | "session";

export type Credential =
  | { readonly kind: "jwt"; readonly token: string }
  | {
    readonly kind: "token";
    readonly token: string;
    /** The user name beside it in HTTP Basic. */
    readonly basicUser: string;
  }
  | { readonly kind: "session"; readonly cookie: string };

export const SESSION_COOKIE = "session";
const BEARER = "Bearer ";
const BASIC = /^basic +(\S+)$/i;

/**
 * The credential of a request: `X-Auth-Token` (a JWT), and where that is absent or
 * empty `Authorization`: `Bearer` (with two dots a JWT, else a token of the admin
 * API) or `Basic` (such a token as the password). `undefined`: none.
 */
export function findCredential(
  headers: RequestHeaders,
  place: CredentialPlace,
): Credential | undefined {
  if (place === "session") {
    const cookie = findCookie(headers, SESSION_COOKIE);
    return cookie === undefined ? undefined : { kind: "session", cookie };
  }
  const own = headers["x-auth-token"];
  if (own !== undefined && own !== "") return jwt(single(own));
  const authorization = single(headers["authorization"]);
  if (authorization === undefined) return undefined;
  if (authorization.startsWith(BEARER)) {
    const token = authorization.slice(BEARER.length);
    return isJwt(token) ? jwt(token) : adminToken(token, "");
  }
  const basic = BASIC.exec(authorization);
  if (basic !== null) return basicCredential(basic[1]!);
  return place === "job" && isJwt(authorization)
    ? jwt(authorization)
    : undefined;
}

/** The value of a cookie, the first of that name. */
export function findCookie(
  headers: RequestHeaders,
  name: string,
): string | undefined {
  const cookies = headers["cookie"];
  const text = Array.isArray(cookies) ? cookies.join("; ") : cookies;
  for (const part of text?.split(";") ?? []) {
    const equals = part.indexOf("=");
    if (equals > 0 && part.slice(0, equals).trim() === name) {
      return part.slice(equals + 1).trim();
    }
  }
  return undefined;
}

function jwt(token: string | undefined): Credential | undefined {
  return token === undefined || token === ""
    ? undefined
    : { kind: "jwt", token };
}

function adminToken(token: string, basicUser: string): Credential | undefined {
  return token === "" ? undefined : { kind: "token", token, basicUser };
}

function basicCredential(encoded: string): Credential | undefined {
  const plain = Buffer.from(encoded, "base64").toString("utf8");
  const colon = plain.indexOf(":");
  return colon < 0
    ? undefined
    : adminToken(plain.slice(colon + 1), plain.slice(0, colon));
}

function isJwt(text: string): boolean {
  return text.split(".").length === 3;
}

/** A header sent twice is none: which of them counts would be a guess. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
