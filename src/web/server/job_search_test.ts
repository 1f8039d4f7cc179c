import assert from "node:assert/strict";
import fc from "fast-check";
import { UserPrincipal } from "../../access/principal.ts";
import { AccessState } from "../../access/mod.ts";
import { newJob } from "../../db/_job_fixture.ts";
import { TemporaryDatabase } from "../../db/_fixture.ts";
import { localTable } from "../../db/local_table.ts";
import type { JobRow } from "../../db/job_row.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import {
  formatJobFilter,
  type JobFilterUrl,
  type NumberRange,
} from "../shared/job_filter_url.ts";
import { parseConditions, parsePage, placeText } from "./job_question.ts";
import { countJobs, findPage } from "./job_search.ts";

const T = 1_700_000_000;
const NOW = T + 100;
const SHORT = 10;
const USERS = ["adam", "eve", "Evelyn", "%_'"];
const PROJECTS = ["p1", "p2"];
const NODES = ["a01", "a02", "B01"];
const TAGS = ["x", "y"].map((name) => ({
  type: "t",
  name,
  scope: name === "x" ? "global" : "adam",
}));

const small = fc.nat({ max: 20 });
const madeJob = fc.record({
  user: fc.constantFrom(...USERS),
  project: fc.constantFrom(...PROJECTS),
  cluster: fc.constantFrom("alpha", "beta"),
  subCluster: fc.constantFrom("cpu", "gpu"),
  partition: fc.constantFrom("", "main"),
  jobState: fc.constantFrom("running", "completed", "failed"),
  shared: fc.constantFrom("none", "multi_user"),
  startTime: fc.integer({ min: T, max: T + 30 }),
  duration: small,
  numNodes: small,
  numHwthreads: small,
  numAcc: small,
  energy: fc.double({ min: 0, max: 20, noNaN: true }),
  arrayJobId: fc.nat({ max: 2 }),
  footprint: fc.option(fc.record({ flops_any_avg: small, "a b_max": small }, {
    requiredKeys: [],
    noNullPrototype: true,
  })),
  metaData: fc.option(
    fc.record({ jobName: fc.constantFrom("Solver", "so%lve", "x") }, {
      noNullPrototype: true,
    }),
  ),
  resources: fc.subarray(NODES).map((names) =>
    names.map((hostname) => ({ hostname }))
  ),
  tags: fc.subarray(TAGS),
}, { noNullPrototype: true });

function range(end: fc.Arbitrary<number>): fc.Arbitrary<NumberRange> {
  return fc.tuple(end, end, fc.constantFrom("both", "from", "to")).map(
    ([a, b, ends]) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      if (ends === "from") return { from };
      return ends === "to" ? { to } : { from, to };
    },
  );
}

const names = (all: readonly string[]) =>
  fc.oneof(
    fc.record({
      match: fc.constantFrom("eq", "contains"),
      name: fc.constantFrom(...all, "e", "EV", "%"),
    }),
    fc.record({
      match: fc.constant("in"),
      names: fc.subarray([...all, "nobody"], { minLength: 1 }),
    }),
  );

const whole = fc.record({
  cluster: fc.constantFrom("alpha", "beta", "none"),
  subCluster: fc.constantFrom("cpu", "none"),
  partition: fc.constant("main"),
  project: names(PROJECTS),
  user: names(USERS),
  state: fc.subarray(["running", "completed", "failed"] as const, {
    minLength: 1,
  }),
  shared: fc.constantFrom("none", "multi_user"),
  tag: fc.subarray([1, 2, 3], { minLength: 1 }),
  jobId: fc.subarray(["0", "1", "2", "3", "99"], { minLength: 1 }),
  dbId: fc.subarray([1, 2, 3, 4, 99], { minLength: 1 }),
  arrayJobId: fc.constantFrom("1", "2"),
  jobName: fc.constantFrom("solve", "%", "'"),
  node: fc.record({
    match: fc.constantFrom("eq", "contains"),
    name: fc.constantFrom(...NODES, "b", "0"),
  }),
  startTime: fc.oneof(
    range(fc.integer({ min: T, max: T + 30 })),
    fc.constant({ last: "last6h" as const }),
  ),
  duration: range(small),
  numNodes: range(small),
  numHWThreads: range(small),
  numAccelerators: range(small),
  energy: range(small),
  stat: range(small).map((range) => [{ name: "flops_any_avg", ...range }]),
  short: fc.constantFrom("only", "hide"),
});

const filterArbitrary = whole.chain((filter) =>
  fc.subarray(Object.entries(filter), { maxLength: 3 })
) as fc.Arbitrary<[keyof JobFilterUrl, unknown][]>;

const caller = fc.constantFrom(
  { name: "root", roles: ["admin"] },
  { name: "adam", roles: ["user"] },
  { name: "adam", roles: ["manager"], projects: ["p2"] },
);

type Made = JobRow & { readonly tags: readonly typeof TAGS[number][] };

/** The meaning of a filter, condition by condition. */
function matches(
  job: Made,
  filter: JobFilterUrl,
  who: { name: string; roles: readonly string[]; projects?: readonly string[] },
): boolean {
  const has = (text: string, part: string) =>
    text.toLowerCase().includes(part.toLowerCase());
  const within = (value: number | undefined, range: NumberRange | undefined) =>
    range === undefined ||
    (value !== undefined && value >= (range.from ?? -Infinity) &&
      value <= (range.to ?? Infinity));
  const named = (text: string, match: JobFilterUrl["user"]) => {
    if (match === undefined) return true;
    if (match.match === "in") return match.names.includes(text);
    return match.match === "eq" ? text === match.name : has(text, match.name);
  };
  const { node, startTime } = filter;
  const duration = job.jobState === "running"
    ? Math.max(0, NOW - job.startTime)
    : job.duration;
  const isShort = job.jobState !== "running" && job.duration < SHORT;
  const isAdmin = who.roles.includes("admin");
  const seesTag = (scope: string) => scope === "global" || scope === who.name;
  return (isAdmin || job.user === who.name ||
    (who.projects ?? []).includes(job.project)) &&
    (filter.cluster ?? job.cluster) === job.cluster &&
    (filter.subCluster ?? job.subCluster) === job.subCluster &&
    (filter.partition ?? job.partition) === job.partition &&
    named(job.project, filter.project) && named(job.user, filter.user) &&
    (filter.state === undefined ||
      filter.state.some((state) => state === job.jobState)) &&
    (filter.shared ?? job.shared) === job.shared &&
    (filter.tag ?? []).every((id) =>
      job.tags.some((tag) => TAGS.indexOf(tag) + 1 === id && seesTag(tag.scope))
    ) &&
    (filter.jobId?.includes(String(job.jobId)) ?? true) &&
    (filter.dbId?.includes(job.id) ?? true) &&
    (filter.arrayJobId ?? String(job.arrayJobId)) === String(job.arrayJobId) &&
    (filter.jobName === undefined ||
      has(job.metaData?.["jobName"] ?? "", filter.jobName)) &&
    (node === undefined ||
      job.resources.some(({ hostname }) =>
        node.match === "eq" ? hostname === node.name : has(hostname, node.name)
      )) &&
    within(
      job.startTime,
      startTime && "last" in startTime ? { from: NOW - 6 * 3600 } : startTime,
    ) &&
    within(duration, filter.duration) &&
    within(job.numNodes, filter.numNodes) &&
    within(job.numHwthreads, filter.numHWThreads) &&
    within(job.numAcc, filter.numAccelerators) &&
    within(job.energy, filter.energy) &&
    (filter.stat ?? []).every(({ name, ...range }) =>
      within(job.footprint?.[name], range)
    ) &&
    (filter.short === undefined || (filter.short === "only") === isShort);
}

function keyOf(job: Made, sort: string): number {
  if (sort === "duration" && job.jobState === "running") {
    return Math.max(0, NOW - job.startTime);
  }
  const value = sort.endsWith("_avg")
    ? job.footprint?.[sort]
    : job[sort as "startTime"];
  return value ?? NaN;
}

Deno.test("pages and counts of any filter and sort equal a model that looks at every job", async () => {
  const property = fc.asyncProperty(
    fc.array(madeJob, { maxLength: 40, size: "max" }),
    fc.array(
      fc.tuple(
        filterArbitrary,
        caller,
        fc.constantFrom(
          "startTime",
          "duration",
          "numNodes",
          "energy",
          "flops_any_avg",
        ),
        fc.constantFrom("asc", "desc"),
        fc.integer({ min: 1, max: 7 }),
      ),
      { minLength: 10, maxLength: 15 },
    ),
    async (made, asked) => {
      using fixture = new TemporaryDatabase();
      const { tables } = fixture.open();
      // Tags get their ids in the order of the list.
      tables.jobs.importJobs([{
        job: newJob({ jobId: 1000, cluster: "tags", user: "nobody" }),
        tags: TAGS,
      }]);
      tables.jobs.delete(1);
      tables.jobs.importJobs(
        made.map(({ tags, ...job }, i) => ({
          job: newJob({ jobId: i, ...job } as Parameters<typeof newJob>[0]),
          tags,
        })),
      );
      const all = tables.jobs.list({}, { limit: 1000, withMetaData: true })
        .map((job): Made => ({
          ...job,
          tags: made[Number(job.jobId)]?.tags ?? [],
        }));
      const jobs = localTable(tables.jobs);
      const limits = { isGone: () => false };
      for (const [entries, who, sort, order, limit] of asked) {
        const filter: JobFilterUrl = Object.fromEntries(entries);
        const context = {
          principal: new UserPrincipal(who, new AccessState()),
          nowSec: NOW,
          shortJobSec: SHORT,
        };
        const sign = order === "asc" ? 1 : -1;
        const wanted = all.filter((job) => matches(job, filter, who)).sort(
          (a, b) => {
            const [x, y] = [keyOf(a, sort), keyOf(b, sort)];
            if (Number.isNaN(x) !== Number.isNaN(y)) {
              return Number.isNaN(x) ? 1 : -1;
            }
            return sign * ((Number.isNaN(x) ? 0 : x - y) || a.id - b.id);
          },
        ).map(({ id }) => id);
        const base = formatJobFilter(filter);
        const told = `${base} as ${who.name} by ${sort} ${order}`;
        const counted = await countJobs(
          jobs,
          parseConditions(base, context),
          limits,
        );
        assert.deepEqual(counted, { count: wanted.length, exact: true }, told);
        // Through all pages and back again.
        const page = async (place: Record<string, string>) => {
          const search = new URLSearchParams([
            ...base,
            ...Object.entries({ sort, order, limit: String(limit), ...place }),
          ]);
          return await findPage(jobs, parsePage(search, context), limits);
        };
        const seen: number[] = [];
        let found = await page({});
        assert.equal(found.hasPrevious, false, told);
        for (;;) {
          seen.push(...found.jobs.map(({ id }) => id));
          assert.equal(found.hasNext, seen.length < wanted.length, told);
          const last = found.jobs.at(-1);
          if (!found.hasNext || last === undefined) break;
          found = await page({ after: placeText({ ...last, nowSec: NOW }) });
        }
        assert.deepEqual(seen, wanted, told);
        const back = [...found.jobs.map(({ id }) => id)];
        while (found.hasPrevious) {
          const first = found.jobs[0]!;
          found = await page({ before: placeText({ ...first, nowSec: NOW }) });
          back.unshift(...found.jobs.map(({ id }) => id));
        }
        assert.deepEqual(back, wanted, `${told}, backwards`);
      }
    },
  );
  await fc.assert(property, { numRuns: fuzzRuns(25) });
});

const CONTEXT = {
  principal: new UserPrincipal(
    { name: "root", roles: ["admin"] },
    new AccessState(),
  ),
  nowSec: NOW,
  shortJobSec: SHORT,
};

Deno.test("what is no key, place or column of a list is named", () => {
  for (
    const [query, key] of [
      ["users=eve", "users"],
      ["state=walking", "state"],
      ["sort=name", "sort"],
      ["order=up", "order"],
      ["limit=0", "limit"],
      ["limit=201", "limit"],
      ["limit=10&limit=20", "limit"],
      ["after=x", "after"],
      ["after=1_2_3&before=1_2_3", "before"],
      ["level=cpu_load:alert", "level"],
    ] as const
  ) {
    assert.throws(
      () => parsePage(new URLSearchParams(query), CONTEXT),
      new RegExp(`^ClientError: ${key}: .*, got "`),
      query,
    );
  }
});

Deno.test("a sort of too many jobs is refused, and a search without a client ends", async () => {
  using fixture = new TemporaryDatabase();
  const { tables } = fixture.open();
  tables.jobs.importJobs(
    Array.from({ length: 3000 }, (_, i) => ({
      job: newJob({ jobId: i, startTime: T + i }),
      tags: [],
    })),
  );
  const jobs = localTable(tables.jobs);
  const question = (query: string) =>
    parsePage(new URLSearchParams(query), CONTEXT);
  await assert.rejects(
    findPage(jobs, question("sort=energy"), {
      isGone: () => false,
      sortedMax: 2999,
    }),
    /more than 2999 jobs match; narrow the filter/,
  );
  let slices = 0;
  const counting = {
    find(request: Parameters<typeof jobs.find>[0]) {
      slices++;
      return jobs.find(request);
    },
  };
  await assert.rejects(
    findPage(counting, question("jobName=nowhere"), { isGone: () => true }),
    /nobody waits/,
  );
  assert.equal(slices, 1);
  await assert.rejects(
    findPage(jobs, question("jobName=nowhere"), {
      isGone: () => false,
      searchMs: -1,
    }),
    /narrow the filter/,
  );
});
