/**
 * Finds the route of a request to the admin and job APIs, lets in whom its group
 * lets in, reads the body, and sends what the handler answers. Main thread.
 */
import { TrieRouter } from "hono/router/trie-router";
import type { Principal } from "../access/mod.ts";
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
  JSON_TYPE,
} from "./api_route.ts";
import { forgeryProblem } from "./guard/browser_guard.ts";
import { credentialHeaders } from "./guard/credential_headers.ts";
import type { HttpContext } from "./http_context.ts";
import type { Exchange } from "./exchange.ts";
import {
  METHOD_NOT_ALLOWED,
  PAGE_NOT_FOUND,
  PAGE_TEXT,
} from "./answer/page_answer.ts";
import { GROUP_RULES, groupOfPath, type GroupRules } from "./group_rules.ts";
import type { PageRoute } from "./route.ts";
import { readBody } from "./body/request_body.ts";

export interface FoundApi {
  readonly route: ApiRoute | PageRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** The routes by path. Of several that match the first of the table counts. */
export class ApiRouter {
  readonly #router = new TrieRouter<ApiRoute | PageRoute>();
  /** They keep their paths from those that are less particular. */
  readonly #unwanted = new Set<ApiRoute | PageRoute>();
  /** What is found for paths without parameters, which most requests have. */
  readonly #fixed = new Map<string, FoundApi | undefined>();

  constructor(routes: readonly (ApiRoute | PageRoute)[]) {
    for (const route of routes) {
      const isWanted = route.when?.() !== false;
      // Two pages may share a path, of which the configuration chooses one.
      if (!isWanted && route.kind === "page") continue;
      if (!isWanted) this.#unwanted.add(route);
      this.#router.add("ALL", route.path, route);
    }
    for (const { path } of routes) {
      if (!/[:*]/.test(path)) this.#fixed.set(path, this.#match(path));
    }
  }

  /** `undefined`: no such path. Throws `E_BAD_REQUEST` for a bad percent-escape. */
  find(path: string): FoundApi | undefined {
    const isSlashed = path.length > 1 && path.endsWith("/");
    const bare = isSlashed ? path.slice(0, -1) : path;
    const fixed = this.#fixed.get(bare);
    if (fixed?.route.kind === "page") return fixed;
    // Paths of this API are exact (prometheus-api 1).
    if (isSlashed && groupOfPath(path) === "prometheus") return undefined;
    return this.#fixed.has(bare) ? fixed : this.#match(bare);
  }

  #match(path: string): FoundApi | undefined {
    const [first] = this.#router.match("ALL", path)[0];
    if (first === undefined) return undefined;
    const [route, params] = first as unknown as [
      ApiRoute | PageRoute,
      Record<string, string>,
    ];
    if (this.#unwanted.has(route)) return undefined;
    const decoded = Object.entries(params).map(([name, value]) =>
      [name, decode(value)] as const
    );
    return { route, params: Object.fromEntries(decoded) };
  }
}

/** Serves a request to a known path. */
export function serveApi(exchange: Exchange, { route, params }: FoundApi) {
  const rules = GROUP_RULES[route.group];
  const isHead = exchange.req.method === "HEAD" && rules.hasHead;
  const method = isHead ? "GET" : exchange.req.method as ApiMethod;
  const operation = route.operations[method];
  if (operation === undefined || !API_METHODS.includes(method)) {
    refuseMethod(exchange, route);
    return;
  }
  const { cookies } = rules;
  const problem = cookies &&
    forgeryProblem(exchange.req, cookies, exchange.own);
  if (problem !== undefined) {
    exchange.fail(new ClientError("E_FORBIDDEN", problem));
    return;
  }
  if (rules.takesJsonAlone && method !== "GET") {
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
  admit(exchange, route, operation, (principal) => {
    const changed: Changed = {
      who: principal.name,
      object: exchange.path.slice(0, 200),
    };
    const call = (body: Uint8Array): ApiCall => ({
      method,
      path: exchange.path,
      params,
      search: exchange.parameters(),
      query: exchange.search,
      headers: exchange.req.headers,
      body,
      from: exchange.from,
      isSecure: exchange.isSecure,
      principal,
      authenticate: (place) =>
        exchange.context.authenticator.authenticate(
          credentialHeaders(exchange.req),
          place,
        ),
      nowMs: nowSec() * 1000,
      audit(object, who) {
        changed.object = object;
        if (who !== undefined) changed.who = who;
      },
      whenGone: (listener) => exchange.res.once("close", listener),
      refused: (reason, who) => exchange.noteRefusal(reason, who),
    });
    if (rules.bodyBytes === 0 || !exchange.hasBody()) {
      run(exchange, rules, operation, call(new Uint8Array(0)), changed);
      return;
    }
    readBody(
      exchange,
      (body) => {
        if (exchange.about !== undefined) {
          exchange.about = () => jobFields(body);
        }
        run(exchange, rules, operation, call(body), changed);
      },
      rules.bodyBytes,
    );
  });
}

/**
 * Which share of the bytes in flight a request has. Administrators are always let in:
 * they may have to end what takes the rest.
 */
function shareClassOf(group: Group, operation: ApiOperation): ShareClass {
  if (GROUP_RULES[group].isUrgent) return "admin";
  return group === "job" && operation.scope === "jobs:write" ? "write" : "read";
}

/** Below `/userapi` and `/frontend` even a path that nobody serves asks who is there. */
export function serveUnknown(exchange: Exchange, group: Group): void {
  if (group === "prometheus") return servePrometheusUnknown(exchange);
  if (group === "page") return exchange.sendAnswer(PAGE_NOT_FOUND);
  const notFound = () => {
    exchange.send(
      404,
      { "Content-Type": JSON_TYPE },
      GROUP_RULES[group].errors === "admin"
        ? '{"status":"error","error":"no such path"}\n'
        : '{"error":"the requested endpoint does not exist","status":"Resource not found"}\n',
    );
  };
  if (GROUP_RULES[group].guardsUnknown) {
    admit(exchange, { group }, undefined, notFound);
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
  rules: GroupRules,
  operation: ApiOperation,
  call: ApiCall,
  changed: Changed,
): void {
  const { context } = exchange;
  const audit = (outcome: "done" | number) => {
    if (!operation.audited) return;
    // Refusals have lines of their own, and strangers cause no others.
    const isRefusal = outcome === 401 || outcome === 403;
    if (
      isRefusal || (outcome !== "done" && call.principal === context.anonymous)
    ) {
      return;
    }
    if (outcome === "done") context.metrics.countChange(operation.id);
    const { who, object } = changed;
    const what = operation.id;
    context.audit.change({ what, who, from: call.from, object, outcome });
  };
  const send = (answer: ApiAnswer) => {
    audit(answer.status < 400 ? "done" : answer.status);
    exchange.sendAnswer(answer);
  };
  const fail = (error: unknown) => {
    audit(error instanceof ClientError ? error.status : 500);
    exchange.fail(error);
  };
  const isRead = call.method === "GET" && exchange.shareClass === "read" &&
    !rules.hasQueue;
  try {
    const answer = isRead
      ? inItsShare(context, operation, call)
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
  { reads }: HttpContext,
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
function admit(
  exchange: Exchange,
  route: Pick<ApiRoute, "group"> | PageRoute,
  operation: ApiOperation | undefined,
  next: (principal: Principal) => void,
): void {
  const { context } = exchange;
  const { credential, check } = GROUP_RULES[route.group];
  const page = "access" in route ? route : undefined;
  const place = page !== undefined && !isOpen(page, context)
    ? "metric"
    : credential;
  if (place === undefined) {
    next(context.anonymous);
    return;
  }
  const isSession = place === "session" && exchange.isSecure;
  exchange.authenticate(isSession ? "secure-session" : place, (principal) => {
    check?.(principal, operation?.scope ?? "jobs:read", exchange);
    if (page !== undefined) admitToPage(page, principal);
    next(principal);
  });
}

function isOpen({ access, isOpen }: PageRoute, context: HttpContext): boolean {
  return access === "public" || isOpen?.(context) === true;
}

/** Throws `E_FORBIDDEN` where a page is not for this caller. */
function admitToPage({ access }: PageRoute, principal: Principal): void {
  const may = access === "metrics"
    ? principal.readsServerMetrics
    : principal.isKnown;
  if (may) return;
  throw new ClientError(
    "E_FORBIDDEN",
    access === "metrics"
      ? "the server's metrics need the role admin, or scope metrics:read for every instance"
      : "a role is needed",
  );
}

function refuseMethod(exchange: Exchange, route: ApiRoute | PageRoute): void {
  const { wrongMethod, hasHead } = GROUP_RULES[route.group];
  const allow = Object.keys(route.operations)
    .flatMap((method) => method === "GET" && hasHead ? ["GET", "HEAD"] : method)
    .join(", ");
  switch (wrongMethod) {
    case "not found":
      serveUnknown(exchange, route.group);
      return;
    case "json":
      exchange.send(
        405,
        { "Allow": allow, "Content-Type": JSON_TYPE },
        `{"status":"error","error":"use ${allow}"}\n`,
      );
      return;
    case "text":
      exchange.send(
        405,
        { "Allow": allow, "Content-Type": PAGE_TEXT },
        METHOD_NOT_ALLOWED,
      );
      return;
    default:
      exchange.send(405, { "Allow": allow }, "");
  }
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
