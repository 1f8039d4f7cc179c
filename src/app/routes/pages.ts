/** Pages about the server itself: is it there, is it ready, what does it count. */
import { ClientError } from "../../base/errors.ts";
import {
  acceptsPages,
  htmlPage,
  PAGE_NOT_FOUND,
  textPage,
} from "../../http/answer/page_answer.ts";
import {
  type ApiAnswer,
  type ApiCall,
  bindTo,
  JSON_TYPE,
} from "../../http/api_route.ts";
import type { Registry } from "prom-client";
import type { RouteServices } from "./services.ts";
import type { PageRoute } from "../../http/route.ts";

/**
 * A broker that is away does not make the server unhealthy: HTTP works, and a
 * restart would not help. Its state has a line of its own, which strangers do not see.
 */
async function health(
  { engine, nats }: RouteServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const failed = engine.state === "failed";
  const state = failed ? "failed\n" : "ok\n";
  const broker = nats !== undefined && await isKnown(call)
    ? `nats ${nats.state}\n`
    : "";
  return textPage(failed ? 503 : 200, state + broker);
}

/** Whether the request has a good credential; a bad one is as good as none here. */
async function isKnown(call: ApiCall): Promise<boolean> {
  try {
    return (await call.authenticate()).isKnown;
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  }
}

function ready({ engine }: RouteServices): ApiAnswer {
  const { state } = engine;
  return textPage(state === "ready" ? 200 : 503, `${state}\n`);
}

async function metrics(registry: Registry): Promise<ApiAnswer> {
  const text = await registry.metrics();
  return {
    status: 200,
    headers: { "Content-Type": registry.contentType },
    body: text,
  };
}

const NO_PAGES =
  "<p>The pages are not built. Run <code>deno task web</code>, then start the server again.</p>\n";

/**
 * Links, where there are no pages. A client that says nothing of what it accepts gets
 * the 404 that upstream answers here.
 */
function start({ web, dev }: RouteServices, call: ApiCall): ApiAnswer {
  if (!acceptsPages(call)) return PAGE_NOT_FOUND;
  const notBuilt = web === undefined ? "" : NO_PAGES;
  const swagger = dev
    ? '<li><a href="/swagger/">Try it out (Swagger UI)</a></li>'
    : "<li>Swagger UI: start with <code>-dev</code></li>";
  return htmlPage(
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
    { "Content-Security-Policy": "default-src 'none'" },
  );
}

/** There is none, which is no error. */
function noIcon(): ApiAnswer {
  return {
    status: 204,
    headers: { "Cache-Control": "max-age=86400" },
    body: "",
  };
}

/** Pages of the server itself; `document` gives the text of the API document. */
export function pageRoutes(
  services: RouteServices,
  registry: Registry,
  document: () => string,
): readonly PageRoute[] {
  const showHealth = bindTo(services)(health);
  const showReadiness = () => ready(services);
  return [
    {
      kind: "page",
      group: "page",
      path: "/health",
      name: "health",
      access: "public",
      operations: {
        GET: {
          id: "alive",
          summary: "Whether the server works",
          description:
            "With a broker configured and a credential in the request a second " +
            "line tells of the connection: `nats connected` or `nats connecting`.",
          handle: showHealth,
          answer: { type: "text/plain", example: "ok\n" },
          errors: { 503: { type: "text/plain", description: "It failed." } },
        },
      },
    },
    {
      kind: "page",
      group: "page",
      path: "/ready",
      name: "ready",
      access: "public",
      operations: {
        GET: {
          id: "ready",
          summary: "Whether queries are answered",
          handle: showReadiness,
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
        [name, show],
      ): PageRoute => ({
        kind: "page",
        group: "page",
        path: `${prefix}/-/${name}`,
        name,
        access: "public",
        undocumented: true,
        operations: {
          GET: {
            id: `prom_${name}`,
            summary: "The same as /health and /ready",
            handle: show,
            answer: { type: "text/plain" },
          },
        },
      }))
    ),
    {
      kind: "page",
      group: "page",
      path: "/metrics",
      name: "metrics",
      access: "metrics",
      isOpen: ({ config }) => config["metrics-public"],
      operations: {
        GET: {
          id: "metrics",
          summary: "Counters of the server, for Prometheus",
          handle: () => metrics(registry),
          answer: { type: "text/plain" },
        },
      },
    },
    {
      kind: "page",
      group: "page",
      path: "/",
      name: "start",
      access: "public",
      undocumented: true,
      when: () => services.web?.assets === undefined,
      operations: {
        GET: {
          id: "start",
          summary: "A page with links",
          handle: (call) => start(services, call),
          answer: { type: "text/html" },
        },
      },
    },
    {
      kind: "page",
      group: "page",
      path: "/favicon.ico",
      name: "favicon",
      access: "public",
      undocumented: true,
      operations: {
        GET: {
          id: "favicon",
          summary: "What browsers ask for",
          handle: noIcon,
          answer: { type: "text/plain" },
        },
      },
    },
    {
      kind: "page",
      group: "page",
      path: "/api/openapi.json",
      name: "openapi",
      access: "document",
      isOpen: () => services.dev,
      operations: {
        GET: {
          id: "openapi",
          summary: "This document",
          handle: () => ({
            status: 200,
            headers: { "Content-Type": JSON_TYPE },
            body: document(),
          }),
          answer: { type: JSON_TYPE },
        },
      },
    },
  ];
}
