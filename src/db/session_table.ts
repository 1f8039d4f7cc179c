/** Sessions that were ended before their time; they matter until it has come. */
import type { Connection, Statement } from "./connection.ts";

export class SessionTable {
  readonly #connection: Connection;
  readonly #insert: Statement<never>;
  readonly #forget: Statement<never>;
  readonly #list: Statement<{ id: string; expiresSec: number }>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.prepare(
      `INSERT INTO revoked_session (id, expires_sec) VALUES (?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#forget = connection.prepare(
      "DELETE FROM revoked_session WHERE expires_sec <= ?",
    );
    this.#list = connection.prepare(
      "SELECT id, expires_sec AS expiresSec FROM revoked_session",
    );
  }

  /** `expiresSec`: when the session would have ended by itself, Unix seconds. */
  revoke(id: string, expiresSec: number): void {
    this.#insert.run(id, expiresSec);
  }

  /** Those that matter at `nowSec`, with when they no longer do; forgets the others. */
  revoked(nowSec: number): [string, number][] {
    return this.#connection.transaction(() => {
      this.#forget.run(nowSec);
      return this.#list.all().map(({ id, expiresSec }) => [id, expiresSec]);
    });
  }
}
