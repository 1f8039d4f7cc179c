/**
 * The control plane in memory, so that no request waits for the database to find
 * out who may: looked at on every request, replaced when something changed. Main
 * thread.
 */
import {
  type AccessRecords,
  ADMIN_POLICY,
  type InstanceRecord,
  type TokenRecord,
  type UserRecord,
} from "./access_records.ts";
import { Policy } from "./policy.ts";

export class AccessState {
  #instances: ReadonlyMap<string, InstanceRecord> = new Map();
  #tokens: ReadonlyMap<string, TokenRecord> = new Map();
  #users: ReadonlyMap<string, UserRecord> = new Map();
  #policies: ReadonlyMap<string, Policy> = new Map([
    [ADMIN_POLICY.name, new Policy(ADMIN_POLICY)],
  ]);

  /** From now on these count, for requests on open connections too. */
  replace(records: AccessRecords): void {
    this.#instances = byName(records.instances);
    this.#tokens = byName(records.tokens);
    this.#users = new Map(records.users.map((user) => [user.username, user]));
    this.#policies = new Map(
      [ADMIN_POLICY, ...records.policies]
        .map((record) => [record.name, new Policy(record)]),
    );
  }

  instance(name: string): InstanceRecord | undefined {
    return this.#instances.get(name);
  }

  policy(name: string): Policy | undefined {
    return this.#policies.get(name);
  }

  token(name: string): TokenRecord | undefined {
    return this.#tokens.get(name);
  }

  user(name: string): UserRecord | undefined {
    return this.#users.get(name);
  }
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[],
): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.name, item]));
}
