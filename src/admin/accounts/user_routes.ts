/** Users: `/api/users`, `/api/user/{id}` and what administrators do by session. Main thread. */
import type { AccountServices } from "./services.ts";
import { z } from "zod";
import { ROLES } from "../../access/roles.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  bindTo,
  empty,
  json,
  JSON_TYPE,
  text,
} from "../../http/api_route.ts";
import { FORM_TYPE, readForm } from "../../http/body/form.ts";
import { checkSchema, parseJson } from "../../http/body/json_text.ts";
import { passwordWeakness } from "./passwords.ts";
import { USERNAME_BYTES_MAX } from "./users.ts";
import type { Account } from "./user_store.ts";

const TEXT_TYPE = "text/plain";
const NOTICE_BYTES_MAX = 10_000;

const userSchema = z.object({
  username: z.string(),
  name: z.string(),
  email: z.string(),
  roles: z.array(z.string()),
  projects: z.array(z.string()),
  authType: z.int(),
  authSource: z.int(),
}).meta({ id: "User" });

const usersSchema = z.array(userSchema).meta({ id: "Users" });

const roleName = z.string().nullish().describe(`Of ${ROLES.join(", ")}.`);

const changeSchema = z.strictObject({
  "add-role": roleName,
  "remove-role": roleName,
  "add-project": z.string().nullish(),
  "remove-project": z.string().nullish(),
}).describe("The first that is given is done.").meta({ id: "UserChange" });

export const messageSchema = z.object({ msg: z.string() })
  .meta({ id: "Message" });

const newUserSchema = z.object({
  username: z.string().min(1).max(USERNAME_BYTES_MAX),
  password: z.string().optional(),
  role: z.enum(ROLES),
  name: z.string().optional(),
  email: z.string().optional(),
  project: z.string().optional(),
}).meta({ id: "NewUser" });

const userNameSchema = z.object({
  username: z.string().min(1).max(USERNAME_BYTES_MAX),
}).meta({ id: "UserName" });

const rolesSchema = z.array(z.enum(ROLES)).meta({ id: "Roles" });

const noticeSchema = z.object({
  "new-content": z.string().max(NOTICE_BYTES_MAX).optional(),
}).meta({ id: "Notice" });

const NOT_JUST_USER = {
  name: "not-just-user",
  type: "string",
  description: "`true`: without those who have no other role than `user`.",
} as const;

async function listUsers(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  requireAdmin(call, "only admins are allowed to fetch a list of users");
  const notJustUser = call.search.get("not-just-user") === "true";
  const users = await accounts.users.list(notJustUser);
  return json(200, users.map(shownUser));
}

function shownUser(
  { username, name, email, roles, projects }: Omit<Account, "passwordHash">,
) {
  return { username, name, email, roles, projects, authType: 0, authSource: 0 };
}

function requireAdmin({ principal }: ApiCall, message: string): void {
  if (!principal.isAdministrator) throw new ClientError("E_FORBIDDEN", message);
}

async function changeUser(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  requireAdmin(call, "only admins are allowed to update a user");
  const given = checkSchema(changeSchema, parseJson(call.body));
  const change = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, value ?? ""]),
  );
  const username = call.params.username!;
  call.audit(userObject(username, change));
  const done = await accounts.users.change(username, change);
  return json(200, { msg: `${done} for user ${username}` });
}

async function changeUserByForm(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const form = await readForm(call);
  const change = Object.fromEntries(
    Object.keys(changeSchema.shape).map((key) => [key, form(key)]),
  );
  const username = call.params.username!;
  call.audit(userObject(username, change));
  const done = await accounts.users.change(username, change);
  return json(200, { msg: done });
}

/** What the audit says of a user, and of what is given or taken. */
function userObject(
  username: string,
  rights: Readonly<Record<string, string>>,
): string {
  const parts = Object.entries(rights).filter(([, value]) => value !== "");
  return [
    `user/${username.slice(0, 100)}`,
    ...parts.map(([key, value]) => `${key}=${value.slice(0, 100)}`),
  ].join(" ");
}

async function createUser(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const form = await readForm(call);
  const username = form("username");
  const project = form("project");
  call.audit(userObject(username, { role: form("role"), project }));
  await accounts.users.create({
    username,
    password: form("password"),
    roles: [form("role")],
    name: form("name"),
    email: form("email"),
    projects: project === "" ? [] : [project],
  });
  const weakness = passwordWeakness(form("password"));
  return text(
    200,
    `User ${username} successfully created!\n${
      weakness === undefined ? "" : `Warning: ${weakness}\n`
    }`,
  );
}

async function deleteUser(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const form = await readForm(call);
  call.audit(userObject(form("username"), {}));
  await accounts.users.delete(form("username"));
  return empty(200);
}

async function setNotice(
  accounts: AccountServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const content = (await readForm(call))("new-content");
  const bytes = new TextEncoder().encode(content).length;
  if (bytes > NOTICE_BYTES_MAX) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `new-content: at most ${NOTICE_BYTES_MAX} bytes are taken, got ${bytes}`,
    );
  }
  call.audit("notice");
  const { noticeFile } = accounts;
  const part = `${noticeFile}.${crypto.randomUUID()}.tmp`;
  await Deno.writeTextFile(part, content);
  await Deno.rename(part, noticeFile);
  return text(200, "Update Notice Content Success");
}

const LIST: Omit<ApiOperation, "id" | "handle"> = {
  summary: "All users",
  parameters: [NOT_JUST_USER],
  answer: { type: JSON_TYPE, schema: usersSchema },
  scope: "jobs:read",
};

const CREATE = {
  summary: "Make a user",
  body: { type: FORM_TYPE, schema: newUserSchema, required: true },
  answer: { type: TEXT_TYPE },
  errors: { 422: "There is a user of that name." },
  audited: true,
} as const;

export function userRoutes(accounts: AccountServices): readonly ApiRoute[] {
  const bind = bindTo(accounts);
  return [
    {
      kind: "api",
      group: "job",
      path: "/api/users",
      name: "users",
      operations: { GET: { id: "users", ...LIST, handle: bind(listUsers) } },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/user/:username",
      name: "user",
      operations: {
        POST: {
          id: "changeUser",
          summary: "Change a role or project of a user",
          body: { type: JSON_TYPE, schema: changeSchema, required: true },
          answer: { type: JSON_TYPE, schema: messageSchema },
          errors: { 422: "The change is against the rules." },
          scope: "jobs:write",
          audited: true,
          handle: bind(changeUser),
        },
      },
    },
    {
      kind: "api",
      group: "config",
      path: "/config/roles",
      name: "roles",
      operations: {
        GET: {
          id: "roles",
          summary: "Roles that users can have",
          answer: { type: JSON_TYPE, schema: rolesSchema },
          handle: () => json(200, ROLES),
        },
      },
    },
    {
      kind: "api",
      group: "config",
      path: "/config/users",
      name: "users-by-session",
      operations: {
        GET: {
          id: "usersBySession",
          ...LIST,
          handle: bind(listUsers),
        },
        POST: { id: "createUser", ...CREATE, handle: bind(createUser) },
        PUT: { id: "createUserByPut", ...CREATE, handle: bind(createUser) },
        DELETE: {
          id: "deleteUser",
          summary: "Delete a user",
          description: "Nobody minds if there is no such user.",
          body: { type: FORM_TYPE, schema: userNameSchema, required: true },
          answer: { description: "Done; no body." },
          audited: true,
          handle: bind(deleteUser),
        },
      },
    },
    {
      kind: "api",
      group: "config",
      path: "/config/user/:username",
      name: "user-by-session",
      operations: {
        POST: {
          id: "changeUserBySession",
          summary: "Change a role or project of a user",
          body: { type: FORM_TYPE, schema: changeSchema, required: true },
          answer: { type: JSON_TYPE, schema: messageSchema },
          errors: { 422: "The change is against the rules." },
          audited: true,
          handle: bind(changeUserByForm),
        },
      },
    },
    {
      kind: "api",
      group: "config",
      path: "/config/notice",
      name: "notice",
      operations: {
        POST: {
          id: "setNotice",
          summary: "Replace the text that pages show",
          body: { type: FORM_TYPE, schema: noticeSchema, required: false },
          answer: { type: TEXT_TYPE },
          audited: true,
          handle: bind(setNotice),
        },
      },
    },
  ];
}
