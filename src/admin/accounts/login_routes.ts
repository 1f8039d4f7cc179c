/** `/login`, `/jwt-login` and `/logout`: where sessions begin and end. Main thread. */
import type { AccessState } from "../../access/mod.ts";
import type { AccountServices } from "./services.ts";
import { z } from "zod";
import {
  findCookie,
  findSession,
  sessionCookieName,
} from "../../access/credentials.ts";
import type { StartedSession } from "../../access/sessions.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
} from "../../http/api_route.ts";
import { type Form, FORM_TYPE, readForm } from "../../http/body/form.ts";
import { escapeHtml } from "../../http/answer/html.ts";
import { formHeaders } from "../../http/answer/page_policy.ts";
import { FIRST_USER_COMMANDS } from "./first_user.ts";

const HTML_TYPE = "text/html";
const HTML = `${HTML_TYPE}; charset=utf-8`;
/** Characters of the name that a form shows again. */
const USERNAME_CHARS_MAX = 255;

/** The means of the login. */
export interface LoginServices {
  readonly accounts: AccountServices;
  readonly access: Pick<AccessState, "hasUsers">;
  /** Absent: there are no pages. */
  readonly web?: LoginPages | undefined;
}

interface LoginPages {
  /** Nobody is asked for a credential. */
  readonly isOpen: boolean;
  /** Absent: the pages were not built, and forms have no style sheet. */
  readonly assets: { readonly style?: string } | undefined;
}

interface FormPage {
  readonly title: string;
  readonly body: string;
  /** The page looks again after so many seconds. */
  readonly refreshSec?: number;
}

/** A page that needs no script, in the looks of the others where they were built. */
function page(
  { web }: LoginServices,
  { isSecure, headers }: ApiCall,
  status: number,
  { title, body, refreshSec }: FormPage,
): ApiAnswer {
  const style = web?.assets?.style;
  const head = [
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="color-scheme" content="light dark">`,
    `<title>${title} – ringstore</title>`,
    ...(style === undefined
      ? []
      : [`<link rel="stylesheet" href="/web/assets/${style}">`]),
    ...(refreshSec === undefined
      ? []
      : [`<meta http-equiv="refresh" content="${refreshSec}">`]),
  ];
  return {
    status,
    headers: {
      ...formHeaders({ isSecure, host: String(headers["host"] ?? "") }),
      "Content-Type": HTML,
      "Cache-Control": "no-store",
    },
    body: `<!doctype html>
<html lang="en">
<head>
${head.join("\n")}
</head>
<body>
<main class="sign-in">
<h1>ringstore</h1>
${body}
</main>
</body>
</html>
`,
  };
}

/** How often a page without a user looks whether there is one. */
const LOOK_SEC = 2;

/** Advice for somebody who has just started the server (web 15.2). */
function firstUserPage(services: LoginServices, call: ApiCall): ApiAnswer {
  return page(services, call, 200, {
    title: "First user",
    refreshSec: LOOK_SEC,
    body:
      `<p>There is no user yet. This command makes an administrator: run it in a
second terminal, in the directory of this server. It asks for a password.</p>
<pre>${
        FIRST_USER_COMMANDS.map(escapeHtml).join("\n# or, without Deno:\n")
      }</pre>
<p>Then this page becomes the form to sign in with.</p>`,
  });
}

/** Contents of a form that is shown again. */
interface Retry {
  readonly message: string;
  readonly username: string;
}

function loginPage(
  services: LoginServices,
  call: ApiCall,
  status: number,
  redirect: string,
  retry?: Retry,
): ApiAnswer {
  const note = retry === undefined
    ? ""
    : `<p role="alert">${escapeHtml(retry.message)}</p>\n`;
  const username = escapeHtml(retry?.username ?? "");
  // After a mistyped password the cursor is there.
  const [first, second] = username === ""
    ? [" autofocus", ""]
    : ["", " autofocus"];
  return page(services, call, status, {
    title: "Log in",
    body: `${note}<form method="post" action="/login">
<input type="hidden" name="redirect" value="${escapeHtml(redirect)}">
<p><label>User <input name="username" value="${username}" autocomplete="username" required${first}></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required${second}></label></p>
<p><button>Log in</button></p>
</form>${tokenLoginLink(services)}`,
  });
}

/** Where the browser brings a token of a sign-on in a cookie. */
function tokenLoginLink({ accounts }: LoginServices): string {
  return accounts.tokenLogin.cookieName === undefined
    ? ""
    : `\n<p><a href="/jwt-login">Log in by single sign-on</a></p>`;
}

function showLogin(services: LoginServices, call: ApiCall): ApiAnswer {
  const { access, web } = services;
  if (web !== undefined && !web.isOpen && !access.hasUsers) {
    return firstUserPage(services, call);
  }
  return loginPage(
    services,
    call,
    200,
    localTarget(call.search.get("redirect") ?? ""),
  );
}

async function logIn(
  services: LoginServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { accounts } = services;
  const form = await readForm(call);
  const redirect = localTarget(form("redirect"));
  let started: StartedSession;
  try {
    started = await accounts.login.enter({
      headers: call.headers,
      loginToken: call.method === "GET"
        ? call.search.get("login-token")
        : form("login-token"),
      username: form("username"),
      password: form("password"),
      from: call.from,
    });
  } catch (error) {
    if (!(error instanceof ClientError) || error.status !== 401) throw error;
    call.refused("login", form("username"));
    const { retryAfterSec } = error;
    const again = retryAfterSec === undefined
      ? ""
      : `; try again in ${retryAfterSec} s`;
    const answer = loginPage(services, call, 401, redirect, {
      message: `Login failed: ${error.message}${again}`,
      username: form("username").slice(0, USERNAME_CHARS_MAX),
    });
    return retryAfterSec === undefined ? answer : {
      ...answer,
      headers: { ...answer.headers, "Retry-After": String(retryAfterSec) },
    };
  }
  const { cookie, session } = started;
  call.audit(`session/${session.id}`, session.username);
  const cookies = [
    sessionCookie(call, cookie, session.expiresSec - session.beganSec),
  ];
  const { cookieName } = accounts.tokenLogin;
  if (cookieName && findCookie(call.headers, cookieName) !== undefined) {
    cookies.push(`${cookieName}=; Path=/; Max-Age=0`);
  }
  return {
    status: 302,
    headers: { "Location": redirect, "Set-Cookie": cookies },
    body: "",
  };
}

async function logOut(
  services: LoginServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { accounts } = services;
  const { sessions, sessionStore } = accounts;
  const cookie = findSession(call.headers, call.isSecure);
  const answer = page(services, call, 200, {
    title: "Logged out",
    body: `<p>You are logged out. <a href="/login${
      backTo(await readForm(call))
    }">Log in again</a></p>`,
  });
  if (cookie === undefined) return answer;
  const session = openSession(accounts, cookie);
  if (session !== undefined) {
    call.audit(`session/${session.id}`, session.username);
    sessions.revoke(session);
    await sessionStore.end(session.id, session.expiresSec);
  }
  return {
    ...answer,
    headers: { ...answer.headers, "Set-Cookie": sessionCookie(call, "", 0) },
  };
}

/** The page of before is one click away. */
function backTo(form: Form): string {
  const target = localTarget(form("redirect"));
  return target === "/" ? "" : `?redirect=${encodeURIComponent(target)}`;
}

/** A cookie that is no good any more has nothing to be ended. */
function openSession({ sessions }: AccountServices, cookie: string) {
  try {
    return sessions.check(cookie).session;
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}

function sessionCookie(
  call: ApiCall,
  value: string,
  maxAgeSec: number,
): string {
  const expires = new Date(maxAgeSec === 0 ? 0 : call.nowMs + maxAgeSec * 1000);
  const secure = call.isSecure ? "; Secure" : "";
  return `${
    sessionCookieName(call.isSecure)
  }=${value}; Path=/; Expires=${expires.toUTCString()}; ` +
    `Max-Age=${maxAgeSec}; HttpOnly${secure}; SameSite=Lax`;
}

/**
 * Only a path of this server; browsers read a backslash as a slash. What a header
 * cannot carry is escaped.
 */
function localTarget(redirect: string): string {
  if (!/^\/(?![/\\])[^\s\\]*$/.test(redirect)) return "/";
  return redirect.toWellFormed().replace(/[^!-~]/gu, encodeURIComponent);
}

const loginSchema = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  redirect: z.string().optional().describe(
    "A path of this server, where the answer leads to.",
  ),
  "login-token": z.string().optional().describe(
    "A token of the sign-on that is configured, instead of name and password.",
  ),
}).meta({ id: "Login" });

const FOREIGN = "A page of another site or host sent it.";

const LOGIN = {
  description: "By name and password, or by a token in the header, in " +
    "`login-token` or in the configured cookie.",
  answer: { description: "Logged in; a session cookie is set, no body." },
  status: 302,
  errors: {
    400: "The form is wrong.",
    401: {
      type: HTML_TYPE,
      description: "Not logged in: the form again. After too many attempts " +
        "with `Retry-After`.",
    },
    503: "Overload; try again after `Retry-After`.",
  },
  audited: true,
} as const;

const LOGIN_BY_POST = {
  ...LOGIN,
  body: { type: FORM_TYPE, schema: loginSchema, required: false },
  errors: { ...LOGIN.errors, 403: FOREIGN },
} as const;

export function loginRoutes(services: LoginServices): readonly ApiRoute[] {
  const bind = bindTo(services);
  return [
    {
      kind: "api",
      group: "public",
      path: "/login",
      name: "login",
      operations: {
        GET: {
          id: "loginPage",
          summary: "A form to log in with",
          parameters: [{
            name: "redirect",
            type: "string",
            description: "Where the form leads to.",
          }],
          answer: { type: HTML_TYPE },
          handle: bind(showLogin),
        },
        POST: {
          id: "login",
          summary: "Begin a session",
          ...LOGIN_BY_POST,
          handle: bind(logIn),
        },
      },
    },
    {
      kind: "api",
      group: "public",
      path: "/jwt-login",
      name: "jwt-login",
      operations: {
        GET: {
          id: "jwtLoginByGet",
          summary: "Begin a session by token",
          parameters: [{
            name: "login-token",
            type: "string",
            description: "A token of the sign-on that is configured.",
          }],
          ...LOGIN,
          handle: bind(logIn),
        },
        POST: {
          id: "jwtLogin",
          summary: "Begin a session by token",
          ...LOGIN_BY_POST,
          handle: bind(logIn),
        },
      },
    },
    {
      kind: "api",
      group: "public",
      path: "/logout",
      name: "logout",
      operations: {
        POST: {
          id: "logout",
          summary: "End a session",
          answer: { type: HTML_TYPE },
          errors: { 403: FOREIGN },
          audited: true,
          handle: bind(logOut),
        },
      },
    },
  ];
}
