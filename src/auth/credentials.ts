/** Where a request carries its credential. */

/** Names in lower case; a header of which a request has several is a list. */
export type RequestHeaders = Readonly<
  Record<string, string | string[] | undefined>
>;

const SCHEME = "Bearer ";

/**
 * The token of a request: `X-Auth-Token`, and where that is absent or empty
 * `Authorization`, whose scheme must be exactly `Bearer `. `undefined`: none.
 */
export function findToken(headers: RequestHeaders): string | undefined {
  const own = headers["x-auth-token"];
  if (own !== undefined && own !== "") return single(own);
  const authorization = single(headers["authorization"]);
  if (authorization === undefined || !authorization.startsWith(SCHEME)) {
    return undefined;
  }
  const token = authorization.slice(SCHEME.length);
  return token === "" ? undefined : token;
}

/** A header sent twice is none: which of them counts would be a guess. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
