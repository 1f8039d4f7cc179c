/** JSON out of request bodies, and words for what a schema finds wrong with it. */
import { Buffer } from "node:buffer";
import type { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import { firstJsonText } from "../../base/json/first_json_value.ts";
import { errorText } from "../../base/log.ts";

/** A body of JSON on the metric routes takes no more, inflated. */
export const JSON_BYTES_MAX = 32 << 20;
/**
 * The same of a person: reading one costs the thread that serves everybody, and a
 * page of the web interface asks for a hundredth of it.
 */
export const PERSONAL_JSON_BYTES_MAX = 1 << 20;
/** Arrays and objects of a body: as many as a query may ask for entries. */
const CONTAINERS_MAX = 1 << 20;
/** Members of all its objects. */
const MEMBERS_MAX = 1 << 21;
/** Bodies up to here cannot hold enough to be worth a look. */
const PLAIN_BYTES = 1 << 20;

/**
 * The first JSON value of a body; like upstream's decoder it does not look at
 * what follows. Throws `E_BAD_REQUEST` (`EOF` for an empty body), and `E_TOO_LARGE`
 * for one that would be far larger in memory than on the wire.
 */
export function parseJson(body: Uint8Array): unknown {
  checkSize(body);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString("utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    if (text.trim() === "") throw new ClientError("E_BAD_REQUEST", "EOF");
    return parseFirstOf(text, error);
  }
}

/** Throws `E_BAD_REQUEST` with the error of the whole text if the first value is none either. */
function parseFirstOf(text: string, cause: unknown): unknown {
  try {
    return JSON.parse(firstJsonText(text));
  } catch {
    // The client sent the whole text: the error of that tells more.
    throw new ClientError("E_BAD_REQUEST", `not JSON: ${errorText(cause)}`, {
      cause,
    });
  }
}

function checkSize(body: Uint8Array): void {
  if (body.length <= PLAIN_BYTES) return;
  const size = new JsonSize();
  size.add(body, 0, body.length);
  size.check();
}

/**
 * A body of nothing but brackets takes forty times its size, and the collector of
 * garbage minutes: the whole server would stand still, or run out of memory.
 */
export class JsonSize {
  #containers = 0;
  #members = 0;

  /** Counts what is in a part of a body. */
  add(body: Uint8Array, from: number, to: number): void {
    let containers = 0;
    let members = 0;
    for (let i = from; i < to; i++) {
      const byte = body[i];
      // Those inside of texts count as well, which harms nobody.
      if (byte === 0x5b || byte === 0x7b) containers++;
      else if (byte === 0x3a) members++;
    }
    this.#containers += containers;
    this.#members += members;
  }

  /** Throws `E_TOO_LARGE` where there is more than is taken. */
  check(): void {
    const [what, count, max] = this.#containers > CONTAINERS_MAX
      ? ["lists and objects", this.#containers, CONTAINERS_MAX] as const
      : ["members", this.#members, MEMBERS_MAX] as const;
    if (count <= max) return;
    throw new ClientError(
      "E_TOO_LARGE",
      `the body has ${count} ${what}, at most ${max} are taken`,
    );
  }
}

/**
 * The value as a list of texts. Throws `E_BAD_REQUEST` at the first that is none:
 * a schema would note all of them, for which there may be no memory. `path` is
 * asked only then.
 */
export function textsOf(value: unknown, path: () => string): string[] {
  if (!Array.isArray(value)) {
    throw unexpected(path(), "an array of texts", value);
  }
  for (let index = 0; index < value.length; index++) {
    if (typeof value[index] !== "string") {
      throw unexpected(`${path()}[${index}]`, "a text", value[index]);
    }
  }
  return value;
}

/** The refusal of a value that is not what is expected at that place. */
export function unexpected(
  path: string,
  wanted: string,
  got: unknown,
): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `${path}: expected ${wanted}, got ${shownValue(got)}`,
  );
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
  // A long one is cut before it is written: it may be the whole body.
  const short = Array.isArray(value)
    ? value.slice(0, SHOWN_CHARS)
    : typeof value === "string"
    ? value.slice(0, SHOWN_CHARS)
    : value;
  return (JSON.stringify(short) ?? String(short)).slice(0, SHOWN_CHARS);
}
