/** Users. Pure storage: the callers decide which roles a user may get. */
import { createHash } from "node:crypto";
import { nowSec } from "../base/clock.ts";
import type { Connection, Statement } from "./connection.ts";
import { type RowChanges, RowTracker } from "./row_changes.ts";

const FINGERPRINT_CHARS = 22;

/** 0 password here, 1 LDAP, 2 token, 3 OIDC. */
export type AuthSource = 0 | 1 | 2 | 3;

export interface UserRow {
  readonly username: string;
  readonly authSource: AuthSource;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** Projects a manager sees. */
  readonly projects: readonly string[];
}

/** The columns of a user that a login may change. */
export type UserChange = Partial<Omit<UserRow, "username">>;

/**
 * The columns that decide on the rights of a user, and whether a session is still
 * theirs.
 */
export interface UserAccessRow {
  readonly username: string;
  readonly roles: readonly string[];
  readonly projects: readonly string[];
  /** Changes with the account and its password; says nothing about that. */
  readonly fingerprint: string;
  /** When an account of this name was deleted last, Unix seconds; absent: never. */
  readonly deletedSec?: number;
  /** There is no such account any more. */
  readonly isGone?: boolean;
}

interface UserRecord {
  readonly username: string;
  readonly authSource: AuthSource;
  readonly name: string;
  readonly email: string;
  readonly roles: string;
  readonly projects: string;
}

const COLUMNS =
  "username, auth_source AS authSource, name, email, roles, projects";

export class UserTable {
  readonly #tracker = new RowTracker<UserAccessRow>(
    ({ username }) => username,
    JSON.stringify,
  );
  readonly #connection: Connection;
  readonly #get: Statement<UserRecord>;
  readonly #list: Statement<UserRecord>;
  readonly #insert: Statement<never>;
  readonly #update: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #passwordHash: Statement<{ hash: string | null }>;
  readonly #setPassword: Statement<never>;
  readonly #listAccess: Statement<
    {
      username: string;
      account: string;
      roles: string;
      projects: string;
      hash: string | null;
    }
  >;
  readonly #noteGone: Statement<never>;
  readonly #names: Statement<{ username: string; name: string }>;
  readonly #listGone: Statement<{ username: string; deletedSec: number }>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#get = connection.prepare(
      `SELECT ${COLUMNS} FROM user WHERE username = ?`,
    );
    this.#list = connection.prepare(
      `SELECT ${COLUMNS} FROM user ORDER BY username`,
    );
    this.#insert = connection.prepare(
      `INSERT INTO user (username, auth_source, name, email, roles, projects,
       password_hash, account) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#update = connection.prepare(
      `UPDATE user SET auth_source = ?, name = ?, email = ?, roles = ?,
       projects = ? WHERE username = ?`,
    );
    this.#delete = connection.prepare("DELETE FROM user WHERE username = ?");
    this.#passwordHash = connection.prepare(
      "SELECT password_hash AS hash FROM user WHERE username = ?",
    );
    this.#setPassword = connection.prepare(
      "UPDATE user SET password_hash = ? WHERE username = ?",
    );
    this.#listAccess = connection.prepare(
      "SELECT username, account, roles, projects, password_hash AS hash FROM user",
    );
    this.#noteGone = connection.prepare(
      `INSERT INTO gone_user (username, deleted_sec) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET deleted_sec = excluded.deleted_sec`,
    );
    this.#names = connection.prepare(
      `SELECT username, name FROM json_each(?) AS wanted
       CROSS JOIN user ON user.username = wanted.value WHERE name <> ''`,
    );
    this.#listGone = connection.prepare(
      "SELECT username, deleted_sec AS deletedSec FROM gone_user",
    );
  }

  /** Returns all users, those deleted included, in any order. */
  listAccess(): UserAccessRow[] {
    const gone = new Map(
      this.#listGone.all().map(({ username, deletedSec }) =>
        [username, deletedSec] as const
      ),
    );
    const users: UserAccessRow[] = this.#listAccess.all().map((row) => {
      const deletedSec = gone.get(row.username);
      gone.delete(row.username);
      return {
        ...accessRow(row),
        ...(deletedSec === undefined ? {} : { deletedSec }),
      };
    });
    for (const [username, deletedSec] of gone) {
      users.push({
        username,
        roles: [],
        projects: [],
        fingerprint: "",
        deletedSec,
        isGone: true,
      });
    }
    return users;
  }

  get(username: string): UserRow | undefined {
    const record = this.#get.get(username);
    return record && userRow(record);
  }

  /** Full names by user name; users without one are left out. */
  names(usernames: readonly string[]): Map<string, string> {
    return new Map(
      this.#names.all(JSON.stringify(usernames))
        .map(({ username, name }) => [username, name]),
    );
  }

  /** By name. `notJustUser`: only those whose roles are neither `user` alone nor none. */
  list(options: { readonly notJustUser?: boolean } = {}): UserRow[] {
    const users = this.#list.all().map(userRow);
    return options.notJustUser === true ? users.filter(isMoreThanUser) : users;
  }

  /**
   * Returns the users changed after generation `since`, and the names deleted after it.
   */
  accessChanges(since: number): RowChanges<UserAccessRow> {
    return this.#tracker.take(this.listAccess(), since);
  }

  /** Returns false if the name is taken; nothing changes then. */
  create(user: UserRow, passwordHash: string | null): boolean {
    const { changes } = this.#insert.run(
      user.username,
      user.authSource,
      user.name,
      user.email,
      JSON.stringify(user.roles),
      JSON.stringify(user.projects),
      passwordHash,
      crypto.randomUUID(),
    );
    return changes > 0;
  }

  /**
   * Deletes a user with its rows in other tables. Returns false if there was no such
   * user. The name is remembered, so that tokens do not outlive the account.
   */
  delete(username: string): boolean {
    return this.#connection.transaction(() => {
      if (this.#delete.run(username).changes === 0) return false;
      this.#noteGone.run(username, Math.floor(nowSec()));
      return true;
    });
  }

  /** `null`: no password, or no such user. */
  passwordHash(username: string): string | null {
    return this.#passwordHash.get(username)?.hash ?? null;
  }

  /** Returns false if there is no such user. */
  setPassword(username: string, passwordHash: string | null): boolean {
    return this.#setPassword.run(passwordHash, username).changes > 0;
  }

  /** Returns false if there is no such user. */
  update(username: string, change: UserChange): boolean {
    return this.#replace(username, (user) => ({ ...user, ...change }));
  }

  /**
   * Sets the roles if they still are what the caller decided on; false if they are
   * not, or there is no such user: the caller looks again.
   */
  setRoles(
    username: string,
    was: readonly string[],
    roles: readonly string[],
  ): boolean {
    return this.#replace(
      username,
      (user) => sameWords(user.roles, was) ? { ...user, roles } : undefined,
    );
  }

  /** As {@linkcode setRoles}, for the projects. */
  setProjects(
    username: string,
    was: readonly string[],
    projects: readonly string[],
  ): boolean {
    return this.#replace(
      username,
      (user) =>
        sameWords(user.projects, was) ? { ...user, projects } : undefined,
    );
  }

  #replace(
    username: string,
    change: (user: UserRow) => UserRow | undefined,
  ): boolean {
    return this.#connection.transaction(() => {
      const old = this.get(username);
      const changed = old && change(old);
      if (changed === undefined) return false;
      this.#write(changed);
      return true;
    });
  }

  #write(user: UserRow): void {
    this.#update.run(
      user.authSource,
      user.name,
      user.email,
      JSON.stringify(user.roles),
      JSON.stringify(user.projects),
      user.username,
    );
  }
}

function accessRow(
  { username, account, roles, projects, hash }: {
    readonly username: string;
    readonly account: string;
    readonly roles: string;
    readonly projects: string;
    readonly hash: string | null;
  },
): UserAccessRow {
  return {
    username,
    roles: JSON.parse(roles),
    projects: JSON.parse(projects),
    fingerprint: createHash("sha256")
      .update(`${username}\0${account}\0${hash ?? ""}`)
      .digest("base64url").slice(0, FINGERPRINT_CHARS),
  };
}

function userRow(record: UserRecord): UserRow {
  return {
    ...record,
    roles: JSON.parse(record.roles),
    projects: JSON.parse(record.projects),
  };
}

function isMoreThanUser({ roles }: UserRow): boolean {
  return roles.some((role) => role !== "user");
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
