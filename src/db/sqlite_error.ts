/**
 * Turns SQLite's errors into those that a caller gets. Its result codes are those of
 * https://sqlite.org/rescode.html; the low byte is the primary one.
 */
import { ClientError } from "../base/errors.ts";

/** A parent row that a foreign key asks for is not there. */
const CONSTRAINT_FOREIGN_KEY = 787;

const BUSY = 5;
const LOCKED = 6;
/** Read-only, I/O error, damaged, disk full, cannot be opened, no database. */
const STORAGE_CODES = [8, 10, 11, 13, 14, 26];

/** The extended result code; undefined if the error is none of SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** Returns whether SQLite refused a row because a row that it names does not exist. */
export function isForeignKeyError(error: unknown): boolean {
  return sqliteCode(error) === CONSTRAINT_FOREIGN_KEY;
}

/** The same error, or what a client may know of it if the disk is the reason. */
export function explainSqliteError(error: unknown): unknown {
  const code = (sqliteCode(error) ?? 0) & 0xff;
  if (code === BUSY || code === LOCKED) {
    return new ClientError(
      "E_STORAGE",
      "the database is in use by another process",
      { cause: error, retryAfterSec: 1 },
    );
  }
  if (!STORAGE_CODES.includes(code) || !(error instanceof Error)) return error;
  return new ClientError(
    "E_STORAGE",
    `the database cannot be used: ${error.message}`,
    { cause: error },
  );
}
