/** What instances, policies and tokens have in common on the wire. */
import type { Versioned } from "../../db/versioned.ts";
import { ClientError } from "../../base/errors.ts";

/** A resource as it is answered, and its version for the `ETag`. */
export interface Shown<Value> {
  readonly value: Value;
  readonly version: number;
}

/** Checks that a version is the one the client has seen, else throws 412. */
export type VersionCheck = (version: number) => void;

/** The row; throws `E_NOT_FOUND`. */
export function demand<Row extends Versioned>(
  kind: string,
  name: string,
  row: Row | undefined,
): Row {
  if (row !== undefined) return row;
  throw new ClientError("E_NOT_FOUND", `there is no ${kind} ${name}`);
}

/** Throws `E_BAD_REQUEST` where a request would change what cannot change. */
export function checkSame(
  field: string,
  given: string | undefined,
  kept: string,
): void {
  if (given === undefined || given === kept) return;
  throw new ClientError(
    "E_BAD_REQUEST",
    `${field}: it cannot change from ${JSON.stringify(kept)} to ${
      JSON.stringify(given.slice(0, 100))
    }`,
  );
}

/** Throws `E_CONFLICT` where there are so many that one more is refused. */
export function checkCount(kind: string, count: number, max: number): void {
  if (count < max) return;
  throw new ClientError(
    "E_CONFLICT",
    `there are ${count} ${kind}, inactive ones included, and at most ${max} are kept`,
  );
}

export function badRequest(message: string): ClientError {
  return new ClientError("E_BAD_REQUEST", message);
}
