/** The contract of `/api/query`. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { DEFAULT_SCOPE } from "../../src/metricstore/engine/data_scope.ts";
import { jsonBody } from "./fake_engine.ts";
import { Fixture, head } from "./fixture.ts";

const QUESTION = {
  cluster: "T",
  from: 1000,
  to: 1240,
  queries: [{ metric: "m60", host: "h1" }],
};

Deno.test("query answers GET, POST and HEAD, with and without a slash", async () => {
  await using door = await Fixture.start();
  const body = JSON.stringify(QUESTION);
  for (const method of ["GET", "POST"]) {
    for (
      const path of [
        "/api/query",
        "/api/query/?version=v2",
        "/metricstore/query",
      ]
    ) {
      const answer = await door.ask(method, path, { body });
      assert.equal(answer.status, 200);
      assert.equal(answer.text, '{"results":[]}\n');
      assert.equal(answer.headers["content-length"], "15");
      assert.equal(answer.headers["content-type"], "application/json");
    }
  }
  assert.deepEqual(door.engine.queries[0], {
    scope: DEFAULT_SCOPE,
    request: {
      cluster: "T",
      from: 1000,
      to: 1240,
      queries: [{
        metric: "m60",
        host: "h1",
        type: undefined,
        "type-ids": undefined,
        subtype: undefined,
        "subtype-ids": undefined,
        aggreg: false,
        resolution: 0,
        "scale-by": undefined,
      }],
      forAllNodes: undefined,
      withStats: true,
      withData: true,
      withPadding: true,
      missing: "null",
    },
  });
  const answer = await door.ask("HEAD", "/api/query", { body });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, "");
  assert.equal(answer.headers["content-length"], "15");
});

Deno.test("query takes null for every key, and ignores unknown ones", async () => {
  await using door = await Fixture.start();
  const answer = await door.ask("GET", "/api/query", {
    body: JSON.stringify({
      cluster: null,
      from: null,
      to: null,
      queries: null,
      "for-all-nodes": null,
      "with-stats": null,
      "with-data": null,
      "with-padding": null,
      missing: null,
      novelty: 1,
    }),
  });
  assert.equal(answer.status, 200);
  assert.equal(
    (await door.ask("GET", "/api/query", { body: "null" })).status,
    200,
  );
});

Deno.test("query reads the first JSON value of the body", async () => {
  await using door = await Fixture.start();
  const body = `${JSON.stringify(QUESTION)}\n{"cluster":1}`;
  assert.equal((await door.ask("GET", "/api/query", { body })).status, 200);
});

Deno.test("query answers 400 naming field and value", async () => {
  await using door = await Fixture.start();
  const cases: [string | undefined, RegExp][] = [
    [undefined, /^EOF$/],
    ["  \n", /^EOF$/],
    ['{"cluster":', /not JSON/],
    ["[]", /the body: expected an object, got \[\]/],
    ['{"from":1.5}', /from: expected an integer, got 1.5/],
    ['{"to":"1"}', /to: expected an integer, got "1"/],
    ['{"to":1e300}', /to: expected an integer/],
    ['{"queries":{}}', /queries: expected an array/],
    ['{"queries":[{},7]}', /queries\[1\]: expected an object, got 7/],
    ['{"queries":[{"host":7}]}', /queries\[0\].host: expected a text, got 7/],
    [
      '{"queries":[{"type-ids":["1",2]}]}',
      /queries\[0\].type-ids\[1\]: .*got 2/,
    ],
    [
      '{"queries":[{"scale-by":1e400}]}',
      /scale-by: expected a number, got a number out of range$/,
    ],
    [
      '{"from":-1e400}',
      /from: expected an integer, got a number out of range$/,
    ],
    ['{"for-all-nodes":"x"}', /for-all-nodes: expected an array of texts/],
    ['{"with-data":0}', /with-data: expected true or false, got 0/],
    ['{"missing":"drop"}', /missing: expected "null" or "skip", got "drop"/],
  ];
  for (const [body, wanted] of cases) {
    const answer = await door.ask(
      "GET",
      "/api/query/",
      body === undefined ? {} : { body },
    );
    assert.equal(answer.status, 400, body);
    const error = JSON.parse(answer.text);
    assert.equal(error.status, "Bad Request");
    assert.match(error.error, wanted);
    assert.ok(answer.text.endsWith("}\n"));
  }
  assert.equal(door.engine.queries.length, 0);
});

Deno.test("query answers 503 with Retry-After while samples are restored", async () => {
  await using door = await Fixture.start();
  door.engine.state = "restoring";
  const answer = await door.ask("GET", "/api/query", { body: "{}" });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers["retry-after"], "2");
});

Deno.test("query joins the pieces of an answer, small and large", async () => {
  await using door = await Fixture.start();
  for (const size of [10, 100_000, 3_000_000]) {
    const text = JSON.stringify({ results: ["x".repeat(size)] }) + "\n";
    door.engine.answer = jsonBody(text, 7);
    const answer = await door.ask("GET", "/api/query", { body: "{}" });
    assert.equal(answer.text, text);
    assert.equal(answer.headers["content-length"], String(text.length));
  }
});

Deno.test("query compresses with zstd where accepted, and with gzip not over loopback", async () => {
  await using door = await Fixture.start();
  const text = JSON.stringify({ results: ["x".repeat(1_000_000)] }) + "\n";
  door.engine.answer = jsonBody(text, 3);
  const lengths: Record<string, number> = {};
  for (const accept of ["zstd, gzip", "gzip", "zstd;q=0, gzip"]) {
    const answer = await door.ask("GET", "/api/query", {
      body: "{}",
      headers: { "Accept-Encoding": accept },
    });
    assert.equal(
      answer.headers["content-encoding"],
      accept === "zstd, gzip" ? "zstd" : undefined,
    );
    assert.equal(answer.headers["vary"], "Accept-Encoding");
    lengths[accept] = Number(answer.headers["content-length"]);
  }
  assert.ok(lengths["zstd, gzip"]! < 10_000);
  assert.equal(lengths["gzip"], text.length);
  door.engine.answer = jsonBody("x".repeat(1023));
  const small = await door.ask("GET", "/api/query", {
    body: "{}",
    headers: { "Accept-Encoding": "zstd" },
  });
  assert.equal(small.headers["content-encoding"], undefined);
});

Deno.test("query takes a compressed question", async () => {
  await using door = await Fixture.start();
  const answer = await door.ask("POST", "/api/query", {
    body: gzipSync(JSON.stringify(QUESTION)),
    headers: { "Content-Encoding": "gzip" },
  });
  assert.equal(answer.status, 200);
  assert.equal(door.engine.queries[0]?.request.cluster, "T");
});

Deno.test("short answers are the same bytes whatever they hold, in pieces or not, and give their memory back", async () => {
  await using door = await Fixture.start();
  const text = `{"results":["größe \u{1f600} \u0000","${
    "ä".repeat(20_000)
  }"]}\n`;
  for (const pieces of [1, 3, 7]) {
    let released = 0;
    door.engine.answer = {
      ...jsonBody(text, pieces),
      release: () => released++,
    };
    const client = door.raw();
    const headers = { Connection: "close", "Content-Length": 2 };
    client.write(head("POST", "/api/query", headers) + "{}");
    const received = await client.closed();
    const cut = received.indexOf("\r\n\r\n") + 4;
    assert.equal(
      received.slice(0, cut).replace(/^Date: .*$/m, "Date: D"),
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
        "X-Content-Type-Options: nosniff\r\nContent-Length: 40034\r\n" +
        "Vary: Accept-Encoding\r\nDate: D\r\nConnection: close\r\n\r\n",
    );
    assert.equal(
      Buffer.from(received.slice(cut), "latin1").toString("utf8"),
      text,
    );
    assert.equal(released, 1);
  }
});
