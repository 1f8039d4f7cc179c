/**
 * Page paths and the files of the pages (web 2, web 6). The pages are one constant text:
 * what somebody sees comes from the routes below `/web/api`. Main thread.
 */
import type { Principal } from "../../access/mod.ts";
import { ClientError } from "../../base/errors.ts";
import { mayUsePages, PAGES_NEED } from "../../http/group_rules.ts";
import { pageHeaders } from "../../http/answer/page_policy.ts";
import {
  acceptsPages,
  PAGE_NOT_FOUND,
  textPage,
} from "../../http/answer/page_answer.ts";
import { type ApiAnswer, type ApiCall, bindTo } from "../../http/api_route.ts";
import type { PageRoute } from "../../http/route.ts";
import { ASSETS_PATH, chosenCoding, type PageAssets } from "./assets.ts";
import { pageOf } from "./page_paths.ts";
import { searchTarget } from "./search_box.ts";
import type { PageServices } from "./services.ts";
import { NOT_BUILT, plainPage, shellHtml } from "./shell.ts";

const IMMUTABLE = "public, max-age=31536000, immutable";

/** The login that follows a link to a page; `undefined`: there is none. */
async function visitorOf(call: ApiCall): Promise<Principal | undefined> {
  try {
    return await call.authenticate(
      call.isSecure ? "secure-session" : "session",
    );
  } catch (error) {
    const isNobody = error instanceof ClientError && error.status === 401;
    if (isNobody) return undefined;
    throw error;
  }
}

type Show = (
  visitor: Principal,
  assets: PageAssets,
) => ApiAnswer | Promise<ApiAnswer>;

/** Goes on with who is logged in and may have pages; others learn what they need. */
async function withVisitor(
  { web }: PageServices,
  call: ApiCall,
  next: Show,
): Promise<ApiAnswer> {
  const visitor = await visitorOf(call);
  if (visitor === undefined) {
    const search = call.query === "" ? "" : `?${call.query}`;
    return redirect(
      `/login?redirect=${encodeURIComponent(call.path + search)}`,
    );
  }
  if (!mayUsePages(visitor)) {
    return html(call, 403, plainPage("Not allowed", PAGES_NEED));
  }
  const assets = web?.assets;
  if (assets === undefined) {
    return html(call, 503, plainPage("Not built", NOT_BUILT));
  }
  return await next(visitor, assets);
}

function redirect(target: string): ApiAnswer {
  return {
    status: 302,
    headers: { "Location": target, "Cache-Control": "no-store" },
    body: "",
  };
}

function html(
  { isSecure, headers }: ApiCall,
  status: 200 | 403 | 404 | 503,
  body: string,
): ApiAnswer {
  return {
    status,
    headers: {
      ...pageHeaders({ isSecure, host: String(headers["host"] ?? "") }),
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-cache",
    },
    body,
  };
}

/** A client that says nothing of what it accepts gets upstream's 404, as without pages. */
function showHome(
  services: PageServices,
  call: ApiCall,
): ApiAnswer | Promise<ApiAnswer> {
  if (!acceptsPages(call)) return PAGE_NOT_FOUND;
  return withVisitor(
    services,
    call,
    (_, assets) => html(call, 200, shellHtml(assets)),
  );
}

function showPage(services: PageServices, call: ApiCall): Promise<ApiAnswer> {
  return withVisitor(services, call, (_, assets) => {
    const page = pageOf(call.path.replace(/\/$/, ""), call.search);
    if (page.kind === "leads-to") return redirect(page.target);
    const status = page.kind === "page" ? 200 : 404;
    return html(call, status, shellHtml(assets));
  });
}

function searchPage(services: PageServices, call: ApiCall): Promise<ApiAnswer> {
  return withVisitor(services, call, async (visitor) => {
    const text = call.search.get("searchId") ?? "";
    // Full names are for who sees everybody's jobs.
    const isStaff = visitor.jobView().own === undefined;
    const users = isStaff && /^\s*name:/.test(text)
      ? await services.accounts.users.list(false)
      : [];
    return redirect(searchTarget(text, users));
  });
}

function leadTo(target: string): ShowPage {
  return (services, call) =>
    withVisitor(services, call, () => redirect(target));
}

function sendAsset({ web }: PageServices, call: ApiCall): ApiAnswer {
  const asset = web?.assets?.files.get(call.params["name"] ?? "");
  if (asset === undefined) {
    return textPage(404, "404 page not found\n", {
      "Cache-Control": "no-store",
    });
  }
  const { bytes, coding } = chosenCoding(
    asset,
    String(call.headers["accept-encoding"] ?? ""),
  );
  return {
    status: 200,
    headers: {
      "Content-Type": asset.type,
      "Cache-Control": IMMUTABLE,
      "Cross-Origin-Resource-Policy": "same-origin",
      "Vary": "Accept-Encoding",
      ...(coding === undefined ? {} : { "Content-Encoding": coding }),
    },
    body: bytes,
  };
}

type ShowPage = (
  services: PageServices,
  call: ApiCall,
) => ApiAnswer | Promise<ApiAnswer>;

/** Page paths and the files of pages. */
export function webPageRoutes(services: PageServices): readonly PageRoute[] {
  const bind = bindTo(services);
  const pageRoute = (
    name: string,
    path: string,
    show: ShowPage,
    type = "text/html",
  ): PageRoute => ({
    kind: "page",
    group: "page",
    path,
    name,
    access: "public",
    undocumented: true,
    when: () => services.web !== undefined,
    operations: {
      GET: {
        id: name,
        summary: "For people",
        answer: { type },
        handle: bind(show),
      },
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
