/**
 * Keeps the control plane in memory as the database has it: read again after every
 * change of our own, before it is answered, and when another process (the command
 * line) changed something. Main thread.
 */
import type { RemoteTables } from "../db/remote.ts";
import type { InstanceRow } from "../db/instance_table.ts";
import type { PolicyRow } from "../db/policy_table.ts";
import type { TokenRow } from "../db/token_table.ts";
import type {
  AccessRecords,
  InstanceRecord,
  PolicyRecord,
  TokenRecord,
} from "./access_records.ts";
import { AccessState } from "./access_state.ts";
import { monotonicMs } from "../clock.ts";

type AccessTables = Pick<
  RemoteTables,
  "instances" | "policies" | "tokens" | "users"
>;

/** Strangers who guess tokens cannot make us read the tables more often. */
const REFRESH_MS = 100;

export class AccessControl {
  readonly state = new AccessState();
  readonly #tables: AccessTables;
  /** Under way. */
  #reading: Promise<void> | undefined;
  /** Will begin when that is done, since it may have read too early. */
  #next: Promise<void> | undefined;
  #refreshedMs = -Infinity;

  constructor(tables: AccessTables) {
    this.#tables = tables;
  }

  /** Resolves when everything written to the tables before the call is in force. */
  reload(): Promise<void> {
    if (this.#reading === undefined) return this.#begin();
    return this.#next ??= this.#reading.catch(() => {}).then(() => {
      this.#next = undefined;
      return this.#begin();
    });
  }

  /** The same for who is not sure that anything changed; not too often. */
  refresh(): Promise<void> {
    const now = monotonicMs();
    if (now - this.#refreshedMs < REFRESH_MS) {
      return this.#reading ?? Promise.resolve();
    }
    this.#refreshedMs = now;
    return this.reload();
  }

  #begin(): Promise<void> {
    const reading = this.#read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }

  async #read(): Promise<void> {
    const all = { includeInactive: true };
    const [instances, policies, tokens, users] = await Promise.all([
      this.#tables.instances.list(all),
      this.#tables.policies.list(all),
      this.#tables.tokens.list(all),
      this.#tables.users.listAccess(),
    ]);
    this.state.replace(
      {
        instances: instances.map(instanceRecord),
        policies: policies.map(policyRecord),
        tokens: tokens.map(tokenRecord),
        users,
      } satisfies AccessRecords,
    );
  }
}

function instanceRecord(row: InstanceRow): InstanceRecord {
  return {
    name: row.name,
    cluster: row.cluster,
    active: row.status === "active",
    maxSeries: row.limits.maxSeries ?? 0,
    ingestionRate: row.limits.ingestionRate ?? 0,
    maxQuerySamples: row.limits.maxQuerySamples ?? 0,
  };
}

function policyRecord(row: PolicyRow): PolicyRecord {
  return {
    name: row.name,
    active: row.status === "active",
    scopes: row.scopes,
    realms: row.realms.map(({ instance, cluster, labelPolicies }) => ({
      instance,
      cluster,
      selectors: labelPolicies,
    })),
    expiresSec: secondsOf(row.expiration),
  };
}

function tokenRecord(row: TokenRow): TokenRecord {
  return {
    name: row.name,
    active: row.status === "active",
    policy: row.accessPolicy,
    secretHash: row.secretSha256,
    expiresSec: secondsOf(row.expiration),
  };
}

/** Unix seconds of an RFC 3339 time; Infinity where there is none. */
function secondsOf(expiration: string | null): number {
  if (expiration === null) return Infinity;
  const ms = Date.parse(expiration);
  // What cannot be read has expired: anything undecided is a refusal.
  return Number.isNaN(ms) ? -Infinity : ms / 1000;
}
