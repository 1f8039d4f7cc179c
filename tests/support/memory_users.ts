/** Users in memory, for tests of what is done with them. */
import { isDeepStrictEqual } from "node:util";
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

  list(): Promise<readonly Omit<Account, "passwordHash">[]> {
    const names = [...this.users.keys()].sort();
    return Promise.resolve(names.map((name) => {
      const { passwordHash: _, ...user } = this.users.get(name)!;
      return user;
    }));
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
    was: readonly string[],
    roles: readonly string[],
  ): Promise<boolean> {
    const isSame = isDeepStrictEqual(this.users.get(username)?.roles, was);
    return Promise.resolve(isSame && this.#change(username, { roles }));
  }

  setProjects(
    username: string,
    was: readonly string[],
    projects: readonly string[],
  ): Promise<boolean> {
    const isSame = isDeepStrictEqual(this.users.get(username)?.projects, was);
    return Promise.resolve(isSame && this.#change(username, { projects }));
  }

  update(username: string, change: Partial<Account>): Promise<void> {
    this.#change(username, change);
    return Promise.resolve();
  }

  setPassword(username: string, passwordHash: string): Promise<void> {
    this.#change(username, { passwordHash });
    return Promise.resolve();
  }

  #change(username: string, change: Partial<Account>): boolean {
    const user = this.users.get(username);
    if (user === undefined) return false;
    this.users.set(username, { ...user, ...change });
    return true;
  }
}
