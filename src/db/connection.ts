/**
 * The narrow SQL layer below the tables: one connection, typed prepared statements,
 * transactions. Everything is synchronous: it runs in the database worker, or in the
 * process of a command, never in the server's main thread.
 */
import { DatabaseSync } from "node:sqlite";
import { ClientError } from "../base/errors.ts";

/** Characters of a refused text that the message shows. */
const SHOWN_CHARS = 60;

/**
 * A value that can be bound to a parameter. Integers beyond 2^53 are bound as `bigint`;
 * a query that selects a column that may have them asks for their digits
 * (`job_columns.ts`).
 */
export type SqlValue = string | number | bigint | null | Uint8Array;

/**
 * Throws `E_BAD_REQUEST` for a text that SQLite would give back cut off: its texts
 * end at the first NUL.
 */
function whole(values: readonly SqlValue[]): readonly SqlValue[] {
  for (const value of values) {
    if (typeof value !== "string" || !value.includes("\0")) continue;
    throw new ClientError(
      "E_BAD_REQUEST",
      `a text with the character NUL cannot be kept: ${
        JSON.stringify(value.slice(0, SHOWN_CHARS))
      }`,
    );
  }
  return values;
}

/** A prepared statement whose rows have the columns of `Row`. */
export interface Statement<Row> {
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
  run(...values: SqlValue[]): { changes: number; lastInsertRowid: number };
}

export class Connection {
  readonly #database: DatabaseSync;
  // Errors of prepared statements have the code that `exec` leaves out.
  readonly #begin: Statement<never>;
  readonly #commit: Statement<never>;
  readonly #rollback: Statement<never>;

  /** `busyTimeoutMs`: how long a statement waits for another process's transaction. */
  constructor(path: string, busyTimeoutMs: number) {
    this.#database = new DatabaseSync(path, {
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      timeout: busyTimeoutMs,
    });
    this.#begin = this.prepare("BEGIN IMMEDIATE");
    this.#commit = this.prepare("COMMIT");
    this.#rollback = this.prepare("ROLLBACK");
  }

  /**
   * Prepares a statement. The caller's `Row` must have the columns that the SQL
   * selects.
   */
  prepare<Row = never>(sql: string): Statement<Row> {
    const statement = this.#database.prepare(sql) as unknown as Statement<Row>;
    return {
      get: (...values) => statement.get(...whole(values)),
      all: (...values) => statement.all(...whole(values)),
      run: (...values) => statement.run(...whole(values)),
    };
  }

  /** Runs statements without parameters and without rows. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** The only value of the only row that a pragma answers with. */
  pragma(text: string): string | number | undefined {
    const row = this.prepare<Record<string, string | number>>(`PRAGMA ${text}`)
      .get();
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /**
   * Runs `work` in one transaction: all of it takes effect, or nothing. It takes the
   * write lock at once, so that values that it reads still hold when it writes. Inside
   * another transaction it is a part of that one.
   */
  transaction<Result>(work: () => Result): Result {
    if (this.#database.isTransaction) return work();
    this.#begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      // A full disk and the like have rolled it back already.
      if (this.#database.isTransaction) this.#rollback.run();
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}
