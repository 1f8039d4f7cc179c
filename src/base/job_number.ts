/**
 * Ids that batch systems give: integers of 64 bits (`cluster << 32 | process << 2` of
 * HTCondor, Flux), of which a double holds those up to 2^53 only. Pure; any thread.
 *
 * Invariant: a {@linkcode JobNumber} is a `number` where that is exact and a `bigint`
 * elsewhere, so that `===` compares ids. `JSON.parse` would round the long ones and
 * `JSON.stringify` refuses them: {@linkcode parseExact} and {@linkcode jsonNumber} do
 * neither.
 */

/** A safe integer, or else a `bigint`. */
export type JobNumber = number | bigint;

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

const INTEGER = /^-?\d+$/;
/** Fewer digits in a row are exact. */
const LONG_DIGITS = /\d{16}/;

/** The id of an integer of 64 bits. */
export function jobNumber(value: bigint): JobNumber {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The id that digits stand for; `undefined`: they are none of 64 bits. */
export function parseJobNumber(digits: string): JobNumber | undefined {
  if (!INTEGER.test(digits) || digits.length > 20) return undefined;
  const value = BigInt(digits);
  return value < INT64_MIN || value > INT64_MAX ? undefined : jobNumber(value);
}

/** Digits that `JSON.stringify` writes as they are. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** Not in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): RawNumber };

/** An id as a value for `JSON.stringify`. */
export function jsonNumber(id: JobNumber): number | RawNumber {
  return typeof id === "number" ? id : rawJSON(String(id));
}

type Reviver = (
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;

const keepLong: Reviver = (_key, value, { source }) =>
  typeof value !== "number" || Number.isSafeInteger(value)
    ? value
    : parseJobNumber(source ?? "") ?? value;

/** `JSON.parse` that gives integers beyond 2^53 as `bigint`, up to 64 bits. */
export function parseExact(text: string): unknown {
  return LONG_DIGITS.test(text)
    ? JSON.parse(text, keepLong as (key: string, value: unknown) => unknown)
    : JSON.parse(text);
}

/** Writes a value of {@linkcode parseExact} as JSON, numbers with all their digits. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, one) => typeof one === "bigint" ? jsonNumber(one) : one,
  );
}
