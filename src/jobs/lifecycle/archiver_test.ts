import assert from "node:assert/strict";
import { nowSec } from "../../base/clock.ts";
import { storeMetrics } from "../../config/clusters/store_metrics.ts";
import { newJob } from "../../db/_job_fixture.ts";
import type { RemoteTables } from "../../db/remote.ts";
import { DEFAULT_SCOPE } from "../../metricstore/engine/data_scope.ts";
import { ClientError } from "../../base/errors.ts";
import type { StoreEngine } from "../../metricstore/engine/metric_engine.ts";
import type { JobMeta, MetaEdit } from "../archive/job_meta.ts";
import type {
  JobData,
  JobMetricByScope,
  NamedMetric,
} from "../data/job_data.ts";
import { FakeEngine } from "../../../tests/http/fake_engine.ts";
import { realCatalog } from "../../../tests/support/clusters.ts";
import { startTestEngine, write } from "../../../tests/support/engine.ts";
import { memoryTables } from "../../../tests/support/memory_tables.ts";
import { until } from "../../../tests/support/nats.ts";
import { JobArchiver, type JobArchiverOptions } from "./archiver.ts";

const START = 1_700_000_040;
const STOP = START + 600;

/** An archive that notes what it is given; `onWrite` may fail or do more. */
class Notes {
  readonly written: { meta: JobMeta; data: JobData }[] = [];
  readonly edits: MetaEdit[] = [];
  onWrite: (meta: JobMeta) => Promise<unknown> = () => Promise.resolve();

  async write(
    _place: unknown,
    metrics: AsyncIterable<NamedMetric> | Iterable<NamedMetric>,
    metaOf: () => JobMeta,
  ): Promise<void> {
    const data = new Map<string, JobMetricByScope>();
    for await (const { name, scopes } of metrics) data.set(name, scopes);
    const meta = metaOf();
    await this.onWrite(meta);
    this.written.push({ meta, data });
  }

  editMeta(_place: unknown, edit: MetaEdit): Promise<boolean> {
    this.edits.push(edit);
    return Promise.resolve(true);
  }
}

function testEngine(): Promise<StoreEngine> {
  return startTestEngine({
    shards: 1,
    metrics: storeMetrics({ metrics: {}, clusters: {} }, realCatalog()).metrics,
  });
}

/** Jobs on one node of the cluster `fritz`, stopped after ten minutes; their ids. */
async function stoppedJobs(
  tables: RemoteTables,
  count: number,
  more: object = {},
): Promise<number[]> {
  const ids: number[] = [];
  for (let jobId = 1; jobId <= count; jobId++) {
    const { id } = await tables.jobs.start(
      newJob({
        ...{ jobId, cluster: "fritz", subCluster: "main", startTime: START },
        resources: [{ hostname: "f0101" }],
        ...more,
      }),
      [{ type: "t", name: "before", scope: "global" }],
    );
    await tables.jobs.stop({ jobId, stopTime: STOP, jobState: "completed" });
    ids.push(id);
  }
  return ids;
}

/** Resolves when no job waits any more. */
function untilArchived(tables: RemoteTables): Promise<unknown> {
  return until(
    "empty queue",
    async () => await tables.archiveQueue.size() === 0 || undefined,
  );
}

function archiverOf(
  options:
    & Pick<JobArchiverOptions, "tables" | "archive" | "engine">
    & Partial<JobArchiverOptions>,
  log: string[] = [],
): JobArchiver {
  const note = (level: string) => (message: string) =>
    void log.push(`${level} ${message}`);
  return new JobArchiver({
    clusters: realCatalog(),
    log: { info: note("info"), warn: note("warn"), err: note("err") },
    retryMs: 1,
    retentionSec: 0,
    ...options,
  });
}

Deno.test("JobArchiver archives what waited before its start, in order, with what follows from the metrics", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  const host = "cluster=fritz,hostname=f0101";
  await write(
    engine.value,
    DEFAULT_SCOPE,
    Array.from({ length: 10 }, (_, i) => [
      `cpu_load,${host},type=node value=${i} ${START + 60 * i}`,
      `cpu_power,${host},type=socket,type-id=0 value=300 ${START + 60 * i}`,
    ]).flat(),
  );
  const ids = await stoppedJobs(tables, 3);
  const archive = new Notes();
  const archiver = archiverOf({ tables, archive, engine: engine.value });
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  assert.deepEqual(
    archive.written.map(({ meta }) => meta.job.id),
    ids,
  );
  assert.deepEqual(archiver.stats, {
    archivedTotal: 3,
    failedAttemptsTotal: 0,
    failedTotal: 0,
  });
  const [{ meta, data }] = archive.written as [
    { meta: JobMeta; data: JobData },
  ];
  assert.deepEqual(meta.statistics["cpu_load"], {
    ...{ unit: { base: "" }, avg: 4.5, min: 0, max: 9 },
  });
  assert.equal(meta.tags[0]?.name, "before");
  assert.deepEqual([...data.get("cpu_power")!.keys()].sort(), [
    "node",
    "socket",
  ]);
  const job = await tables.jobs.get(ids[0]!);
  assert.equal(job?.monitoringStatus, 3);
  assert.equal(job?.footprint?.["cpu_load_avg"], 4.5);
  // 300 W for ten minutes.
  assert.equal(job?.energyFootprint?.["cpu_power"], 0.05);
  assert.equal(job?.energy, 0.05);
});

Deno.test("JobArchiver tells the archive of tags and metadata that were set while it wrote", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  await stoppedJobs(tables, 2, { metaData: { a: "1" } });
  const archive = new Notes();
  archive.onWrite = async ({ job }) => {
    if (job.jobId === 2) return;
    await tables.jobs.updateMetadata(job.id, "b", "2");
    await tables.tags.attach(job.id, [
      { type: "t", name: "meanwhile", scope: "admin" },
    ]);
  };
  const archiver = archiverOf({ tables, archive, engine: engine.value });
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  const [edit, ...others] = archive.edits;
  assert.deepEqual(edit?.metaData, { a: "1", b: "2" });
  assert.deepEqual(
    edit?.tags?.map(({ name }) => name).sort(),
    ["before", "meanwhile"],
  );
  assert.deepEqual(others, []);
});

Deno.test("JobArchiver tries a job that fails until it is archived, and says why it waits", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  const [bad, good] = await stoppedJobs(tables, 2);
  const archive = new Notes();
  let attempts = 0;
  const problems: string[] = [];
  archive.onWrite = async ({ job }) => {
    if (job.id !== bad) return;
    problems.push((await tables.archiveQueue.waiting(1))[0]!.problem);
    // More often than it was tried before it used to be given up.
    if (++attempts < 6) throw new Error(`no room on the device ${attempts}`);
  };
  const log: string[] = [];
  const archiver = archiverOf({ tables, archive, engine: engine.value }, log);
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  assert.equal((await tables.jobs.get(bad!))?.monitoringStatus, 3);
  assert.equal((await tables.jobs.get(good!))?.monitoringStatus, 3);
  assert.deepEqual(archiver.stats, {
    archivedTotal: 2,
    failedAttemptsTotal: 5,
    failedTotal: 0,
  });
  assert.deepEqual(
    problems,
    ["", 1, 2, 3, 4, 5].map((n) => n === "" ? n : `no room on the device ${n}`),
  );
  assert.deepEqual(
    log.filter((line) => !line.startsWith("info")),
    Array(5).fill("warn a job cannot be archived and will be tried again"),
  );
  assert.deepEqual(
    log.filter((line) => line.startsWith("info job archived")).length,
    2,
  );
});

Deno.test("JobArchiver gives a job up only when the store has its samples no more", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  const [gone] = await stoppedJobs(tables, 1);
  const nowish = nowSec() - 700;
  const { id: kept } = await tables.jobs.start(
    newJob({
      ...{ jobId: 99, cluster: "fritz", subCluster: "main", startTime: nowish },
      resources: [{ hostname: "f0101" }],
    }),
    [],
  );
  await tables.jobs.stop({
    ...{ jobId: 99, stopTime: nowish + 600, jobState: "completed" },
  });
  const archive = new Notes();
  archive.onWrite = () => Promise.reject(new Error("no room on the device"));
  const log: string[] = [];
  const archiver = archiverOf({
    ...{ tables, archive, engine: engine.value, retentionSec: 3600 },
  }, log);
  archiver.start();
  await until(
    "five attempts",
    () => Promise.resolve(archiver.stats.failedAttemptsTotal >= 5 || undefined),
  );
  await archiver.close();
  assert.equal((await tables.jobs.get(gone!))?.monitoringStatus, 2);
  assert.equal((await tables.jobs.get(kept))?.monitoringStatus, 1);
  assert.equal(archiver.stats.failedTotal, 1);
  const [waiting, ...others] = await tables.archiveQueue.waiting(10);
  assert.equal(waiting?.job.id, kept);
  assert.deepEqual(others, []);
  assert.deepEqual(log.filter((line) => line.startsWith("err")), [
    "err a job cannot be archived and is given up: its samples are gone",
  ]);
});

Deno.test("JobArchiver.retry() ends a pause and tries what is due again", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  await stoppedJobs(tables, 3);
  const archive = new Notes();
  let isFull = true;
  archive.onWrite = () =>
    isFull
      ? Promise.reject(new Error("no room on the device"))
      : Promise.resolve();
  const archiver = archiverOf({
    // Longer than any test: without `retry` nothing would happen.
    ...{ tables, archive, engine: engine.value, retryMs: 600_000 },
  });
  archiver.start();
  await until(
    "a pause",
    async () => (await tables.archiveQueue.counts()).failing === 2 || undefined,
  );
  isFull = false;
  const { nextAt, waiting } = await tables.archiveQueue.counts();
  assert.equal(waiting, 3);
  assert.equal(nextAt, 0, "the third was never tried");
  assert.deepEqual(await tables.archiveQueue.due(10, nowSec()), [
    ...(await tables.archiveQueue.waiting(10)).slice(2),
  ]);
  assert.equal(await tables.archiveQueue.retryNow(), 2);
  archiver.retry();
  await untilArchived(tables);
  await archiver.close();
  assert.equal(archive.written.length, 3);
});

Deno.test("JobArchiver lets nobody wait for a job that fails alone", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  const [bad, second, third] = await stoppedJobs(tables, 3);
  const archive = new Notes();
  const order: number[] = [];
  archive.onWrite = ({ job }) => {
    order.push(job.id);
    return job.id === bad && order.length < 5
      ? Promise.reject(new Error("no room on the device"))
      : Promise.resolve();
  };
  const archiver = archiverOf({ tables, archive, engine: engine.value });
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  assert.deepEqual(order, [bad, second, third, bad, bad]);
  assert.equal((await tables.jobs.get(second!))?.monitoringStatus, 3);
  assert.equal((await tables.jobs.get(third!))?.monitoringStatus, 3);
});

Deno.test("JobArchiver tries no third job where two in a row fail, before it has paused", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  const [first, second, third] = await stoppedJobs(tables, 3);
  const archive = new Notes();
  const order: number[] = [];
  archive.onWrite = ({ job }) => {
    order.push(job.id);
    return order.length <= 2
      ? Promise.reject(new Error("no room on the device"))
      : Promise.resolve();
  };
  const archiver = archiverOf({ tables, archive, engine: engine.value });
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  assert.deepEqual(order, [first, second, first, second, third]);
});

Deno.test("JobArchiver waits for the store, and for work; close() ends either wait", async () => {
  const tables = memoryTables();
  await stoppedJobs(tables, 1);
  const engine = new FakeEngine();
  engine.state = "restoring";
  const archive = new Notes();
  const archiver = archiverOf({ tables, archive, engine });
  archiver.start();
  await archiver.close();
  assert.equal(await tables.archiveQueue.size(), 1);
  const [queued] = await tables.archiveQueue.waiting(1);
  assert.equal(queued?.attempts, 0, "waiting is no attempt");

  await using real = closing(await testEngine());
  const later = archiverOf({
    tables: memoryTables(),
    archive,
    engine: real.value,
  });
  later.start();
  await later.close();
  assert.deepEqual(archive.written, []);
});

Deno.test("JobArchiver gives a job up whose sub-cluster is no more, once its samples are gone", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  const [id] = await stoppedJobs(tables, 1, { subCluster: "gone" });
  const archiver = archiverOf({
    ...{ tables, archive: new Notes(), engine: engine.value },
    retentionSec: 3600,
  });
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  assert.equal((await tables.jobs.get(id!))?.monitoringStatus, 2);
});

/** Closed at the end of its block. */
function closing<Value extends { close(): Promise<unknown> }>(value: Value) {
  return {
    value,
    async [Symbol.asyncDispose]() {
      await value.close();
    },
  };
}

Deno.test("JobArchiver archives a job too large for a file with the metrics of its nodes, and says so", async () => {
  await using engine = closing(await testEngine());
  const tables = memoryTables();
  await write(engine.value, DEFAULT_SCOPE, [
    `cpu_power,cluster=fritz,hostname=f0101,type=socket,type-id=0 value=300 ${START}`,
  ]);
  const [id] = await stoppedJobs(tables, 1, { metaData: { a: "1" } });
  const archive = new Notes();
  let attempts = 0;
  archive.onWrite = () =>
    ++attempts > 1
      ? Promise.resolve()
      : Promise.reject(new ClientError("E_TOO_MANY_SAMPLES", "8 GiB"));
  const log: string[] = [];
  const archiver = archiverOf({ tables, archive, engine: engine.value }, log);
  archiver.start();
  await untilArchived(tables);
  await archiver.close();
  assert.equal(attempts, 2);
  const [{ meta, data }] = archive.written as [
    { meta: JobMeta; data: JobData },
  ];
  assert.deepEqual([...data.get("cpu_power")!.keys()], ["node"]);
  const metaData = { a: "1", archivedScopes: "node" };
  assert.deepEqual(meta.job.metaData, metaData);
  const job = await tables.jobs.get(id!);
  assert.equal(job?.monitoringStatus, 3);
  assert.deepEqual(job?.metaData, metaData);
  assert.deepEqual(archive.edits, []);
  assert.equal(
    log[0],
    "warn a job is archived with the metrics of its nodes only",
  );
});
