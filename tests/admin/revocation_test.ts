/** What is taken away is gone with the next request, also on a connection that is open. */
import assert from "node:assert/strict";
import { RawClient } from "../http/fixture.ts";
import { AdminServer, basic } from "./admin_server.ts";

/** Requests of one token, all over one connection. */
class OpenConnection {
  readonly #client: RawClient;
  readonly #credential: string;
  #answers = 0;

  constructor(server: AdminServer, token: string, user = "") {
    this.#client = new RawClient(Number(new URL(server.url).port));
    this.#credential = basic(token, user);
  }

  /** The status of a question about the health of a cluster. */
  async ask(): Promise<number> {
    this.#client.write(
      "GET /api/healthcheck?cluster=emmy HTTP/1.1\r\nHost: test\r\n" +
        `Authorization: ${this.#credential}\r\n\r\n`,
    );
    const received = await this.#client.until("HTTP/1.1 ", ++this.#answers);
    return Number(received.split("HTTP/1.1 ").at(-1)!.slice(0, 3));
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

const READERS = {
  realms: [{ instance: "", cluster: "*" }],
  scopes: ["metrics:read"],
};

type Step = readonly [method: string, path: string, body?: object];

const CASES: readonly {
  readonly what: string;
  readonly takeAway: Step;
  readonly status: number;
  readonly giveBack?: Step;
}[] = [
  {
    what: "a token is deleted",
    takeAway: ["DELETE", "/tokens/readers"],
    status: 401,
  },
  {
    what: "its policy loses the scope",
    takeAway: ["PUT", "/accesspolicies/readers", { scopes: ["metrics:write"] }],
    status: 403,
    giveBack: ["PUT", "/accesspolicies/readers", { scopes: ["admin"] }],
  },
  {
    what: "its policy loses the realm",
    takeAway: ["PUT", "/accesspolicies/readers", {
      realms: [{ instance: "dev", cluster: "*" }, {
        instance: "stage",
        cluster: "*",
      }],
    }],
    status: 401,
    giveBack: ["PUT", "/accesspolicies/readers", {
      realms: [{ instance: "*", cluster: "*" }],
    }],
  },
  {
    what: "its policy is made inactive",
    takeAway: ["PUT", "/accesspolicies/readers", { status: "inactive" }],
    status: 401,
    giveBack: ["PUT", "/accesspolicies/readers", { status: "active" }],
  },
  {
    what: "its policy expires",
    takeAway: ["PUT", "/accesspolicies/readers", {
      expiration: "2020-01-01T00:00:00Z",
    }],
    status: 401,
    giveBack: ["PUT", "/accesspolicies/readers", { expiration: null }],
  },
  {
    what: "its policy is deleted with its tokens",
    takeAway: ["DELETE", "/accesspolicies/readers?cascade=true"],
    status: 401,
  },
];

for (const { what, takeAway, status, giveBack } of CASES) {
  Deno.test(`the next request is refused when ${what}`, async () => {
    await using server = await AdminServer.start();
    for (const name of ["dev", "stage"]) {
      await server.make("instances", { name, cluster: "emmy" });
    }
    const token = await server.makeToken("readers", READERS);
    using connection = new OpenConnection(server, token);
    assert.equal(await connection.ask(), 200);
    const act = async ([method, path, body]: Step) => {
      const answer = await server.ask(method, path, { body });
      assert.ok(answer.status < 300, answer.text);
    };
    await act(takeAway);
    assert.equal(await connection.ask(), status);
    if (giveBack === undefined) return;
    await act(giveBack);
    assert.equal(await connection.ask(), 200);
  });
}

Deno.test("the next request is refused when the instance is deactivated", async () => {
  await using server = await AdminServer.start();
  await server.make("instances", { name: "dev", cluster: "emmy" });
  const token = await server.makeToken("readers", {
    realms: [{ instance: "*", cluster: "emmy" }],
    scopes: ["metrics:read"],
  });
  using connection = new OpenConnection(server, token, "dev");
  using other = new OpenConnection(server, token);
  assert.deepEqual([await connection.ask(), await other.ask()], [200, 200]);
  await server.ask("DELETE", "/instances/dev");
  assert.deepEqual([await connection.ask(), await other.ask()], [403, 200]);
  await server.ask("PUT", "/instances/dev", { body: { status: "active" } });
  assert.equal(await connection.ask(), 200);
});

Deno.test("the next request is refused when the token has expired", async () => {
  let now = 1_800_000_000;
  await using server = await AdminServer.start({ now: () => now });
  await server.make("accesspolicies", { name: "readers", ...READERS });
  const { token } = await server.make("tokens", {
    name: "short",
    access_policy: "readers",
    expiration: Temporal.Instant.fromEpochMilliseconds((now + 60) * 1000)
      .toString(),
  });
  using connection = new OpenConnection(server, token);
  now += 59;
  assert.equal(await connection.ask(), 200);
  now += 1;
  assert.equal(await connection.ask(), 401);
});

Deno.test("what another process gives and takes counts as well", async () => {
  await using server = await AdminServer.start();
  const token = await server.makeToken("readers", READERS);
  using connection = new OpenConnection(server, token);
  assert.equal(await connection.ask(), 200);
  server.otherProcess.tokens.delete("readers");
  // Nobody waits for the next look at the database.
  await server.access.refresh();
  assert.equal(await connection.ask(), 401);
});
