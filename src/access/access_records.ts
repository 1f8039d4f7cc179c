/**
 * What the control plane knows, as the HTTP server needs it: instances, access
 * policies, tokens, users. Main thread; replaced as wholes when something changes.
 */
import { ADMIN_POLICY_NAME } from "../db/policy_table.ts";
import type { PolicyScope } from "../base/policy_scopes.ts";
import type { LabelSelector } from "../metricstore/engine/data_scope.ts";

export interface InstanceRecord {
  readonly name: string;
  readonly cluster: string;
  readonly active: boolean;
  /** 0: none. */
  readonly maxSeries: number;
  /** Samples a second; 0: no limit. */
  readonly ingestionRate: number;
  /** 0: none. */
  readonly maxQuerySamples: number;
}

export interface Realm {
  /** A name, `*` for all including the default one, `""` for the default one. */
  readonly instance: string;
  /** A name or `*`. */
  readonly cluster: string;
  /** One suffices; none: everything. */
  readonly selectors: readonly LabelSelector[];
}

export interface PolicyRecord {
  readonly name: string;
  readonly active: boolean;
  readonly scopes: readonly PolicyScope[];
  readonly realms: readonly Realm[];
  /** Unix seconds from which no token of it works; Infinity: never. */
  readonly expiresSec: number;
}

export interface TokenRecord {
  readonly name: string;
  readonly active: boolean;
  readonly policy: string;
  /** SHA-256 of the secret, 32 bytes. */
  readonly secretHash: Uint8Array;
  readonly expiresSec: number;
}

/** Where a user's roles and password come from. */
export interface UserRecord {
  readonly username: string;
  readonly roles: readonly string[];
  readonly projects: readonly string[];
  /**
   * Changes with the password and with the account, so that sessions of a deleted
   * user do not come back with a new one of the same name.
   */
  readonly fingerprint: string;
  /** When an account of this name was deleted last, Unix seconds; absent: never. */
  readonly deletedSec?: number;
  /** Only the name is left, since there is no such account any more. */
  readonly isGone?: boolean;
}

export interface AccessRecords {
  readonly instances: readonly InstanceRecord[];
  readonly policies: readonly PolicyRecord[];
  readonly tokens: readonly TokenRecord[];
  readonly users: readonly UserRecord[];
}

/** The policy that is always there: everything, everywhere. */
export const ADMIN_POLICY: PolicyRecord = {
  name: ADMIN_POLICY_NAME,
  active: true,
  scopes: ["admin"],
  realms: [{ instance: "*", cluster: "*", selectors: [] }],
  expiresSec: Infinity,
};
