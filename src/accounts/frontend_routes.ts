/** What users do by session: a token for their scripts, and settings. Main thread. */
import { signToken } from "../auth/token.ts";
import { ClientError } from "../errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  text,
} from "../http/api_route.ts";
import { readForm } from "../http/form.ts";

const KEY_CHARS_MAX = 255;
const VALUE_BYTES_MAX = 64 << 10;

async function makeToken(call: ApiCall): Promise<ApiAnswer> {
  const { accounts } = call.services;
  const username = call.search.get("username") ?? "";
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
  const token = await signToken(accounts.keys, {
    user: username,
    roles: user.roles,
    maxAgeSec: accounts.tokenMaxAgeSec,
  });
  return {
    status: 200,
    headers: { "Content-Type": "text/plain", "Cache-Control": "no-store" },
    body: token,
  };
}

async function setConfiguration(call: ApiCall): Promise<ApiAnswer> {
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
  await call.services.accounts.settings.set(call.principal.name, key, value);
  return text(200, "success");
}

function bad(message: string): ClientError {
  return new ClientError("E_BAD_REQUEST", message);
}

export const frontendRoutes: readonly ApiRoute[] = [
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
          required: true,
          description: "Oneself; administrators may name others.",
        }],
        answer: { type: "text/plain", description: "The token." },
        errors: { 404: "There is no such user." },
        audited: true,
        handle: makeToken,
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
        description: "Form fields `key` and `value`, which is JSON.",
        answer: { type: "text/plain", example: "success" },
        handle: setConfiguration,
      },
    },
  },
];
