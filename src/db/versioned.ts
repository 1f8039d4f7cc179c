/**
 * Common parts of instances, policies and tokens: a name that stays taken, a status in
 * place of deletion, and a version that counts from 1 and rises with every change. A
 * client names the version that it has seen.
 */
import { ClientError } from "../base/errors.ts";

export type ResourceStatus = "active" | "inactive";

export interface Versioned {
  readonly name: string;
  readonly displayName: string;
  /** RFC 3339 in UTC with microseconds. */
  readonly createdAt: string;
  readonly status: ResourceStatus;
  readonly version: number;
}

/** The columns of a new row that the caller gives. */
export type New<Row extends Versioned> = Omit<
  Row,
  "createdAt" | "status" | "version"
>;

export interface ListOptions {
  readonly includeInactive?: boolean;
}

/** 409: the name is taken, be it by one that is inactive. */
export function nameTaken(kind: string, name: string): ClientError {
  return new ClientError(
    "E_CONFLICT",
    `name: ${kind} ${name} exists already`,
  );
}

/**
 * Throws a {@linkcode ClientError}: 404 if there is no row, 412 if it has another
 * version than `expected`; undefined expects none.
 */
export function demandVersion<Row extends Versioned>(
  kind: string,
  name: string,
  row: Row | undefined,
  expected: number | undefined,
): Row {
  if (row === undefined) {
    throw new ClientError("E_NOT_FOUND", `there is no ${kind} ${name}`);
  }
  if (expected !== undefined && row.version !== expected) {
    throw new ClientError(
      "E_PRECONDITION",
      `${kind} ${name} has version ${row.version}, not ${expected}`,
    );
  }
  return row;
}
