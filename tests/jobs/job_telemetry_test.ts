/** What the server's own metrics say of jobs. */
import assert from "node:assert/strict";
import { ClientError } from "../../src/base/errors.ts";
import { FakeEngine } from "../http/fake_engine.ts";
import { until } from "../support/nats.ts";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

/** Those of jobs by name, without the prefix. */
async function told(server: JobApiServer): Promise<Record<string, number>> {
  const { text } = await server.expect(200, "GET", "/metrics", { as: "admin" });
  const found = text.matchAll(/^ringstore_jobs_(\w+) (\S+)$/gm);
  return Object.fromEntries([...found].map(([, name, n]) => [name, Number(n)]));
}

Deno.test("metrics tell of running, waiting, archived and failing jobs", async () => {
  const engine = new FakeEngine();
  engine.state = "restoring";
  await using server = await JobApiServer.start({ engine });
  for (const jobId of [1, 2, 3]) await server.startJob(minimalJob(jobId));
  for (const jobId of [1, 2]) {
    await server.expect(200, "POST", "/api/jobs/stop_job/", {
      body: { jobId, stopTime: HOUR_AGO },
    });
  }
  const queue = await server.tables.archiveQueue.counts();
  assert.ok(queue.oldestSince > HOUR_AGO);
  const nothingYet = {
    ...{ running: 1, archive_queue: 2, archive_failing: 0 },
    ...{ archived_total: 0, archive_failures_total: 0 },
    archive_failed_attempts_total: 0,
    archive_oldest_timestamp_seconds: queue.oldestSince,
  };
  assert.deepEqual(await told(server), nothingYet);
  // The store answers nothing: both are tried again later, for as long as need be.
  engine.failure = new ClientError("E_OVERLOAD", "no room");
  engine.state = "ready";
  await until(
    "two failed jobs",
    async () => (await told(server)).archive_failing === 2 || undefined,
  );
  assert.deepEqual(await told(server), {
    ...nothingYet,
    ...{ archive_failing: 2, archive_failed_attempts_total: 2 },
  });
});
