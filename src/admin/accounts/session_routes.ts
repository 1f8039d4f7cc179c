/** `/frontend/sessions`: one's open sessions, and how to end them. Main thread. */
import type { AccountServices } from "./services.ts";
import { z } from "zod";
import { findSession } from "../../access/credentials.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { FORM_TYPE, readForm } from "../../http/body/form.ts";

const sessionsSchema = z.array(z.object({
  id: z.string(),
  began: z.string().describe("RFC 3339."),
  expires: z.string(),
  from: z.string().describe("Address of the login."),
  current: z.boolean().describe("Whether this very request belongs to it."),
})).meta({ id: "Sessions" });

const endSchema = z.object({
  id: z.string().optional().describe("One session; absent: all of them."),
  username: z.string().optional().describe(
    "Oneself unless given; administrators may name others.",
  ),
}).meta({ id: "EndSessions" });

const endedSchema = z.object({ ended: z.int() }).meta({ id: "EndedSessions" });

function list(accounts: AccountServices, call: ApiCall): ApiAnswer {
  const username = whose(call, call.search.get("username") ?? "");
  const current = presentId(accounts, call);
  return json(
    200,
    accounts.sessions.of(username).map((session) => ({
      id: session.id,
      began: time(session.beganSec),
      expires: time(session.expiresSec),
      from: session.from,
      current: session.id === current,
    })),
  );
}

async function end(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const form = await readForm(call);
  const { sessions, sessionStore } = accounts;
  const username = whose(call, form("username"));
  const id = form("id");
  call.audit(`sessions of user/${username.slice(0, 100)} ${id.slice(0, 60)}`);
  const ended = sessions.of(username).filter((session) =>
    id === "" || session.id === id
  );
  if (id !== "" && ended.length === 0) {
    throw new ClientError(
      "E_NOT_FOUND",
      `id: there is no open session ${JSON.stringify(id.slice(0, 60))}`,
    );
  }
  for (const session of ended) {
    sessions.revoke(session);
    await sessionStore.end(session.id, session.expiresSec);
  }
  return json(200, { ended: ended.length });
}

/** Throws `E_FORBIDDEN` for who asks for somebody else's. */
function whose({ principal }: ApiCall, username: string): string {
  if (username === "" || username === principal.name) return principal.name;
  if (principal.has("admin")) return username;
  throw new ClientError(
    "E_FORBIDDEN",
    "username: only admins may see and end sessions of others",
  );
}

/** Of the session the request came with; `undefined` where nobody is asked for one. */
function presentId(
  accounts: AccountServices,
  call: ApiCall,
): string | undefined {
  const cookie = findSession(call.headers, call.isSecure);
  if (cookie === undefined) return undefined;
  try {
    return accounts.sessions.check(cookie).session.id;
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}

function time(sec: number): string {
  return new Date(sec * 1000).toISOString();
}

export function sessionRoutes(accounts: AccountServices): readonly ApiRoute[] {
  const bind = bindTo(accounts);
  return [{
    kind: "api",
    group: "frontend",
    path: "/frontend/sessions",
    name: "sessions",
    operations: {
      GET: {
        id: "sessions",
        summary: "One's open sessions, oldest first",
        parameters: [{
          name: "username",
          type: "string",
          description: "Oneself unless given; administrators may name others.",
        }],
        answer: { type: JSON_TYPE, schema: sessionsSchema },
        handle: bind(list),
      },
      DELETE: {
        id: "endSessions",
        summary: "End one's sessions",
        description: "One, or without `id` all of them, this one included.",
        body: { type: FORM_TYPE, schema: endSchema, required: false },
        answer: { type: JSON_TYPE, schema: endedSchema },
        errors: { 404: "There is no such session." },
        audited: true,
        handle: bind(end),
      },
    },
  }];
}
