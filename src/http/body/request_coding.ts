/** What `Content-Encoding` says of a request body, and the words for a body that is not so. */
import { ClientError } from "../../base/errors.ts";

export type RequestCoding = "identity" | "gzip" | "zstd";

/** The coding of a `Content-Encoding` header; throws `E_ENCODING` for others. */
export function requestCoding(header: string | undefined): RequestCoding {
  const name = header?.trim().toLowerCase() ?? "";
  switch (name) {
    case "":
    case "identity":
      return "identity";
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "zstd":
      return "zstd";
    default:
      throw new ClientError(
        "E_ENCODING",
        `Content-Encoding: expected gzip, zstd or identity, got ${
          JSON.stringify(name.slice(0, 40))
        }`,
      );
  }
}

/** The error for a body that its coding does not describe. */
export function malformedBody(
  coding: "gzip" | "zstd",
  reason: string,
): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `the body is not valid ${coding}: ${reason}`,
  );
}
