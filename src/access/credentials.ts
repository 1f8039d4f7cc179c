/** Where a request carries its credential, and of which kind it is. */
import { Buffer } from "node:buffer";

/** Names in lower case; a header of which a request has several is a list. */
export type RequestHeaders = Readonly<
  Record<string, string | string[] | undefined>
>;

/**
 * Where credentials are looked for: the metric and admin routes take tokens; the
 * job routes a bare JWT as well; pages of people a session alone, over HTTPS only the
 * one that was begun by HTTPS.
 */
export type CredentialPlace = "metric" | "job" | "session" | "secure-session";

export type Credential =
  | { readonly kind: "jwt"; readonly token: string }
  | {
    readonly kind: "token";
    readonly token: string;
    /** The user name beside it in HTTP Basic. */
    readonly basicUser: string;
  }
  | { readonly kind: "session"; readonly cookie: string };

/** The cookie of a session over plain HTTP, named as upstream's. */
export const SESSION_COOKIE = "session";
/**
 * Over HTTPS: browsers take it from this very host alone, and by HTTPS alone, so that
 * no neighbour can put a session of its own in the place of one of ours.
 */
export const SECURE_SESSION_COOKIE = "__Host-session";
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
  if (place === "session" || place === "secure-session") {
    const cookie = findSession(headers, place === "secure-session");
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

/** Name of the cookie that a session has. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? SECURE_SESSION_COOKIE : SESSION_COOKIE;
}

/**
 * The session of a request; `undefined`: none, or several different ones: another
 * host of the same site can add one, and which of them counts would be a guess.
 */
export function findSession(
  headers: RequestHeaders,
  isSecure: boolean,
): string | undefined {
  const found = new Set(findCookies(headers, sessionCookieName(isSecure)));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Whether a request has a session cookie, good or bad. */
export function carriesSession(headers: RequestHeaders): boolean {
  return [SESSION_COOKIE, SECURE_SESSION_COOKIE].some((name) =>
    findCookies(headers, name).length > 0
  );
}

/** The value of a cookie, the first of that name. */
export function findCookie(
  headers: RequestHeaders,
  name: string,
): string | undefined {
  return findCookies(headers, name)[0];
}

/** All values of a cookie, as they were sent. */
function findCookies(headers: RequestHeaders, name: string): string[] {
  const cookies = headers["cookie"];
  const text = Array.isArray(cookies) ? cookies.join("; ") : cookies;
  return (text?.split(";") ?? []).flatMap((part) => {
    const equals = part.indexOf("=");
    return equals > 0 && part.slice(0, equals).trim() === name
      ? [part.slice(equals + 1).trim()]
      : [];
  });
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
