/** Every kind of credential there is, good and bad, for the permission matrix. */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { generateKeyPair } from "../../src/access/ed25519.ts";
import { SESSION_COOKIE } from "../../src/access/credentials.ts";
import { signToken } from "../../src/access/token.ts";
import { nowSec } from "../../src/base/clock.ts";
import { type AdminServer, basic } from "./admin_server.ts";

export type Credential = Readonly<Record<string, string>>;

/** A policy for everything but what is said otherwise. */
const EVERYWHERE = [{ instance: "*", cluster: "*" }];
const METRICS = ["metrics:read", "metrics:write", "metrics:delete"];

/** The headers of each credential by the name it has in the matrix. */
export async function makeCredentials(
  server: AdminServer,
): Promise<Map<string, Credential>> {
  const found = new Map<string, Credential>();
  const bearer = (name: string, token: string) =>
    found.set(name, { Authorization: `Bearer ${token}` });
  found.set("nobody", {});
  bearer("rubbish", "rubbish");
  await addTokensOfPeople(server, bearer);
  await addForgeries(server, bearer);
  await addAdminTokens(server, found);
  await addSessions(server, found);
  return found;
}

type AddBearer = (name: string, token: string) => void;

async function addTokensOfPeople(server: AdminServer, bearer: AddBearer) {
  const sets: [string, string[]][] = [
    ["JWT without roles", []],
    ["JWT of an unknown role", ["boss"]],
    ["JWT user", ["user"]],
    ["JWT manager", ["manager"]],
    ["JWT support", ["support"]],
    ["JWT api", ["api"]],
    ["JWT admin", ["admin"]],
    ["JWT api, user", ["api", "user"]],
    ["JWT api, admin", ["api", "admin"]],
    ["JWT ROLE_API, ROLE_ADMIN", ["ROLE_API", "ROLE_ADMIN"]],
  ];
  for (const [name, roles] of sets) bearer(name, await server.jwt(...roles));
}

async function addForgeries(server: AdminServer, bearer: AddBearer) {
  const all = { user: "eve", roles: ["api", "admin"] };
  const pair = await generateKeyPair();
  const others = { publicKey: pair.publicKey, privateKey: pair };
  bearer(
    "JWT expired",
    await signToken(server.keys, { ...all, maxAgeSec: 60 }, nowSec() - 3600),
  );
  bearer(
    "JWT of another key",
    await signToken({ ...others, madeIn: undefined }, {
      ...all,
      maxAgeSec: 3600,
    }),
  );
  const part = (value: object) =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = part({ sub: all.user, roles: all.roles });
  bearer("JWT alg none", `${part({ alg: "none", typ: "JWT" })}.${claims}.`);
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${claims}`;
  const secret = Buffer.from(server.keys.publicKey.base64, "base64");
  bearer(
    "JWT HS256 by the public key",
    `${signed}.${
      createHmac("sha256", secret).update(signed).digest("base64url")
    }`,
  );
}

async function addAdminTokens(
  server: AdminServer,
  found: Map<string, Credential>,
) {
  for (const name of ["dev", "stage", "gone"]) {
    await server.make("instances", { name, cluster: "emmy" });
  }
  let count = 0;
  const add = async (
    name: string,
    policy: object,
    options: { user?: string; headers?: Credential; wrong?: boolean } = {},
  ) => {
    const resource = `policy-${++count}`;
    const token = await server.makeToken(resource, {
      realms: EVERYWHERE,
      ...policy,
    });
    const sent = options.wrong ? btoa(`${resource}:wrong`) : token;
    found.set(name, {
      Authorization: basic(sent, options.user),
      ...options.headers,
    });
    return resource;
  };
  const scopes = [...METRICS, "jobs:read", "jobs:write", "admin"];
  for (const scope of scopes) {
    await add(`token ${scope}`, { scopes: [scope] });
  }
  const dev = [{ instance: "dev", cluster: "emmy" }];
  await add("token of one instance", {
    realms: dev,
    scopes: scopes.filter((scope) => scope !== "admin"),
  });
  const narrow = {
    realms: [{
      instance: "*",
      cluster: "emmy",
      label_policies: [{
        selector: [{ type: "EQ", name: "host", value: "h" }],
      }],
    }],
  };
  await add("token with label policy", {
    ...narrow,
    scopes: ["metrics:read", "metrics:delete", "jobs:read", "jobs:write"],
  });
  await add("token of another instance", { realms: dev, scopes: METRICS }, {
    headers: { "X-Scope-OrgID": "stage" },
  });
  await add("token of two instances, none named", {
    realms: [...dev, { instance: "stage", cluster: "emmy" }],
    scopes: METRICS,
  });
  await add("token, unknown instance", { scopes: METRICS }, { user: "nope" });
  await add("token, inactive instance", { scopes: METRICS }, { user: "gone" });
  await server.ask("DELETE", "/instances/gone");
  await add("token, wrong secret", { scopes }, { wrong: true });
  await server.ask(
    "DELETE",
    `/tokens/${await add("token, deleted", { scopes })}`,
  );
  await server.ask(
    "PUT",
    `/accesspolicies/${await add("token of an inactive policy", { scopes })}`,
    { body: { status: "inactive" } },
  );
  await add("token of an expired policy", {
    scopes,
    expiration: "2020-01-01T00:00:00Z",
  });
  const made = await server.make("tokens", {
    name: "expired",
    access_policy: "__admin__",
    expiration: "2020-01-01T00:00:00Z",
  });
  found.set("token, expired", { Authorization: basic(made.token) });
}

async function addSessions(
  server: AdminServer,
  found: Map<string, Credential>,
) {
  const users: [string, string[]][] = [
    ["session without roles", []],
    ["session user", ["user"]],
    ["session api", ["api"]],
    ["session admin", ["admin"]],
    ["session of a deleted user", ["admin"]],
  ];
  for (const [name, roles] of users) {
    const username = name.replaceAll(" ", "-");
    server.otherProcess.users.create({
      ...{ username, authSource: 0, name: "", email: "" },
      ...{ roles, projects: [] },
    }, "hash");
    await server.access.reload(["users"]);
    const user = server.access.state.user(username)!;
    found.set(name, {
      Cookie: `${SESSION_COOKIE}=${
        server.sessions.create({ user, from: "" }).cookie
      }`,
    });
  }
  server.otherProcess.users.delete("session-of-a-deleted-user");
  await server.access.reload(["users"]);
}
