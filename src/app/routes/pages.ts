/** Pages about the server itself: is it there, is it ready, what does it count. */
import type { Context } from "hono";
import { ClientError } from "../../base/errors.ts";
import { credentialHeaders } from "../../http/guard/credential_headers.ts";
import { acceptsPages, notFound } from "../../http/answer/page_answer.ts";
import type { Registry } from "prom-client";
import type { RouteServices } from "./services.ts";
import type { Door } from "../../http/door.ts";
import type { PageRoute } from "../../http/route.ts";

/**
 * A broker that is away does not make the server unhealthy: HTTP works, and a
 * restart would not help. Its state has a line of its own, which strangers do not see.
 */
async function health(
  { engine, nats }: RouteServices,
  context: Context,
  door: Door,
): Promise<Response> {
  const failed = engine.state === "failed";
  const state = failed ? "failed\n" : "ok\n";
  const broker = nats !== undefined && await isKnown(context, door)
    ? `nats ${nats.state}\n`
    : "";
  return context.text(state + broker, failed ? 503 : 200);
}

/** Whether the request has a good credential; a bad one is as good as none here. */
async function isKnown(context: Context, door: Door): Promise<boolean> {
  const headers = credentialHeaders(context.env.incoming);
  try {
    return (await door.authenticator.authenticate(headers)).isKnown;
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  }
}

function ready(
  { engine }: RouteServices,
  context: Context,
): Response {
  const { state } = engine;
  return context.text(`${state}\n`, state === "ready" ? 200 : 503);
}

async function metrics(
  registry: Registry,
  context: Context,
): Promise<Response> {
  const text = await registry.metrics();
  return context.body(text, 200, {
    "Content-Type": registry.contentType,
  });
}

const NO_PAGES =
  "<p>The pages are not built. Run <code>deno task web</code>, then start the server again.</p>\n";

/**
 * Links, where there are no pages. A client that says nothing of what it accepts gets
 * the 404 that upstream answers here.
 */
function start(
  { web, dev }: RouteServices,
  context: Context,
): Response {
  if (!acceptsPages(context)) return notFound(context);
  const notBuilt = web === undefined ? "" : NO_PAGES;
  const swagger = dev
    ? '<li><a href="/swagger/">Try it out (Swagger UI)</a></li>'
    : "<li>Swagger UI: start with <code>-dev</code></li>";
  return context.html(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ringstore</title>
<h1>ringstore</h1>
${notBuilt}<ul>
<li><a href="/login">Log in</a>, then
<a href="/frontend/jwt/">a token for your scripts</a></li>
${swagger}
<li><a href="/api/openapi.json">API document (OpenAPI)</a></li>
<li><a href="/health">Health</a>, <a href="/ready">readiness</a></li>
<li><a href="/metrics">Metrics (Prometheus)</a></li>
</ul>
</html>
`,
    200,
    { "Content-Security-Policy": "default-src 'none'" },
  );
}

/** There is none, which is no error. */
function noIcon(context: Context): Response {
  return context.body(null, 204, { "Cache-Control": "max-age=86400" });
}

/** Pages of the server itself; `document` gives the text of the API document. */
export function pageRoutes(
  services: RouteServices,
  registry: Registry,
  document: () => string,
): readonly PageRoute[] {
  const showHealth: PageRoute["respond"] = (context, door) =>
    health(services, context, door);
  const showReadiness: PageRoute["respond"] = (context) =>
    ready(services, context);
  return [
    {
      kind: "page",
      path: "/health",
      name: "health",
      access: "public",
      respond: showHealth,
      operations: {
        GET: {
          id: "alive",
          summary: "Whether the server works",
          description:
            "With a broker configured and a credential in the request a second " +
            "line tells of the connection: `nats connected` or `nats connecting`.",
          answer: { type: "text/plain", example: "ok\n" },
          errors: { 503: { type: "text/plain", description: "It failed." } },
        },
      },
    },
    {
      kind: "page",
      path: "/ready",
      name: "ready",
      access: "public",
      respond: showReadiness,
      operations: {
        GET: {
          id: "ready",
          summary: "Whether queries are answered",
          answer: { type: "text/plain", example: "ready\n" },
          errors: {
            503: {
              type: "text/plain",
              description: "Not while stored samples are being restored.",
            },
          },
        },
      },
    },
    // As Prometheus names them; promtool checks them.
    ...["", "/prometheus"].flatMap((prefix): PageRoute[] =>
      ([["healthy", showHealth], ["ready", showReadiness]] as const).map((
        [name, respond],
      ): PageRoute => ({
        kind: "page",
        path: `${prefix}/-/${name}`,
        name,
        access: "public",
        undocumented: true,
        respond,
        operations: {
          GET: {
            id: `prom_${name}`,
            summary: "The same as /health and /ready",
            answer: { type: "text/plain" },
          },
        },
      }))
    ),
    {
      kind: "page",
      path: "/metrics",
      name: "metrics",
      access: "metrics",
      isOpen: ({ config }) => config["metrics-public"],
      respond: (context) => metrics(registry, context),
      operations: {
        GET: {
          id: "metrics",
          summary: "Counters of the server, for Prometheus",
          answer: { type: "text/plain" },
        },
      },
    },
    {
      kind: "page",
      path: "/",
      name: "start",
      access: "public",
      undocumented: true,
      when: () => services.web?.assets === undefined,
      respond: (context) => start(services, context),
      operations: {
        GET: {
          id: "start",
          summary: "A page with links",
          answer: { type: "text/html" },
        },
      },
    },
    {
      kind: "page",
      path: "/favicon.ico",
      name: "favicon",
      access: "public",
      undocumented: true,
      respond: noIcon,
      operations: {
        GET: {
          id: "favicon",
          summary: "What browsers ask for",
          answer: { type: "text/plain" },
        },
      },
    },
    {
      kind: "page",
      path: "/api/openapi.json",
      name: "openapi",
      access: "document",
      isOpen: () => services.dev,
      respond: (context) =>
        context.body(document(), 200, { "Content-Type": "application/json" }),
      operations: {
        GET: {
          id: "openapi",
          summary: "This document",
          answer: { type: "application/json" },
        },
      },
    },
  ];
}
