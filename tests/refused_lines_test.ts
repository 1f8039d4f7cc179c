/**
 * What lines cost that are not stored: rubbish ends a batch, lines that are refused
 * for another reason never do, and what was good before stays.
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { nowSec } from "../src/base/clock.ts";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import type {
  BatchOptions,
  StoreEngine,
  WriteReport,
} from "../src/metricstore/engine/metric_engine.ts";
import { JobApiServer } from "./jobs/job_api.ts";
import { startTestEngine } from "./support/engine.ts";

const TIME = nowSec();

function good(host: number): string {
  return `load,cluster=c,hostname=h${host} value=1 ${TIME}\n`;
}

async function batch(
  engine: StoreEngine,
  text: string,
  options: Partial<BatchOptions> = {},
): Promise<WriteReport> {
  const open = engine.openBatch({
    ...{ scope: DEFAULT_SCOPE, defaultCluster: "", mayBeGivenUp: true },
    ...options,
  });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 10_000) {
    await open.push(bytes.subarray(at, at + 10_000));
  }
  return await open.end();
}

async function withEngine(
  test: (engine: StoreEngine) => Promise<void>,
): Promise<void> {
  const engine = await startTestEngine({
    metrics: {
      defaults: { load: { frequencySec: 60, aggregation: null } },
      clusters: {},
    },
    maxSeries: 100,
  });
  try {
    await test(engine);
  } finally {
    await engine.close();
  }
}

const GOOD = Array.from({ length: 20 }, (_, i) => good(i)).join("");

Deno.test("rubbish is given up after 10,000 lines, and good lines before it stay", () =>
  withEngine(async (engine) => {
    for (const wrong of ["x\n", "load,hostname=h1\n", "load hostname=\n"]) {
      const text = GOOD + wrong.repeat(200_000) + GOOD;
      const report = await batch(engine, text);
      assert.equal(report.stored, 20, wrong);
      // So many are more than 95 % of those read.
      assert.equal(report.givenUpAt, 10_020, wrong);
      assert.equal(report.errors.length, wrong === "x\n" ? 0 : 10);
      const whole = await batch(engine, text, { mayBeGivenUp: false });
      assert.equal(whole.stored, 40);
      assert.equal(whole.givenUpAt, undefined);
    }
    // Among many good lines, as many wrong ones as there are.
    const mixed = (good(1) + "load,hostname=h1\n".repeat(10)).repeat(5000);
    const report = await batch(engine, mixed);
    assert.equal(report.stored, 5000);
    assert.equal(report.rejected.syntax, 50_000);
    assert.equal(report.givenUpAt, undefined);
  }));

Deno.test("lines refused by right, cluster or limit, and those passed over, never end a batch", () =>
  withEngine(async (engine) => {
    const many = (line: (i: number) => string) =>
      Array.from({ length: 30_000 }, (_, i) => line(i)).join("");
    const view = { id: "c", grants: [{ cluster: "c", selectors: [] }] };
    const cases: readonly [string, string, Partial<BatchOptions>?][] = [
      [
        "forbidden",
        many(() => `load,cluster=d,hostname=h1 value=1 ${TIME}\n`),
        { scope: { ...DEFAULT_SCOPE, view } },
      ],
      ["max-series", many((i) => good(1000 + i))],
      ["no-cluster", many(() => `load,hostname=h1 value=1 ${TIME}\n`)],
      ["no-hostname", many(() => `load,cluster=c value=1 ${TIME}\n`)],
      [
        "bad-name",
        many(() => `load,cluster=c,hostname=.. value=1 ${TIME}\n`),
      ],
      [
        "field",
        many(() => `load,cluster=c,hostname=h1 other=1 ${TIME}\n`),
      ],
      ["value", many(() => `load,cluster=c,hostname=h1 value=abc ${TIME}\n`)],
      ["timestamp", many(() => `load,cluster=c,hostname=h1 value=1 1x\n`)],
      ["unknown-metric", many((i) => `no${i},hostname=h1 value=1 ${TIME}\n`)],
      [
        "too-new",
        many(() => `load,cluster=c,hostname=h1 value=1 9999999999\n`),
      ],
    ];
    for (const [reason, lines, options] of cases) {
      const report = await batch(engine, GOOD + lines + good(1), options);
      const counts = new Map(Object.entries({
        ...report.rejected,
        ...report.skipped,
      }));
      const least = reason === "max-series" ? 29_900 : 30_000;
      assert.ok((counts.get(reason) ?? 0) >= least, reason);
      assert.equal(report.givenUpAt, undefined);
      assert.ok(report.stored >= 21, reason);
    }
  }));

Deno.test("a writer of any cluster makes 1,000 of them a shard, and goes on in those", async () => {
  const engine = await startTestEngine({
    metrics: {
      defaults: { load: { frequencySec: 60, aggregation: null } },
      clusters: { own: { load: { frequencySec: 60, aggregation: null } } },
    },
    shards: 2,
  });
  try {
    const lines = (count: number) =>
      Array.from(
        { length: count },
        (_, i) => `load,cluster=c${i},hostname=h value=1 ${TIME}\n`,
      ).join("");
    const report = await batch(engine, lines(20_000));
    assert.deepEqual(report.rejected, { "max-clusters": 18_000 });
    assert.match(report.errors[0]!.message, /without a configuration \(1000\)/);
    assert.equal(engine.clusters.names.length, 2000);
    const after = await batch(
      engine,
      lines(500) + good(1).replace("=c", "=own"),
    );
    assert.equal(after.stored, 501);
  } finally {
    await engine.close();
  }
});

Deno.test("blank lines and comments are passed over, wherever parts are cut", () =>
  withEngine(async (engine) => {
    const blanks = ["\n", "\r\n", "  \n", "# a b=c\n", " #\r\n"];
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => blanks[i % 5]! + (i % 1000 === 0 ? good(i % 7) : ""),
    );
    const text = `${lines.join("")}load,cluster=c,hostname=h1 value=x\n#`;
    const report = await batch(engine, text);
    assert.equal(report.stored, 20);
    assert.equal(report.lines, 21);
    assert.equal(report.errors[0]?.line, 20_021);
  }));

Deno.test("/api/write says how far it came in rubbish, before all of it was sent", async () => {
  await using server = await JobApiServer.start();
  const line = `cpu_load,cluster=fritz,hostname=f0101 value=1 ${TIME}\n`;
  const body = line + "cpu_load,hostname=f0101\n".repeat(500_000);
  const answer = await server.ask("POST", "/api/write", { body });
  assert.equal(answer.status, 400);
  assert.equal(answer.json.stored, 1);
  assert.match(answer.json.error, /reading stopped at line 10001, since/);
  assert.equal(answer.json.errors.length, 10);
  const after = await server.ask("POST", "/api/write", { body: line });
  assert.equal(after.status, 200);
});

Deno.test("/api/write takes no body that inflates to more than 300 times its size", async () => {
  await using server = await JobApiServer.start();
  const ask = (text: string) =>
    server.ask("POST", "/api/write", {
      body: gzipSync(text),
      headers: { "Content-Encoding": "gzip" },
    });
  const refused = await ask("\n".repeat(16 << 20));
  assert.equal(refused.status, 413);
  assert.match(refused.text, /more than 300 times its size beyond the first/);
  // The first MiB is free, and what repeats as batches do is far from it.
  assert.equal((await ask("\n".repeat(1 << 20))).status, 200);
  const lines = Array.from(
    { length: 100_000 },
    (_, i) =>
      good(i % 50).replaceAll("load", "cpu_load").replaceAll("=c,", "=fritz,"),
  );
  assert.equal((await ask(lines.join(""))).status, 200);
});
