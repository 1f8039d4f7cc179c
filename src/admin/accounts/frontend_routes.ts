/** What users do by session: a token for their scripts, and settings. Main thread. */
import type { AccountServices } from "./services.ts";
import { z } from "zod";
import { KeyError } from "../../access/mod.ts";
import {
  PERSON_TOKEN_SEC,
  signToken,
  tokenLifetimeSec,
} from "../../access/token.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
  text,
} from "../../http/api_route.ts";
import { readJournal } from "./journal.ts";
import { FORM_TYPE, readForm } from "../../http/body/form.ts";

const logSchema = z.array(z.object({
  timestamp: z.string().describe("Microseconds since the epoch."),
  priority: z.int(),
  message: z.string(),
  unit: z.string(),
})).meta({ id: "LogLines" });

const KEY_CHARS_MAX = 255;
const VALUE_BYTES_MAX = 64 << 10;

/** Fields of the form. */
const settingSchema = z.object({
  key: z.string().min(1).max(KEY_CHARS_MAX),
  value: z.string().max(VALUE_BYTES_MAX).describe("JSON."),
}).meta({ id: "Setting" });

async function makeToken(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const username = call.search.get("username") || call.principal.name;
  call.audit(`jwt of user/${username.slice(0, 100)}`);
  const isOwn = username === call.principal.name;
  if (!isOwn && !call.principal.has("admin")) {
    throw new ClientError(
      "E_FORBIDDEN",
      "only admins are allowed to sign JWTs not for themselves",
    );
  }
  const user = await accounts.users.get(username);
  if (user === undefined) {
    throw new ClientError(
      "E_NOT_FOUND",
      `username: there is no user ${JSON.stringify(username.slice(0, 100))}`,
    );
  }
  if (accounts.keys === undefined) {
    throw new ClientError("E_NOT_FOUND", "authentication is off: no keys");
  }
  const { privateKey } = accounts.keys;
  if (privateKey instanceof KeyError) {
    return json(500, {
      status: "Internal Server Error",
      error: `tokens cannot be signed here: ${privateKey.message}`,
    });
  }
  const token = await signToken(accounts.keys, {
    user: username,
    roles: user.roles,
    maxAgeSec: tokenLifetimeSec([accounts.tokenMaxAgeSec], PERSON_TOKEN_SEC),
  });
  return {
    status: 200,
    headers: { "Content-Type": "text/plain", "Cache-Control": "no-store" },
    body: token,
  };
}

async function setConfiguration(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const form = await readForm(call);
  const key = form("key");
  const value = form("value");
  if (key === "" || key.length > KEY_CHARS_MAX) {
    throw bad(`key: 1 to ${KEY_CHARS_MAX} characters are expected`);
  }
  if (value.length > VALUE_BYTES_MAX) {
    throw bad(`value: at most ${VALUE_BYTES_MAX} bytes are taken`);
  }
  try {
    JSON.parse(value);
  } catch (cause) {
    throw bad(`value: not JSON: ${cause}`);
  }
  call.audit(`configuration/${key}`);
  await accounts.settings.set(call.principal.name, key, value);
  return text(200, "success");
}

/** What may be in `since` and `search`: nothing that a shell or a pattern reads. */
const PLAIN = /^(?!-)[A-Za-z0-9 :.-]*$/;
const LINES = 200;
const LINES_MAX = 1000;

async function logs(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  if (!call.principal.has("admin")) {
    throw new ClientError("E_FORBIDDEN", "only admins may read the log");
  }
  const plain = (key: string, fallback: string) => {
    const value = call.search.get(key) ?? fallback;
    if (PLAIN.test(value)) return value;
    throw bad(`${key}: only letters, digits, blanks and : - . may be in it`);
  };
  const level = call.search.get("level");
  return json(
    200,
    await readJournal({
      unit: accounts.systemdUnit,
      since: plain("since", "1 hour ago"),
      lines: Math.min(
        LINES_MAX,
        count("lines", call.search.get("lines") ?? String(LINES), 1, Infinity),
      ),
      level: level === null ? undefined : count("level", level, 0, 7),
      search: plain("search", ""),
    }),
  );
}

function count(key: string, text: string, least: number, most: number) {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw bad(
    `${key}: an integer of at least ${least}${
      most === Infinity ? "" : ` and at most ${most}`
    } is expected, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}

function bad(message: string): ClientError {
  return new ClientError("E_BAD_REQUEST", message);
}

export function frontendRoutes(accounts: AccountServices): readonly ApiRoute[] {
  const bind = bindTo(accounts);
  return [
    {
      kind: "api",
      group: "frontend",
      path: "/frontend/logs",
      name: "logs",
      operations: {
        GET: {
          id: "logs",
          summary: "What the server wrote to the systemd journal",
          parameters: [
            {
              name: "since",
              type: "string",
              rules: { pattern: PLAIN.source },
              description:
                "As `journalctl` takes it; one hour back unless given.",
            },
            {
              name: "lines",
              type: "integer",
              rules: { minimum: 1, maximum: 999_999_999 },
              description:
                `${LINES} unless given; ${LINES_MAX} at most are shown.`,
            },
            {
              name: "level",
              type: "integer",
              rules: { minimum: 0, maximum: 7 },
              description: "This priority and more urgent ones.",
            },
            {
              name: "search",
              type: "string",
              rules: { pattern: PLAIN.source },
              description: "Occurs in the line.",
            },
          ],
          answer: { type: JSON_TYPE, schema: logSchema },
          errors: { 404: "There is no journal to be read." },
          handle: bind(logs),
        },
      },
    },
    {
      kind: "api",
      group: "frontend",
      path: "/frontend/jwt",
      name: "make-token",
      operations: {
        GET: {
          id: "makeToken",
          summary: "A token for scripts",
          parameters: [{
            name: "username",
            type: "string",
            description:
              "Absent: oneself, and only administrators may name others.",
          }],
          answer: { type: "text/plain", description: "The token." },
          errors: {
            404: "There is no such user.",
            500: "The server has no private key.",
          },
          audited: true,
          handle: bind(makeToken),
        },
      },
    },
    {
      kind: "api",
      group: "frontend",
      path: "/frontend/configuration",
      name: "user-configuration",
      operations: {
        POST: {
          id: "setConfiguration",
          summary: "Keep a setting of one's own",
          body: { type: FORM_TYPE, schema: settingSchema, required: true },
          answer: { type: "text/plain", example: "success" },
          errors: {
            404: "The user is in no table, as after a login by token.",
            422: "The user has too many settings, or too long ones.",
          },
          audited: true,
          handle: bind(setConfiguration),
        },
      },
    },
  ];
}
