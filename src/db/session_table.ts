/**
 * Sessions: those that are open, and those that were ended before their time, which
 * matter until it has come.
 */
import type { Connection, Statement } from "./connection.ts";

/** Times in Unix seconds. */
export interface SessionRow {
  readonly id: string;
  readonly username: string;
  readonly beganSec: number;
  readonly expiresSec: number;
  /** Address of the client that logged in. */
  readonly from: string;
}

export class SessionTable {
  readonly #connection: Connection;
  readonly #begin: Statement<never>;
  readonly #close: Statement<never>;
  readonly #insert: Statement<never>;
  readonly #forgetRevoked: Statement<never>;
  readonly #forgetOpen: Statement<never>;
  readonly #list: Statement<{ id: string; expiresSec: number }>;
  readonly #listOpen: Statement<SessionRow>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#begin = connection.prepare(
      `INSERT INTO open_session (id, username, began_sec, expires_sec, from_address)
       VALUES (?, ?, ?, ?, ?)`,
    );
    this.#close = connection.prepare("DELETE FROM open_session WHERE id = ?");
    this.#insert = connection.prepare(
      `INSERT INTO revoked_session (id, expires_sec) VALUES (?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#forgetRevoked = connection.prepare(
      "DELETE FROM revoked_session WHERE expires_sec <= ?",
    );
    this.#forgetOpen = connection.prepare(
      "DELETE FROM open_session WHERE expires_sec <= ?",
    );
    this.#list = connection.prepare(
      "SELECT id, expires_sec AS expiresSec FROM revoked_session",
    );
    this.#listOpen = connection.prepare(
      `SELECT id, username, began_sec AS beganSec, expires_sec AS expiresSec,
       from_address AS "from" FROM open_session ORDER BY began_sec`,
    );
  }

  /** A new session. */
  begin({ id, username, beganSec, expiresSec, from }: SessionRow): void {
    this.#begin.run(id, username, beganSec, expiresSec, from);
  }

  /** `expiresSec`: when the session would have ended by itself, Unix seconds. */
  revoke(id: string, expiresSec: number): void {
    this.#connection.transaction(() => {
      this.#close.run(id);
      this.#insert.run(id, expiresSec);
    });
  }

  /** Those that matter at `nowSec`, with when they no longer do; forgets the others. */
  revoked(nowSec: number): [string, number][] {
    return this.#connection.transaction(() => {
      this.#forgetRevoked.run(nowSec);
      return this.#list.all().map(({ id, expiresSec }) => [id, expiresSec]);
    });
  }

  /** Those that are open at `nowSec`, oldest first; forgets the others. */
  open(nowSec: number): SessionRow[] {
    return this.#connection.transaction(() => {
      this.#forgetOpen.run(nowSec);
      return this.#listOpen.all();
    });
  }
}
