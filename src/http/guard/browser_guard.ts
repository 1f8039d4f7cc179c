/**
 * What a server says to browsers: no requests forged by other sites, which other
 * origins may call, and what a page of ours may not be used for. Main thread.
 */
import type { IncomingMessage } from "node:http";
import { carriesSession } from "../../access/credentials.ts";
import { type OwnAddress, ownOrigin, sourceOf } from "../origin.ts";

type Headers = Record<string, string | number | string[]>;

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** On every answer that is not metric data. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Content-Security-Policy":
    "frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
};

/** Half a year: where HTTPS is on, it stays. */
export const HSTS = "max-age=15552000";

/** Whether a page of another site made the browser send it. */
export function isForged(req: Pick<IncomingMessage, "method" | "headers">) {
  return req.headers["sec-fetch-site"] === "cross-site" &&
    !SAFE_METHODS.has(req.method ?? "");
}

/**
 * How a route is reached by browsers without a page having a token. `web`: by pages of
 * ours alone, also to read (web 6).
 */
export type CookieUse = "session" | "login" | "web";

/**
 * Why a request to a route of people is refused; `undefined`: it is not. Cookies come
 * with the requests of any page unasked, so an unsafe one needs proof that a page of
 * ours sent it. A login begins without a cookie: there only a foreign page is refused.
 */
export function forgeryProblem(
  req: Pick<IncomingMessage, "method" | "headers">,
  use: CookieUse,
  own: OwnAddress,
): string | undefined {
  if (SAFE_METHODS.has(req.method ?? "")) {
    const site = req.headers["sec-fetch-site"];
    return use === "web" && (site === "cross-site" || site === "same-site")
      ? "cross-origin requests are refused"
      : undefined;
  }
  const source = sourceOf(req, own);
  if (source === "foreign") return "cross-origin requests are refused";
  const isProved = source === "own" || use === "login" ||
    !carriesSession(req.headers);
  return isProved
    ? undefined
    : `a request with the session cookie must prove where it comes from: send Origin: ${
      ownOrigin(req, own)
    }`;
}

/** Whether it is a browser's question before a request to another origin. */
export function isPreflight(
  req: Pick<IncomingMessage, "method" | "headers">,
): boolean {
  return req.method === "OPTIONS" && req.headers.origin !== undefined &&
    req.headers["access-control-request-method"] !== undefined;
}

/** The answer to it: pages of other sites may send what {@linkcode isForged} takes. */
export function preflightHeaders(
  req: Pick<IncomingMessage, "headers">,
): Headers {
  return req.headers["sec-fetch-site"] === "cross-site"
    ? { ...PREFLIGHT_HEADERS, "Access-Control-Allow-Methods": "GET, HEAD" }
    : PREFLIGHT_HEADERS;
}

/** Credentials are not allowed: tokens are sent as headers. */
const PREFLIGHT_HEADERS: Headers = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods":
    "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
  "Access-Control-Allow-Headers":
    "X-Requested-With, Content-Type, Content-Encoding, Authorization, " +
    "X-Auth-Token, X-Scope-OrgID, If-Match, Origin",
  "Access-Control-Max-Age": "600",
  "Content-Length": 0,
};

/** Lets a page of another origin read the answer. */
export function allowOrigin(
  req: Pick<IncomingMessage, "headers">,
  headers: Headers,
): void {
  if (req.headers.origin !== undefined) {
    headers["Access-Control-Allow-Origin"] = "*";
  }
}
