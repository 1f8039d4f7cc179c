import assert from "node:assert/strict";
import { nowSec } from "../../base/clock.ts";
import { storeMetrics } from "../../config/clusters/store_metrics.ts";
import { loadConfig } from "../../config/settings/mod.ts";
import { newJob } from "../../db/_job_fixture.ts";
import type { NewJob, TagKey } from "../../db/job_row.ts";
import type { RemoteTables } from "../../db/remote.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { FakeEngine } from "../../../tests/http/fake_engine.ts";
import { realCatalog } from "../../../tests/support/clusters.ts";
import { startTestEngine, write } from "../../../tests/support/engine.ts";
import { testJobs } from "../../../tests/support/jobs.ts";
import { memoryTables } from "../../../tests/support/memory_tables.ts";
import { scheduleJobWork } from "./background.ts";
import type { JobServices } from "./services.ts";

const DAY_SEC = 86_400;

/** What is scheduled for a configuration, by name; nothing begins by itself. */
class World implements AsyncDisposable {
  readonly tables: RemoteTables = memoryTables();
  readonly planned = new Map<
    string,
    { when: string; work: () => Promise<unknown> }
  >();
  readonly log: string[] = [];
  readonly directory: string;
  services!: JobServices;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(
    sections: Readonly<Record<string, object>>,
    engine: MetricEngine = new FakeEngine(),
  ): Promise<World> {
    const world = new World(await Deno.makeTempDir({ prefix: "ringstore-" }));
    const file = `${world.directory}/config.json`;
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        metrics: {},
        "metric-store": { "retention-in-memory": "48h", "memory-cap": 1 },
        ...sections,
        archive: {
          path: `${world.directory}/job-archive`,
          ...sections["archive"],
        },
      }),
    );
    const note = (level: string) =>
    (
      message: string,
      fields: Record<string, unknown> = {},
    ) => void world.log.push(`${level} ${message} ${JSON.stringify(fields)}`);
    world.services = {
      ...await testJobs({
        tables: world.tables,
        engine,
        directory: world.directory,
      }),
      clusters: realCatalog(),
      log: { info: note("info"), warn: note("warn"), err: note("err") },
    };
    const plan = (when: string, name: string, work: () => Promise<unknown>) =>
      void world.planned.set(name, { when, work });
    scheduleJobWork(
      {
        every: (sec, name, work) => plan(`every ${sec} s`, name, work),
        daily: (hour, name, work) => plan(`at ${hour}`, name, work),
      },
      loadConfig(file).config,
      world.services,
    );
    return world;
  }

  get times(): Record<string, string> {
    return Object.fromEntries(
      [...this.planned].map(([name, { when }]) => [name, when]),
    );
  }

  async run(name: string): Promise<void> {
    const planned = this.planned.get(name);
    assert.ok(planned, `${name} is not planned`);
    await planned.work();
  }

  async start(
    job: Partial<NewJob> & { jobId: number },
    tags: readonly TagKey[] = [],
  ): Promise<number> {
    const { id } = await this.tables.jobs.start(
      newJob({
        ...{ cluster: "fritz", subCluster: "main" },
        resources: [{ hostname: "f0101" }],
        ...job,
      }),
      tags,
    );
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.services.archive.close();
    await Deno.remove(this.directory, { recursive: true });
  }
}

Deno.test("scheduleJobWork() plans what the configuration asks for, and no more", async () => {
  await using plain = await World.open({});
  assert.deepEqual(plain.times, {
    durations: "every 300 s",
    footprints: "every 600 s",
    compression: "at 5",
  });
  await using full = await World.open({
    main: {
      "stop-jobs-exceeding-walltime": 60,
      "nodestate-retention": { policy: "delete", age: 1 },
    },
    cron: { "duration-worker": "1m", "footprint-worker": "2m" },
    archive: { compression: 0, retention: { policy: "delete", age: 1 } },
  });
  assert.deepEqual(full.times, {
    durations: "every 60 s",
    footprints: "every 120 s",
    walltime: "at 3",
    "node states": "at 2",
    "archive retention": "at 4",
  });
});

Deno.test("durations are written for running jobs only", async () => {
  await using world = await World.open({});
  const now = nowSec();
  const running = await world.start({ jobId: 1, startTime: now - 500 });
  const ahead = await world.start({ jobId: 2, startTime: now + 500 });
  const stopped = await world.start({ jobId: 3, startTime: now - 500 });
  await world.tables.jobs.stop({
    ...{ jobId: 3, stopTime: now - 490, jobState: "failed" },
  });
  await world.run("durations");
  const duration = async (id: number) =>
    (await world.tables.jobs.get(id))!.duration;
  const least = await duration(running);
  assert.ok(least >= 500 && least <= nowSec() - now + 500);
  assert.equal(await duration(ahead), 0);
  assert.equal(await duration(stopped), 10);
});

Deno.test("footprints are written for jobs that have run for ten minutes, of the sub-cluster's metrics", async () => {
  const catalog = realCatalog();
  const engine = await startTestEngine({
    shards: 1,
    metrics: storeMetrics({ metrics: {}, clusters: {} }, catalog).metrics,
  });
  try {
    await using world = await World.open({}, engine);
    const start = Math.floor(nowSec() / 60) * 60 - 1200;
    const lines = [0, 1, 2, 3].flatMap((i) => {
      const where = "cluster=fritz,hostname=f0101";
      return [
        `cpu_load,${where},type=node value=${i} ${start + 60 * i}`,
        `mem_used,${where},type=node value=${i} ${start + 60 * i}`,
        `mem_bw,${where},type=socket,type-id=0 value=1 ${start + 60 * i}`,
        `mem_bw,${where},type=socket,type-id=1 value=2 ${start + 60 * i}`,
      ];
    });
    await write(engine, DEFAULT_SCOPE, lines);
    const old = await world.start({ jobId: 1, startTime: start });
    const young = await world.start({ jobId: 2, startTime: nowSec() - 500 });
    const lost = await world.start({
      ...{ jobId: 3, startTime: start, subCluster: "gone" },
    });
    const ended = await world.start({ jobId: 4, startTime: start });
    await world.tables.jobs.stop({
      ...{ jobId: 4, stopTime: start + 700, jobState: "failed" },
    });
    await world.run("footprints");
    const footprint = async (id: number) =>
      (await world.tables.jobs.get(id))!.footprint;
    assert.deepEqual(await footprint(old), {
      ...{ cpu_load_avg: 1.5, mem_used_max: 3, mem_bw_avg: 3 },
      // As upstream has it where nothing was measured.
      flops_any_avg: 0,
    });
    for (const id of [young, lost, ended]) {
      assert.equal(await footprint(id), null);
    }
  } finally {
    await engine.close();
  }
});

Deno.test("footprints go on past a job whose metrics cannot be had", async () => {
  const engine = new FakeEngine();
  await using world = await World.open({}, engine);
  await world.start({ jobId: 1, startTime: nowSec() - 5000 });
  engine.failure = new Error("a shard is gone");
  await world.run("footprints");
  assert.match(world.log.join(), /warn .*no footprint.*a shard is gone/);
});

Deno.test("walltime: jobs past it and the grace time fail and are not archived", async () => {
  await using world = await World.open({
    main: { "stop-jobs-exceeding-walltime": 1000 },
  });
  const now = nowSec();
  const over = await world.start({
    ...{ jobId: 1, startTime: now - 5000, walltime: 3000 },
  });
  const within = await world.start({
    ...{ jobId: 2, startTime: now - 3500, walltime: 3000 },
  });
  const endless = await world.start({ jobId: 3, startTime: 1, walltime: 0 });
  await world.run("walltime");
  const failed = (await world.tables.jobs.get(over))!;
  assert.equal(failed.jobState, "failed");
  assert.equal(failed.monitoringStatus, 2);
  assert.equal(failed.duration, 0);
  assert.equal(await world.tables.archiveQueue.size(), 0);
  for (const id of [within, endless]) {
    assert.equal((await world.tables.jobs.get(id))?.jobState, "running");
  }
  assert.match(world.log.join(), /over their walltime.*"count":1/);
});

/** Jobs 1 to 4, archived long ago, the second and third tagged; 5 is of today. */
async function archivedJobs(world: World): Promise<void> {
  const now = nowSec();
  const types = ["", "t", "app", "", ""];
  for (const [i, type] of types.entries()) {
    const jobId = i + 1;
    const startTime = jobId === 5 ? now - 60 : now - 30 * DAY_SEC + jobId;
    const tags = type === "" ? [] : [{ type, name: "n", scope: "global" }];
    const id = await world.start({ jobId, startTime }, tags);
    const job = (await world.tables.jobs.get(id))!;
    await world.services.archive.write(
      job,
      [],
      () => ({ job: { ...job, jobState: "completed" }, tags, statistics: {} }),
    );
    // The fourth still runs.
    if (jobId === 4) continue;
    await world.tables.jobs.stop({
      ...{ jobId, stopTime: startTime, jobState: "completed" },
    });
    await world.tables.archiveQueue.finish(id, { monitoringStatus: 3 });
  }
}

/** Ids of the batch system below an archive. */
async function archived(root: string): Promise<number[]> {
  const found: number[] = [];
  try {
    for await (const { name } of Deno.readDir(`${root}/fritz/0`)) {
      for await (const start of Deno.readDir(`${root}/fritz/0/${name}`)) {
        if (start.isDirectory) found.push(Number(name));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}

Deno.test("archive retention deletes, copies or moves what is old, spares what is tagged", async () => {
  const all = [1, 2, 3, 4, 5];
  const cases: {
    retention: object;
    left: number[];
    target: number[];
    rows: number[];
  }[] = [
    {
      retention: { policy: "delete" },
      ...{ left: [4, 5], target: [], rows: [4, 5] },
    },
    {
      retention: { policy: "delete", "include-db": false },
      ...{ left: [4, 5], target: [], rows: all },
    },
    {
      retention: { policy: "delete", "omit-tagged": "all" },
      ...{ left: [2, 3, 4, 5], target: [], rows: [2, 3, 4, 5] },
    },
    {
      retention: { policy: "delete", "omit-tagged": "user" },
      ...{ left: [2, 4, 5], target: [], rows: [2, 4, 5] },
    },
    { retention: { policy: "copy" }, left: all, target: [1, 2, 3], rows: all },
    {
      retention: { policy: "move", "omit-tagged": "user" },
      ...{ left: [2, 4, 5], target: [1, 3], rows: [2, 4, 5] },
    },
  ];
  for (const { retention, left, target, rows } of cases) {
    const targetRoot = await Deno.makeTempDir({ prefix: "ringstore-" });
    try {
      const options = { age: 10, "target-path": targetRoot, ...retention };
      await using world = await World.open({ archive: { retention: options } });
      await archivedJobs(world);
      await world.run("archive retention");
      const what = JSON.stringify(retention);
      const root = `${world.directory}/job-archive`;
      assert.deepEqual(await archived(root), left, what);
      assert.deepEqual(await archived(targetRoot), target, what);
      const jobs = await world.tables.jobs.list({}, { limit: 10 });
      assert.deepEqual(jobs.map(({ jobId }) => jobId).sort(), rows, what);
    } finally {
      await Deno.remove(targetRoot, { recursive: true });
    }
  }
});

Deno.test("archive retention says which jobs it could not treat, and keeps them", async () => {
  await using world = await World.open({
    archive: {
      retention: {
        ...{ policy: "move", age: 10, "target-path": "/dev/null/nowhere" },
      },
    },
  });
  await archivedJobs(world);
  await world.run("archive retention");
  assert.equal(await world.tables.jobs.count({}), 5);
  const told = world.log.filter((line) => line.startsWith("err"));
  assert.equal(told.length, 3, told.join("\n"));
  assert.match(world.log.join(), /"failed":3/);
});

Deno.test("compression packs the data files of old jobs only", async () => {
  await using world = await World.open({ archive: { compression: 7 } });
  await archivedJobs(world);
  const root = `${world.directory}/job-archive`;
  const directories: string[] = [];
  for (const jobId of await archived(root)) {
    for await (const { name } of Deno.readDir(`${root}/fritz/0/00${jobId}`)) {
      directories.push(`${root}/fritz/0/00${jobId}/${name}`);
    }
  }
  // Long data that another tool has left plain.
  for (const directory of directories) {
    await Deno.writeTextFile(`${directory}/data.json`, `{${" ".repeat(9999)}}`);
  }
  await world.run("compression");
  const packed = directories.map((directory) =>
    [...Deno.readDirSync(directory)].some(({ name }) => name === "data.json.gz")
  );
  assert.deepEqual(packed, [true, true, true, true, false]);
  await Deno.stat(`${root}/compress.txt`);
});
