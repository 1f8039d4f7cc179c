/**
 * The rules for users (job-api 9.3): who may be made, and how roles and
 * projects change. Violations are `ClientError`s. Whoever changes something here
 * finds it in force on the next request. Main thread, and the command line.
 */
import { isRole, ROLES } from "../../access/roles.ts";
import { ClientError } from "../../base/errors.ts";
import { hashPassword, PASSWORD_BYTES_MAX } from "./passwords.ts";
import type { TokenUser } from "./token_login.ts";
import { type Account, AUTH_SOURCE, type UserStore } from "./user_store.ts";

export const USERNAME_BYTES_MAX = 100;
/** How often a change is begun again because another came in between. */
const TRIES_MAX = 10;

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly roles: readonly string[];
  readonly name?: string;
  readonly email?: string;
  readonly projects?: readonly string[];
}

/** One change of a user; what is not given stays. */
export interface UserChange {
  readonly "add-role"?: string;
  readonly "remove-role"?: string;
  readonly "add-project"?: string;
  readonly "remove-project"?: string;
}

export class Users {
  readonly #store: UserStore;
  /** Called after each change, before it is answered. */
  readonly #changed: () => Promise<void>;

  constructor(
    store: UserStore,
    changed: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#store = store;
    this.#changed = changed;
  }

  get(username: string): Promise<Account | undefined> {
    return this.#store.get(username);
  }

  /** `notJustUser`: without those whose only role is `user`, or who have none. */
  async list(
    notJustUser: boolean,
  ): Promise<readonly Omit<Account, "passwordHash">[]> {
    const all = await this.#store.list();
    if (!notJustUser) return all;
    return all.filter(({ roles }) =>
      roles.length > 1 || (roles.length === 1 && roles[0] !== "user")
    );
  }

  async create(user: NewUser): Promise<void> {
    const roles = [...new Set(user.roles.map((role) => role.toLowerCase()))];
    const projects = user.projects ?? [];
    checkNewUser(user, roles, projects);
    await this.#store.create({
      username: user.username,
      passwordHash: user.password === ""
        ? null
        : await hashPassword(user.password),
      authSource: AUTH_SOURCE.local,
      name: user.name ?? "",
      email: user.email ?? "",
      roles,
      projects,
    }).catch((error) => {
      if (!(error instanceof ClientError) || error.code !== "E_CONFLICT") {
        throw error;
      }
      throw rejected(`adding user failed: ${user.username} exists already`);
    });
    await this.#changed();
  }

  /** A user as a login by token describes them: made, or changed to that. */
  async putOfToken(token: TokenUser): Promise<void> {
    const { username } = token;
    const known = await this.#store.get(username);
    const projects = token.roles.includes("manager") ? token.projects : [];
    if (known === undefined) {
      await this.#store.create({
        username,
        passwordHash: null,
        authSource: AUTH_SOURCE.token,
        name: token.name,
        email: "",
        roles: token.roles,
        projects,
      });
    } else {
      const { name, roles } = token;
      await this.#store.update(username, { name, roles, projects });
    }
    await this.#changed();
  }

  /**
   * Another password, for somebody who logs in by one; sessions of the user end.
   * Rejects with a `ClientError`.
   */
  async setPassword(username: string, password: string): Promise<void> {
    const user = await this.#demand(username);
    if (user.authSource !== AUTH_SOURCE.local) {
      throw rejected(
        `username: ${username} logs in elsewhere and has no password here`,
      );
    }
    checkPassword(password);
    if (password === "") throw bad("password: it is empty");
    await this.setPasswordHash(username, await hashPassword(password));
  }

  /**
   * Roles, and where `projects` are given these, whatever they were; who is no manager
   * has none. Resolves to what they are now. Rejects with a `ClientError`.
   */
  async setRoles(
    username: string,
    roles: readonly string[],
    projects?: readonly string[],
  ): Promise<Pick<Account, "roles" | "projects">> {
    const user = await this.#demand(username);
    const words = [...new Set(roles.map((role) => role.toLowerCase()))];
    const isManager = words.includes("manager");
    const managed = projects ?? (isManager ? user.projects : []);
    checkRoles(words, managed);
    const change = { name: user.name, roles: words, projects: managed };
    await this.#store.update(username, change);
    await this.#changed();
    return change;
  }

  async #demand(username: string): Promise<Account> {
    const user = await this.#store.get(username);
    if (user !== undefined) return user;
    throw rejected(
      `username: there is no user ${JSON.stringify(username.slice(0, 100))}`,
    );
  }

  /** Sessions of the user end. */
  async setPasswordHash(username: string, hash: string): Promise<void> {
    await this.#store.setPassword(username, hash);
    await this.#changed();
  }

  /** Nobody minds when there was no such user. */
  async delete(username: string): Promise<void> {
    if (username === "") throw bad("username: a name is expected");
    if (await this.#store.delete(username)) await this.#changed();
  }

  /** The first change that is given is made; the answer names it. */
  async change(username: string, change: UserChange): Promise<string> {
    const chosen = CHANGES.find(([key]) => (change[key] ?? "") !== "");
    if (chosen === undefined) {
      throw bad(
        "no operation specified: must provide add-role, remove-role, add-project, or remove-project",
      );
    }
    const [key, title, apply] = chosen;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const user = await this.#store.get(username);
      if (user === undefined) {
        throw rejected(`${key}: there is no user ${JSON.stringify(username)}`);
      }
      if (!await apply(this.#store, user, change[key]!)) continue;
      await this.#changed();
      return title;
    }
    throw rejected(`${key}: user ${username} is being changed by others`);
  }
}

/** False: somebody else changed the user meanwhile. Rejects with a `ClientError`. */
type Change = (
  store: UserStore,
  user: Account,
  value: string,
) => Promise<boolean>;

const CHANGES: readonly (readonly [keyof UserChange, string, Change])[] = [
  ["add-role", "Add Role Success", addRole],
  ["remove-role", "Remove Role Success", removeRole],
  ["add-project", "Add Project Success", addProject],
  ["remove-project", "Remove Project Success", removeProject],
];

function addRole(store: UserStore, user: Account, value: string) {
  const role = knownRole(value, rejected);
  if (user.roles.includes(role)) {
    throw rejected(`user ${user.username} already has role ${role}`);
  }
  return store.setRoles(user.username, user.roles, [...user.roles, role]);
}

function removeRole(store: UserStore, user: Account, value: string) {
  const role = knownRole(value, rejected);
  if (!user.roles.includes(role)) {
    throw rejected(`user ${user.username} has no role ${role}`);
  }
  if (role === "manager" && user.projects.length > 0) {
    throw rejected(
      `user ${user.username} still manages ${user.projects.join(", ")}`,
    );
  }
  return store.setRoles(
    user.username,
    user.roles,
    user.roles.filter((held) => held !== role),
  );
}

function addProject(store: UserStore, user: Account, project: string) {
  requireManager(user);
  if (user.projects.includes(project)) {
    throw rejected(`user ${user.username} already manages ${project}`);
  }
  return store.setProjects(user.username, user.projects, [
    ...user.projects,
    project,
  ]);
}

function removeProject(store: UserStore, user: Account, project: string) {
  requireManager(user);
  if (!user.projects.includes(project)) {
    throw rejected(`user ${user.username} does not manage ${project}`);
  }
  return store.setProjects(
    user.username,
    user.projects,
    user.projects.filter((managed) => managed !== project),
  );
}

function requireManager(user: Account): void {
  if (user.roles.includes("manager")) return;
  throw rejected(`user ${user.username} is not a manager`);
}

function checkNewUser(
  { username, password }: NewUser,
  roles: readonly string[],
  projects: readonly string[],
): void {
  const bytes = new TextEncoder().encode(username).length;
  if (bytes < 1 || bytes > USERNAME_BYTES_MAX) {
    throw bad(
      `username: 1 to ${USERNAME_BYTES_MAX} bytes are expected, got ${bytes}`,
    );
  }
  checkPassword(password);
  checkRoles(roles, projects);
  const isApiOnly = roles.length === 1 && roles[0] === "api";
  if (password === "" && !isApiOnly) {
    throw bad(
      "password: only API users are allowed to have a blank password (login will be impossible)",
    );
  }
}

function checkPassword(password: string): void {
  if (new TextEncoder().encode(password).length <= PASSWORD_BYTES_MAX) return;
  throw bad(`password: at most ${PASSWORD_BYTES_MAX} bytes are taken`);
}

function checkRoles(
  roles: readonly string[],
  projects: readonly string[],
): void {
  if (roles.length === 0) throw bad("role: one is needed");
  for (const role of roles) knownRole(role, bad);
  const isManager = roles.includes("manager");
  if (isManager && projects.length === 0) {
    throw bad("project: managers require a project to manage");
  }
  if (!isManager && projects.length > 0) {
    throw bad("project: only managers are allowed to have a project");
  }
}

function knownRole(value: string, error: (message: string) => ClientError) {
  const role = value.toLowerCase();
  if (isRole(role)) return role;
  throw error(
    `role: one of ${ROLES.join(", ")} is expected, got ${
      JSON.stringify(value.slice(0, 40))
    }`,
  );
}

function bad(message: string): ClientError {
  return new ClientError("E_BAD_REQUEST", message);
}

function rejected(message: string): ClientError {
  return new ClientError("E_UNPROCESSABLE", message);
}
