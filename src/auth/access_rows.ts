/** From rows of the database to what the front door needs of them. */
import type {
  InstanceRecord,
  PolicyRecord,
  TokenRecord,
} from "./access_records.ts";
import type { InstanceRow } from "../db/instance_table.ts";
import type { PolicyRow } from "../db/policy_table.ts";
import type { TokenRow } from "../db/token_table.ts";
import type { Versioned } from "../db/versioned.ts";

export function instanceRecord(row: InstanceRow): InstanceRecord {
  const { name, cluster, status, limits } = row;
  return {
    name,
    cluster,
    active: status === "active",
    maxSeries: limits.maxSeries ?? 0,
    ingestionRate: limits.ingestionRate ?? 0,
    maxQuerySamples: limits.maxQuerySamples ?? 0,
  };
}

export function policyRecord(row: PolicyRow): PolicyRecord {
  return {
    name: row.name,
    active: row.status === "active",
    scopes: row.scopes,
    realms: row.realms.map(({ instance, cluster, labelPolicies }) => ({
      instance,
      cluster,
      selectors: labelPolicies,
    })),
    expiresSec: expiresSec(row.expiration),
  };
}

export function tokenRecord(row: TokenRow): TokenRecord {
  return {
    name: row.name,
    active: row.status === "active",
    policy: row.accessPolicy,
    secretHash: row.secretSha256,
    expiresSec: expiresSec(row.expiration),
  };
}

/** Whole Unix seconds, so that nothing lives longer than it should. */
function expiresSec(expiration: string | null): number {
  if (expiration === null) return Infinity;
  const ms = Date.parse(expiration);
  // What cannot be read has expired: anything undecided is a refusal.
  return Number.isNaN(ms) ? -Infinity : Math.floor(ms / 1000);
}

/** Makes records; a row that has the version it had before gives the same record. */
export class RecordMaker<Row extends Versioned, Record> {
  readonly #recordOf: (row: Row) => Record;
  #made = new Map<
    string,
    { readonly version: number; readonly record: Record }
  >();

  constructor(recordOf: (row: Row) => Record) {
    this.#recordOf = recordOf;
  }

  make(rows: readonly Row[]): Record[] {
    const before = this.#made;
    this.#made = new Map(rows.map((row) => {
      const { name, version } = row;
      const known = before.get(name);
      return [
        name,
        known?.version === version
          ? known
          : { version, record: this.#recordOf(row) },
      ];
    }));
    return [...this.#made.values()].map(({ record }) => record);
  }
}
