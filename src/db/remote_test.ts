import assert from "node:assert/strict";
import { ClientError, type ErrorCode } from "../base/errors.ts";
import { TemporaryDatabase } from "./_fixture.ts";
import { newJob } from "./_job_fixture.ts";
import { CALLS_MAX, DatabaseWorkerClient } from "./database_worker_client.ts";
import { type DatabaseClient, openDatabaseWorker } from "./remote.ts";

/** A worker on a database of its own. */
class RemoteFixture extends TemporaryDatabase implements AsyncDisposable {
  #client: DatabaseClient | undefined;

  async start(): Promise<DatabaseClient> {
    return this.#client = await openDatabaseWorker(this.options, (reason) => {
      throw new Error(reason);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
    this[Symbol.dispose]();
  }
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof ClientError && error.code === code;
}

/** A worker that runs a script of its own instead of a database. */
function scriptWorker(script: string): Worker {
  const url = `data:application/javascript,${encodeURIComponent(script)}`;
  return new Worker(url, { type: "module" });
}

Deno.test("openDatabaseWorker() answers calls with what the tables give", async () => {
  await using fixture = new RemoteFixture();
  const { instances, tokens, clusters } = await fixture.start();
  const limits = { maxSeries: 3 };
  const [made, count] = await Promise.all([
    instances.create({ name: "one", displayName: "", cluster: "c", limits }),
    instances.count(),
  ]);
  assert.equal(count, 1, "in the order of the calls");
  const [got, none, list] = await Promise.all([
    instances.get("one"),
    instances.get("two"),
    tokens.list({ includeInactive: true }),
    clusters.note(["c"]),
  ]);
  assert.deepEqual(got, made);
  assert.deepEqual(got?.limits, limits);
  assert.equal(none, undefined);
  assert.deepEqual(list, []);
  assert.equal((await clusters.list()).length, 1);
});

Deno.test("openDatabaseWorker() rejects a call with the error's code and message", async () => {
  await using fixture = new RemoteFixture();
  const { instances, users } = await fixture.start();
  await assert.rejects(
    instances.delete("nobody"),
    (error) =>
      hasCode("E_NOT_FOUND")(error) && /nobody/.test((error as Error).message),
  );
  const wrong = { ...{ name: "", email: "", roles: [], projects: [] } };
  await assert.rejects(
    users.create({ username: "eve", authSource: 9 as 0, ...wrong }, null),
    hasCode("E_INTERNAL"),
  );
  assert.equal(await users.get("eve"), undefined);
});

Deno.test("openDatabaseWorker() rejects with advice when the file is no database", async () => {
  await using fixture = new RemoteFixture();
  Deno.mkdirSync(`${fixture.directory}/new`);
  Deno.writeTextFileSync(fixture.options.path, "x".repeat(5000));
  await assert.rejects(fixture.start(), /job\.db.*not a database.*backup/);
});

Deno.test("openDatabaseWorker() tells when another process has changed the database", async () => {
  await using fixture = new RemoteFixture();
  const client = await fixture.start();
  const other = fixture.open();
  // Everybody who wants to know: permissions, and the queue of the archive.
  const changed = [0, 1].map(() => {
    const told = Promise.withResolvers<void>();
    client.changed(told.resolve);
    return told.promise;
  });
  other.tables.clusters.note(["emmy"]);
  await Promise.all(changed);
  assert.equal((await client.clusters.list()).length, 1);
});

Deno.test("openDatabaseWorker() answers 503 while another process keeps the database", async () => {
  await using fixture = new RemoteFixture();
  Object.assign(fixture.options, { busyTimeoutMs: 1 });
  const client = await fixture.start();
  const other = fixture.connect();
  other.exec("BEGIN IMMEDIATE");
  await assert.rejects(client.clusters.note(["a"]), hasCode("E_STORAGE"));
  assert.deepEqual(await client.clusters.list(), []);
  other.exec("ROLLBACK");
  await client.clusters.note(["a"]);
  assert.equal((await client.clusters.list()).length, 1);
});

Deno.test("DatabaseClient reads on while a write waits for another process, and sees what was answered before", async () => {
  await using fixture = new RemoteFixture();
  Object.assign(fixture.options, { busyTimeoutMs: 60_000 });
  const { clusters, jobs } = await fixture.start();
  const { id } = await jobs.start(newJob({ jobId: 1 }), []);
  const other = fixture.connect();
  other.exec("BEGIN IMMEDIATE");
  let isWritten = false;
  const written = clusters.note(["late"]).then(() => isWritten = true);
  const page = { offset: 0, limit: 10, withMetaData: false };
  assert.equal((await jobs.get(id))?.jobId, 1);
  assert.equal((await jobs.list({}, page)).length, 1);
  assert.equal(await jobs.count({}), 1);
  assert.deepEqual(await clusters.list(), []);
  assert.equal(isWritten, false);
  other.exec("ROLLBACK");
  await written;
  assert.equal((await clusters.list()).length, 1);
});

Deno.test("DatabaseClient writes on while it is asked more than it can answer", async () => {
  await using fixture = new RemoteFixture();
  const { jobs } = await fixture.start();
  const page = { offset: 0, limit: 500, withMetaData: true };
  let answered = 0;
  const reads = Array.from(
    { length: CALLS_MAX + 100 },
    () => jobs.list({}, page).finally(() => answered++),
  );
  const settled = Promise.allSettled(reads);
  // Neither refused nor behind all of them.
  for (let jobId = 1; jobId <= 20; jobId++) {
    const { isNew } = await jobs.start(newJob({ jobId }), []);
    assert.ok(isNew);
  }
  const outcomes = await settled;
  assert.equal(answered, reads.length);
  const refused = outcomes.filter((one) => one.status === "rejected");
  assert.equal(refused.length, 100);
  for (const { reason } of refused) assert.ok(hasCode("E_OVERLOAD")(reason));
  assert.equal((await jobs.list({}, page)).length, 20);
});

Deno.test("DatabaseClient reads its own answered writes, one after the other", async () => {
  await using fixture = new RemoteFixture();
  const { jobs, tags } = await fixture.start();
  for (let jobId = 1; jobId <= 200; jobId++) {
    const { id } = await jobs.start(newJob({ jobId }), []);
    assert.equal((await jobs.get(id))?.jobId, jobId);
    await jobs.updateMetadata(id, "k", String(jobId));
    assert.equal((await jobs.get(id))?.metaData?.["k"], String(jobId));
    await tags.attach(id, [{ type: "t", name: "n", scope: "global" }]);
    assert.equal((await tags.forJobs([id])).get(id)?.length, 1);
  }
});

Deno.test("DatabaseClient bounds its calls and refuses those beyond", async () => {
  await using fixture = new RemoteFixture();
  const { clusters } = await fixture.start();
  const calls = Array.from(
    { length: CALLS_MAX + 2 },
    (_, i) => clusters.note([`c${i}`]),
  );
  const settled = await Promise.allSettled(calls);
  const refused = settled.filter((one) => one.status === "rejected");
  assert.equal(refused.length, 2);
  for (const { reason } of refused) assert.ok(hasCode("E_OVERLOAD")(reason));
  assert.equal((await clusters.list()).length, CALLS_MAX);
});

Deno.test("DatabaseClient.close() comes after what was asked before, and ends the rest", async () => {
  await using fixture = new RemoteFixture();
  const client = await fixture.start();
  const noted = client.clusters.note(["a"]);
  const closed = client.close();
  await assert.rejects(client.clusters.list(), hasCode("E_STORAGE"));
  await noted;
  await closed;
  await client.close();
  assert.equal(fixture.open().tables.clusters.list().length, 1);
});

Deno.test("DatabaseLine reports a worker that dies and fails what waits for it", async () => {
  const lost = Promise.withResolvers<string>();
  const worker = scriptWorker(`self.onmessage = ({ data }) => {
    const [{ id, name }] = data.calls;
    if (name !== "open") throw new Error("gone");
    self.postMessage({ answers: [{ id, isOk: true, value: { methods: {} } }] });
  };`);
  const line = new DatabaseWorkerClient(worker, lost.resolve);
  using fixture = new TemporaryDatabase();
  await line.open(fixture.options, "write");
  const call = line.call("users", "list", []);
  await assert.rejects(call, hasCode("E_STORAGE"));
  assert.match(await lost.promise, /gone/);
  await assert.rejects(line.call("users", "list", []), hasCode("E_STORAGE"));
  await line.close();
});

Deno.test("DatabaseLine rejects its opening when the worker dies of it", async () => {
  const worker = scriptWorker(`throw new Error("no start")`);
  const line = new DatabaseWorkerClient(
    worker,
    () => assert.fail("reported twice"),
  );
  using fixture = new TemporaryDatabase();
  await assert.rejects(line.open(fixture.options, "write"), /died.*no start/);
});

Deno.test("DatabaseClient.look() calls back first where there is reason to", async () => {
  await using fixture = new RemoteFixture();
  const client = await fixture.start();
  const other = fixture.open();
  let calls = 0;
  client.changed(() => calls++);
  await client.clusters.note(["own"]);
  await client.look();
  const before = calls;
  other.tables.clusters.note(["emmy"]);
  await client.look();
  assert.equal(calls, before + 1);
  await client.look();
  assert.equal(calls, before + 1);
});

Deno.test("openDatabaseWorker() starts and stops many jobs at once as it would one after the other", async () => {
  await using fixture = new RemoteFixture();
  const { jobs } = await fixture.start();
  const stop = (jobId: number) =>
    jobs.stop({ jobId, stopTime: 1_000_060, jobState: "completed" });
  const ids = Array.from({ length: 50 }, (_, i) => i + 1);
  const outcomes = await Promise.all(ids.map(async (jobId) => {
    const [first, again, stopped] = await Promise.all([
      jobs.start(newJob({ jobId }), []),
      jobs.start(newJob({ jobId }), []),
      stop(jobId),
    ]);
    return { first, again, stopped };
  }));
  for (const { first, again, stopped } of outcomes) {
    assert.ok(first.isNew);
    assert.deepEqual(again, { id: first.id, isNew: false });
    assert.ok(stopped.kind === "stopped" && stopped.job.id === first.id);
  }
  assert.equal(await jobs.count({ states: ["completed"] }), ids.length);
});

Deno.test("openDatabaseWorker() keeps the jobs that came with one that is refused", async () => {
  await using fixture = new RemoteFixture();
  const { jobs } = await fixture.start();
  const settled = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      jobs.start(
        newJob({
          jobId: i + 1,
          ...(i === 7 ? { project: "a\0b" } : {}),
        }),
        [{ type: "t", name: `n${i}`, scope: "global" }],
      )),
  );
  const refused = settled.filter((one) => one.status === "rejected");
  assert.equal(refused.length, 1);
  assert.ok(hasCode("E_BAD_REQUEST")(refused[0]?.reason));
  const found = await jobs.list({}, {
    ...{ offset: 0, limit: 100, withMetaData: false },
  });
  assert.equal(found.length, 19);
  assert.ok(found.every(({ jobId }) => jobId !== 8));
});

Deno.test("openDatabaseWorker() stores none of many jobs while another process keeps the database", async () => {
  await using fixture = new RemoteFixture();
  Object.assign(fixture.options, { busyTimeoutMs: 1 });
  const { jobs } = await fixture.start();
  const other = fixture.connect();
  other.exec("BEGIN IMMEDIATE");
  const starts = Array.from(
    { length: 20 },
    (_, i) => jobs.start(newJob({ jobId: i + 1 }), []),
  );
  for (const one of await Promise.allSettled(starts)) {
    assert.ok(one.status === "rejected" && hasCode("E_STORAGE")(one.reason));
  }
  other.exec("ROLLBACK");
  assert.equal(await jobs.count({}), 0);
  assert.ok((await jobs.start(newJob({ jobId: 1 }), [])).isNew);
});

Deno.test("DatabaseLine sends what is asked while the worker is busy in one message, in order", async () => {
  const worker = scriptWorker(`self.onmessage = ({ data }) => {
    self.postMessage({
      answers: data.calls.map(({ id, name, input }) => ({
        id,
        isOk: true,
        value: name === "open"
          ? { methods: {} }
          : name === "run" ? [input.method, data.calls.length] : undefined,
      })),
    });
  };`);
  const line = new DatabaseWorkerClient(worker, () => assert.fail("it lives"));
  using fixture = new TemporaryDatabase();
  await line.open(fixture.options, "write");
  const ask = (name: string) => line.call("t", name, []);
  const answers = await Promise.all(["a", "b", "c", "d"].map(ask));
  assert.deepEqual(answers, [["a", 1], ["b", 3], ["c", 3], ["d", 3]]);
  assert.deepEqual(await ask("e"), ["e", 1]);
  const [last] = await Promise.all([ask("f"), line.close()]);
  assert.deepEqual(last, ["f", 1]);
});

Deno.test("DatabaseLine rejects what cannot be sent to another thread, and goes on", async () => {
  await using fixture = new RemoteFixture();
  const { configuration, clusters } = await fixture.start();
  const unsendable = (() => {}) as unknown as string;
  await assert.rejects(
    configuration.set("eve", "key", unsendable),
    /could not be cloned/,
  );
  await clusters.note(["a"]);
  assert.equal((await clusters.list()).length, 1);
});

Deno.test("DatabaseLine rejects of what goes in one message only what cannot be sent", async () => {
  await using fixture = new RemoteFixture();
  const { configuration, clusters } = await fixture.start();
  const unsendable = (() => {}) as unknown as string;
  const [, before, refused, after] = await Promise.allSettled([
    clusters.list(),
    clusters.note(["a"], "2026-01-01T00:00:00Z"),
    configuration.set("eve", "key", unsendable),
    clusters.list(),
  ]);
  assert.equal(before.status, "fulfilled");
  assert.ok(refused.status === "rejected");
  assert.match(String(refused.reason), /could not be cloned/);
  assert.equal(after.status, "fulfilled");
  // Reads of the same moment go another way and may be first.
  assert.equal((await clusters.list()).length, 1);
});
