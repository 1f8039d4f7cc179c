/** The life of a job with the real program: started, read, stopped, archived, read again. */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { DurableServer, type StoreSettings } from "../crash/durable_server.ts";
import { TestClient } from "../support/client.ts";
import { readCredentials } from "../support/job_server.ts";
import {
  type ExpectedSeries,
  expectedSeries,
  expectedStatistics,
  HOSTS,
  linesOf,
  NAMES,
  SLOTS,
  STEP_SEC,
  THREADS,
} from "./day_of_metrics.ts";

const WAIT_MS = 60_000;
const SLOTS_PER_BODY = 120;
const SCOPES = ["node", "socket", "core", "hwthread"] as const;

/** A real program with an archive of its own, and a caller of the role `api`. */
class Life implements AsyncDisposable {
  readonly server: DurableServer;
  readonly settings: StoreSettings;
  readonly #token: string;

  private constructor(server: DurableServer, key: string, token: string) {
    this.server = server;
    this.#token = token;
    this.settings = {
      metrics: {},
      main: { "jwt-public-key": key },
      sections: { archive: { path: this.archive } },
    };
  }

  static async start(): Promise<Life> {
    const { publicKey, tokens } = await readCredentials();
    const server = await DurableServer.create();
    const life = new Life(server, publicKey, tokens["admin+api"]!);
    await Deno.mkdir(`${life.archive}/emmy`, { recursive: true });
    await Deno.writeTextFile(`${life.archive}/version.txt`, "3\n");
    const file = new URL("../testdata/clusters/emmy.json", import.meta.url);
    await Deno.writeTextFile(
      `${life.archive}/emmy/cluster.json`,
      await Deno.readTextFile(file),
    );
    await server.start(life.settings);
    return life;
  }

  get archive(): string {
    return `${this.server.directory}/job-archive`;
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    client: TestClient = this.server.client,
    // deno-lint-ignore no-explicit-any
  ): Promise<any> {
    const answer = await client.send({
      method,
      path,
      body: typeof body === "object" ? JSON.stringify(body) : body as string,
      authorization: `Bearer ${this.#token}`,
    });
    const { status, text } = answer;
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async idOf(jobId: number): Promise<number> {
    const { jobs } = await this.ask("GET", "/api/jobs/");
    return jobs.find((job: { jobId: number }) => job.jobId === jobId).id;
  }

  /** Metrics by name and scope, series in the order of the answer. */
  async metrics(id: number, scope: string): Promise<Map<string, Metric>> {
    const { data, error } = await this.ask(
      "GET",
      `/api/jobs/metrics/${id}?scope=${scope}`,
    );
    assert.equal(error, null);
    return new Map(
      data.jobMetrics.map((entry: { name: string; metric: Metric }) => [
        entry.name,
        entry.metric,
      ]),
    );
  }

  async untilArchived(id: number): Promise<void> {
    await this.server.child.until("archived job", WAIT_MS, async () => {
      const { Meta } = await this.ask("GET", `/api/jobs/${id}`);
      return Meta.monitoringStatus === 3 || undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

interface Metric {
  readonly timestep: number;
  readonly series:
    readonly (ExpectedSeries & { readonly statistics: object })[];
}

function job(
  jobId: number,
  startTime: number,
  hosts: readonly number[],
  hwthreads?: number[],
) {
  return {
    ...{ jobId, user: "eve", project: "p1", cluster: "emmy", startTime },
    numNodes: hosts.length,
    resources: hosts.map((host) => ({
      hostname: HOSTS[host],
      ...(hwthreads ? { hwthreads } : {}),
    })),
    metaData: { jobName: "a day" },
  };
}

/** Every value where it belongs, and the scopes under their names. */
function assertSeries(
  found: ReadonlyMap<string, Metric>,
  scope: typeof SCOPES[number],
  hosts: readonly number[],
  threads: readonly number[],
): void {
  assert.deepEqual([...found.keys()].sort(), [...NAMES].sort());
  for (const name of NAMES) {
    const { timestep, series } = found.get(name)!;
    assert.equal(timestep, STEP_SEC);
    const got = series.map(({ statistics: _, ...rest }) => rest);
    const wanted = expectedSeries(name, scope, hosts, threads);
    assert.deepEqual(got, wanted, `${name} by ${scope}`);
  }
}

Deno.test("a day of 32 nodes is the same numbers in every scope: running, archived, after a restart", async (t) => {
  await using life = await Life.start();
  const { server } = life;
  const start = Math.floor(nowSec() / STEP_SEC) * STEP_SEC - SLOTS * STEP_SEC;
  const all = HOSTS.map((_, host) => host);
  const threads = Array.from({ length: THREADS }, (_, i) => i);
  const some = [1, 9, 30];
  const half = [1, 2];

  await t.step("the day is written whole", async () => {
    for (let slot = 0; slot < SLOTS; slot += SLOTS_PER_BODY) {
      await life.ask(
        "POST",
        "/api/write",
        linesOf(start, slot, slot + SLOTS_PER_BODY),
      );
    }
  });
  await life.ask("POST", "/api/jobs/start_job/", job(1, start, all));
  await life.ask("POST", "/api/jobs/start_job/", job(2, start, some, half));
  const [whole, part] = [await life.idOf(1), await life.idOf(2)];

  await t.step("running jobs have them in every scope", async () => {
    for (const scope of SCOPES) {
      assertSeries(await life.metrics(whole, scope), scope, all, threads);
      assertSeries(await life.metrics(part, scope), scope, some, half);
    }
  });

  const before = new Map<string, unknown>();
  await t.step("stopped, tagged, edited and archived", async () => {
    const stopTime = start + SLOTS * STEP_SEC;
    const tag = [{ type: "t", name: "n", scope: "global" }];
    for (const [id, jobId] of [[whole, 1], [part, 2]] as const) {
      await life.ask("POST", `/api/jobs/tag_job/${id}`, tag);
      await life.ask("POST", "/api/jobs/stop_job/", {
        ...{ jobId, cluster: "emmy", jobState: "completed", stopTime },
      });
      await life.untilArchived(id);
    }
    await life.ask("PATCH", `/api/jobs/edit_meta/${whole}`, {
      ...{ key: "note", value: "read again" },
    });
    for (const scope of ["node", "core"] as const) {
      const found = await life.metrics(part, scope);
      assertSeries(found, scope, some, half);
      before.set(scope, [...found]);
    }
  });

  await t.step("the list has the statistics of the day", async () => {
    const { jobs } = await life.ask("GET", "/api/jobs/");
    const { statistics } = jobs.find((one: { id: number }) => one.id === whole);
    assert.deepEqual(Object.keys(statistics).sort(), [...NAMES].sort());
    for (const name of NAMES) {
      const { unit: _, ...numbers } = statistics[name];
      assert.deepEqual(numbers, expectedStatistics(name), name);
    }
  });

  await t.step("after a restart they come from the archive", async () => {
    // With a store that has nothing.
    await server.restart({
      ...life.settings,
      checkpoints: { directory: `${server.directory}/empty` },
    });
    assertSeries(await life.metrics(whole, "node"), "node", all, threads);
    for (const scope of ["node", "core"] as const) {
      assert.deepEqual([...await life.metrics(part, scope)], before.get(scope));
    }
    const { Meta, Data } = await life.ask(
      "GET",
      `/api/jobs/${whole}?all-metrics=true`,
    );
    assert.deepEqual(Meta.metaData, {
      ...{ jobName: "a day", note: "read again" },
    });
    assert.equal(Meta.tags[0].name, "n");
    assert.equal(Data.cpu_load.node.statisticsSeries.median.length, SLOTS);
  });
});

Deno.test("a job that was stopped before a kill -9 is archived after the next start", async () => {
  await using life = await Life.start();
  const { server } = life;
  const start = Math.floor(nowSec() / STEP_SEC) * STEP_SEC - 3600;
  await life.ask(
    "POST",
    "/api/write",
    `cpu_load,cluster=emmy,hostname=w1201,type=node value=1.5 ${start}`,
  );
  await life.ask("POST", "/api/jobs/start_job/", job(4_000_001, start, [0]));
  const id = await life.idOf(4_000_001);
  // A file where a directory has to be keeps the job waiting.
  const obstacle = `${life.archive}/emmy/4000`;
  await Deno.writeTextFile(obstacle, "");
  await life.ask("POST", "/api/jobs/stop_job/", {
    ...{ jobId: 4_000_001, stopTime: start + 60 },
  });
  await server.child.until(
    "an attempt",
    WAIT_MS,
    () => server.child.output.includes("cannot be archived") || undefined,
  );
  await server.kill();
  await Deno.remove(obstacle);
  await server.start(life.settings);
  await life.untilArchived(id);
  const metric = (await life.metrics(id, "node")).get("cpu_load");
  assert.deepEqual(metric?.series[0]?.data, [1.5]);
  const archived = `${life.archive}/emmy/4000/001/${start}/data.json`;
  assert.match(await Deno.readTextFile(archived), /cpu_load/);
});

/** Callers at a time; what several of them send is one transaction. */
const CALLERS = 12;
const ROUNDS = 3;
const ANSWERED_BEFORE_KILL = 150;

Deno.test("no start or stop that was answered is lost by a kill -9 amid many", async () => {
  await using life = await Life.start();
  const { server } = life;
  const start = Math.floor(nowSec()) - 3600;
  const started = new Set<number>();
  const stopped = new Set<number>();
  let next = 1;
  for (let round = 0; round < ROUNDS; round++) {
    const clients = Array.from(
      { length: CALLERS },
      () => new TestClient(server.url),
    );
    const enough = Promise.withResolvers<void>();
    const answered = started.size + stopped.size;
    const call = async (client: TestClient) => {
      for (;;) {
        const jobId = next++;
        const body = {
          ...job(jobId, start, [jobId % HOSTS.length]),
          monitoringStatus: 0,
        };
        await life.ask("POST", "/api/jobs/start_job/", body, client);
        started.add(jobId);
        if (jobId % 2 === 0) continue;
        const stop = { jobId, stopTime: start + 60 };
        await life.ask("POST", "/api/jobs/stop_job/", stop, client);
        stopped.add(jobId);
        const now = started.size + stopped.size - answered;
        if (now > ANSWERED_BEFORE_KILL) enough.resolve();
      }
    };
    const calls = Promise.allSettled(clients.map(call));
    await Promise.race([enough.promise, calls]);
    await server.kill();
    await calls;
    // No caller broke off for another reason than the kill.
    assert.ok(started.size + stopped.size - answered > ANSWERED_BEFORE_KILL);
    for (const client of clients) client.close();
    await server.start(life.settings);
  }
  const { jobs } = await life.ask("GET", "/api/jobs/?items-per-page=100000");
  const states = new Map<number, string>(
    jobs.map((one: { jobId: number; jobState: string }) => [
      one.jobId,
      one.jobState,
    ]),
  );
  for (const jobId of started) {
    assert.ok(states.has(jobId), `job ${jobId}`);
  }
  for (const jobId of stopped) {
    assert.equal(states.get(jobId), "completed", `job ${jobId}`);
  }
});
