/** The users of the database as the routes and commands want them. */
import type { Remote } from "../../db/remote.ts";
import type { UserRow, UserTable } from "../../db/user_table.ts";
import { ClientError } from "../../base/errors.ts";
import type { Account, UserStore } from "./user_store.ts";

export class DatabaseUsers implements UserStore {
  readonly #table: Remote<UserTable>;

  constructor(table: Remote<UserTable>) {
    this.#table = table;
  }

  async get(username: string): Promise<Account | undefined> {
    const user = await this.#table.get(username);
    if (user === undefined) return undefined;
    return { ...user, passwordHash: await this.#table.passwordHash(username) };
  }

  list(): Promise<readonly Omit<Account, "passwordHash">[]> {
    return this.#table.list();
  }

  async create({ passwordHash, ...user }: Account): Promise<void> {
    if (await this.#table.create(user as UserRow, passwordHash)) return;
    throw new ClientError("E_CONFLICT", `user ${user.username} exists already`);
  }

  delete(username: string): Promise<boolean> {
    return this.#table.delete(username);
  }

  setRoles(
    username: string,
    was: readonly string[],
    roles: readonly string[],
  ): Promise<boolean> {
    return this.#table.setRoles(username, was, roles);
  }

  setProjects(
    username: string,
    was: readonly string[],
    projects: readonly string[],
  ): Promise<boolean> {
    return this.#table.setProjects(username, was, projects);
  }

  async update(
    username: string,
    change: Pick<Account, "name" | "roles" | "projects">,
  ): Promise<void> {
    await this.#table.update(username, change);
  }

  async setPassword(username: string, passwordHash: string): Promise<void> {
    await this.#table.setPassword(username, passwordHash);
  }
}
