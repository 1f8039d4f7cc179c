/**
 * The head of a request before anybody looks for a route: what its target names,
 * and what makes it no request that can be served. Main thread.
 */
import type { IncomingMessage } from "node:http";

/** What is wrong with a head, as it is answered. */
export interface HeadProblem {
  readonly status: 400 | 411;
  readonly message: string;
}

type Head =
  & Pick<
    IncomingMessage,
    "method" | "url" | "headers" | "rawHeaders" | "httpVersionMajor"
  >
  & { readonly httpVersionMinor: number };

/** `http://host:port/path?query`, as proxies are asked, and servers may be. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;
const HOST = "host";

/** The target that means the server itself, of `OPTIONS` alone. */
export const WHOLE_SERVER = "*";

/**
 * Brings the target into the form that routes are found by: what an absolute one
 * says of the host takes the place of the header (RFC 9112, 3.2.2). Gives what is
 * wrong with the head, or `undefined`.
 */
export function settleHead(req: Head): HeadProblem | undefined {
  const { url = "/" } = req;
  if (url.charCodeAt(0) !== 0x2f) {
    const problem = settleTarget(req, url);
    if (problem !== undefined) return problem;
  }
  if (isTwice(req.rawHeaders, HOST)) {
    return { status: 400, message: "the request has two headers Host" };
  }
  if (lacksLength(req)) {
    return { status: 411, message: "the request has no Content-Length" };
  }
  return undefined;
}

function settleTarget(req: Head, url: string): HeadProblem | undefined {
  if (url === WHOLE_SERVER && req.method === "OPTIONS") return undefined;
  const [, authority = "", rest = ""] = ABSOLUTE.exec(url) ?? [];
  if (authority === "") {
    return {
      status: 400,
      message: `the target of the request is no path: ${
        JSON.stringify(url.slice(0, 100))
      }`,
    };
  }
  req.headers.host = authority;
  if (rest === "" && req.method === "OPTIONS") req.url = WHOLE_SERVER;
  else req.url = rest.startsWith("/") ? rest : `/${rest}`;
  return undefined;
}

/** `node:http` keeps the first of them and says nothing. */
function isTwice(rawHeaders: readonly string[], wanted: string): boolean {
  let found = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === wanted.length && name.toLowerCase() === wanted) found++;
  }
  return found > 1;
}

/** HTTP/1.0 knows no other way to tell that a body follows (RFC 1945, 8.3). */
function lacksLength(
  { method, headers, httpVersionMajor, httpVersionMinor }: Head,
): boolean {
  return httpVersionMajor === 1 && httpVersionMinor === 0 &&
    (method === "POST" || method === "PUT" || method === "PATCH") &&
    headers["content-length"] === undefined &&
    headers["transfer-encoding"] === undefined;
}
