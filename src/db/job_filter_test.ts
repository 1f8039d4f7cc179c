import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../tests/support/fuzz_runs.ts";
import { TemporaryDatabase } from "./_fixture.ts";
import type { JobNumber } from "../base/job_number.ts";
import { newJob } from "./_job_fixture.ts";
import { type JobFilter, pageSql } from "./job_filter.ts";
import { jobPages } from "./job_pages.ts";
import { JOB_STATES, type JobRow } from "./job_row.ts";

const T = 1_000_000;
const CLUSTERS = ["alpha", "beta"];
const PROJECTS = ["p1", "p2", "p3"];
const USERS = ["adam", "eve", "ida"];
const STATES = ["running", "completed", "failed", "timeout"] as const;
/** More than there are arms for. */
const MANY = Array.from({ length: 300 }, (_, i) => `q${i}`);

const jobArbitrary = fc.record({
  cluster: fc.constantFrom(...CLUSTERS),
  project: fc.constantFrom(...PROJECTS),
  user: fc.constantFrom(...USERS),
  jobState: fc.constantFrom(...STATES),
  startTime: fc.integer({ min: T, max: T + 20 }),
});

function idAt(place: number): JobNumber {
  return place % 10 === 9 ? 2n ** 60n + BigInt(place) : place;
}

const timeArbitrary = fc.integer({ min: T - 2, max: T + 22 });

const whole: fc.Arbitrary<Required<Omit<JobFilter, "ids">>> = fc.record({
  // Ids are the places in the list, long ones for every tenth.
  jobIds: fc.array(fc.nat({ max: 70 }).map(idAt), { maxLength: 8 }),
  states: fc.oneof(
    fc.array(fc.constantFrom(...STATES), { maxLength: 5 }),
    fc.constant(JOB_STATES),
  ),
  cluster: fc.constantFrom(...CLUSTERS, "none"),
  clusters: fc.array(fc.constantFrom(...CLUSTERS, "none"), { maxLength: 4 }),
  project: fc.constantFrom(...PROJECTS, "none"),
  user: fc.constantFrom(...USERS, "none"),
  startTime: fc.record({ from: timeArbitrary, to: timeArbitrary }, {
    requiredKeys: [],
  }),
  visibleTo: fc.record({
    user: fc.constantFrom(...USERS, "none"),
    projects: fc.oneof(
      fc.array(fc.constantFrom(...PROJECTS), { maxLength: 4 }),
      fc.constant([...MANY, "p2", "p3"]),
      fc.constant([...MANY.slice(0, 100), "p1"]),
    ),
  }),
});

/** Few conditions at a time: with all of them hardly a job is left. */
const filterArbitrary: fc.Arbitrary<JobFilter> = whole.chain((filter) =>
  fc.subarray(Object.entries(filter), { maxLength: 3 }).map((entries) =>
    Object.fromEntries(entries)
  )
);

/** What the filter says, without an index. */
function matches(job: JobRow, filter: JobFilter): boolean {
  const { states, cluster, clusters, project, user, startTime, visibleTo } =
    filter;
  return (filter.jobIds?.includes(job.jobId) ?? true) &&
    (states === undefined || states.includes(job.jobState)) &&
    (cluster === undefined || job.cluster === cluster) &&
    (clusters === undefined || clusters.includes(job.cluster)) &&
    (project === undefined || job.project === project) &&
    (user === undefined || job.user === user) &&
    job.startTime >= (startTime?.from ?? -Infinity) &&
    job.startTime <= (startTime?.to ?? Infinity) &&
    (visibleTo === undefined || job.user === visibleTo.user ||
      visibleTo.projects.includes(job.project));
}

Deno.test("JobTable.list() and count() equal a model that looks at every job", () => {
  const property = fc.property(
    fc.array(jobArbitrary, { maxLength: 60, size: "max" }),
    fc.array(
      fc.tuple(
        filterArbitrary,
        fc.nat({ max: 8 }),
        fc.integer({
          min: 1,
          max: 30,
        }),
      ),
      { minLength: 20, maxLength: 30 },
    ),
    (made, asked) => {
      using fixture = new TemporaryDatabase();
      const { jobs } = fixture.open().tables;
      jobs.importJobs(
        made.map((job, i) => ({
          job: newJob({ jobId: idAt(i), ...job }),
          tags: [],
        })),
      );
      const all = jobs.list({}, { limit: 1000 }).sort((a, b) =>
        b.startTime - a.startTime || b.id - a.id
      );
      assert.equal(all.length, made.length);
      for (const [filter, offset, limit] of asked) {
        const wanted = all.filter((job) => matches(job, filter));
        assert.equal(jobs.count(filter), wanted.length);
        const page = jobs.list(filter, { offset, limit });
        assert.deepEqual(page, wanted.slice(offset, offset + limit));
        const after = wanted[offset];
        if (after === undefined) continue;
        assert.deepEqual(
          jobs.list(filter, { limit, after }),
          wanted.slice(offset + 1, offset + 1 + limit),
        );
      }
    },
  );
  fc.assert(property, { numRuns: fuzzRuns(40) });
});

Deno.test("pageSql() never lets SQLite sort or read rows it could skip", () => {
  using fixture = new TemporaryDatabase();
  fixture.open();
  const connection = fixture.connect();
  const after = { startTime: T, id: 5 };
  const property = fc.property(
    filterArbitrary,
    fc.boolean(),
    ({ jobIds: _, ...filter }, deep) => {
      const sql = pageSql(filter, {
        ...{ limit: 25, offset: 0, after: deep ? after : undefined },
      });
      if (sql === undefined) return;
      const plan = connection.prepare<{ detail: string }>(
        `EXPLAIN QUERY PLAN ${sql.text}`,
      ).all(...sql.values).map(({ detail }) => detail);
      const wrong = plan.filter((detail) =>
        /TEMP B-TREE/.test(detail) || /\bjob\b(?!.*COVERING INDEX)/.test(detail)
      );
      assert.deepEqual(wrong, []);
      assert.ok(plan.some((detail) => /COVERING INDEX job_/.test(detail)));
    },
  );
  fc.assert(property, { numRuns: fuzzRuns(100) });
});

Deno.test("pageSql() sorts only the jobs that have one of the ids", () => {
  using fixture = new TemporaryDatabase();
  fixture.open();
  const connection = fixture.connect();
  const sql = pageSql({ jobIds: [5, 2n ** 60n], states: ["failed"] }, {
    ...{ limit: 25, offset: 0, after: undefined },
  })!;
  const plan = connection.prepare<{ detail: string }>(
    `EXPLAIN QUERY PLAN ${sql.text}`,
  ).all(...sql.values).map(({ detail }) => detail);
  assert.match(plan.join(), /SEARCH job USING INDEX \w+ \(job_id=\?\)/);
});

Deno.test("pageSql() searches the index of the columns that are given", () => {
  using fixture = new TemporaryDatabase();
  fixture.open();
  const connection = fixture.connect();
  const cases: readonly (readonly [JobFilter, string])[] = [
    [{ states: ["failed"] }, "job_state (job_state=?)"],
    [{ cluster: "alpha" }, "job_cluster (cluster=?)"],
    [
      { cluster: "alpha", states: ["failed"] },
      "job_cluster_state (cluster=? AND job_state=?)",
    ],
    [
      { cluster: "alpha", project: "p1", states: ["failed"] },
      "job_project_state (project=? AND job_state=?)",
    ],
    [
      { user: "eve", startTime: { from: 1, to: 2 } },
      "job_user (hpc_user=? AND start_time>? AND start_time<?)",
    ],
    [
      { user: "eve", states: ["failed"] },
      "job_user_state (hpc_user=? AND job_state=?)",
    ],
  ];
  for (const [filter, index] of cases) {
    const sql = pageSql(filter, { limit: 9, offset: 0, after: undefined });
    const plan = connection.prepare<{ detail: string }>(
      `EXPLAIN QUERY PLAN ${sql!.text}`,
    ).all(...sql!.values).map(({ detail }) => detail);
    assert.deepEqual(plan, [`SEARCH job USING COVERING INDEX ${index}`]);
  }
});

Deno.test("JobTable.list() refuses pages without bounds", () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  for (const limit of [0, 1001, 1.5, Infinity]) {
    assert.throws(() => jobs.list({}, { limit }), /a page has/);
  }
});

Deno.test("jobPages() gives every job of the range once, however many there are", async () => {
  using fixture = new TemporaryDatabase();
  const { jobs } = fixture.open().tables;
  jobs.importJobs(Array.from({ length: 2500 }, (_, i) => ({
    job: newJob({ jobId: i, startTime: T + i % 9 }),
    tags: [],
  })));
  const all: JobRow[] = [];
  let largest = 0;
  for await (const page of jobPages(jobs, {})) {
    all.push(...page);
    largest = Math.max(largest, page.length);
  }
  assert.equal(largest, 1000);
  assert.equal(new Set(all.map(({ id }) => id)).size, 2500);
  const some: JobRow[] = [];
  for await (const page of jobPages(jobs, {}, { offset: 700, limit: 1300 })) {
    some.push(...page);
  }
  assert.deepEqual(some, all.slice(700, 2000));
  for await (const page of jobPages(jobs, { user: "nobody" })) {
    assert.fail(`${page.length} jobs of nobody`);
  }
});
