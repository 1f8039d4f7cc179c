/**
 * Settings that users made for themselves: JSON texts by key. They are deleted with the
 * user.
 */
import { Buffer } from "node:buffer";
import { ClientError } from "../base/errors.ts";
import type { Connection, Statement } from "./connection.ts";
import { isForeignKeyError } from "./sqlite_error.ts";

/** Settings of one user, and the bytes of all of them: every user could fill the disk. */
const KEYS_MAX = 256;
const BYTES_MAX = 1 << 20;

export class ConfigurationTable {
  readonly #connection: Connection;
  readonly #get: Statement<{ key: string; value: string }>;
  readonly #set: Statement<never>;

  readonly #others: Statement<{ keys: number; bytes: number }>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#others = connection.prepare(
      `SELECT count(*) AS keys,
       coalesce(sum(octet_length(key) + octet_length(value)), 0) AS bytes
       FROM configuration WHERE username = ? AND key <> ?`,
    );
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

  /**
   * Throws a {@linkcode ClientError}: 404 if there is no such user, 422 where the user
   * would have too many settings, or too long ones.
   */
  set(username: string, key: string, value: string): void {
    try {
      this.#connection.transaction(() => {
        const others = this.#others.get(username, key);
        const size = Buffer.byteLength(key) + Buffer.byteLength(value);
        if (others !== undefined && others.keys >= KEYS_MAX) {
          throw new ClientError(
            "E_UNPROCESSABLE",
            `key: a user has at most ${KEYS_MAX} settings`,
          );
        }
        if (others !== undefined && others.bytes + size > BYTES_MAX) {
          throw new ClientError(
            "E_UNPROCESSABLE",
            `value: the settings of a user have at most ${BYTES_MAX} bytes, with this one there were ${
              others.bytes + size
            }`,
          );
        }
        this.#set.run(username, key, value);
      });
    } catch (error) {
      if (!isForeignKeyError(error)) throw error;
      throw new ClientError("E_NOT_FOUND", `there is no user ${username}`, {
        cause: error,
      });
    }
  }
}
