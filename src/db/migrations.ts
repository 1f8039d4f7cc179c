/**
 * The versions of the schema. `application_id` says that a file is ours, and
 * `user_version` counts the migrations it has had; each is one transaction.
 */
import { assert } from "../base/assert.ts";
import type { Connection } from "./connection.ts";
import { ACCESS_SCHEMA } from "./schema_access.ts";
import { ACCOUNT_SCHEMA } from "./schema_account.ts";
import { ARCHIVE_RETRY_SCHEMA } from "./schema_archive_retry.ts";
import { IDENTITY_SCHEMA } from "./schema_identity.ts";
import { JOB_SCHEMA } from "./schema_jobs.ts";

/** "ring" in ASCII. */
const APPLICATION_ID = 0x72696e67;

const MIGRATIONS: readonly string[] = [
  ACCESS_SCHEMA,
  JOB_SCHEMA,
  ACCOUNT_SCHEMA,
  ARCHIVE_RETRY_SCHEMA,
  IDENTITY_SCHEMA,
];

/** The database is not one this program can use; the message says what to do. */
export class SchemaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SchemaError";
  }
}

/** Throws a {@linkcode SchemaError} unless the file is empty or ours and not newer. */
export function checkSchema(
  connection: Connection,
  migrations: readonly string[] = MIGRATIONS,
): void {
  const version = schemaVersion(connection);
  const objects = connection.prepare<{ count: number }>(
    "SELECT count(*) AS count FROM sqlite_schema",
  ).get()?.count;
  if (objects === 0 && version === 0) return;
  if (connection.pragma("application_id") !== APPLICATION_ID) {
    throw new SchemaError(
      "it was made by another program (cc-backend has the same file name): " +
        "name another file in main.db, or move this one away",
    );
  }
  if (version > migrations.length) {
    throw new SchemaError(
      `its schema has version ${version}, this program knows up to ` +
        `${migrations.length}: run the newer ringstore that made it, or put back ` +
        "the database as it was before",
    );
  }
}

/** Brings a database that {@linkcode checkSchema} accepts to the newest version. */
export function migrate(
  connection: Connection,
  migrations: readonly string[] = MIGRATIONS,
): void {
  migrations.forEach((sql, i) => {
    connection.transaction(() => {
      // Another process may have been faster.
      if (schemaVersion(connection) > i) return;
      connection.exec(sql);
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      connection.exec(`PRAGMA user_version = ${i + 1}`);
    });
  });
}

function schemaVersion(connection: Connection): number {
  const version = connection.pragma("user_version");
  assert(typeof version === "number", "every database has a user_version");
  return version;
}
