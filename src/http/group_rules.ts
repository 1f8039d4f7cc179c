/**
 * The rules of each group of routes, one row a group: paths, credentials, bodies and
 * errors (job-api 1.2, prometheus-api 1, web 2). Main thread.
 */
import type { CredentialPlace } from "../access/credentials.ts";
import type { Principal } from "../access/mod.ts";
import type { JobAccess } from "../access/principal.ts";
import { ClientError } from "../base/errors.ts";
import type { ErrorStyle } from "./answer/error_answer.ts";
import type { Group } from "./api_route.ts";
import type { Exchange } from "./exchange.ts";
import type { CookieUse } from "./guard/browser_guard.ts";

export interface GroupRules {
  /** Unknown paths below one of them are answered in the style of the group. */
  readonly prefixes: readonly string[];
  readonly errors: ErrorStyle;
  /** Larger bodies are refused: the thread that reads them serves everybody. 0: unread. */
  readonly bodyBytes: number;
  /** Where credentials are looked for; absent: every caller is anonymous. */
  readonly credential?: CredentialPlace;
  /** Where a browser has the credential, or gets it. */
  readonly cookies?: CookieUse;
  /** Unknown paths need a credential, too. */
  readonly guardsUnknown?: boolean;
  /** Requests are let in whatever others take: they may have to end that. */
  readonly isUrgent?: boolean;
  /** Questions wait in a queue of the group, and take no place among the reads of others. */
  readonly hasQueue?: boolean;
  /** GET brings HEAD with it. */
  readonly hasHead?: boolean;
  /** Changes are JSON, which forms of other sites cannot send. */
  readonly takesJsonAlone?: boolean;
  /** The answer to a method that a route lacks; absent: no body. */
  readonly wrongMethod?: "json" | "text" | "not found";
  /** Throws where the caller has no business in the group. `scope`: for job routes. */
  check?(principal: Principal, scope: JobAccess, exchange: Exchange): void;
}

/** The prefixes of an earlier row come before those of a later one. */
export const GROUP_RULES: Readonly<Record<Group, GroupRules>> = {
  admin: {
    prefixes: ["/admin/"],
    errors: "admin",
    bodyBytes: 1 << 20,
    credential: "metric",
    isUrgent: true,
    wrongMethod: "json",
    check(principal) {
      if (principal.isAdministrator) return;
      throw new ClientError(
        "E_FORBIDDEN",
        "the admin API needs scope admin, or the role admin",
      );
    },
  },
  prometheus: {
    prefixes: ["/prometheus/", "/api/prom/", "/api/v1/", "/otlp/"],
    errors: "prometheus",
    bodyBytes: 1 << 20,
    credential: "metric",
    hasQueue: true,
    check(principal) {
      // Each operation asks for what it needs.
      if (!principal.isKnown) throw refused("a role or a scope is needed");
    },
  },
  job: {
    prefixes: ["/api/"],
    errors: "job",
    // A job of ten thousand nodes with all their hardware threads.
    bodyBytes: 16 << 20,
    credential: "job",
    check: (principal, scope, exchange) =>
      checkJobGroup(exchange, principal, scope),
  },
  userapi: {
    prefixes: ["/userapi/"],
    errors: "job",
    bodyBytes: 1 << 20,
    credential: "job",
    guardsUnknown: true,
    check: checkUserGroup,
  },
  config: {
    prefixes: ["/config/"],
    errors: "job",
    bodyBytes: 256 << 10,
    credential: "session",
    cookies: "session",
    isUrgent: true,
    wrongMethod: "not found",
    check(principal) {
      if (!principal.has("admin")) throw refused("the role admin is needed");
    },
  },
  frontend: {
    prefixes: ["/frontend/"],
    errors: "job",
    bodyBytes: 256 << 10,
    credential: "session",
    cookies: "session",
    guardsUnknown: true,
    check(principal) {
      if (principal.roles.size === 0) throw refused("a role is needed");
    },
  },
  web: {
    prefixes: ["/web/api/"],
    errors: "job",
    bodyBytes: 256 << 10,
    credential: "session",
    cookies: "web",
    takesJsonAlone: true,
    check(principal) {
      if (mayUsePages(principal)) return;
      throw new ClientError("E_FORBIDDEN", PAGES_NEED);
    },
  },
  public: {
    prefixes: [],
    errors: "job",
    // A login is a name, a password and a path.
    bodyBytes: 16 << 10,
    cookies: "login",
  },
  page: {
    prefixes: [],
    errors: "page",
    bodyBytes: 0,
    isUrgent: true,
    hasHead: true,
    wrongMethod: "text",
  },
};

const PREFIXES = Object.entries(GROUP_RULES).flatMap(([group, { prefixes }]) =>
  prefixes.map((prefix) => [prefix, group as Group] as const)
);

/** The group below whose prefix a path lies. */
export function groupOfPath(path: string): Group | undefined {
  return PREFIXES.find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** The rules of the job API for programs; throws `E_UNAUTHENTICATED`. */
export function checkJobGroup(
  exchange: Exchange,
  principal: Principal,
  scope: JobAccess,
): void {
  if (!exchange.context.allowedAddresses(exchange.from)) {
    throw refused(`the job API does not answer to ${exchange.from}`);
  }
  if (!principal.mayUseJobs("job", scope)) {
    throw refused(
      "missing privileges: needs one of: the role api alone, the roles api and " +
        `admin, a token with scope ${scope}`,
    );
  }
}

function checkUserGroup(principal: Principal, scope: JobAccess): void {
  if (principal.mayUseJobs("userapi", scope)) return;
  throw refused(
    "missing privileges: needs one of: the role api with user, manager, support " +
      `or admin beside it, the role api alone, a token with scope ${scope}`,
  );
}

/** Reason for a login without pages. */
export const PAGES_NEED =
  "the pages need one of the roles user, manager, support, admin: the role api is for programs";

/** Whether a login has pages (web 2). */
export function mayUsePages({ roles }: Pick<Principal, "roles">): boolean {
  return [...roles].some((role) => role !== "api");
}

/** The job API says 401 also to callers it knows. */
function refused(reason: string): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason);
}
