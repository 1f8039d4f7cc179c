import assert from "node:assert/strict";
import { ClientError } from "../base/errors.ts";
import { Log } from "../base/log.ts";
import { ByteBudget } from "./byte_budget.ts";
import { JobEventQueue, type JobEventSink } from "./job_event_queue.ts";
import { JobEventStats } from "./job_event_stats.ts";
import type { JobEvent } from "./job_events.ts";
import { SeldomLog } from "../base/seldom_log.ts";

/** A job API that knows which jobs run and notes what it was told, in order. */
class Jobs implements JobEventSink {
  readonly done: string[] = [];
  readonly running = new Set<string>();
  atOnce = 0;
  mostAtOnce = 0;
  /** Errors to throw, first to last, before anything is done. */
  failures: Error[] = [];

  async #work(note: string): Promise<void> {
    this.atOnce++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await Promise.resolve();
    this.atOnce--;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.done.push(note);
  }

  async startJob(json: string): Promise<void> {
    await this.#work(`start ${json}`);
    this.running.add(json);
  }

  async stopJob(json: string): Promise<void> {
    if (!this.running.has(json)) {
      throw new ClientError("E_NOT_FOUND", `no job ${json}`);
    }
    await this.#work(`stop ${json}`);
    this.running.delete(json);
  }

  async nodeState(json: string): Promise<void> {
    await this.#work(`nodes ${json}`);
  }
}

function make(concurrency = 2, capacity = 1 << 20) {
  const jobs = new Jobs();
  const stats = new JobEventStats();
  const stopping = new AbortController();
  const lines: string[] = [];
  const queue = new JobEventQueue({
    sink: jobs,
    concurrency,
    budget: new ByteBudget(capacity),
    stats,
    log: new SeldomLog({
      warn: (message, fields) =>
        lines.push(`${message} ${JSON.stringify(fields)}`),
    }),
    stopped: stopping.signal,
  });
  const add = (kind: JobEvent["kind"], key: string) =>
    queue.add({ kind, key, json: key }, "jobs");
  /** As a stream delivers it; resolves to whether it was dealt with. */
  const deliver = (kind: JobEvent["kind"], key: string, isRepeated = false) =>
    new Promise<boolean>((settled) => {
      const delivery = { isRepeated, timeSec: 1, settled };
      assert.ok(queue.add({ kind, key, json: key }, "jobs", delivery));
    });
  return { jobs, stats, queue, add, deliver, stopping, lines };
}

Deno.test("JobEventQueue keeps the events of a job in order and handles several jobs at a time", async () => {
  const { jobs, stats, queue, add } = make(3);
  const ids = Array.from({ length: 20 }, (_, i) => String(i));
  for (const id of ids) add("start", id);
  for (const id of ids) add("stop", id);
  for (const id of ids) add("start", id);
  await queue.settled();
  for (const id of ids) {
    const own = jobs.done.filter((note) => note.endsWith(` ${id}`));
    assert.deepEqual(own, [`start ${id}`, `stop ${id}`, `start ${id}`]);
  }
  assert.equal(jobs.mostAtOnce, 3);
  assert.equal(stats.handled, 60);
  assert.equal(stats.failed, 0);
});

Deno.test("JobEventQueue lets a stop wait for the start that it overtook", async () => {
  const { jobs, stats, queue, add } = make();
  add("stop", "1");
  add("start", "2");
  add("stop", "2");
  while (jobs.done.length < 2) await Promise.resolve();
  add("start", "1");
  await queue.settled();
  assert.deepEqual(jobs.done, ["start 2", "stop 2", "start 1", "stop 1"]);
  assert.ok(stats.retries > 0);
  assert.equal(stats.failed, 0);
});

Deno.test("JobEventQueue gives a stop up whose start never came", async () => {
  const { stats, queue, add, stopping, lines } = make();
  add("stop", "1");
  while (stats.retries === 0) await Promise.resolve();
  // The server stops: nothing waits any longer.
  stopping.abort();
  await queue.settled();
  assert.equal(stats.failed, 1);
  assert.match(lines.join(), /an event failed .*"kind":"stop".*/);
});

Deno.test("JobEventQueue tries again while the server is busy, and not what it refuses", async () => {
  const { jobs, stats, queue, add } = make(1);
  jobs.failures = [
    new ClientError("E_OVERLOAD", "busy"),
    new ClientError("E_STORAGE", "disk full"),
  ];
  add("start", "1");
  add("nodestate", "alpha");
  await queue.settled();
  assert.deepEqual(jobs.done, ["start 1", "nodes alpha"]);
  assert.equal(stats.retries, 2);
  jobs.failures = [
    new ClientError("E_BAD_REQUEST", "wrong"),
    new TypeError("a bug"),
  ];
  add("start", "3");
  add("start", "4");
  await queue.settled();
  assert.equal(stats.failed, 2);
  assert.equal(stats.handled, 2);
});

Deno.test("JobEventQueue drops and counts what finds no room, and takes more when there is room", async () => {
  const { stats, queue, add } = make(1, 2000);
  const taken = Array.from({ length: 10 }, () => add("nodestate", "c"));
  assert.equal(taken.filter((one) => one).length, 3);
  assert.equal(stats.dropped, 7);
  await queue.settled();
  assert.equal(add("nodestate", "c"), true);
  await queue.settled();
  assert.equal(stats.handled, 4);
});

Deno.test("JobEventQueue tells of each kind of failure, with the job and its cluster", async () => {
  const { jobs, queue, lines } = make();
  jobs.failures = Array.from(
    { length: 40 },
    () => new ClientError("E_BAD_REQUEST", "cluster: unknown"),
  );
  const json = '{"jobId":7,"cluster":"emmy"}';
  for (let i = 0; i < 20; i++) {
    queue.add({ kind: "start", key: `${i}`, json }, "jobs");
    queue.add({ kind: "nodestate", key: `${i}`, json: "{}" }, "nodes");
  }
  await queue.settled();
  assert.equal(lines.length, 10);
  assert.match(
    lines.join("\n"),
    /an event failed .*"kind":"start","job":"7","cluster":"emmy","reason":/,
  );
});

Deno.test("JobEventQueue tries an event of a stream until it is dealt with, or the server stops", async () => {
  const { jobs, stats, deliver, stopping } = make(1);
  jobs.failures = [new ClientError("E_STORAGE", "disk full")];
  assert.equal(await deliver("start", "1"), true);
  assert.equal(stats.retries, 1);
  jobs.failures = Array.from(
    { length: 100 },
    () => new ClientError("E_OVERLOAD", "busy"),
  );
  const waiting = deliver("start", "2");
  while (stats.retries < 2) await Promise.resolve();
  stopping.abort();
  assert.equal(await waiting, false);
  // Nobody gave it up: the stream has it still.
  assert.equal(stats.failed, 0);
  assert.deepEqual(jobs.done, ["start 1"]);
});

Deno.test("JobEventQueue does not wait for the start of a stop that a stream delivers", async () => {
  const { stats, deliver } = make();
  assert.equal(await deliver("stop", "1"), true);
  assert.deepEqual([stats.failed, stats.retries], [1, 0]);
});

Deno.test("JobEventQueue counts what is told again, and logs a repeated delivery of it never", async () => {
  const { jobs, stats, deliver, add, queue, lines } = make();
  const known = () => new ClientError("E_UNPROCESSABLE", "known already");
  jobs.failures = [known()];
  assert.equal(await deliver("start", "1", true), true);
  assert.deepEqual([stats.known, stats.failed, lines.length], [1, 0, 0]);
  jobs.failures = [known(), known()];
  await deliver("start", "1");
  add("start", "1");
  await queue.settled();
  assert.deepEqual([stats.known, stats.failed, lines.length], [3, 0, 2]);
});

Deno.test("JobEventQueue has room for what a stream delivers, whatever waits", async () => {
  const { stats, deliver } = make(1, 100);
  const all = Array.from({ length: 5 }, (_, i) => deliver("start", String(i)));
  assert.deepEqual(await Promise.all(all), Array(5).fill(true));
  assert.equal(stats.dropped, 0);
});

Deno.test("JobEventQueue logs a sender's mistake as one line, and where a fault of ours came from", async () => {
  const lines: string[] = [];
  const sink = new Jobs();
  const queue = new JobEventQueue({
    sink,
    concurrency: 1,
    budget: new ByteBudget(1 << 20),
    stats: new JobEventStats(),
    log: new SeldomLog(
      new Log(
        { level: "debug", dates: false, priorities: false },
        (line) => lines.push(line),
      ),
    ),
    stopped: new AbortController().signal,
  });
  sink.failures = [new ClientError("E_BAD_REQUEST", "cluster: no zz")];
  queue.add({ kind: "start", key: "1", json: "1" }, "jobs");
  await queue.settled();
  assert.match(lines.join(""), /^[^\n]*reason="cluster: no zz"\n$/);
  lines.length = 0;
  sink.failures = [new TypeError("a bug")];
  queue.add({ kind: "start", key: "2", json: "2" }, "jobs");
  await queue.settled();
  assert.match(lines.join(""), /a bug[^]*job_event_queue_test/);
});
