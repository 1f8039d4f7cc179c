/** JSON out of request bodies, and words for what a schema finds wrong with it. */
import { Buffer } from "node:buffer";
import type { z } from "zod";
import { ClientError } from "../errors.ts";

/**
 * The first JSON value of a body; like upstream's decoder it does not look at
 * what follows. Throws `E_BAD_REQUEST` (`EOF` for an empty body).
 */
export function parseJson(body: Uint8Array): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString("utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    if (text.trim() === "") throw new ClientError("E_BAD_REQUEST", "EOF");
    const reason = error instanceof Error ? error.message : String(error);
    const rest =
      /^Unexpected non-whitespace character after JSON at position (\d+)/
        .exec(reason);
    if (rest !== null) return JSON.parse(text.slice(0, Number(rest[1])));
    throw new ClientError("E_BAD_REQUEST", `not JSON: ${reason}`, {
      cause: error,
    });
  }
}

/** Checks against a schema; throws `E_BAD_REQUEST` naming the first wrong field. */
export function checkSchema<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
): Output {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === "unrecognized_keys") {
    const path = [...issue.path, issue.keys[0]].map(String).join(".");
    throw new ClientError("E_BAD_REQUEST", `${path}: unknown field`);
  }
  const where = issue?.path.map(String).join(".") || "the body";
  const got = issue?.input === undefined
    ? ""
    : `, got ${shownValue(issue.input)}`;
  throw new ClientError("E_BAD_REQUEST", `${where}: ${issue?.message}${got}`);
}

/** Longest part of a wrong value that an error shows. */
const SHOWN_CHARS = 60;

/** A wrong value as an error shows it. */
export function shownValue(value: unknown): string {
  // JSON has no infinity: that is what its parser makes of 1e400.
  if (value === Infinity || value === -Infinity) {
    return "a number out of range";
  }
  return (JSON.stringify(value) ?? String(value)).slice(0, SHOWN_CHARS);
}
