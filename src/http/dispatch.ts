/**
 * Finds the route of a request. Metric routes get the streams of `node:http`
 * without detours; everything else is found by one router. Unknown paths (404) and
 * methods (405) are answered before anybody asks who is there.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiRouter, serveApi, serveUnknown } from "./api_dispatch.ts";
import {
  isForged,
  isPreflight,
  preflightHeaders,
} from "./guard/browser_guard.ts";
import {
  cameSecurely,
  clientAddress,
  isForwardedLocally,
} from "./guard/client_address.ts";
import { API_METHODS, JSON_TYPE } from "./api_route.ts";
import type { HttpContext } from "./http_context.ts";
import { errorObject } from "./answer/error_answer.ts";
import { Exchange } from "./exchange.ts";
import { openAccessProblem } from "./open_access.ts";
import type { OwnAddress } from "./origin.ts";
import { METHOD_NOT_ALLOWED } from "./answer/page_answer.ts";
import { GROUP_RULES, groupOfPath } from "./group_rules.ts";
import { type HeadProblem, settleHead, WHOLE_SERVER } from "./request_head.ts";
import { allowedMethods, type MetricRoute, type Route } from "./route.ts";

export type RequestListener = (
  req: IncomingMessage,
  res: ServerResponse,
) => void;

const API_PREFIX = "/api/";
/** What the documentation of upstream calls the same routes. */
const ALIAS_PREFIX = "/metricstore/";
/** In metrics: a request that found no route. */
const NO_ROUTE = "none";
const SERVER_METHODS = ["HEAD", ...API_METHODS, "OPTIONS"].join(", ");

/** Serves `routes` with the means of `context`. */
export function createDispatch(
  routes: readonly Route[],
  context: HttpContext,
): RequestListener {
  const metricRoutes = routes.filter((route) => route.kind === "metric");
  const find = metricRouteFinder(metricRoutes);
  const api = new ApiRouter(routes.filter((route) => route.kind !== "metric"));
  const noteProxy = proxyNotice(context);
  return (req, res) => {
    noteProxy(req);
    const wrong = settleHead(req);
    if (wrong !== undefined) return refuseHead(req, res, context, wrong);
    if (isForged(req)) {
      refuseForged(req, res, context, "cross-site requests are refused");
      return;
    }
    const problem = context.openNames &&
      openAccessProblem(req, ownAddress(req, context), context.openNames);
    if (problem !== undefined) return refuseForged(req, res, context, problem);
    if (isPreflight(req) && groupOfPath(req.url ?? "") !== "web") {
      res.writeHead(204, preflightHeaders(req)).end();
      return;
    }
    if (req.url === WHOLE_SERVER) return describeServer(req, res, context);
    const url = req.url ?? "/";
    const queryAt = url.indexOf("?");
    const path = queryAt === -1 ? url : url.slice(0, queryAt);
    const search = queryAt === -1 ? "" : url.slice(queryAt + 1);
    const route = find(path);
    if (route !== undefined) {
      serveMetric(route, new Exchange(context, req, res, route.name, search));
      return;
    }
    serveOther(api, context, req, res, path, search);
  };
}

function serveMetric(route: MetricRoute, exchange: Exchange): void {
  try {
    if (accepts(route, exchange)) route.handle(exchange);
    else refuseMethod(route, exchange);
  } catch (error) {
    exchange.fail(error);
  }
}

/** Everything but metric routes; a path of no group is one of the pages. */
function serveOther(
  api: ApiRouter,
  context: HttpContext,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  search: string,
): void {
  let found: ReturnType<ApiRouter["find"]>;
  let problem: unknown;
  try {
    found = api.find(path);
  } catch (error) {
    problem = error;
  }
  const group = found?.route.group ?? groupOfPath(path) ?? "page";
  const exchange = new Exchange(
    context,
    req,
    res,
    found?.route.name ?? NO_ROUTE,
    search,
    GROUP_RULES[group].errors,
  );
  exchange.isForOwnPages = group === "web";
  if (problem !== undefined) exchange.fail(problem);
  else if (found === undefined) serveUnknown(exchange, group);
  else serveApi(exchange, found);
}

/** What cannot be served whatever its route: nobody is asked who that is. */
function refuseHead(
  req: IncomingMessage,
  res: ServerResponse,
  context: HttpContext,
  { status, message }: HeadProblem,
): void {
  new Exchange(context, req, res, NO_ROUTE, "").send(status, {
    "Connection": "close",
    "Content-Type": JSON_TYPE,
  }, errorObject(status, message));
}

/** `OPTIONS *` asks of the server, not of a path (RFC 9110, 9.3.7). */
function describeServer(
  req: IncomingMessage,
  res: ServerResponse,
  context: HttpContext,
): void {
  new Exchange(context, req, res, NO_ROUTE, "").send(200, {
    "Allow": SERVER_METHODS,
  }, "");
}

/**
 * Says once that a proxy on this machine is not believed, where none is configured:
 * until then all its clients are one to the limits of logins and to the log.
 */
function proxyNotice(context: HttpContext): (req: IncomingMessage) => void {
  let isTold = false;
  return (req) => {
    if (isTold || context.config["trusted-proxies"].length > 0) return;
    if (!isForwardedLocally(req)) return;
    isTold = true;
    context.log.warn(
      "a forwarding header from this machine is not believed: where it is of your proxy, name that in main.trusted-proxies",
      { peer: req.socket.remoteAddress },
    );
  };
}

/** Whatever it carries: nobody is asked who that is. */
function refuseForged(
  req: IncomingMessage,
  res: ServerResponse,
  context: HttpContext,
  problem: string,
): void {
  context.metrics.countDenied("cross-site");
  context.audit.refused({
    reason: "cross-site",
    from: clientAddress(req, context.trustedProxies),
    // Without what follows `?`, which may be a token.
    message: `${problem}: ${req.url?.split("?", 1)[0]?.slice(0, 200)}`,
  });
  res.writeHead(403, {
    "Content-Type": "text/plain; charset=utf-8",
    "Connection": "close",
  }).end(`${problem}\n`);
}

function ownAddress(req: IncomingMessage, context: HttpContext): OwnAddress {
  return {
    baseUrl: context.config["base-url"] ?? "",
    isSecure: cameSecurely(req, context.trustedProxies),
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
