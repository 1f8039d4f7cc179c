/** The benchmarks in their small mode, so that they cannot rot. */
import assert from "node:assert/strict";
import { renderPage } from "../benches/render.ts";
import type { BenchResults } from "../benches/run.ts";
import denoConfig from "../deno.json" with { type: "json" };
import { Child } from "./support/child.ts";
import { ROOT } from "./support/server.ts";
import { hasTool } from "./support/tools.ts";

Deno.test("deno task bench --small measures every shape and its page renders", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const child = new Child({
      command: Deno.execPath(),
      args: [
        ...denoConfig.tasks.bench.command.split(/\s+/).slice(1),
        "--small",
        "--out",
        file,
      ],
      cwd: ROOT,
    });
    const { code } = await child.ended();
    assert.equal(code, 0, child.output);
    const results = JSON.parse(await Deno.readTextFile(file)) as BenchResults;
    const page = renderPage(results);
    for (const { shape } of [...results.ingest, ...results.query.rows]) {
      assert.ok(page.includes(`| ${shape} |`), shape);
    }
    for (const { work } of results.policy ?? []) {
      assert.ok(page.includes(`| ${work} |`), work);
    }
    assert.equal(results.policy?.length, 5);
    for (const { shape } of results.jobs?.rows ?? []) {
      assert.ok(page.includes(`| ${shape} |`), shape);
    }
    assert.ok((results.jobs?.startsPerSec ?? 0) > 0);
    for (const { shape } of results.jobHttp?.rows ?? []) {
      assert.ok(page.includes(`| ${shape} |`), shape);
    }
    assert.equal(results.jobHttp?.ingest.length, 5);
    assert.match(page, /\| \d+, elsewhere *\| \d+\.\d\d M, at full rate/);
    assert.ok((results.jobRead?.beside.writes ?? 0) > 0);
    assert.match(page, /\| 3 readers *\| \d+ *\| \d/);
    assert.match(page, /\| restart after kill -9[^|]*\| \d/);
    assert.match(page, /\| 48 h of one series *\| p50 \d/);
    for (const { way, rate } of results.nats ?? []) {
      assert.ok(page.includes(`| ${way} |`) && rate > 0, way);
    }
    for (const { work, besideMs } of results.neighbours ?? []) {
      assert.ok(page.includes(`| ${work} |`) && besideMs > 0, work);
    }
    assert.equal(results.neighbours?.length, 6);
    for (const { work } of results.web ?? []) {
      assert.ok(page.includes(`| ${work} `), work);
    }
    if (hasTool("browser")) assert.equal(results.web?.length, 15);
    for (
      const { shape } of [...results.shapes ?? [], ...results.requests ?? []]
    ) {
      assert.ok(page.includes(`| ${shape} |`), shape);
    }
    assert.equal(results.shapes?.length, 10);
    assert.equal(results.requests?.length, 3);
    assert.match(page, /\| a snapshot *\| \d/);
    for (const { shape, ours } of results.prometheus?.rows ?? []) {
      assert.ok(page.includes(`| ${shape} |`) && ours.bytes > 0, shape);
    }
    assert.equal(results.prometheus?.rows.length, 7);
    assert.equal(results.nats?.length, hasTool("nats") ? 2 : undefined);
    for (const { rates } of results.ingest) assert.ok((rates.ours ?? 0) > 0);
  } finally {
    await Deno.remove(file);
  }
});
