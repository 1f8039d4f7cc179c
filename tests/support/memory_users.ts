/** Users in memory, for tests of what is done with them. */
import type {
  Account,
  UserStore,
} from "../../src/admin/accounts/user_store.ts";
import { nowSec } from "../../src/base/clock.ts";
import { ClientError } from "../../src/base/errors.ts";

export class MemoryUsers implements UserStore {
  readonly users = new Map<string, Account>();
  /** When accounts were deleted, Unix seconds. */
  readonly deleted = new Map<string, number>();

  get(username: string): Promise<Account | undefined> {
    return Promise.resolve(this.users.get(username));
  }

  list(): Promise<readonly Account[]> {
    return Promise.resolve([...this.users.values()]);
  }

  create(account: Account): Promise<void> {
    if (this.users.has(account.username)) {
      return Promise.reject(new ClientError("E_CONFLICT", "taken"));
    }
    this.users.set(account.username, account);
    return Promise.resolve();
  }

  delete(username: string): Promise<boolean> {
    const known = this.users.delete(username);
    if (known) this.deleted.set(username, Math.floor(nowSec()));
    return Promise.resolve(known);
  }

  setRoles(
    username: string,
    _was: readonly string[],
    roles: readonly string[],
  ): Promise<boolean> {
    return this.#change(username, { roles });
  }

  setProjects(
    username: string,
    _was: readonly string[],
    projects: readonly string[],
  ): Promise<boolean> {
    return this.#change(username, { projects });
  }

  async update(username: string, change: Partial<Account>): Promise<void> {
    await this.#change(username, change);
  }

  async setPassword(username: string, passwordHash: string): Promise<void> {
    await this.#change(username, { passwordHash });
  }

  #change(username: string, change: Partial<Account>): Promise<boolean> {
    const user = this.users.get(username);
    if (user !== undefined) this.users.set(username, { ...user, ...change });
    return Promise.resolve(true);
  }
}
