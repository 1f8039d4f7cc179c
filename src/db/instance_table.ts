/** Instances: the tenants of the metric store. */
import { nowRfc3339 } from "../base/clock.ts";
import type { Connection, Statement } from "./connection.ts";
import { type RowChanges, versionTracker } from "./row_changes.ts";
import {
  demandVersion,
  type ListOptions,
  nameTaken,
  type New,
  type Versioned,
} from "./versioned.ts";

/** Bounds of an instance; absent or 0: none. */
export interface InstanceLimits {
  readonly maxSeries?: number;
  /** Samples per second. */
  readonly ingestionRate?: number;
  readonly maxQuerySamples?: number;
}

export interface InstanceRow extends Versioned {
  readonly cluster: string;
  readonly limits: InstanceLimits;
}

export type InstanceChange = Partial<
  Pick<InstanceRow, "displayName" | "status" | "limits">
>;

type InstanceRecord = Omit<InstanceRow, "limits"> & { readonly limits: string };

const SELECT = `SELECT name, display_name AS displayName,
  created_at AS createdAt, status, cluster, limits, version FROM instance`;

export class InstanceTable {
  readonly #tracker = versionTracker<InstanceRow>();
  readonly #connection: Connection;
  readonly #count: Statement<{ count: number }>;
  readonly #get: Statement<InstanceRecord>;
  readonly #list: Statement<InstanceRecord>;
  readonly #insert: Statement<never>;
  readonly #update: Statement<never>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#count = connection.prepare("SELECT count(*) AS count FROM instance");
    this.#get = connection.prepare(`${SELECT} WHERE name = ?`);
    this.#list = connection.prepare(
      `${SELECT} WHERE status = 'active' OR ? ORDER BY name`,
    );
    this.#insert = connection.prepare(
      `INSERT INTO instance (name, display_name, created_at, status, cluster,
       limits, version) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#update = connection.prepare(
      `UPDATE instance SET display_name = ?, status = ?, limits = ?, version = ?
       WHERE name = ?`,
    );
  }

  get(name: string): InstanceRow | undefined {
    const record = this.#get.get(name);
    return record && instanceRow(record);
  }

  /** Returns the number of instances, inactive ones included. */
  count(): number {
    return this.#count.get()?.count ?? 0;
  }

  /** By name; active ones only, unless asked otherwise. */
  list(options: ListOptions = {}): InstanceRow[] {
    return this.#list.all(Number(options.includeInactive === true))
      .map(instanceRow);
  }

  /**
   * Returns the rows changed after generation `since`, and the names deleted after it.
   */
  changes(since: number): RowChanges<InstanceRow> {
    return this.#tracker.take(this.list({ includeInactive: true }), since);
  }

  /** Throws a `ClientError` (409) if the name is taken. */
  create(instance: New<InstanceRow>): InstanceRow {
    const { name, displayName, cluster, limits } = instance;
    const row: InstanceRow = {
      ...{ name, displayName, createdAt: nowRfc3339(), status: "active" },
      ...{ cluster, limits, version: 1 },
    };
    const { changes } = this.#insert.run(
      name,
      displayName,
      row.createdAt,
      row.status,
      cluster,
      JSON.stringify(limits),
      row.version,
    );
    if (changes === 0) throw nameTaken("instance", name);
    return row;
  }

  /**
   * Changes the given values; absent ones stay. Throws a `ClientError` (404, or 412 by
   * the version).
   */
  update(
    name: string,
    change: InstanceChange,
    expectedVersion?: number,
  ): InstanceRow {
    return this.#connection.transaction(() => {
      const old = demandVersion(
        "instance",
        name,
        this.get(name),
        expectedVersion,
      );
      const row = { ...old, ...change, version: old.version + 1 };
      this.#update.run(
        row.displayName,
        row.status,
        JSON.stringify(row.limits),
        row.version,
        name,
      );
      return row;
    });
  }

  /** Makes it inactive; its name stays taken. Throws as {@linkcode update}. */
  delete(name: string, expectedVersion?: number): InstanceRow {
    return this.update(name, { status: "inactive" }, expectedVersion);
  }
}

function instanceRow(record: InstanceRecord): InstanceRow {
  return { ...record, limits: JSON.parse(record.limits) };
}
