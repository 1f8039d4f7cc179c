/**
 * How bodies of the job API and payloads of its messages become values: one way
 * for all of them. Pure; runs on any thread.
 *
 * The first JSON value of the text counts, the rest is ignored. `null` for a key is the
 * same as no key. Unknown keys are refused wherever they are. Integers are written as
 * integers: `1.0` and `1e3` are refused, as are numbers that a double cannot hold
 * exactly. Nothing is coerced.
 */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import { INT64_MIN, jobNumber, parseJobNumber } from "../../base/job_number.ts";
import { NumberText, parseFirst } from "../../base/json/first_json_value.ts";

/** Longest part of a wrong value that an error shows. */
const SHOWN_CHARS = 60;

/** An integer of the range, both ends included; `words` says which it is. */
function integer(min: number, max: number, words: string) {
  return z.int({ error: `expected ${words}` }).min(min, {
    error: `expected ${words}`,
  }).max(max, { error: `expected ${words}` });
}

export const int32 = integer(-(2 ** 31), 2 ** 31 - 1, "an integer of 32 bits");

/** 64 bits on the wire; beyond 2^53 a double would round, so what is no id is refused. */
export const int64 = integer(
  Number.MIN_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER,
  "an integer, at most 2^53 - 1 either side of zero",
);

/** An id of the batch system: all 64 bits count, and `least` at least. */
export function longId(least: bigint = INT64_MIN) {
  const words = least === INT64_MIN
    ? "an integer of 64 bits"
    : `an integer of 64 bits, at least ${least}`;
  return z.preprocess(
    integerValue,
    z.bigint({ error: `expected ${words}` })
      .min(least, { error: `expected ${words}` })
      .transform(jobNumber),
  );
}

/** The integer of 64 bits that a value is; any other value as it is. */
function integerValue(value: unknown): unknown {
  if (typeof value === "number") {
    return Number.isInteger(value) ? BigInt(value) : value;
  }
  if (!(value instanceof NumberText)) return value;
  const id = parseJobNumber(value.source);
  return id === undefined ? value : BigInt(id);
}

export const text = z.string({ error: "expected a text" })
  // Half a surrogate pair cannot be stored; upstream replaces it as well.
  .overwrite((value) => value.toWellFormed());

/** Any finite number, however it is written. */
export const number = z.preprocess(
  (value) => value instanceof NumberText ? value.value : value,
  z.number({ error: "expected a number" }),
);

/** A list of such items. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item, { error: "expected a list" });
}

/** One of some words; an empty one is not told of. */
export function oneOf<const Word extends string>(words: readonly Word[]) {
  const told = words.filter((word) => word !== "");
  return z.enum(words, { error: `expected one of ${told.join(", ")}` });
}

/** An object with these keys and no others. */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: objectError });
}

/** An object with any keys, `__proto__` too: a record of Zod's leaves that one out. */
export function mapOf<Value extends z.ZodType>(value: Value) {
  return z.preprocess(
    (given) => isObject(given) ? new Map(Object.entries(given)) : given,
    z.map(z.string(), value, { error: "expected an object" })
      .transform((entries) =>
        Object.fromEntries(entries) as Record<string, z.output<Value>>
      ),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof NumberText);
}

/** Unknown keys have their own words, in {@linkcode refusal}. */
function objectError(issue: { code?: string }): string | undefined {
  return issue.code === "unrecognized_keys" ? undefined : "expected an object";
}

/** The schema's value of a body, or `E_BAD_REQUEST` naming what is wrong with it. */
export function decodeRequest<Output>(
  schema: z.ZodType<Output>,
  body: Uint8Array | string,
): Output {
  const value = parseFirst(
    typeof body === "string"
      ? body
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
        .toString("utf8"),
  );
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw issue === undefined
    ? new ClientError("E_BAD_REQUEST", "the body is not as expected")
    : refusal(issue);
}

function refusal(issue: z.core.$ZodIssue): ClientError {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const key = pathText([...issue.path, issue.keys[0] ?? ""]);
    return new ClientError("E_BAD_REQUEST", `unknown key ${key}`);
  }
  const where = path === "" ? "the body" : path;
  const got = issue.input === undefined
    ? typeof issue.path.at(-1) === "number" || path === "" ? "null" : "nothing"
    : shown(issue.input);
  return new ClientError(
    "E_BAD_REQUEST",
    `${where}: ${issue.message}, got ${got}`,
  );
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) =>
    typeof key === "number"
      ? `[${key}]`
      : (i === 0 ? "" : ".") + String(key).slice(0, SHOWN_CHARS)
  ).join("");
}

function shown(value: unknown): string {
  // JSON has no infinity: its parser makes infinity of 1e400.
  if (typeof value === "number" && !Number.isFinite(value)) {
    return "a number out of range";
  }
  const full = value instanceof NumberText
    ? value.source
    : typeof value === "bigint"
    ? String(value)
    : JSON.stringify(value) ?? String(value);
  return full.length > SHOWN_CHARS ? `${full.slice(0, SHOWN_CHARS)}…` : full;
}
