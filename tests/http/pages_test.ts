/** Pages about the server itself, and Swagger UI. */
import assert from "node:assert/strict";
import { Fixture } from "./fixture.ts";

Deno.test("/health and /ready tell the state to anybody", async () => {
  await using door = await Fixture.start();
  const statuses = async () =>
    await Promise.all(["/health", "/ready"].map(async (path) => {
      const answer = await door.ask("GET", path, { role: null });
      return [answer.status, answer.text];
    }));
  assert.deepEqual(await statuses(), [[200, "ok\n"], [200, "ready\n"]]);
  door.engine.state = "restoring";
  assert.deepEqual(await statuses(), [[200, "ok\n"], [503, "restoring\n"]]);
  door.engine.state = "failed";
  assert.deepEqual(await statuses(), [[503, "failed\n"], [503, "failed\n"]]);
});

Deno.test("/ is a page for browsers, and 404 for who says nothing of pages", async () => {
  await using door = await Fixture.start({ dev: true });
  const page = await door.ask("GET", "/", {
    role: null,
    headers: { Accept: "text/html,*/*;q=0.8" },
  });
  assert.equal(page.status, 200);
  assert.match(page.headers["content-type"] ?? "", /^text\/html/);
  assert.match(page.text, /href="\/swagger\/"/);
  assert.equal((await door.ask("GET", "/", { role: null })).status, 404);
});

Deno.test("/metrics speaks the Prometheus format", async () => {
  await using door = await Fixture.start({ main: { "metrics-public": true } });
  await door.ask("POST", "/api/write", { body: "m value=1" });
  await door.ask("GET", "/api/query", { body: "{}" });
  await door.ask("GET", "/nope");
  const answer = await door.ask("GET", "/metrics", { role: null });
  assert.equal(answer.status, 200);
  assert.match(
    answer.headers["content-type"] ?? "",
    /^text\/plain; version=0\.0\.4/,
  );
  for (
    const line of [
      'ringstore_http_requests_total{route="write",status="200"} 1',
      'ringstore_http_requests_total{route="none",status="404"} 1',
      "ringstore_write_duration_seconds_count 1",
      "ringstore_query_duration_seconds_count 1",
      'ringstore_ingest_lines_total{shard="0"} 12',
      'ringstore_ingest_samples_total{shard="0"} 10',
      'ringstore_ingest_rejected_lines_total{shard="0",reason="syntax"} 2',
      'ringstore_ingest_skipped_lines_total{shard="0",reason="too-old"} 3',
      'ringstore_series{shard="0"} 5',
      'ringstore_instance_series{instance="team"} 3',
      'ringstore_inbox_bytes{shard="0"} 9',
      "ringstore_http_in_flight_bytes 0",
      'ringstore_engine_state{state="ready"} 1',
      'ringstore_build_info{version="0.0.0-test"} 1',
    ]
  ) assert.ok(answer.text.split("\n").includes(line), line);
  const again = await door.ask("GET", "/metrics", { role: null });
  assert.ok(
    again.text.includes('ringstore_ingest_lines_total{shard="0"} 12\n'),
  );
});

Deno.test("Swagger UI is served with -dev, by us alone", async () => {
  await using door = await Fixture.start({ dev: true });
  const page = await door.ask("GET", "/swagger/", { role: null });
  assert.equal(page.status, 200);
  const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((
    match,
  ) => match[1]!);
  assert.equal(files.length, 3);
  for (const file of files) {
    assert.ok(file.startsWith("/swagger/"));
    const asset = await door.ask("GET", file, { role: null });
    assert.equal(asset.status, 200, file);
    assert.ok(asset.text.length > 50);
    assert.equal(asset.headers["x-content-type-options"], "nosniff");
    assert.equal(asset.headers["transfer-encoding"], undefined);
  }
  assert.equal((await door.ask("GET", "/swagger/none")).status, 404);
});
