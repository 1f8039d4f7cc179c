/** What the server's own metrics say of jobs. */
import assert from "node:assert/strict";
import { ClientError } from "../../src/errors.ts";
import { FakeEngine } from "../http/fake_engine.ts";
import { until } from "../support/nats.ts";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

/** Those of jobs by name, without the prefix. */
async function told(server: JobApiServer): Promise<Record<string, number>> {
  const { text } = await server.expect(200, "GET", "/metrics", { as: "admin" });
  const found = text.matchAll(/^ringstore_jobs_(\w+) (\S+)$/gm);
  return Object.fromEntries([...found].map(([, name, n]) => [name, Number(n)]));
}

Deno.test("metrics tell of running, waiting, archived and failed jobs", async () => {
  const engine = new FakeEngine();
  engine.state = "restoring";
  await using server = await JobApiServer.start({ engine });
  const ids: number[] = [];
  for (const jobId of [1, 2, 3]) {
    ids.push(await server.startJob(minimalJob(jobId)));
  }
  for (const jobId of [1, 2]) {
    await server.expect(200, "POST", "/api/jobs/stop_job/", {
      body: { jobId, stopTime: HOUR_AGO },
    });
  }
  assert.deepEqual(await told(server), {
    ...{ running: 1, archive_queue: 2 },
    ...{ archived_total: 0, archive_failures_total: 0 },
  });
  // The first has failed twice before; the store answers nothing for the other.
  for (let i = 0; i < 2; i++) {
    await server.tables.archiveQueue.noteAttempt(ids[0]!);
  }
  engine.failure = new ClientError("E_OVERLOAD", "no room");
  engine.state = "ready";
  await until(
    "a failed job",
    async () => (await told(server)).archive_failures_total === 1 || undefined,
  );
  const { running, archive_queue } = await told(server);
  assert.deepEqual([running, archive_queue], [1, 1]);
});
