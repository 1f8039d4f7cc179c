/** Answers that are asked for again and again, and are mostly the same (web 4.1). */
import { createHash } from "node:crypto";
import { type ApiAnswer, type ApiCall, json } from "../../http/api_route.ts";

const HASH_CHARS = 22;

/**
 * 200 with `value`, or 304 where the client has it. `same`: what the tag is made of,
 * where parts of the answer differ each time without meaning anything.
 */
export function taggedJson(
  call: Pick<ApiCall, "headers">,
  value: unknown,
  same: unknown = value,
): ApiAnswer {
  const hash = createHash("sha256").update(JSON.stringify(same))
    .digest("base64url").slice(0, HASH_CHARS);
  const tag = `W/"${hash}"`;
  const headers = { "ETag": tag, "Cache-Control": "private, no-cache" };
  return hasTag(call, tag)
    ? { status: 304, headers, body: "" }
    : json(200, value, headers);
}

function hasTag({ headers }: Pick<ApiCall, "headers">, tag: string): boolean {
  const known = headers["if-none-match"];
  return typeof known === "string" &&
    known.split(",").some((one) => one.trim() === tag);
}
