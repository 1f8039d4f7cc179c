/**
 * Finds the route of a request. Metric routes get the streams of `node:http`
 * without detours; everything else goes through Hono. Unknown paths (404) and
 * methods (405) are answered before anybody asks who is there.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { monotonicMs } from "../clock.ts";
import type { Action } from "../auth/principal.ts";
import { credentialHeaders } from "./credential_headers.ts";
import type { Door } from "./door.ts";
import { errorAnswer } from "./error_answer.ts";
import { Exchange } from "./exchange.ts";
import { notFound } from "./pages.ts";
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

/** Serves `routes` with the means of `door`. */
export function createDispatch(
  routes: readonly Route[],
  door: Door,
): RequestListener {
  const metricRoutes = routes.filter((route) => route.kind === "metric");
  const find = metricRouteFinder(metricRoutes);
  const pages = getRequestListener(createPages(routes, door).fetch, {
    overrideGlobalObjects: false,
  });
  return (req, res) => {
    const url = req.url ?? "/";
    const queryAt = url.indexOf("?");
    const path = queryAt === -1 ? url : url.slice(0, queryAt);
    const route = find(path);
    if (route === undefined) {
      const visit = { req };
      door.inFlight.add(visit);
      res.once("close", () => door.inFlight.delete(visit));
      void pages(req, res);
      return;
    }
    const search = queryAt === -1 ? "" : url.slice(queryAt + 1);
    const exchange = new Exchange(door, req, res, route.name, search);
    try {
      if (accepts(route, exchange)) route.handle(exchange);
      else refuseMethod(route, exchange);
    } catch (error) {
      exchange.fail(error);
    }
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
    context.header("X-Content-Type-Options", "nosniff");
    if (door.closing) context.header("Connection", "close");
  });
  for (const route of routes) {
    if (route.kind !== "page" || (route.devOnly && !door.dev)) continue;
    const methods = Object.keys(route.operations);
    app.on(methods, route.path, async (context) => {
      const startMs = monotonicMs();
      const response = await servePage(route, context, door);
      door.telemetry.countRequest(
        route.name,
        response.status,
        (monotonicMs() - startMs) / 1000,
      );
      return response;
    });
    app.all(route.path, (context) => {
      door.telemetry.countRequest(route.name, 405, 0);
      return context.text(METHOD_NOT_ALLOWED, 405, {
        "Allow": allowedMethods(route),
      });
    });
  }
  app.notFound((context) => {
    door.telemetry.countRequest("none", 404, 0);
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
    const action = neededAction(route, door);
    if (action !== undefined) {
      const headers = credentialHeaders(context.env.incoming);
      (await door.authenticator.authenticate(headers)).demand(action);
    }
    return await route.respond(context, door);
  } catch (error) {
    const answer = errorAnswer(error, door);
    return new Response(answer.body, {
      status: answer.status,
      headers: Object.entries(answer.headers).map(([name, value]) =>
        [name, String(value)] as [string, string]
      ),
    });
  }
}

/** What a principal must be allowed for a page; `undefined`: anybody may see it. */
function neededAction(route: PageRoute, door: Door): Action | undefined {
  switch (route.access) {
    case "public":
      return undefined;
    case "metrics":
      return door.config["metrics-public"] ? undefined : "debug";
    case "document":
      return door.dev ? undefined : "query";
    default:
      return route.access;
  }
}
