/** A running server takes cluster files and configuration anew: the real program. */
import assert from "node:assert/strict";
import { TestClient } from "./support/client.ts";
import { readCredentials } from "./support/job_server.ts";
import { ROOT, TestServer } from "./support/server.ts";

const CLUSTERS = `${ROOT}tests/testdata/clusters`;
const WAIT_MS = 10_000;

class ReloadServer implements AsyncDisposable {
  readonly #server: TestServer;
  readonly #client: TestClient;
  readonly #tokens: Readonly<Record<string, string>>;

  private constructor(
    server: TestServer,
    tokens: Readonly<Record<string, string>>,
  ) {
    this.#server = server;
    this.#tokens = tokens;
    this.#client = new TestClient(server.url);
  }

  static async start(): Promise<ReloadServer> {
    const { publicKey, tokens } = await readCredentials();
    return new ReloadServer(
      await TestServer.start({
        main: { "jwt-public-key": publicKey },
        metrics: { load: { frequency: 60, aggregation: "avg" } },
        flags: ["-loglevel", "info"],
        prepare: async (directory) => {
          await Deno.mkdir(`${directory}/job-archive`);
          await Deno.writeTextFile(`${directory}/job-archive/version.txt`, "3");
          await putCluster(directory, "emmy");
        },
      }),
      tokens,
    );
  }

  get directory(): string {
    return this.#server.directory;
  }

  get output(): string {
    return this.#server.child.output;
  }

  async ask(
    method: string,
    path: string,
    body?: string,
    as: string | null = "admin+api",
  ) {
    const answer = await this.#client.send({
      method,
      path,
      body,
      authorization: as === null ? null : `Bearer ${this.#tokens[as]}`,
    });
    return {
      ...answer,
      get json() {
        return JSON.parse(answer.text);
      },
    };
  }

  reload() {
    return this.ask("POST", "/-/reload");
  }

  hangUp(): void {
    Deno.kill(this.#server.child.pid, "SIGHUP");
  }

  async until(what: string, pattern: RegExp): Promise<void> {
    await this.#server.child.until(
      what,
      WAIT_MS,
      () => pattern.test(this.output) || undefined,
    );
  }

  /** Changes the text of the configuration. */
  async configure(
    change: (config: Record<string, Record<string, unknown>>) => void,
  ) {
    const file = `${this.directory}/config.json`;
    const config = JSON.parse(await Deno.readTextFile(file));
    change(config);
    await Deno.writeTextFile(file, JSON.stringify(config));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#server.stop();
  }
}

async function putCluster(directory: string, name: string): Promise<void> {
  const path = `${directory}/job-archive/${name}`;
  await Deno.mkdir(path, { recursive: true });
  await Deno.copyFile(`${CLUSTERS}/${name}.json`, `${path}/cluster.json`);
}

Deno.test("POST /-/reload takes clusters, metrics and settings anew, and says what needs a restart", async () => {
  await using server = await ReloadServer.start();
  const line = "clock,cluster=fritz,hostname=f0201 value=1\n" +
    "fresh,cluster=emmy,hostname=e0101 value=1\n";
  const write = async () =>
    (await server.ask("POST", "/api/write", line)).headers["x-skipped"];
  assert.equal(await write(), "unknown-metric=2");
  assert.deepEqual((await server.reload()).json, {
    reloaded: [],
    needs_restart: [],
  });
  await putCluster(server.directory, "fritz");
  await server.configure((config) => {
    config.main!["max-body-size"] = 1000;
    config.main!["addr"] = "127.0.0.1:1";
    config.metrics!["fresh"] = { frequency: 10, aggregation: "sum" };
    config["metric-store"]!["max-future"] = "2h";
  });
  const answer = await server.reload();
  assert.equal(answer.status, 200, answer.text);
  const { reloaded, needs_restart } = answer.json;
  assert.ok(reloaded.includes("metric fritz/clock"), answer.text);
  assert.deepEqual(
    reloaded.filter((what: string) => !what.startsWith("metric fritz/")),
    ["main.max-body-size", "cluster fritz", "metric */fresh"],
  );
  assert.deepEqual(needs_restart, [
    "main.addr.port",
    "metric-store.max-future",
  ]);
  assert.equal(await write(), undefined);
  const clusters = await server.ask("GET", "/api/clusters/?cluster=fritz");
  assert.equal(clusters.status, 200, clusters.text);
  const known = await server.ask("GET", "/admin/api/v1/clusters/fritz");
  assert.equal(known.status, 200);
  const large = await server.ask("POST", "/api/write", "x".repeat(1001));
  assert.equal(large.status, 413);
  // What is in force already is not told again; what waits for a restart is.
  assert.deepEqual((await server.reload()).json, {
    reloaded: [],
    needs_restart: ["main.addr.port", "metric-store.max-future"],
  });
});

Deno.test("what a reload refuses leaves everything as it was and is told", async () => {
  await using server = await ReloadServer.start();
  await putCluster(server.directory, "fritz");
  const file = `${server.directory}/job-archive/emmy/cluster.json`;
  const good = await Deno.readTextFile(file);
  const cases: [string, RegExp][] = [
    ["{", /emmy\/cluster\.json:1:2: is not JSON/],
    [
      good.replace(/"timestep": *60/, '"timestep": 30'),
      /metric emmy\/\w+ is kept with frequency 60.* not frequency 30.* until a restart/,
    ],
    [good.replace('"emmy"', '"fritz"'), /name: got "fritz" again/],
  ];
  for (const [text, reason] of cases) {
    await Deno.writeTextFile(file, text);
    const answer = await server.reload();
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.json.error, reason);
  }
  const clusters = await server.ask("GET", "/api/clusters/");
  assert.deepEqual(
    clusters.json.clusters.map(({ name }: { name: string }) => name),
    ["emmy"],
  );
  await Deno.writeTextFile(file, good);
  await server.configure((config) => config.main!["nonsense"] = 1);
  assert.match(
    (await server.reload()).json.error,
    /main\.nonsense: unknown key/,
  );
  await server.until("the refusal in the log", /ERR not reloaded: .*nonsense/);
});

Deno.test("SIGHUP reloads as well, and only administrators may ask for it", async () => {
  await using server = await ReloadServer.start();
  server.hangUp();
  await server.until("the reload", /INFO reloaded changed=\[\]\n/);
  await server.configure((config) => {
    config.main!["metrics-public"] = true;
    delete config.metrics!["load"];
  });
  server.hangUp();
  await server.until(
    "the setting",
    /INFO reloaded changed=.*main\.metrics-public/,
  );
  await server.until(
    "what waits for a restart",
    /WARN some changes count after a restart only.*metric .*\/load \(removed\)/,
  );
  await Deno.writeTextFile(`${server.directory}/config.json`, "");
  server.hangUp();
  await server.until(
    "the refusal",
    /ERR not reloaded: .*is not JSON/,
  );
  for (const [as, status] of [[null, 401], ["user+api", 403]] as const) {
    assert.equal(
      (await server.ask("POST", "/-/reload", undefined, as)).status,
      status,
    );
  }
});
