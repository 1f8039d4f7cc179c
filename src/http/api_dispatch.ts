/**
 * Finds the route of a request to the admin and job APIs, lets in whom its group
 * lets in, reads the body, and sends what the handler answers. Main thread.
 */
import { TrieRouter } from "hono/router/trie-router";
import type { Principal } from "../access/mod.ts";
import type { JobAccess } from "../access/principal.ts";
import type { CredentialPlace } from "../access/credentials.ts";
import { nowSec } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import { jobFields } from "../base/refused_request.ts";
import type { ShareClass } from "../base/shared_pool.ts";
import {
  API_METHODS,
  type ApiAnswer,
  type ApiCall,
  type ApiMethod,
  type ApiOperation,
  type ApiRoute,
  type Group,
} from "./api_route.ts";
import { type CookieUse, forgeryProblem } from "./guard/browser_guard.ts";
import type { Door } from "./door.ts";
import type { ErrorStyle } from "./answer/error_answer.ts";
import type { Exchange } from "./exchange.ts";
import { readBody } from "./body/request_body.ts";

/**
 * Larger bodies are refused: reading one costs the thread that serves everybody.
 * Below `/login` nobody is asked who they are, so little is taken there.
 */
const BODY_BYTES_BY_GROUP: Readonly<Record<Group, number>> = {
  admin: 1 << 20,
  // A job of ten thousand nodes with all their hardware threads.
  job: 16 << 20,
  userapi: 1 << 20,
  config: 256 << 10,
  frontend: 256 << 10,
  prometheus: 1 << 20,
  web: 256 << 10,
  public: 16 << 10,
};

const PLACE_BY_GROUP: Readonly<
  Record<Exclude<Group, "public">, CredentialPlace>
> = {
  admin: "metric",
  job: "job",
  userapi: "job",
  config: "session",
  frontend: "session",
  prometheus: "metric",
  web: "session",
};

export interface FoundApi {
  readonly route: ApiRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** Paths of the groups; what is below one of them and unknown is answered in its style. */
const PREFIXES: readonly (readonly [string, Group])[] = [
  ["/admin/", "admin"],
  ["/prometheus/", "prometheus"],
  ["/api/prom/", "prometheus"],
  ["/api/v1/", "prometheus"],
  ["/otlp/", "prometheus"],
  ["/api/", "job"],
  ["/userapi/", "userapi"],
  ["/config/", "config"],
  ["/frontend/", "frontend"],
  ["/web/api/", "web"],
];

/** The routes by path. Of several that match the first of the table counts. */
export class ApiRouter {
  readonly #router = new TrieRouter<ApiRoute>();
  /** They keep their paths from those that are less particular. */
  readonly #unwanted = new Set<ApiRoute>();
  /** What is found for paths without parameters, which most requests have. */
  readonly #fixed = new Map<string, FoundApi | undefined>();

  constructor(routes: readonly ApiRoute[]) {
    for (const route of routes) {
      if (route.when?.() === false) this.#unwanted.add(route);
      this.#router.add("ALL", route.path, route);
    }
    for (const { path } of routes) {
      if (!path.includes(":")) this.#fixed.set(path, this.#match(path));
    }
  }

  /** `undefined`: no such path. Throws `E_BAD_REQUEST` for a bad percent-escape. */
  find(path: string): FoundApi | undefined {
    const isSlashed = path.length > 1 && path.endsWith("/");
    // Paths of this API are exact (prometheus-api 1).
    if (isSlashed && groupOfPath(path) === "prometheus") return undefined;
    const bare = isSlashed ? path.slice(0, -1) : path;
    return this.#fixed.has(bare) ? this.#fixed.get(bare) : this.#match(bare);
  }

  #match(path: string): FoundApi | undefined {
    const [first] = this.#router.match("ALL", path)[0];
    if (first === undefined) return undefined;
    const [route, params] = first as unknown as [
      ApiRoute,
      Record<string, string>,
    ];
    if (this.#unwanted.has(route)) return undefined;
    const decoded = Object.entries(params).map(([name, value]) =>
      [name, decode(value)] as const
    );
    return { route, params: Object.fromEntries(decoded) };
  }
}

/** The group below whose prefix a path lies. */
export function groupOfPath(path: string): Group | undefined {
  return PREFIXES.find(([prefix]) => path.startsWith(prefix))?.[1];
}

export function styleOf(group: Group): ErrorStyle {
  if (group === "prometheus") return "prometheus";
  return group === "admin" ? "admin" : "job";
}

/** Serves a request to a known path. */
export function serveApi(exchange: Exchange, { route, params }: FoundApi) {
  const method = exchange.req.method as ApiMethod;
  const operation = route.operations[method];
  if (operation === undefined || !API_METHODS.includes(method)) {
    refuseMethod(exchange, route);
    return;
  }
  const use = COOKIE_USE_BY_GROUP[route.group];
  const problem = use && forgeryProblem(exchange.req, use, exchange.own);
  if (problem !== undefined) {
    exchange.fail(new ClientError("E_FORBIDDEN", problem));
    return;
  }
  if (route.group === "web" && method !== "GET") {
    const type = exchange.req.headers["content-type"] ?? "";
    if (!/^application\/json *(;|$)/i.test(type)) {
      exchange.fail(
        new ClientError(
          "E_BAD_REQUEST",
          `Content-Type: application/json is needed, got ${
            JSON.stringify(type.slice(0, 60))
          }`,
        ),
      );
      return;
    }
  }
  if (route.group === "job" && method !== "GET") {
    exchange.about = () => ({ path: exchange.path.slice(0, 200) });
  }
  exchange.shareClass = shareClassOf(route.group, operation);
  letIn(exchange, route.group, operation, (principal) => {
    const changed: Changed = {
      who: principal.name,
      object: exchange.path.slice(0, 200),
    };
    const call = (body: Uint8Array): ApiCall => ({
      method,
      path: exchange.path,
      params,
      search: exchange.parameters(),
      headers: exchange.req.headers,
      body,
      from: exchange.from,
      isSecure: exchange.isSecure,
      principal,
      nowMs: nowSec() * 1000,
      audit(object, who) {
        changed.object = object;
        if (who !== undefined) changed.who = who;
      },
      whenGone: (listener) => exchange.res.once("close", listener),
      refused: (reason, who) => exchange.noteRefusal(reason, who),
    });
    if (!exchange.hasBody()) {
      run(exchange, operation, call(new Uint8Array(0)), changed);
      return;
    }
    readBody(
      exchange,
      (body) => {
        if (exchange.about !== undefined) {
          exchange.about = () => jobFields(body);
        }
        run(exchange, operation, call(body), changed);
      },
      BODY_BYTES_BY_GROUP[route.group],
    );
  });
}

/** Where a browser has the credential, or gets it. */
const COOKIE_USE_BY_GROUP: Readonly<Partial<Record<Group, CookieUse>>> = {
  config: "session",
  frontend: "session",
  public: "login",
  web: "web",
};

/**
 * Which share of the bytes in flight a request has. Administrators are always let in:
 * they may have to end what takes the rest.
 */
function shareClassOf(group: Group, operation: ApiOperation): ShareClass {
  if (group === "admin" || group === "config") return "admin";
  return group === "job" && operation.scope === "jobs:write" ? "write" : "read";
}

/** Below `/userapi` and `/frontend` even a path that nobody serves asks who is there. */
export function serveUnknown(exchange: Exchange, group: Group): void {
  if (group === "prometheus") {
    servePrometheusUnknown(exchange);
    return;
  }
  const notFound = () => {
    exchange.send(
      404,
      { "Content-Type": "application/json" },
      group === "admin"
        ? '{"status":"error","error":"no such path"}\n'
        : '{"error":"the requested endpoint does not exist","status":"Resource not found"}\n',
    );
  };
  if (group === "userapi" || group === "frontend") {
    letIn(exchange, group, undefined, notFound);
  } else notFound();
}

/** Below the endpoints of queries: what else is unknown is of other products, which say it in words. */
const QUERY_PATHS =
  /^\/(prometheus\/api|api\/prom\/api|api)\/v1\/(?!rules\/|otlp\/|user_limits$|upload\/)/;

function servePrometheusUnknown(exchange: Exchange): void {
  if (QUERY_PATHS.test(exchange.path)) {
    exchange.fail(new ClientError("E_NOT_FOUND", "no such path"));
    return;
  }
  exchange.send(
    404,
    { "Content-Type": "text/plain; charset=utf-8" },
    "404 page not found\n",
  );
}

/** What the audit says of a request that changes something. */
interface Changed {
  who: string;
  object: string;
}

function run(
  exchange: Exchange,
  operation: ApiOperation,
  call: ApiCall,
  changed: Changed,
): void {
  const { door } = exchange;
  const audit = (outcome: "done" | number) => {
    if (!operation.audited) return;
    // Refusals have lines of their own, and strangers cause no others.
    const isRefusal = outcome === 401 || outcome === 403;
    if (isRefusal || (outcome !== "done" && call.principal === door.nobody)) {
      return;
    }
    if (outcome === "done") door.metrics.countChange(operation.id);
    const { who, object } = changed;
    const what = operation.id;
    door.audit.change({ what, who, from: call.from, object, outcome });
  };
  const send = (answer: ApiAnswer) => {
    audit(answer.status < 400 ? "done" : answer.status);
    exchange.sendAnswer(answer);
  };
  const fail = (error: unknown) => {
    audit(error instanceof ClientError ? error.status : 500);
    exchange.fail(error);
  };
  const isRead = call.method === "GET" && exchange.shareClass === "read";
  try {
    const answer = isRead
      ? inItsShare(door, operation, call)
      : operation.handle(call);
    if (answer instanceof Promise) {
      answer.then(send, fail).catch((error) => exchange.fail(error));
    } else send(answer);
  } catch (error) {
    fail(error);
  }
}

/**
 * Reads of people share the connection of the database that answers them: one who asks
 * much keeps nobody else waiting.
 */
async function inItsShare(
  { reads }: Door,
  operation: ApiOperation,
  call: ApiCall,
): Promise<ApiAnswer> {
  const claim = reads.claim(call.principal.shareKey, "read");
  try {
    await claim.take(1);
    return await operation.handle(call);
  } finally {
    claim.close();
  }
}

/** Finds out who asks; the rules of the groups are in job-api 1.2. */
function letIn(
  exchange: Exchange,
  group: Group,
  operation: ApiOperation | undefined,
  next: (principal: Principal) => void,
): void {
  const { door } = exchange;
  if (group === "public") {
    next(door.nobody);
    return;
  }
  const place = PLACE_BY_GROUP[group];
  const isSession = place === "session" && exchange.isSecure;
  exchange.authenticate(isSession ? "secure-session" : place, (principal) => {
    if (group === "job") {
      checkJobGroup(exchange, principal, operation?.scope ?? "jobs:read");
    } else checkGroup(principal, group, operation);
    next(principal);
  });
}

/** The rules of the job API for programs; throws `E_UNAUTHENTICATED`. */
export function checkJobGroup(
  exchange: Exchange,
  principal: Principal,
  scope: JobAccess,
): void {
  if (!exchange.door.allowedAddresses(exchange.from)) {
    throw refused(`the job API does not answer to ${exchange.from}`);
  }
  if (!principal.mayUseJobs("job", scope)) {
    throw refused(
      "missing privileges: needs one of: the role api alone, the roles api and " +
        `admin, a token with scope ${scope}`,
    );
  }
}

function checkGroup(
  principal: Principal,
  group: Exclude<Group, "public" | "job">,
  operation: ApiOperation | undefined,
): void {
  switch (group) {
    case "admin":
      if (principal.isAdministrator) return;
      throw new ClientError(
        "E_FORBIDDEN",
        "the admin API needs scope admin, or the role admin",
      );
    case "userapi":
      checkUserGroup(principal, operation?.scope ?? "jobs:read");
      return;
    case "config":
      if (principal.has("admin")) return;
      throw refused("the role admin is needed");
    case "prometheus":
      // Each operation asks for what it needs.
      if (principal.isKnown) return;
      throw refused("a role or a scope is needed");
    case "frontend":
      if (principal.roles.size > 0) return;
      throw refused("a role is needed");
    case "web":
      if (mayUsePages(principal)) return;
      throw new ClientError("E_FORBIDDEN", PAGES_NEED);
  }
}

/** Reason for a login without pages. */
export const PAGES_NEED =
  "the pages need one of the roles user, manager, support, admin: the role api is for programs";

/** Whether a login has pages (web 2). */
export function mayUsePages({ roles }: Pick<Principal, "roles">): boolean {
  return [...roles].some((role) => role !== "api");
}

function checkUserGroup(principal: Principal, scope: JobAccess): void {
  if (principal.mayUseJobs("userapi", scope)) return;
  throw refused(
    "missing privileges: needs one of: the role api with user, manager, support " +
      `or admin beside it, the role api alone, a token with scope ${scope}`,
  );
}

/** The job API says 401 also to those it knows. */
function refused(reason: string): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason);
}

function refuseMethod(exchange: Exchange, route: ApiRoute): void {
  if (route.group === "config") return serveUnknown(exchange, route.group);
  const allow = Object.keys(route.operations).join(", ");
  if (route.group === "admin") {
    exchange.send(
      405,
      { "Allow": allow, "Content-Type": "application/json" },
      `{"status":"error","error":"use ${allow}"}\n`,
    );
    return;
  }
  exchange.send(405, { "Allow": allow }, "");
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `the path has a bad percent-escape: ${JSON.stringify(part)}`,
      { cause },
    );
  }
}
