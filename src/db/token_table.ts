/** Tokens of the admin API. The table keeps only the SHA-256 of a secret. */
import { nowRfc3339 } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import type { Connection, Statement } from "./connection.ts";
import { type RowChanges, versionTracker } from "./row_changes.ts";
import {
  demandVersion,
  type ListOptions,
  nameTaken,
  type New,
  type Versioned,
} from "./versioned.ts";

export interface TokenRow extends Versioned {
  /** 32 bytes. */
  readonly secretSha256: Uint8Array;
  /** Name of the policy. */
  readonly accessPolicy: string;
  /** RFC 3339, as the client wrote it; `null`: none. */
  readonly expiration: string | null;
}

const SELECT = `SELECT name, display_name AS displayName,
  created_at AS createdAt, status, secret_sha256 AS secretSha256,
  access_policy AS accessPolicy, expiration, version FROM token`;

export class TokenTable {
  readonly #tracker = versionTracker<TokenRow>();
  readonly #connection: Connection;
  readonly #count: Statement<{ count: number }>;
  readonly #get: Statement<TokenRow>;
  readonly #list: Statement<TokenRow>;
  readonly #insert: Statement<never>;
  readonly #revoke: Statement<never>;
  readonly #activePolicy: Statement<{ name: string }>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#count = connection.prepare("SELECT count(*) AS count FROM token");
    this.#get = connection.prepare(`${SELECT} WHERE name = ?`);
    this.#list = connection.prepare(
      `${SELECT} WHERE status = 'active' OR ? ORDER BY name`,
    );
    this.#insert = connection.prepare(
      `INSERT INTO token (name, display_name, created_at, status, secret_sha256,
       access_policy, expiration, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO NOTHING`,
    );
    this.#revoke = connection.prepare(
      "UPDATE token SET status = 'inactive', version = ? WHERE name = ?",
    );
    this.#activePolicy = connection.prepare(
      "SELECT name FROM policy WHERE name = ? AND status = 'active'",
    );
  }

  get(name: string): TokenRow | undefined {
    const row = this.#get.get(name);
    return row && { ...row };
  }

  /** Returns the number of tokens, inactive ones included. */
  count(): number {
    return this.#count.get()?.count ?? 0;
  }

  /** By name; active ones only, unless asked otherwise. */
  list(options: ListOptions = {}): TokenRow[] {
    return this.#list.all(Number(options.includeInactive === true))
      .map((row) => ({ ...row }));
  }

  /**
   * Returns the rows changed after generation `since`, and the names deleted after it.
   */
  changes(since: number): RowChanges<TokenRow> {
    return this.#tracker.take(this.list({ includeInactive: true }), since);
  }

  /** Throws a `ClientError`: 409 if the name is taken, 400 if no active policy is named. */
  create(token: New<TokenRow>): TokenRow {
    return this.#connection.transaction(() => {
      const { name, displayName, secretSha256, accessPolicy, expiration } =
        token;
      if (this.#activePolicy.get(accessPolicy) === undefined) {
        throw new ClientError(
          "E_BAD_REQUEST",
          `access_policy: there is no active access policy ${accessPolicy}`,
        );
      }
      const row: TokenRow = {
        ...{ name, displayName, createdAt: nowRfc3339(), status: "active" },
        ...{ secretSha256, accessPolicy, expiration, version: 1 },
      };
      const { changes } = this.#insert.run(
        name,
        displayName,
        row.createdAt,
        row.status,
        secretSha256,
        accessPolicy,
        expiration,
        row.version,
      );
      if (changes === 0) throw nameTaken("token", name);
      return row;
    });
  }

  /** Revokes it; its name stays taken. Throws a `ClientError` (404, or 412). */
  delete(name: string, expectedVersion?: number): TokenRow {
    return this.#connection.transaction(() => {
      const old = demandVersion("token", name, this.get(name), expectedVersion);
      const version = old.version + 1;
      this.#revoke.run(version, name);
      return { ...old, status: "inactive", version };
    });
  }
}
