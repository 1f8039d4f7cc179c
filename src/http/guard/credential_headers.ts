/** The headers of a request as authentication wants them. */
import type { IncomingMessage } from "node:http";
import type { RequestHeaders } from "../../access/mod.ts";

const AUTHORIZATION = "authorization";
const AUTH_TOKEN = "x-auth-token";

/**
 * The headers, with a credential that was sent twice as the list of both:
 * `node:http` keeps the first `Authorization` and joins other headers, and a
 * proxy in front of us may have looked at another one than we would.
 */
export function credentialHeaders(req: IncomingMessage): RequestHeaders {
  const { rawHeaders } = req;
  let authorizations = 0;
  let authTokens = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // Spares most names the change of case.
    if (name.length === AUTHORIZATION.length) {
      if (name.toLowerCase() === AUTHORIZATION) authorizations++;
    } else if (name.length === AUTH_TOKEN.length) {
      if (name.toLowerCase() === AUTH_TOKEN) authTokens++;
    }
  }
  if (authorizations < 2 && authTokens < 2) return req.headers;
  return {
    ...req.headers,
    [AUTHORIZATION]: oneOrAll(req.headersDistinct[AUTHORIZATION]),
    [AUTH_TOKEN]: oneOrAll(req.headersDistinct[AUTH_TOKEN]),
  };
}

function oneOrAll(values: string[] | undefined): string | string[] | undefined {
  return values?.length === 1 ? values[0] : values;
}
