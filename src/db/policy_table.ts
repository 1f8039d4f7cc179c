/**
 * Access policies: scopes over realms. The built-in one, {@linkcode ADMIN_POLICY_NAME}, is
 * there from the beginning and never changes.
 */
import type { PolicyScope } from "../base/policy_scopes.ts";
import { nowRfc3339 } from "../base/clock.ts";
import type { LabelSelector } from "../metricstore/engine/data_scope.ts";
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

/** All realms, scope `admin`. */
export const ADMIN_POLICY_NAME = "__admin__";

export interface PolicyRealm {
  /** A name; `*`: every instance of the cluster and its default one; `""`: only that. */
  readonly instance: string;
  /** A name, or `*`. */
  readonly cluster: string;
  /** One of them suffices; none: everything. */
  readonly labelPolicies: readonly LabelSelector[];
}

export interface PolicyRow extends Versioned {
  readonly realms: readonly PolicyRealm[];
  readonly scopes: readonly PolicyScope[];
  /** RFC 3339, as the client wrote it; `null`: none. */
  readonly expiration: string | null;
}

export type PolicyChange = Partial<
  Pick<
    PolicyRow,
    "displayName" | "status" | "realms" | "scopes" | "expiration"
  >
>;

interface PolicyRecord extends Versioned {
  readonly realms: string;
  readonly scopes: string;
  readonly expiration: string | null;
}

const SELECT = `SELECT name, display_name AS displayName,
  created_at AS createdAt, status, realms, scopes, expiration, version FROM policy`;

export class PolicyTable {
  readonly #tracker = versionTracker<PolicyRow>();
  readonly #connection: Connection;
  readonly #count: Statement<{ count: number }>;
  readonly #get: Statement<PolicyRecord>;
  readonly #list: Statement<PolicyRecord>;
  readonly #insert: Statement<never>;
  readonly #update: Statement<never>;
  readonly #activeTokens: Statement<{ count: number }>;
  readonly #revokeTokens: Statement<never>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#count = connection.prepare("SELECT count(*) AS count FROM policy");
    this.#get = connection.prepare(`${SELECT} WHERE name = ?`);
    this.#list = connection.prepare(
      `${SELECT} WHERE status = 'active' OR ? ORDER BY name`,
    );
    this.#insert = connection.prepare(
      `INSERT INTO policy (name, display_name, created_at, status, realms, scopes,
       expiration, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#update = connection.prepare(
      `UPDATE policy SET display_name = ?, status = ?, realms = ?, scopes = ?,
       expiration = ?, version = ? WHERE name = ?`,
    );
    this.#activeTokens = connection.prepare(
      `SELECT count(*) AS count FROM token
       WHERE access_policy = ? AND status = 'active'`,
    );
    this.#revokeTokens = connection.prepare(
      `UPDATE token SET status = 'inactive', version = version + 1
       WHERE access_policy = ? AND status = 'active'`,
    );
  }

  get(name: string): PolicyRow | undefined {
    const record = this.#get.get(name);
    return record && policyRow(record);
  }

  /** Returns the number of policies, inactive ones included. */
  count(): number {
    return this.#count.get()?.count ?? 0;
  }

  /** By name; active ones only, unless asked otherwise. */
  list(options: ListOptions = {}): PolicyRow[] {
    return this.#list.all(Number(options.includeInactive === true))
      .map(policyRow);
  }

  /**
   * Returns the rows changed after generation `since`, and the names deleted after it.
   */
  changes(since: number): RowChanges<PolicyRow> {
    return this.#tracker.take(this.list({ includeInactive: true }), since);
  }

  /** Throws a `ClientError` (409) if the name is taken. */
  create(policy: New<PolicyRow>): PolicyRow {
    const { name, displayName, realms, scopes, expiration } = policy;
    const row: PolicyRow = {
      ...{ name, displayName, createdAt: nowRfc3339(), status: "active" },
      ...{ realms, scopes, expiration, version: 1 },
    };
    const { changes } = this.#insert.run(
      name,
      displayName,
      row.createdAt,
      row.status,
      JSON.stringify(realms),
      JSON.stringify(scopes),
      expiration,
      row.version,
    );
    if (changes === 0) throw nameTaken("access policy", name);
    return row;
  }

  /**
   * Changes the given values; absent ones stay. Throws a `ClientError` (403 built in,
   * 404, or 412).
   */
  update(
    name: string,
    change: PolicyChange,
    expectedVersion?: number,
  ): PolicyRow {
    return this.#connection.transaction(() => {
      const old = demandVersion(
        "access policy",
        name,
        this.get(name),
        expectedVersion,
      );
      if (name === ADMIN_POLICY_NAME) {
        throw new ClientError("E_FORBIDDEN", `${name} cannot be changed`);
      }
      const row = { ...old, ...change, version: old.version + 1 };
      this.#update.run(
        row.displayName,
        row.status,
        JSON.stringify(row.realms),
        JSON.stringify(row.scopes),
        row.expiration,
        row.version,
        name,
      );
      return row;
    });
  }

  /**
   * Makes it inactive; its name stays taken. Active tokens of it are revoked with
   * `cascade`, else a reason to refuse (409). Throws as {@linkcode update}.
   */
  delete(
    name: string,
    options: { readonly cascade?: boolean } = {},
    expectedVersion?: number,
  ): PolicyRow {
    return this.#connection.transaction(() => {
      const row = this.update(name, { status: "inactive" }, expectedVersion);
      const tokens = this.#activeTokens.get(name)?.count ?? 0;
      if (tokens > 0 && options.cascade !== true) {
        throw new ClientError(
          "E_CONFLICT",
          `access policy ${name} has active tokens (${tokens}): delete them first, ` +
            "or with ?cascade=true",
        );
      }
      this.#revokeTokens.run(name);
      return row;
    });
  }
}

function policyRow(record: PolicyRecord): PolicyRow {
  return {
    ...record,
    realms: JSON.parse(record.realms),
    scopes: JSON.parse(record.scopes),
  };
}
