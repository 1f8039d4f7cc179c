/**
 * Finds the route of a request. Metric routes get the streams of `node:http`
 * without detours; everything else goes through Hono. Unknown paths (404) and
 * methods (405) are answered before anybody asks who is there.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Principal } from "../access/mod.ts";
import { monotonicMs } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import {
  ApiRouter,
  groupOfPath,
  serveApi,
  serveUnknown,
  styleOf,
} from "./api_dispatch.ts";
import {
  HSTS,
  isForged,
  isPreflight,
  PAGE_HEADERS,
  preflightHeaders,
} from "./guard/browser_guard.ts";
import {
  cameSecurely,
  clientAddress,
  isForwardedLocally,
} from "./guard/client_address.ts";
import { credentialHeaders } from "./guard/credential_headers.ts";
import { API_METHODS } from "./api_route.ts";
import type { Door } from "./door.ts";
import { errorAnswer, errorObject } from "./answer/error_answer.ts";
import { Exchange } from "./exchange.ts";
import { openDoorProblem } from "./open_door.ts";
import type { OwnAddress } from "./origin.ts";
import { notFound } from "./answer/page_answer.ts";
import { type HeadProblem, settleHead, WHOLE_SERVER } from "./request_head.ts";
import {
  allowedMethods,
  type MetricRoute,
  type PageRoute,
  type Route,
} from "./route.ts";

export type RequestListener = (
  req: IncomingMessage,
  res: ServerResponse,
) => void;

const API_PREFIX = "/api/";
/** What the documentation of upstream calls the same routes. */
const ALIAS_PREFIX = "/metricstore/";
const METHOD_NOT_ALLOWED = "Method Not Allowed\n";
/** In metrics: a request that found no route. */
const NO_ROUTE = "none";
const SERVER_METHODS = ["HEAD", ...API_METHODS, "OPTIONS"].join(", ");

/** Serves `routes` with the means of `door`. */
export function createDispatch(
  routes: readonly Route[],
  door: Door,
): RequestListener {
  const metricRoutes = routes.filter((route) => route.kind === "metric");
  const find = metricRouteFinder(metricRoutes);
  const api = new ApiRouter(routes.filter((route) => route.kind === "api"));
  const pagePaths = new Set(
    routes.filter((route) => route.kind === "page")
      .filter((route) => route.when?.() !== false)
      .map(({ path }) => path),
  );
  const pages = getRequestListener(createPages(routes, door).fetch, {
    overrideGlobalObjects: false,
    // Of requests without a host, which HTTP/1.0 allows.
    hostname: "localhost",
  });
  const noteProxy = proxyNotice(door);
  return (req, res) => {
    noteProxy(req);
    const wrong = settleHead(req);
    if (wrong !== undefined) return refuseHead(req, res, door, wrong);
    if (isForged(req)) {
      refuseForged(req, res, door, "cross-site requests are refused");
      return;
    }
    const problem = door.openNames &&
      openDoorProblem(req, ownAddress(req, door), door.openNames);
    if (problem !== undefined) return refuseForged(req, res, door, problem);
    if (isPreflight(req) && groupOfPath(req.url ?? "") !== "web") {
      res.writeHead(204, preflightHeaders(req)).end();
      return;
    }
    if (req.url === WHOLE_SERVER) return describeServer(req, res, door);
    const url = req.url ?? "/";
    const queryAt = url.indexOf("?");
    const path = queryAt === -1 ? url : url.slice(0, queryAt);
    const search = queryAt === -1 ? "" : url.slice(queryAt + 1);
    const route = find(path);
    if (route !== undefined) {
      serveMetric(route, new Exchange(door, req, res, route.name, search));
      return;
    }
    if (
      !pagePaths.has(bare(path)) &&
      serveOther(api, door, req, res, path, search)
    ) {
      return;
    }
    const visit = { req };
    door.inFlight.add(visit);
    res.once("close", () => door.inFlight.delete(visit));
    void pages(req, res);
  };
}

function bare(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function serveMetric(route: MetricRoute, exchange: Exchange): void {
  try {
    if (accepts(route, exchange)) route.handle(exchange);
    else refuseMethod(route, exchange);
  } catch (error) {
    exchange.fail(error);
  }
}

/** The admin and job APIs; false: the path belongs to neither. */
function serveOther(
  api: ApiRouter,
  door: Door,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  search: string,
): boolean {
  const below = groupOfPath(path);
  let found: ReturnType<ApiRouter["find"]>;
  let problem: unknown;
  try {
    found = api.find(path);
  } catch (error) {
    problem = error;
  }
  const group = found?.route.group ?? below;
  if (group === undefined) return false;
  const exchange = new Exchange(
    door,
    req,
    res,
    found?.route.name ?? NO_ROUTE,
    search,
    styleOf(group),
  );
  exchange.isForOwnPages = group === "web";
  if (problem !== undefined) exchange.fail(problem);
  else if (found === undefined) serveUnknown(exchange, group);
  else serveApi(exchange, found);
  return true;
}

/** What cannot be served whatever its route: nobody is asked who that is. */
function refuseHead(
  req: IncomingMessage,
  res: ServerResponse,
  door: Door,
  { status, message }: HeadProblem,
): void {
  new Exchange(door, req, res, NO_ROUTE, "").send(status, {
    "Connection": "close",
    "Content-Type": "application/json",
  }, errorObject(status, message));
}

/** `OPTIONS *` asks of the server, not of a path (RFC 9110, 9.3.7). */
function describeServer(
  req: IncomingMessage,
  res: ServerResponse,
  door: Door,
): void {
  new Exchange(door, req, res, NO_ROUTE, "").send(200, {
    "Allow": SERVER_METHODS,
  }, "");
}

/**
 * Says once that a proxy on this machine is not believed, where none is configured:
 * until then all its clients are one to the limits of logins and to the log.
 */
function proxyNotice(door: Door): (req: IncomingMessage) => void {
  let isTold = false;
  return (req) => {
    if (isTold || door.config["trusted-proxies"].length > 0) return;
    if (!isForwardedLocally(req)) return;
    isTold = true;
    door.log.warn(
      "a forwarding header from this machine is not believed: where it is of your proxy, name that in main.trusted-proxies",
      { peer: req.socket.remoteAddress },
    );
  };
}

/** Whatever it carries: nobody is asked who that is. */
function refuseForged(
  req: IncomingMessage,
  res: ServerResponse,
  door: Door,
  problem: string,
): void {
  door.metrics.countDenied("cross-site");
  door.audit.refused({
    reason: "cross-site",
    from: clientAddress(req, door.trustedProxies),
    // Without what follows `?`, which may be a token.
    message: `${problem}: ${req.url?.split("?", 1)[0]?.slice(0, 200)}`,
  });
  res.writeHead(403, {
    "Content-Type": "text/plain; charset=utf-8",
    "Connection": "close",
  }).end(`${problem}\n`);
}

function ownAddress(req: IncomingMessage, door: Door): OwnAddress {
  return {
    baseUrl: door.config["base-url"] ?? "",
    isSecure: cameSecurely(req, door.trustedProxies),
  };
}

/** Exact spellings are one look-up; any suffix after a slash is found slower. */
function metricRouteFinder(
  routes: readonly MetricRoute[],
): (path: string) => MetricRoute | undefined {
  const exact = new Map<string, MetricRoute>();
  const prefixes: [string, MetricRoute][] = [];
  for (const route of routes) {
    const alias = ALIAS_PREFIX + route.path.slice(API_PREFIX.length);
    for (const path of [route.path, alias]) {
      exact.set(path, route);
      exact.set(`${path}/`, route);
      prefixes.push([`${path}/`, route]);
    }
  }
  return (path) =>
    exact.get(path) ??
      prefixes.find(([prefix]) => path.startsWith(prefix))?.[1];
}

function accepts(route: MetricRoute, exchange: Exchange): boolean {
  switch (exchange.req.method) {
    case "POST":
      return route.operations.POST !== undefined;
    case "GET":
      return route.operations.GET !== undefined ||
        (route.getWithBody === true && exchange.hasBody());
    case "HEAD":
      return route.operations.GET !== undefined;
    default:
      return false;
  }
}

function refuseMethod(route: MetricRoute, exchange: Exchange): void {
  const allow = allowedMethods(route);
  const hint = route.getWithBody && exchange.req.method === "GET"
    ? "Method Not Allowed: use POST\n"
    : METHOD_NOT_ALLOWED;
  exchange.send(405, {
    "Allow": allow,
    "Content-Type": "text/plain; charset=utf-8",
  }, hint);
}

type Bindings = { Bindings: HttpBindings };

function createPages(routes: readonly Route[], door: Door): Hono<Bindings> {
  const app = new Hono<Bindings>({ strict: false });
  app.use("*", async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(PAGE_HEADERS)) {
      if (!context.res.headers.has(name)) context.header(name, value);
    }
    if (cameSecurely(context.env.incoming, door.trustedProxies)) {
      context.header("Strict-Transport-Security", HSTS);
    }
    const isCrossOrigin = context.req.header("origin") !== undefined;
    if (isCrossOrigin && door.openNames === undefined) {
      context.header("Access-Control-Allow-Origin", "*");
    }
    if (door.closing) context.header("Connection", "close");
  });
  for (const route of routes) {
    if (route.kind !== "page") continue;
    if (route.when?.() === false) continue;
    const methods = Object.keys(route.operations);
    app.on(methods, route.path, async (context) => {
      const startMs = monotonicMs();
      const response = await servePage(route, context, door);
      door.metrics.countRequest(
        route.name,
        response.status,
        (monotonicMs() - startMs) / 1000,
      );
      return response;
    });
    app.all(route.path, (context) => {
      door.metrics.countRequest(route.name, 405, 0);
      return context.text(METHOD_NOT_ALLOWED, 405, {
        "Allow": allowedMethods(route),
      });
    });
  }
  app.notFound((context) => {
    door.metrics.countRequest(NO_ROUTE, 404, 0);
    return notFound(context);
  });
  return app;
}

async function servePage(
  route: PageRoute,
  context: Context<Bindings>,
  door: Door,
): Promise<Response> {
  try {
    if (route.access !== "public" && !route.isOpen?.(door)) {
      const headers = credentialHeaders(context.env.incoming);
      admit(route, await door.authenticator.authenticate(headers));
    }
    return await route.respond(context, door);
  } catch (error) {
    const answer = errorAnswer(error, door, "metric", {
      route: route.name,
      from: clientAddress(context.env.incoming, door.trustedProxies),
    });
    return new Response(answer.body, {
      status: answer.status,
      headers: Object.entries(answer.headers).map(([name, value]) =>
        [name, String(value)] as [string, string]
      ),
    });
  }
}

function admit({ access }: PageRoute, principal: Principal): void {
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
