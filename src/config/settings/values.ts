/**
 * The kinds of values a configuration knows. Each carries what it expects in
 * words, which are both the error message and the type column of the
 * documentation, so the two cannot differ.
 */
import { z } from "zod";
import { type ListenAddress, parseAddress } from "./address.ts";
import { parseDuration } from "./duration.ts";

const DURATION = 'a duration such as "48h", "1h30m" or "90s"';
const POSITIVE_DURATION = 'a duration above zero, such as "48h" or "90s"';
const SIZE = 'bytes, as an integer or as text such as "64MiB"';
const ADDRESS = '"host:port", such as "localhost:8082"';

const BYTES_BY_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Text of any content. */
export function text() {
  return z.string({ error: "a text" }).meta({ expected: "a text" });
}

/** Text that must not be shown in messages. */
export function secretText() {
  return z.string({ error: "a text" })
    .meta({ expected: "a text", secret: true });
}

/** Text that must not be empty. */
export function name() {
  const expected = "a text that is not empty";
  return z.string({ error: expected }).min(1, expected).meta({ expected });
}

/** `true` or `false`. */
export function flag() {
  return z.boolean({ error: "true or false" })
    .meta({ expected: "true or false" });
}

/** A list of such items; `what` names them in the plural. */
export function list<Item extends z.ZodType>(item: Item, what: string) {
  const expected = `a list of ${what}`;
  return z.array(item, { error: expected }).meta({ expected });
}

/** An integer between two bounds, both included; either may be absent. */
export function integer(least?: number, most?: number) {
  const bounds = [
    least === undefined ? [] : `of at least ${least}`,
    most === undefined ? [] : `of at most ${most}`,
  ].flat();
  const expected = ["an integer", bounds.join(" and ")].join(" ").trim();
  let schema = z.int({ error: expected });
  if (least !== undefined) schema = schema.min(least, expected);
  if (most !== undefined) schema = schema.max(most, expected);
  return schema.meta({ expected });
}

/** A number of at least 0, fractions allowed. */
export function amount() {
  const expected = "a number of at least 0";
  return z.number({ error: expected }).min(0, expected).meta({ expected });
}

/** The same, or -1. */
export function amountOrNone() {
  const expected = "a number of at least 0, or -1";
  return z.number({ error: expected })
    .refine((value) => value >= 0 || value === -1, { error: expected })
    .meta({ expected });
}

/** One of these words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  ...words: Words
) {
  const expected = words.map((word) => `"${word}"`).join(" or ");
  return z.enum(words, { error: expected }).meta({ expected });
}

/** Becomes seconds, at least 0. */
export function duration() {
  return durationFrom(DURATION, (sec) => sec >= 0);
}

/** Becomes seconds, more than 0. */
export function positiveDuration() {
  return durationFrom(POSITIVE_DURATION, (sec) => sec > 0);
}

function durationFrom(expected: string, fits: (sec: number) => boolean) {
  return z.string({ error: expected }).transform((text, context) => {
    const sec = parseDuration(text);
    if (sec !== undefined && fits(sec)) return sec;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  }).meta({ expected });
}

/** Becomes a number of bytes, at least 0. */
export function size() {
  return z.union([z.string(), z.number()], { error: SIZE })
    .transform((value, context) => {
      const bytes = typeof value === "number" ? value : parseSize(value);
      if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0) {
        return bytes;
      }
      context.addIssue({ code: "custom", message: SIZE });
      return z.NEVER;
    }).meta({ expected: SIZE });
}

function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text);
  const unit = BYTES_BY_UNIT[match?.[2] ?? "?"];
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}

/** Becomes a {@linkcode ListenAddress}. */
export function address() {
  return z.string({ error: ADDRESS }).transform(
    (text, context): ListenAddress => {
      const parsed = parseAddress(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: "custom", message: ADDRESS });
      return z.NEVER;
    },
  ).meta({ expected: ADDRESS });
}

/** `""`, or the address of a web server. */
export function webUrl() {
  const expected = 'a URL such as "https://host:8080"';
  return z.string({ error: expected })
    .refine((text) => text === "" || /^https?:$/.test(protocolOf(text)), {
      error: expected,
    })
    .meta({ expected });
}

function protocolOf(text: string): string {
  return URL.parse(text)?.protocol ?? "";
}

/** An object of exactly these keys. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    // Unknown keys get their message where the known ones can be listed.
    error: (issue) => issue.code === "invalid_type" ? "an object" : undefined,
  }).meta({ expected: "an object" });
}

/** An object whose keys are names of the operator's choice. */
export function named<Value extends z.ZodType>(value: Value, what: string) {
  const expected = `an object with an entry for each ${what}`;
  return z.record(
    z.string().min(1, "a name that is not empty"),
    value,
    { error: (issue) => issue.code === "invalid_type" ? expected : undefined },
  ).meta({ expected });
}

/** A part of cc-backend's configuration that is accepted and not looked into. */
export function ignored() {
  return z.unknown().meta({ expected: "anything" });
}
