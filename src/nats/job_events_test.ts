import assert from "node:assert/strict";
import { type EventProblem, parseEvents } from "./job_events.ts";

const ENCODER = new TextEncoder();
const TIME = "1738842306000000000";

/** An event line with a JSON text, escaped as publishers do. */
function job(json: string, tags = "function=start_job"): string {
  const escaped = json.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `job,${tags} event="${escaped}" ${TIME}\n`;
}

function parse(text: string, subject: "job" | "nodestate" = "job") {
  return parseEvents(ENCODER.encode(text), subject);
}

function problemsOf(text: string, subject?: "job" | "nodestate") {
  return parse(text, subject).problems.map(({ problem }) => problem);
}

Deno.test("parseEvents() reads starts, stops and node states with whatever tags and fields are beside them", () => {
  const start =
    '{"jobId":4711,"cluster":"alpha","metaData":{"a":"b\\nc \\"d\\""}}';
  const stop = '{"jobId":4711,"stopTime":5}';
  const { events, problems } = parse(
    `# comment\n\n  \n${
      job(start, "hostname=h,function=start_job,type=node")
    }` +
      `job,function=stop_job,partition=p   other=1i,event="${
        stop.replaceAll('"', '\\"')
      }",more="x"   ${TIME}  \r\n`,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(events, [
    { kind: "start", key: "4711", json: start },
    { kind: "stop", key: "4711", json: stop },
  ]);
  const state = '{"cluster":"alpha","nodes":[]}';
  const found = parse(
    `nodestate event="${state.replaceAll('"', '\\"')}" ${TIME}`,
    "nodestate",
  );
  assert.deepEqual(found.events, [
    { kind: "nodestate", key: "alpha", json: state },
  ]);
});

Deno.test("parseEvents() turns the escapes of strings into what they mean and leaves other backslashes", () => {
  const { events } = parse(
    `job,function=start_job event="{\\"jobId\\":1,\\t\\"a\\":\\"x\\\\ny\\\\q\\"}" ${TIME}\n`
      .replace("\\\\q", "q"),
  );
  assert.equal(events[0]?.json, '{"jobId":1,\t"a":"x\\nyq"}');
  const raw = parse(`job,function=start_job event="{\n}" ${TIME}`);
  assert.equal(raw.events[0]?.json, "{\n}");
});

const SKIPPED: readonly (readonly [string, EventProblem, string])[] = [
  [
    "another measurement",
    "measurement",
    `jobs,function=start_job event="{}" ${TIME}\n`,
  ],
  ["no field event", "no-event", `job,function=start_job other="{}" ${TIME}\n`],
  [
    "a field event that is no string",
    "no-event",
    `job,function=start_job event=1 ${TIME}\n`,
  ],
  ["no function", "function", `job event="{}" ${TIME}\n`],
  ["another function", "function", job("{}", "function=pause_job")],
  ["an event that is no JSON", "json", job("{jobId:1}")],
  ["an event that is no object", "json", job("[1]")],
  ["an event that is null", "json", job("null")],
  ["an empty event", "json", job("")],
];

for (const [what, problem, line] of SKIPPED) {
  Deno.test(`parseEvents() skips a line with ${what} and reads on`, () => {
    const good = job('{"jobId":1}');
    const { events, problems } = parse(good + line + good);
    assert.equal(events.length, 2);
    assert.deepEqual(problems.map((one) => one.problem), [problem]);
  });
}

const BROKEN: readonly (readonly [string, string])[] = [
  ["no timestamp", 'job,function=start_job event="{}"\n'],
  ["a timestamp that is no integer", 'job,function=start_job event="{}" 1.5\n'],
  [
    "something behind the timestamp",
    `job,function=start_job event="{}" ${TIME} x\n`,
  ],
  ["no fields", "job,function=start_job\n"],
  ["a tag without a value", `job,function= event="{}" ${TIME}\n`],
  ["a tag without =", `job,function event="{}" ${TIME}\n`],
  ["a field without a value", `job,function=start_job event= ${TIME}\n`],
  ["a string that is not closed", `job,function=start_job event="{} ${TIME}\n`],
  ["text behind a string", `job,function=start_job event="{}"x ${TIME}\n`],
  ["no measurement", `,function=start_job event="{}" ${TIME}\n`],
  ["a control character in a name", `job,func\ttion=a event="{}" ${TIME}\n`],
];

for (const [what, line] of BROKEN) {
  Deno.test(`parseEvents() drops the rest of a message behind a line with ${what}`, () => {
    const good = job('{"jobId":1}');
    const { events, problems } = parse(good + line + good.replaceAll('"', ""));
    assert.equal(events.length, 1);
    assert.deepEqual(problems.map((one) => one.problem), ["syntax"]);
    assert.match(problems[0]!.message, /^line 2, column \d+: /);
  });
}

Deno.test("parseEvents() reports messages without lines and ends of lines", () => {
  assert.deepEqual(problemsOf(""), ["empty"]);
  assert.deepEqual(problemsOf("\n# only a comment\n"), ["empty"]);
  const bytes = Uint8Array.of(...ENCODER.encode("job"), 0xff);
  assert.deepEqual(
    parseEvents(bytes, "job").problems.map(({ problem }) => problem),
    ["syntax"],
  );
});

Deno.test("parseEvents() replaces bytes that are not UTF-8, as bodies by HTTP have it", () => {
  const [before = "", after = ""] = job('{"jobId":1,"metaData":{"a":"x?"}}')
    .split("?");
  const data = Uint8Array.of(
    ...ENCODER.encode(before),
    0xe4,
    ...ENCODER.encode(after + job('{"jobId":2}')),
  );
  const { events, problems } = parseEvents(data, "job");
  assert.deepEqual(problems, []);
  assert.deepEqual(events.map(({ json }) => json), [
    '{"jobId":1,"metaData":{"a":"x\ufffd"}}',
    '{"jobId":2}',
  ]);
});

Deno.test("parseEvents() takes a job subject for jobs and a node subject for node states only", () => {
  assert.deepEqual(problemsOf(job("{}"), "nodestate"), ["measurement"]);
  assert.deepEqual(problemsOf(`nodestate event="{}" ${TIME}`), ["measurement"]);
});

Deno.test("parseEvents() gives jobs without a number a key of their own, for the job API to refuse", () => {
  const { events } = parse(job('{"jobId":"17"}') + job("{}"));
  assert.deepEqual(events.map(({ key }) => key), ["17", ""]);
  const long = "9007199254740993";
  assert.equal(parse(job(`{"jobId":${long}}`)).events[0]?.key, long);
});

Deno.test("parseEvents() reads an event as long as a broker lets through", () => {
  const json = JSON.stringify({ jobId: 1, script: '"'.repeat(200_000) });
  const { events, problems } = parse(job(json));
  assert.deepEqual(problems, []);
  assert.equal(events[0]?.json, json);
});
