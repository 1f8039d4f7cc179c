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
  /** `main.open-metrics`: every known role reads all metrics of the store. */
  openMetrics = false;
  #instances: ReadonlyMap<string, InstanceRecord> = new Map();
  #tokens: ReadonlyMap<string, TokenRecord> = new Map();
  #users: ReadonlyMap<string, UserRecord> = new Map();
  /** When accounts were deleted last, by name, also where there is a new one. */
  #deletedSec: ReadonlyMap<string, number> = new Map();
  #policies: ReadonlyMap<string, Policy> = new Map([
    [ADMIN_POLICY.name, new Policy(ADMIN_POLICY)],
  ]);

  /**
   * From now on these count, for requests on open connections too. A record that is
   * the same object as before stands for something that has not changed.
   */
  replace(records: AccessRecords): void {
    this.#instances = byName(records.instances);
    this.#tokens = byName(records.tokens);
    this.#users = new Map(
      records.users.filter(({ isGone }) => isGone !== true)
        .map((user) => [user.username, user]),
    );
    this.#deletedSec = new Map(
      records.users.flatMap(({ username, deletedSec }) =>
        deletedSec === undefined ? [] : [[username, deletedSec]]
      ),
    );
    const before = this.#policies;
    this.#policies = new Map(
      [...records.policies, ADMIN_POLICY].map((record) => {
        const known = before.get(record.name);
        // What workers know of an unchanged policy goes on being of use.
        const policy = known?.record === record ? known : new Policy(record);
        return [record.name, policy];
      }),
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

  /** Whether anybody can log in by password, or be looked up. */
  get hasUsers(): boolean {
    return this.#users.size > 0;
  }

  /** Whether the admin API has given out a token. */
  get hasTokens(): boolean {
    return this.#tokens.size > 0;
  }

  /** When an account of that name was deleted last, Unix seconds. */
  deletedSec(name: string): number | undefined {
    return this.#deletedSec.get(name);
  }
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[],
): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.name, item]));
}
