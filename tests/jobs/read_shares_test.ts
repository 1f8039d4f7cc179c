/** Who asks for jobs much keeps nobody else waiting. */
import assert from "node:assert/strict";
import { READS_MAX } from "../../src/http/limits.ts";
import { until } from "../support/nats.ts";
import { SlowReader } from "../support/slow_reader.ts";
import { JobApiServer, minimalJob } from "./job_api.ts";

Deno.test("reads of one user beyond the share wait, and those of another are let in", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  const job = await server.tables.jobs.get(id);
  const slow = Promise.withResolvers<void>();
  let begun = 0;
  // A database that does not answer until it is told to.
  Object.assign(server.tables.jobs, {
    async get() {
      begun++;
      await slow.promise;
      return job;
    },
  });
  /** On a connection of its own; gives the line with the status. */
  const ask = async (user: string) => {
    const token = await server.tokenOf(`${user}:user+api`);
    const path = `/userapi/jobs/${id}`;
    const reader = await SlowReader.ask(server.port, path, token);
    return (await reader.rest()).split("\r\n", 1)[0]!;
  };
  const half = READS_MAX / 2;
  const answers = Array.from({ length: half + 40 }, () => ask("eve"));
  const reached = (count: number) =>
    until(
      `${count} reads`,
      () => Promise.resolve(begun === count || undefined),
    );
  await reached(half);
  const other = ask("bob");
  await reached(half + 1);
  slow.resolve();
  assert.match(await other, / 422 /, "the job is not bob's");
  for (const status of await Promise.all(answers)) {
    assert.match(status, / 200 /);
  }
  assert.equal(begun, half + 41);
  const { text } = await server.expect(200, "GET", "/metrics", { as: "admin" });
  const waits = /^ringstore_http_read_waits_total (\d+)$/m.exec(text);
  assert.ok(Number(waits?.[1]) >= 40, text);
  assert.match(text, /^ringstore_http_read_refusals_total 0$/m);
  assert.match(text, /^ringstore_job_read_waits_total 0$/m);
});
