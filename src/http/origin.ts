/**
 * Which page made a browser send a request. Browsers tell by `Sec-Fetch-Site`, over
 * plain HTTP only by `Origin`; a page can set neither. Main thread.
 */
import type { IncomingMessage } from "node:http";

type Request = Pick<IncomingMessage, "headers">;

/** `own`: a page of this server, or the person alone. `unknown`: nothing tells. */
export type Source = "own" | "foreign" | "unknown";

/** What is known of the server's own address. */
export interface OwnAddress {
  /** `main.base-url`, or `""`. */
  readonly baseUrl: string;
  /** Whether the request came by HTTPS, as far as is known. */
  readonly isSecure: boolean;
}

/** Who is behind a request. `Sec-Fetch-Site` decides where it is sent. */
export function sourceOf(req: Request, own: OwnAddress): Source {
  const site = req.headers["sec-fetch-site"];
  if (site !== undefined) {
    return site === "same-origin" || site === "none" ? "own" : "foreign";
  }
  const { origin } = req.headers;
  if (origin === undefined) return "unknown";
  return isOwn(origin, req, own) ? "own" : "foreign";
}

/** The origin that a request to this server carries when it is a page of ours. */
export function ownOrigin(req: Request, own: OwnAddress): string {
  const base = URL.parse(own.baseUrl);
  if (base !== null) return base.origin;
  return `${own.isSecure ? "https" : "http"}://${req.headers.host ?? ""}`;
}

/**
 * By `main.base-url`, or by host and port of the request. The scheme is not compared
 * where a proxy may have taken HTTPS off without telling; where the request came by
 * HTTPS a page of plain HTTP is not ours.
 */
function isOwn(origin: string, req: Request, own: OwnAddress): boolean {
  const page = URL.parse(origin);
  // `null`, which sandboxed pages and files have, is no URL.
  if (page === null || !/^https?:$/.test(page.protocol)) return false;
  if (page.origin === URL.parse(own.baseUrl)?.origin) return true;
  if (own.isSecure && page.protocol !== "https:") return false;
  const { host } = req.headers;
  return host !== undefined &&
    page.host === URL.parse(`${page.protocol}//${host}`)?.host;
}
