/** From rows of the database to what the HTTP server needs of them. */
import type {
  InstanceRecord,
  PolicyRecord,
  TokenRecord,
} from "./access_records.ts";
import type { InstanceRow } from "../db/instance_table.ts";
import type { PolicyRow } from "../db/policy_table.ts";
import type { TokenRow } from "../db/token_table.ts";
import type { RowChanges } from "../db/row_changes.ts";

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

/** Keeps records; a row that did not change keeps the record it had. */
export class RecordKeeper<Row, Record> {
  readonly #nameOf: (row: Row) => string;
  readonly #recordOf: (row: Row) => Record;
  readonly #records = new Map<string, Record>();
  #generation = 0;

  constructor(
    nameOf: (row: Row) => string,
    recordOf: (row: Row) => Record,
  ) {
    this.#nameOf = nameOf;
    this.#recordOf = recordOf;
  }

  /** What it has, in the words of the database; 0: nothing. */
  get generation(): number {
    return this.#generation;
  }

  /** Takes the changes over; all records as they are now. */
  apply({ changed, generation, gone, isWhole }: RowChanges<Row>): Record[] {
    if (isWhole) this.#records.clear();
    for (const name of gone) this.#records.delete(name);
    for (const row of changed) {
      this.#records.set(this.#nameOf(row), this.#recordOf(row));
    }
    this.#generation = generation;
    return [...this.#records.values()];
  }
}
