/**
 * The program as operators meet it: flags, exit codes, what is said where, keys
 * made at the first start, the orderly stop.
 */
import assert from "node:assert/strict";
import { Child } from "./support/child.ts";
import { TestClient } from "./support/client.ts";
import { programArguments, ROOT } from "./support/server.ts";

const CONFIG = {
  main: { addr: "127.0.0.1:0" },
  metrics: { m: { frequency: 60, aggregation: "avg" } },
  "metric-store": {
    "retention-in-memory": "48h",
    "memory-cap": 0,
    "num-workers": 2,
  },
};

const START_MS = 20_000;

async function inDirectory(
  config: unknown,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ringstore-cli-" });
  try {
    await Deno.writeTextFile(
      `${directory}/config.json`,
      typeof config === "string" ? config : JSON.stringify(config),
    );
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs it to its end. */
async function run(directory: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...programArguments(), ...args],
    cwd: directory,
    env: { NO_COLOR: "1", JWT_PUBLIC_KEY: "", JWT_PRIVATE_KEY: "" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

async function startServer(directory: string, ...args: string[]) {
  const child = new Child({
    command: Deno.execPath(),
    args: [...programArguments(), ...args],
    cwd: directory,
    env: { NO_COLOR: "1", JWT_PUBLIC_KEY: "", JWT_PRIVATE_KEY: "" },
  });
  const url = await child.until(
    "the line with the address",
    START_MS,
    () => /listening on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(child.output)?.[1],
  );
  return { child, url };
}

Deno.test("ringstore -version prints three lines", () =>
  inDirectory("", async (directory) => {
    const { code, out } = await run(directory, "-version");
    assert.equal(code, 0);
    assert.match(out, /^Version:\t.+\nGit hash:\t.+\nBuild time:\t.+\n$/);
  }));

Deno.test("ringstore ends with 2 and one line when it does not know a flag", () =>
  inDirectory(CONFIG, async (directory) => {
    const { code, out, err } = await run(directory, "-nope");
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.equal(err, "ringstore: unknown flag: -nope (see: ringstore help)\n");
  }));

Deno.test("ringstore ends with 1 and the place when the configuration is bad", () =>
  inDirectory({ ...CONFIG, main: { addr: 5 } }, async (directory) => {
    const { code, err } = await run(directory);
    assert.equal(code, 1);
    assert.match(
      err,
      /^ringstore: \.\/config\.json:1:\d+: main\.addr: got 5, expected "host:port".*\n$/,
    );
  }));

Deno.test("ringstore ends with 1 when nothing names a metric", () =>
  inDirectory({ ...CONFIG, metrics: {} }, async (directory) => {
    const { code, err } = await run(directory);
    assert.equal(code, 1);
    assert.match(err, /^ringstore: \.\/config\.json: metrics: no metric.*\n$/);
  }));

Deno.test("ringstore takes the metrics of the clusters in its archive", () => {
  const config = {
    ...CONFIG,
    main: { ...CONFIG.main, "disable-authentication": true },
    metrics: { mem_bw: { frequency: 60, aggregation: "avg" } },
  };
  return inDirectory(config, async (directory) => {
    const archive = `${directory}/var/job-archive`;
    await Deno.mkdir(`${archive}/emmy`, { recursive: true });
    await Deno.writeTextFile(`${archive}/version.txt`, "3\n");
    await Deno.copyFile(
      `${ROOT}tests/testdata/clusters/emmy.json`,
      `${archive}/emmy/cluster.json`,
    );
    const { child, url } = await startServer(directory);
    assert.match(
      child.output,
      /WARN.* emmy: .* mem_bw \(aggregation avg, not sum\)/,
    );
    const client = new TestClient(url);
    const answer = await client.write(
      "clock,cluster=emmy,hostname=e0101 value=1\n" +
        "clock,cluster=other,hostname=e0101 value=1\n",
    );
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["x-skipped"], "unknown-metric=1");
    assert.equal(
      answer.headers["x-skipped-names"],
      "unknown-metric=other/clock",
    );
    await child.until(
      "the name in the log",
      10_000,
      () =>
        /WARN samples are passed over.* names=other\/clock lines=1\n/
          .test(child.output) || undefined,
    );
    const metrics = await client.send({ method: "GET", path: "/metrics" });
    assert.match(
      metrics.text,
      /^ringstore_unknown_metric_lines_total\{cluster="other"\} 1$/m,
    );
    client.close();
    assert.equal((await child.stop()).code, 0);
  });
});

Deno.test("ringstore ends with 1 and one line when the key or the port is not usable", async () => {
  const key = { ...CONFIG, main: { ...CONFIG.main, "jwt-public-key": "x" } };
  await inDirectory(key, async (directory) => {
    const { code, err } = await run(directory);
    assert.equal(code, 1);
    assert.match(err, /^ringstore: main\.jwt-public-key is no Ed25519 .*\n$/);
  });
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const main = { addr: `127.0.0.1:${taken.addr.port}` };
  await inDirectory({ ...CONFIG, main }, async (directory) => {
    const { code, err } = await run(directory);
    assert.equal(code, 1);
    assert.match(err, /^ringstore: [^\n]+\n$/);
    assert.ok(err.includes(main.addr), err);
  });
  taken.close();
});

Deno.test("ringstore gen-keypair prints keys that a server and the token command take", () =>
  inDirectory(CONFIG, async (directory) => {
    const { code, out } = await run(directory, "gen-keypair");
    assert.equal(code, 0);
    const match =
      /^ED25519 PUBLIC_KEY="([^"]{44})"\nED25519 PRIVATE_KEY="([^"]{88})"\n[^\n]+\n$/
        .exec(out);
    assert.ok(match !== null, out);
    const [, publicKey, privateKey = ""] = match;
    await Deno.writeTextFile(
      `${directory}/config.json`,
      JSON.stringify({
        ...CONFIG,
        main: { ...CONFIG.main, "jwt-public-key": publicKey },
      }),
    );
    const args = ["token", "--user", "u", "--roles", "user"];
    const without = await run(directory, ...args);
    assert.equal(without.code, 1);
    assert.match(without.err, /^ringstore: there is only a public key /);
    await Deno.mkdir(`${directory}/var/keys`, { recursive: true });
    await Deno.writeTextFile(
      `${directory}/var/keys/jwt-private-key`,
      privateKey,
    );
    const lifetimes: [string[], RegExp, number | undefined][] = [
      [[], /^the token ends at 20\d\d-/, 8760 * 3600],
      [["--max-age", "48h"], /^the token ends at /, 48 * 3600],
      [["--max-age", "0s"], /^the token does not end/, undefined],
    ];
    for (const [flags, told, lifetime] of lifetimes) {
      const made = await run(directory, ...args, ...flags);
      assert.match(made.err, told);
      const { iat, exp } = JSON.parse(atob(made.out.split(".")[1]!));
      assert.equal(exp === undefined ? undefined : exp - iat, lifetime);
    }
    const token = await run(directory, ...args);
    assert.equal(token.code, 0, token.err);
    assert.match(token.out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  }));

Deno.test("ringstore makes keys at the first start, and the token command signs with them", () =>
  inDirectory(CONFIG, async (directory) => {
    const { child, url } = await startServer(directory);
    const client = new TestClient(url);
    try {
      const signed = async (roles: string) => {
        const args = ["token", "--user", "u", "--roles", roles];
        const { code, out, err } = await run(directory, ...args);
        assert.equal(code, 0, err);
        return `Bearer ${out.trim()}`;
      };
      const write = async (authorization: string | null) =>
        (await client.send({
          method: "POST",
          path: "/api/write",
          body: "",
          authorization,
        })).status;
      assert.equal(await write(null), 401);
      assert.equal(await write("Bearer a.b.c"), 401);
      assert.equal(await write(await signed("user")), 403);
      assert.equal(await write(await signed("api")), 200);
    } finally {
      client.close();
      const status = await child.stop();
      assert.equal(status.code, 0, child.output);
    }
  }));

Deno.test("ringstore user changes password and roles, and tokens have the roles of the database", () =>
  inDirectory(CONFIG, async (directory) => {
    const good = async (...args: string[]) => {
      const { code, out, err } = await run(directory, ...args);
      assert.equal(code, 0, err);
      return out;
    };
    const refused = async (reason: RegExp, ...args: string[]) => {
      const { code, out, err } = await run(directory, ...args);
      assert.equal(code, 1, out);
      assert.match(err, reason);
    };
    await good("-add-user", "eve:user,api:secret");
    const rolesOf = (token: string) =>
      JSON.parse(atob(token.split(".")[1] ?? "")).roles;
    for (const args of [["-jwt", "eve"], ["token", "--user", "eve"]]) {
      assert.deepEqual(rolesOf(await good(...args)), ["user", "api"]);
    }
    await refused(/there is no user "bob" in .*job\.db/, "-jwt", "bob");
    assert.match(
      await good("user", "roles", "eve", "manager,api", "--projects", "p1,p2"),
      /^eve has the roles manager, api and manages p1, p2\n$/,
    );
    assert.deepEqual(rolesOf(await good("-jwt", "eve")), ["manager", "api"]);
    assert.equal(await good("user", "list"), "eve\tmanager,api\tp1,p2\n");
    await refused(/no user "bob"/, "user", "roles", "bob", "user");
    await refused(/password: it is empty/, "user", "password", "eve");
    const help = await good("user", "password", "--help");
    assert.match(help, /^Usage: ringstore user ACTION/);
  }));

Deno.test("ringstore ends with 0 on SIGINT and SIGTERM", () =>
  inDirectory(CONFIG, async (directory) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const { child } = await startServer(directory, "-loglevel", "info");
      const status = await child.stop(signal);
      assert.equal(status.code, 0, child.output);
      assert.match(child.output, new RegExp(`INFO stopping signal=${signal}`));
    }
  }));

Deno.test("ringstore warns loudly when authentication is disabled", () => {
  const main = { ...CONFIG.main, "disable-authentication": true };
  return inDirectory({ ...CONFIG, main }, async (directory) => {
    const { child, url } = await startServer(directory);
    const client = new TestClient(url);
    const answer = await client.send({
      method: "GET",
      path: "/api/debug",
      authorization: null,
    });
    client.close();
    await child.stop();
    assert.equal(answer.status, 200);
    assert.match(child.output, /WARN main\.disable-authentication: /);
    await assert.rejects(
      Deno.stat(`${directory}/var/keys`),
      Deno.errors.NotFound,
    );
  });
});
