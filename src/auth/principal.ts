/**
 * Who sends a request, and what that allows. Whatever the credential was, the
 * routes ask only this; what is not granted is refused.
 */
import { ClientError } from "../errors.ts";

export const ROLES = ["api", "user", "manager", "support", "admin"] as const;
export type Role = typeof ROLES[number];

/** What the metric routes do. */
export type Action = "write" | "query" | "health" | "free" | "debug";

const ROLES_BY_ACTION: Readonly<Record<Action, readonly Role[]>> = {
  write: ["api", "admin"],
  query: ROLES,
  health: ROLES,
  free: ["admin"],
  debug: ["admin"],
};

/** Names that instances can have. */
const INSTANCE_NAME = /^[a-z0-9_-]{3,64}$/;

export class Principal {
  /** For messages and the log. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;

  constructor(name: string, roles: Iterable<Role>) {
    this.name = name;
    this.roles = new Set(roles);
  }

  may(action: Action): boolean {
    return ROLES_BY_ACTION[action].some((role) => this.roles.has(role));
  }

  /** Throws a {@linkcode ClientError} (403) unless the action is allowed. */
  demand(action: Action): void {
    if (this.may(action)) return;
    throw new ClientError(
      "E_FORBIDDEN",
      `${action} needs one of the roles ${ROLES_BY_ACTION[action].join(", ")}`,
    );
  }

  /**
   * The instance a request is about, from its `X-Scope-OrgID` header: `""`, the
   * default one, where there is none. Throws a {@linkcode ClientError} (403) where
   * the header is not this principal's to send or names no possible instance.
   */
  instance(orgId: string | readonly string[] | undefined): string {
    if (orgId === undefined || orgId === "") return "";
    if (!this.roles.has("admin")) {
      throw new ClientError(
        "E_FORBIDDEN",
        "X-Scope-OrgID needs the role admin",
      );
    }
    if (typeof orgId !== "string" || !INSTANCE_NAME.test(orgId)) {
      throw new ClientError("E_FORBIDDEN", "X-Scope-OrgID names no instance");
    }
    return orgId;
  }
}

/**
 * The roles among the words of a token: `ROLE_ADMIN` means `admin`; what is no
 * text or no role is passed over.
 */
export function rolesOf(words: unknown): Role[] {
  if (!Array.isArray(words)) return [];
  const roles = words.map((word: unknown) => {
    if (typeof word !== "string") return undefined;
    const name = word.startsWith("ROLE_") ? word.slice(5).toLowerCase() : word;
    return ROLES.find((role) => role === name);
  });
  return [...new Set(roles.filter((role) => role !== undefined))];
}
