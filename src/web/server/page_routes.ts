/**
 * Page paths and the files of the pages (web 2, web 6). The pages are one constant text:
 * what somebody sees comes from the routes below `/web/api`. Main thread.
 */
import type { Context } from "hono";
import type { Principal } from "../../access/mod.ts";
import { ClientError } from "../../base/errors.ts";
import { mayUsePages, PAGES_NEED } from "../../http/api_dispatch.ts";
import { cameSecurely } from "../../http/guard/client_address.ts";
import { credentialHeaders } from "../../http/guard/credential_headers.ts";
import type { Door } from "../../http/door.ts";
import { pageHeaders } from "../../http/answer/page_policy.ts";
import { acceptsPages, notFound } from "../../http/answer/page_answer.ts";
import type { PageRoute } from "../../http/route.ts";
import { ASSETS_PATH, chosenCoding, type PageAssets } from "./assets.ts";
import { pageOf } from "./page_paths.ts";
import { searchTarget } from "./search_box.ts";
import type { PageServices } from "./services.ts";
import { NOT_BUILT, plainPage, shellHtml } from "./shell.ts";

const IMMUTABLE = "public, max-age=31536000, immutable";

/** The login that follows a link to a page; `undefined`: there is none. */
async function visitorOf(
  context: Context,
  door: Door,
): Promise<Principal | undefined> {
  const isSecure = cameSecurely(context.env.incoming, door.trustedProxies);
  const headers = credentialHeaders(context.env.incoming);
  try {
    return await door.authenticator.authenticate(
      headers,
      isSecure ? "secure-session" : "session",
    );
  } catch (error) {
    const isNobody = error instanceof ClientError && error.status === 401;
    if (isNobody) return undefined;
    throw error;
  }
}

/** Path and query string of a request, as they were sent. */
function addressOf(context: Context): { path: string; search: string } {
  const url = String(context.env.incoming.url ?? "/");
  const at = url.indexOf("?");
  return at === -1
    ? { path: url, search: "" }
    : { path: url.slice(0, at), search: url.slice(at) };
}

/** Goes on with who is logged in and may have pages; others learn what they need. */
async function withVisitor(
  services: PageServices,
  context: Context,
  door: Door,
  next: (
    visitor: Principal,
    assets: PageAssets,
  ) => Response | Promise<Response>,
): Promise<Response> {
  const visitor = await visitorOf(context, door);
  if (visitor === undefined) {
    const { path, search } = addressOf(context);
    return redirect(
      context,
      `/login?redirect=${encodeURIComponent(path + search)}`,
    );
  }
  if (!mayUsePages(visitor)) {
    return html(context, door, 403, plainPage("Not allowed", PAGES_NEED));
  }
  const assets = services.web?.assets;
  if (assets === undefined) {
    return html(context, door, 503, plainPage("Not built", NOT_BUILT));
  }
  return await next(visitor, assets);
}

function redirect(context: Context, target: string): Response {
  return context.body(null, 302, {
    "Location": target,
    "Cache-Control": "no-store",
  });
}

function html(
  context: Context,
  door: Door,
  status: 200 | 403 | 404 | 503,
  text: string,
): Response {
  const isSecure = cameSecurely(context.env.incoming, door.trustedProxies);
  const host = context.req.header("host") ?? "";
  return context.body(text, status, {
    ...pageHeaders({ isSecure, host }),
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-cache",
  });
}

/** A client that says nothing of what it accepts gets upstream's 404, as without pages. */
function showHome(
  services: PageServices,
  context: Context,
  door: Door,
): Response | Promise<Response> {
  if (!acceptsPages(context)) return notFound(context);
  return withVisitor(
    services,
    context,
    door,
    (_, assets) => html(context, door, 200, shellHtml(assets)),
  );
}

function showPage(
  services: PageServices,
  context: Context,
  door: Door,
): Promise<Response> {
  return withVisitor(services, context, door, (_, assets) => {
    const { path, search } = addressOf(context);
    const page = pageOf(
      path.replace(/\/$/, ""),
      new URLSearchParams(search),
    );
    if (page.kind === "leads-to") return redirect(context, page.target);
    const status = page.kind === "page" ? 200 : 404;
    return html(context, door, status, shellHtml(assets));
  });
}

function searchPage(
  services: PageServices,
  context: Context,
  door: Door,
): Promise<Response> {
  return withVisitor(services, context, door, async (visitor) => {
    const { search } = addressOf(context);
    const text = new URLSearchParams(search).get("searchId") ?? "";
    // Full names are for who sees everybody's jobs.
    const isStaff = visitor.jobView().own === undefined;
    const users = isStaff && /^\s*name:/.test(text)
      ? await services.accounts.users.list(false)
      : [];
    return redirect(context, searchTarget(text, users));
  });
}

function leadTo(target: string): ShowPage {
  return (services, context, door) =>
    withVisitor(services, context, door, () => redirect(context, target));
}

function sendAsset(services: PageServices, context: Context): Response {
  const name = context.req.param("name") ?? "";
  const asset = services.web?.assets?.files.get(name);
  if (asset === undefined) {
    return context.text("404 page not found\n", 404, {
      "Cache-Control": "no-store",
    });
  }
  const { bytes, coding } = chosenCoding(
    asset,
    context.req.header("accept-encoding") ?? "",
  );
  return context.body(bytes, 200, {
    "Content-Type": asset.type,
    "Cache-Control": IMMUTABLE,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
    ...(coding === undefined ? {} : { "Content-Encoding": coding }),
  });
}

type ShowPage = (
  services: PageServices,
  ...request: Parameters<PageRoute["respond"]>
) => ReturnType<PageRoute["respond"]>;

/** Page paths and the files of pages. */
export function webPageRoutes(services: PageServices): readonly PageRoute[] {
  const pageRoute = (
    name: string,
    path: string,
    show: ShowPage,
    type = "text/html",
  ): PageRoute => ({
    kind: "page",
    path,
    name,
    access: "public",
    undocumented: true,
    when: () => services.web !== undefined,
    respond: (...request) => show(services, ...request),
    operations: {
      GET: { id: name, summary: "For people", answer: { type } },
    },
  });
  return [
    {
      ...pageRoute("page-home", "/", showHome),
      when: () => services.web?.assets !== undefined,
    },
    pageRoute("pages", "/monitoring/*", showPage),
    pageRoute("page-search", "/search", searchPage),
    pageRoute("page-config", "/config", leadTo("/monitoring/settings")),
    pageRoute(
      "page-assets",
      `${ASSETS_PATH}/:name`,
      sendAsset,
      "application/octet-stream",
    ),
  ];
}
