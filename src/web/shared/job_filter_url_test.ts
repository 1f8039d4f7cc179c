import assert from "node:assert/strict";
import fc from "fast-check";
import { JOB_STATES, SHARED_KINDS } from "../../db/job_row.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import {
  FILTER_KEYS,
  formatJobFilter,
  JOB_STATE_NAMES,
  type JobFilterUrl,
  LEVELS,
  type NumberRange,
  parseJobFilter,
  SCHEDULES,
  SHARED_NAMES,
  START_RANGES,
} from "./job_filter_url.ts";

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
const texts = fc.uniqueArray(text, { minLength: 1, maxLength: 5 });
const whole = fc.maxSafeNat();
const ids = fc.uniqueArray(whole, { minLength: 1, maxLength: 5 });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const amount = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })
  .map((value) => value + 0);

function range(end: fc.Arbitrary<number>): fc.Arbitrary<NumberRange> {
  return fc.oneof(
    end.map((to) => ({ to })),
    end.map((from) => ({ from })),
    fc.tuple(end, end).map(([a, b]) => ({
      from: Math.min(a, b),
      to: Math.max(a, b),
    })),
  );
}

const names = fc.oneof(
  fc.record({ match: fc.constantFrom("eq", "contains"), name: text }),
  fc.record({ match: fc.constant("in"), names: texts }),
);

const filters = fc.record({
  cluster: text,
  subCluster: text,
  partition: text,
  project: names,
  user: names,
  state: fc.uniqueArray(fc.constantFrom(...JOB_STATE_NAMES), { minLength: 1 }),
  shared: fc.constantFrom(...SHARED_NAMES),
  schedule: fc.constantFrom(...SCHEDULES),
  tag: ids,
  jobId: fc.uniqueArray(long, { minLength: 1, maxLength: 5 }),
  dbId: ids,
  arrayJobId: long,
  jobName: text,
  node: fc.record({ match: fc.constantFrom("eq", "contains"), name: text }),
  startTime: fc.oneof(
    range(whole),
    fc.record({ last: fc.constantFrom(...START_RANGES) }),
  ),
  duration: range(whole),
  numNodes: range(whole),
  numHWThreads: range(whole),
  numAccelerators: range(whole),
  energy: range(amount),
  stat: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom("flops_any_avg", "a-b", "mem used", "é", "x-lessthan"),
      range(amount),
    ).map(([name, range]) => ({ name, ...range })),
    { minLength: 1, maxLength: 4, selector: (stat) => JSON.stringify(stat) },
  ),
  level: fc.record({ metric: text, level: fc.constantFrom(...LEVELS) }),
  short: fc.constantFrom("only", "hide"),
  missing: fc.constant(true),
}, { requiredKeys: [] }) as fc.Arbitrary<JobFilterUrl>;

function parse(query: string) {
  return parseJobFilter(new URLSearchParams(query));
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

Deno.test("a filter that is read from a URL is the filter that was put there", () => {
  fc.assert(
    fc.property(filters, (filter) => {
      const search = formatJobFilter(filter);
      for (const key of search.keys()) assert.ok(FILTER_KEYS.has(key), key);
      // Through text, as a browser and a server do.
      const { filter: read, problems } = parse(search.toString());
      assert.deepEqual(problems, []);
      assert.deepEqual(plain(read), plain(filter));
    }),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("links of ClusterCockpit are read as it reads them", () => {
  const cases: [string, JobFilterUrl][] = [
    ["cluster=fritz&partition=main&state=running&state=failed", {
      cluster: "fritz",
      partition: "main",
      state: ["running", "failed"],
    }],
    ["user=eve", { user: { match: "contains", name: "eve" } }],
    ["user=eve&userMatch=eq", { user: { match: "eq", name: "eve" } }],
    ["user=eve&user=bob", { user: { match: "in", names: ["eve", "bob"] } }],
    ["project=p1", { project: { match: "eq", name: "p1" } }],
    ["jobId=4711&jobId=4712&jobIdMatch=in", { jobId: ["4711", "4712"] }],
    ["node=f0201", { node: { match: "eq", name: "f0201" } }],
    ["startTime=1700000000-1700003600", {
      startTime: { from: 1_700_000_000, to: 1_700_003_600 },
    }],
    ["startTime=last30d&duration=lessthan-60", {
      startTime: { last: "last30d" },
      duration: { to: 60 },
    }],
    ["stat=flops_any-lessthan-100&stat=mem_bw-1-2.5", {
      stat: [
        { name: "flops_any", to: 100 },
        { name: "mem_bw", from: 1, to: 2.5 },
      ],
    }],
    ["cluster=&user=&project=&sort=duration", {}],
  ];
  for (const [query, filter] of cases) {
    assert.deepEqual(plain(parse(query)), { filter, problems: [] }, query);
  }
});

Deno.test("a bad value is named with its key", () => {
  const cases: [string, string][] = [
    ["state=walking", "state"],
    ["shared=yes", "shared"],
    ["tag=blue", "tag"],
    ["jobId=9223372036854775808", "jobId"],
    ["jobId=12.5", "jobId"],
    ["jobId=1&jobId=2&jobIdMatch=eq", "jobId"],
    ["arrayJobId=x", "arrayJobId"],
    ["startTime=yesterday", "startTime"],
    ["startTime=20-10", "startTime"],
    ["duration=1.5-2", "duration"],
    ["numNodes=-1-2", "numNodes"],
    ["numNodes=1", "numNodes"],
    ["energy=1e3-2e3", "energy"],
    [`energy=0-${"9".repeat(400)}`, "energy"],
    ["stat=-1-2", "stat"],
    ["stat=flops_any", "stat"],
    ["level=cpu_load:bad", "level"],
    ["level=:alert", "level"],
    ["short=maybe", "short"],
    ["missing=0", "missing"],
    ["userMatch=like&user=eve", "userMatch"],
    ["user=eve&user=bob&userMatch=eq", "user"],
    ["cluster=a&cluster=b", "cluster"],
    [`jobName=${"x".repeat(1001)}`, "jobName"],
    [Array.from({ length: 101 }, (_, id) => `dbId=${id}`).join("&"), "dbId"],
  ];
  for (const [query, key] of cases) {
    const { problems } = parse(query);
    assert.deepEqual(problems.map((problem) => problem.key), [key], query);
    assert.notEqual(problems[0]?.message, "", query);
  }
});

Deno.test("any parameters are read without an exception, and read the same again", () => {
  const key = fc.constantFrom(...FILTER_KEYS);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.string({ unit: "binary", maxLength: 12 }))),
      (pairs) => {
        const { filter } = parseJobFilter(new URLSearchParams(pairs));
        const again = parseJobFilter(formatJobFilter(filter));
        assert.deepEqual(again.problems, []);
        assert.deepEqual(plain(again.filter), plain(filter));
      },
    ),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("the words are those of the database", () => {
  assert.deepEqual(JOB_STATE_NAMES, JOB_STATES);
  assert.deepEqual(SHARED_NAMES, SHARED_KINDS);
});
