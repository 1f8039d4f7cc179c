import assert from "node:assert/strict";
import { ClientError } from "./errors.ts";
import { Log, type LogLevel } from "./log.ts";

function collect(level: LogLevel, priorities = false) {
  const lines: string[] = [];
  const log = new Log(
    { level, dates: false, priorities },
    (line) => lines.push(line),
  );
  return { log, lines };
}

Deno.test("Log writes levels at least as grave as its own", () => {
  const { log, lines } = collect("warn");
  log.info("no");
  log.warn("yes");
  log.crit("too");
  assert.deepEqual(lines, ["WARN yes\n", "CRIT too\n"]);
  assert.equal(log.writes("info"), false);
});

Deno.test("Log begins lines with the priority when told to", () => {
  const { log, lines } = collect("debug", true);
  log.debug("a");
  log.err("b");
  assert.deepEqual(lines, ["<7>DEBUG a\n", "<3>ERR b\n"]);
});

Deno.test("Log puts the date before the level when told to", () => {
  const lines: string[] = [];
  new Log(
    { level: "info", dates: true, priorities: false },
    (line) => lines.push(line),
  ).info("a");
  assert.match(lines[0] ?? "", /^\d{4}-\d\d-\d\dT[\d:]{8}\.000Z INFO a\n$/);
});

Deno.test("Log keeps a record on one line whatever is in it", () => {
  const { log, lines } = collect("info");
  log.info("a\nINFO forged\u001b[31m", { host: "x\ny", n: 3, plain: "a/b" });
  assert.deepEqual(lines, [
    'INFO a\\nINFO forged\u001b[31m host="x\\ny" n=3 plain=a/b\n'
      .replace("\u001b", "\\u001b"),
  ]);
});

Deno.test("Log hides fields whose name speaks of a secret", () => {
  const { log, lines } = collect("info");
  log.info("a", {
    token: "t",
    "X-Auth-Token": "t",
    user: "u",
    skipped: undefined,
  });
  assert.deepEqual(lines, [
    "INFO a token=[hidden] X-Auth-Token=[hidden] user=u\n",
  ]);
});

Deno.test("Log writes an error with its causes", () => {
  const { log, lines } = collect("info");
  const error = new Error("outer", { cause: new Error("inner") });
  log.err("failed", { error });
  assert.deepEqual(lines, ['ERR failed error="outer: inner"\n']);
});

Deno.test("Log.warnOnce() warns once a subject", () => {
  const { log, lines } = collect("warn");
  log.warnOnce("a", "first");
  log.warnOnce("a", "second");
  log.warnOnce("b", "other");
  assert.deepEqual(lines, ["WARN first\n", "WARN other\n"]);
});

Deno.test("Log writes the stack of our mistakes with debug, and of no client's", () => {
  const { log, lines } = collect("debug");
  log.warn("a", { reason: new ClientError("E_BAD_REQUEST", "jobId: missing") });
  log.warn("b", { reason: new ClientError("E_INTERNAL", "broken") });
  log.warn("c", { reason: new TypeError("broken") });
  assert.equal(lines[0], 'WARN a reason="jobId: missing"\n');
  for (const line of lines.slice(1)) assert.match(line, / stack=".*log_test/);
});
