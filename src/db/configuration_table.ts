/** What users have set for themselves: JSON texts by key. They go with the user. */
import { ClientError } from "../errors.ts";
import type { Connection, Statement } from "./connection.ts";
import { isForeignKeyError } from "./sqlite_error.ts";

export class ConfigurationTable {
  readonly #get: Statement<{ key: string; value: string }>;
  readonly #set: Statement<never>;

  constructor(connection: Connection) {
    this.#get = connection.prepare(
      "SELECT key, value FROM configuration WHERE username = ? ORDER BY key",
    );
    this.#set = connection.prepare(
      `INSERT INTO configuration (username, key, value) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value`,
    );
  }

  /** The JSON texts of a user, by key. */
  get(username: string): Map<string, string> {
    return new Map(
      this.#get.all(username).map(({ key, value }) => [key, value]),
    );
  }

  /** Throws a {@linkcode ClientError} (404) if there is no such user. */
  set(username: string, key: string, value: string): void {
    try {
      this.#set.run(username, key, value);
    } catch (error) {
      if (!isForeignKeyError(error)) throw error;
      throw new ClientError("E_NOT_FOUND", `there is no user ${username}`, {
        cause: error,
      });
    }
  }
}
