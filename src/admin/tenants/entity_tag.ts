/** Versions of resources on the wire: `ETag: "3"` and `If-Match` (RFC 9110, 13.1.1). */
import { ClientError } from "../../base/errors.ts";

/** The header that goes with a resource of that version. */
export function entityTag(version: number): { readonly ETag: string } {
  return { ETag: `"${version}"` };
}

/**
 * Throws `E_PRECONDITION` (412) where the header names versions and not this one.
 * Taken without quotes too; a weak tag never matches.
 */
export function checkIfMatch(
  header: string | string[] | undefined,
  version: number,
): void {
  if (header === undefined) return;
  const given = Array.isArray(header) ? header.join(",") : header;
  const tags = given.split(",").map((tag) => tag.trim());
  const matches = tags.some((tag) =>
    tag === "*" || tag === `"${version}"` || tag === String(version)
  );
  if (matches) return;
  throw new ClientError(
    "E_PRECONDITION",
    `If-Match: the version is "${version}", not ${given.slice(0, 100)}`,
  );
}
