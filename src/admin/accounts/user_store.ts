/** Users as the routes and commands need them, whoever keeps them. */

/** Where a user comes from; only the first has a password here. */
export const AUTH_SOURCE = { local: 0, ldap: 1, token: 2, oidc: 3 } as const;

export interface Account {
  readonly username: string;
  /** PHC or bcrypt text; null: cannot log in by password. */
  readonly passwordHash: string | null;
  readonly authSource: typeof AUTH_SOURCE[keyof typeof AUTH_SOURCE];
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly projects: readonly string[];
}

export interface UserStore {
  get(username: string): Promise<Account | undefined>;
  /** By name. */
  list(): Promise<readonly Omit<Account, "passwordHash">[]>;
  /** Throws `E_CONFLICT` for a name that is taken. */
  create(account: Account): Promise<void>;
  /** False: there was none. */
  delete(username: string): Promise<boolean>;
  /** Changes the roles if they still are what was decided on; false: look again. */
  setRoles(
    username: string,
    was: readonly string[],
    roles: readonly string[],
  ): Promise<boolean>;
  /** The same for the projects. */
  setProjects(
    username: string,
    was: readonly string[],
    projects: readonly string[],
  ): Promise<boolean>;
  /** Whatever they were. */
  update(
    username: string,
    change: Pick<Account, "name" | "roles" | "projects">,
  ): Promise<void>;
  setPassword(username: string, passwordHash: string): Promise<void>;
}
