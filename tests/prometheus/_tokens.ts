/** Policies and tokens of the admin API, made over HTTP by an administrator. */
import assert from "node:assert/strict";
import type { TestClient } from "../support/client.ts";

const ADMIN = "/admin/api/v1";

async function make(
  client: TestClient,
  collection: string,
  body: unknown,
): Promise<{ readonly token?: string }> {
  const answer = await client.send({
    method: "POST",
    path: `${ADMIN}/${collection}`,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
  assert.equal(answer.status, 201, answer.text);
  return JSON.parse(answer.text);
}

/** An instance with samples of one cluster. */
export async function makeInstance(
  client: TestClient,
  name: string,
  cluster: string,
): Promise<void> {
  await make(client, "instances", { name, cluster });
}

/** The text of a token of a policy of its own. */
export async function makeToken(
  client: TestClient,
  name: string,
  policy: {
    readonly scopes: readonly string[];
    readonly realms: readonly unknown[];
  },
): Promise<string> {
  await make(client, "accesspolicies", { name, ...policy });
  const { token } = await make(client, "tokens", {
    name: `${name}-token`,
    access_policy: name,
  });
  assert.ok(token !== undefined);
  return token;
}

/** The `Authorization` of a token with a user name, which names the instance. */
export function basicOf(user: string, token: string): string {
  return `Basic ${btoa(`${user}:${token}`)}`;
}
