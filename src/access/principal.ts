/**
 * Who sends a request, and what that allows. Whatever the credential was, the
 * routes ask only this; what is not granted is refused. Main thread.
 */
import type { PolicyScope } from "../base/policy_scopes.ts";
import {
  type DataScope,
  DEFAULT_SCOPE,
} from "../metricstore/engine/data_scope.ts";
import { PERSONAL_IDS_MAX } from "../metricstore/engine/request_bounds.ts";
import { ClientError } from "../base/errors.ts";
import type { InstanceRecord } from "./access_records.ts";
import type { AccessState } from "./access_state.ts";
import { type Policy, wholeInstance } from "./policy.ts";
import { isRole, type Role, roleWords } from "./roles.ts";

/** What the metric routes do. */
export type Action = "write" | "query" | "health" | "free" | "debug";

/** Of people: dashboards name few series. */
const OPEN_SCOPE: DataScope = {
  ...DEFAULT_SCOPE,
  maxIds: PERSONAL_IDS_MAX,
};

const SCOPE_BY_ACTION: Readonly<Record<Action, PolicyScope>> = {
  write: "metrics:write",
  query: "metrics:read",
  health: "metrics:read",
  free: "metrics:delete",
  debug: "admin",
};

/** The header that names the instance of a request. */
const ORG_ID = "X-Scope-OrgID";

/** Which jobs a principal sees. */
export interface JobView {
  /** Absent: everybody's; else this user's, and those of the projects. */
  readonly own?: { readonly user: string; readonly projects: string[] };
  /** Absent: of every cluster. */
  readonly clusters?: ReadonlySet<string>;
}

/** What the kinds of principals have in common. */
export abstract class Principal {
  /** For messages and the log; the user, or the token. */
  abstract readonly name: string;

  /**
   * Whose share of what all callers share a request takes (`SharedPool`): one for
   * all requests of the principal, and nobody else's.
   */
  abstract get shareKey(): string;

  /** Known roles; tokens of the admin API have none. */
  readonly roles: ReadonlySet<Role> = new Set();

  /** The data a metric route may touch. Throws a {@linkcode ClientError} (401, 403). */
  abstract dataScope(
    action: Action,
    orgId: string | readonly string[] | undefined,
  ): DataScope;

  /** Whether it is anybody at all: a user without roles is not. */
  get isKnown(): boolean {
    return this.roles.size > 0;
  }

  /** Whether it is a program or an administrator, which may ask for very much at once. */
  get isMachine(): boolean {
    return true;
  }

  /** Whether its jobs alone say what it may see of the metric store. */
  get seesOwnJobsOnly(): boolean {
    return false;
  }

  /** Whether the administration is open to it. */
  abstract get isAdministrator(): boolean;

  /** Whether it may see the metrics of the server itself. */
  abstract get readsServerMetrics(): boolean;

  /**
   * Whether it may use the routes of a group of the job API. Throws a
   * {@linkcode ClientError} (403) where labels narrow what it may see.
   */
  abstract mayUseJobs(group: JobGroup, access: JobAccess): boolean;

  /** Which jobs it sees; only where it may use the job API. */
  abstract jobView(): JobView;

  /** The metric data of the jobs it sees; `undefined`: none. */
  abstract jobMetrics(): DataScope | undefined;

  /** Whether it is a program, which writes the tags that are nobody's own. */
  abstract get writesSharedTags(): boolean;

  /**
   * The scope of its private tags: a user's name. Tokens and the sender of messages
   * have none, as their names may be those of users; `undefined` then.
   */
  get ownTagScope(): string | undefined {
    return undefined;
  }

  has(role: Role): boolean {
    return this.roles.has(role);
  }
}

export type JobGroup = "job" | "userapi";
export type JobAccess = "jobs:read" | "jobs:write";

/** A person or program with roles: by JWT, by session, or everybody. */
export class UserPrincipal extends Principal {
  readonly name: string;
  override readonly roles: ReadonlySet<Role>;
  readonly projects: readonly string[];
  /** Words of the token that are not doubles, roles or not. */
  readonly #words: ReadonlySet<string>;
  readonly #isSubject: boolean;
  readonly #access: AccessState;
  /** What it may see of the metric store, where its jobs say that. */
  #ownScope: DataScope | undefined;

  /** `isSubject`: the name was given as `sub`, without which the job API knows nobody. */
  constructor(
    user: {
      readonly name: string;
      readonly roles: unknown;
      readonly projects?: readonly string[];
      readonly isSubject?: boolean;
    },
    access: AccessState,
  ) {
    super();
    this.name = user.name;
    this.projects = user.projects ?? [];
    this.#isSubject = user.isSubject ?? true;
    const words = roleWords(user.roles);
    this.#words = new Set(words);
    this.roles = new Set(words.filter(isRole));
    this.#access = access;
  }

  dataScope(
    action: Action,
    orgId: string | readonly string[] | undefined,
  ): DataScope {
    const scope = this.#defaultScope(action);
    if (orgId === undefined || orgId === "") return scope;
    if (!this.roles.has("admin")) {
      throw forbidden(`${ORG_ID} needs the role admin`);
    }
    return wholeInstance(activeInstance(this.#access, orgId));
  }

  /** What of the default instance it may touch (settled 46). */
  #defaultScope(action: Action): DataScope {
    if (this.roles.has("admin")) return DEFAULT_SCOPE;
    switch (action) {
      case "write":
        if (this.#isPureApi) return DEFAULT_SCOPE;
        throw forbidden(
          "write needs one of the roles admin, api; api beside no other",
        );
      case "query":
      case "health": {
        if (this.#isPureApi || this.roles.has("support")) return DEFAULT_SCOPE;
        if (this.#access.openMetrics && this.roles.size > 0) {
          return this.#isPerson ? OPEN_SCOPE : DEFAULT_SCOPE;
        }
        if (this.#isPerson) return this.#ownScope ??= this.#makeOwnScope();
        throw forbidden(
          `${action} needs one of the roles admin, support, manager, user, api; api beside no other`,
        );
      }
      case "free":
      case "debug":
        throw forbidden(`${action} needs one of the roles admin`);
    }
  }

  get #isPerson(): boolean {
    return this.roles.has("user") || this.roles.has("manager");
  }

  override get seesOwnJobsOnly(): boolean {
    const seesAll = this.#isPureApi || this.#access.openMetrics ||
      this.roles.has("admin") || this.roles.has("support");
    return this.#isPerson && !seesAll;
  }

  #makeOwnScope(): DataScope {
    const { own } = this.jobView();
    return { ...OPEN_SCOPE, owner: own! };
  }

  get shareKey(): string {
    return `user:${this.name}`;
  }

  override get isMachine(): boolean {
    return this.#isPureApi || this.roles.has("admin");
  }

  get isAdministrator(): boolean {
    return this.roles.has("admin");
  }

  get readsServerMetrics(): boolean {
    return this.roles.has("admin");
  }

  /** job-api 1.2: roles are counted, so unknown words count. */
  mayUseJobs(group: JobGroup): boolean {
    if (!this.#isSubject || !this.#words.has("api")) return false;
    if (this.#words.size === 1) return true;
    const others: readonly Role[] = group === "job"
      ? ["admin"]
      : ["user", "manager", "support", "admin"];
    return others.some((role) => this.roles.has(role));
  }

  get writesSharedTags(): boolean {
    return this.#isPureApi;
  }

  override get ownTagScope(): string | undefined {
    return this.#isSubject ? this.name : undefined;
  }

  get #isPureApi(): boolean {
    return this.#words.size === 1 && this.#words.has("api");
  }

  jobView(): JobView {
    const all = this.#isPureApi || this.roles.has("admin") ||
      this.roles.has("support");
    if (all) return {};
    const projects = this.roles.has("manager") ? [...this.projects] : [];
    return { own: { user: this.name, projects } };
  }

  jobMetrics(): DataScope {
    return DEFAULT_SCOPE;
  }
}

/** A token of the admin API: what its policy says, and nothing else. */
export class TokenPrincipal extends Principal {
  readonly name: string;
  readonly #policy: Policy;
  /** The user name beside the token, where it was sent so: names the instance. */
  readonly #basicUser: string;
  readonly #access: AccessState;

  constructor(
    name: string,
    policy: Policy,
    basicUser: string,
    access: AccessState,
  ) {
    super();
    this.name = name;
    this.#policy = policy;
    this.#basicUser = basicUser;
    this.#access = access;
  }

  dataScope(
    action: Action,
    orgId: string | readonly string[] | undefined,
  ): DataScope {
    const needed = SCOPE_BY_ACTION[action];
    if (!this.#policy.has(needed)) {
      throw forbidden(
        `${action} needs scope ${needed}, which access policy ${this.#policy.record.name} lacks`,
      );
    }
    if (action === "write" && this.#policy.isContradictory) {
      throw forbidden(
        `access policy ${this.#policy.record.name} has label policies, by which no writes can be narrowed`,
      );
    }
    const header = orgId === "" ? undefined : orgId;
    const name = this.#basicUser !== ""
      ? this.#basicUser
      : header ?? this.#policy.impliedInstance;
    if (name === undefined) {
      throw new ClientError("E_UNAUTHENTICATED", "no org id");
    }
    const instance = name === "" ? undefined : findActive(this.#access, name);
    const scope = name === "" || instance !== undefined
      ? this.#policy.dataScope(instance)
      : undefined;
    if (scope !== undefined) return scope;
    // The same words for an instance that is there: whose it is, is not for everybody.
    throw forbidden(
      `access policy ${this.#policy.record.name} has no realm with ${
        name === "" ? "the default instance" : "an active instance of that name"
      }`,
    );
  }

  override get isKnown(): boolean {
    return true;
  }

  get shareKey(): string {
    return `token:${this.name}`;
  }

  get isAdministrator(): boolean {
    return this.#policy.has("admin");
  }

  get readsServerMetrics(): boolean {
    return this.#policy.has("metrics:read") &&
      this.#policy.record.realms.some((realm) =>
        realm.instance === "*" && realm.cluster === "*" &&
        realm.selectors.length === 0
      );
  }

  /** Jobs belong to the default instance. */
  mayUseJobs(_group: JobGroup, access: JobAccess): boolean {
    const may = this.#policy.has(access) &&
      this.#policy.dataScope(undefined) !== undefined;
    // What jobs tell of hosts and users is not known by labels.
    if (may && this.#policy.isNarrowed) {
      throw forbidden(
        `access policy ${this.#policy.record.name} has label policies, by which jobs cannot be narrowed`,
      );
    }
    return may;
  }

  get writesSharedTags(): boolean {
    return this.#policy.has("jobs:write");
  }

  jobView(): JobView {
    const realms = this.#policy.record.realms.filter(({ instance }) =>
      instance === "" || instance === "*"
    );
    const clusters = new Set(realms.map((realm) => realm.cluster));
    return clusters.has("*") ? {} : { clusters };
  }

  jobMetrics(): DataScope | undefined {
    return this.#policy.has("metrics:read")
      ? this.#policy.dataScope(undefined)
      : undefined;
  }
}

function activeInstance(
  access: AccessState,
  name: string | readonly string[],
) {
  const instance = findActive(access, name);
  if (instance !== undefined) return instance;
  throw forbidden(`${ORG_ID} names no active instance`);
}

function findActive(
  access: AccessState,
  name: string | readonly string[],
): InstanceRecord | undefined {
  const instance = typeof name === "string" ? access.instance(name) : undefined;
  return instance?.active ? instance : undefined;
}

function forbidden(message: string): ClientError {
  return new ClientError("E_FORBIDDEN", message);
}
