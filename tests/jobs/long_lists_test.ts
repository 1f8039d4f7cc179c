/** Long lists of jobs and clients that do not read them. */
import assert from "node:assert/strict";
import { PAGE_MAX } from "../../src/db/job_filter.ts";
import { newJob } from "../../src/db/_job_fixture.ts";
import { until } from "../support/nats.ts";
import { bodyOf, SlowReader } from "../support/slow_reader.ts";
import { JobApiServer, minimalJob } from "./job_api.ts";

const JOBS = 5000;
const READERS = 10;
/** Of each job; more than sockets take of a list. */
const METADATA_BYTES = 4000;
const LIST = "/api/jobs/?items-per-page=10000000&with-metadata=1";

Deno.test("ten clients that read nothing of long lists hold up nobody, and no more memory than is bounded", async () => {
  await using server = await JobApiServer.start();
  const note = "x".repeat(METADATA_BYTES);
  const jobs = Array.from({ length: JOBS }, (_, i) => ({
    job: newJob({ jobId: i + 1, cluster: "fritz", metaData: { note } }),
    tags: [],
  }));
  for (let from = 0; from < JOBS; from += 500) {
    await server.tables.jobs.importJobs(jobs.slice(from, from + 500));
  }
  const { reads } = server.jobs.services;
  const token = await server.tokenOf("api");
  const readers = await Promise.all(
    Array.from(
      { length: READERS },
      () => SlowReader.ask(server.port, LIST, token),
    ),
  );
  const starts = await Promise.all(readers.map((reader) => reader.first()));
  for (const start of starts) assert.match(start, /^HTTP\/1\.1 200 OK/);
  // As far as it goes without them reading: each holds a page at the most.
  const page = PAGE_MAX * (METADATA_BYTES + 1000);
  let most = 0;
  for (let i = 0; i < 50; i++) {
    most = Math.max(most, reads.bytes.inUse("read"));
    await server.expect(200, "GET", "/api/jobs/?items-per-page=1");
    await server.startJob(minimalJob(JOBS + 1 + i));
  }
  assert.ok(most > 0 && most <= READERS * page, `${most} bytes`);
  assert.equal(reads.places.inUse(), 0, "nobody reads for them");
  // Who reads gets everything.
  const gone = readers.splice(5);
  for (const reader of gone) reader.close();
  const lists = await Promise.all(readers.map((reader) => reader.rest()));
  lists.forEach((rest, i) => {
    const list = JSON.parse(bodyOf(starts[i]! + rest)) as { jobs: unknown[] };
    assert.ok(list.jobs.length >= JOBS);
  });
  await until(
    "memory that is given back",
    () => Promise.resolve(reads.bytes.inUse() === 0 || undefined),
  );
});
