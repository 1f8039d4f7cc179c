/** What becomes of connections: errors, slow and vanishing clients, the stop. */
import assert from "node:assert/strict";
import { ALL_STORED, jsonBody } from "./fake_engine.ts";
import { Fixture, head } from "./fixture.ts";

const GET_HEALTH = head("GET", "/health");

Deno.test("a connection survives errors, also with a body that nobody read", async () => {
  await using door = await Fixture.start();
  const body = "x".repeat(200_000);
  const requests: [string, Record<string, string>, number][] = [
    ["/api/write", { Authorization: "Bearer user" }, 403],
    ["/nope", {}, 404],
    ["/api/debug", {}, 405],
    ["/api/write", { "Content-Encoding": "br" }, 415],
    ["/api/query", {}, 400],
    ["/api/free", {}, 400],
    ["/health", {}, 405],
  ];
  const client = door.raw();
  for (const [path, headers, status] of requests) {
    client.write(
      head("POST", path, { ...headers, "Content-Length": body.length }) + body,
    );
    await client.until(`HTTP/1.1 ${status} `);
  }
  // Without a body, and refused before anything was read.
  client.write(head("GET", "/api/debug", { Authorization: "Bearer user" }));
  await client.until("HTTP/1.1 403 ", 2);
  client.write(GET_HEALTH);
  await client.until("ok\n");
  assert.doesNotMatch(client.received, /Connection: close/i);
  assert.equal(
    client.received.match(/HTTP\/1.1 /g)?.length,
    requests.length + 2,
  );
  client.close();
});

Deno.test("a body too large to drop ends the connection, after the answer was seen", async () => {
  await using door = await Fixture.start({
    main: { "max-body-size": 1000 },
    limits: { drainBytes: 1000, lingerMs: 50 },
  });
  const client = door.raw();
  client.write(head("POST", "/api/write", { "Content-Length": 5_000_000 }));
  client.write("x".repeat(2_000_000));
  const received = await client.closed();
  assert.match(received, /^HTTP\/1.1 413 /);
  assert.match(received, /Connection: close/i);
  assert.match(received, /max-body-size, 1000 bytes/);
});

Deno.test("a client that sends its headers slowly is cut", async () => {
  await using door = await Fixture.start({
    limits: { headersMs: 50, requestMs: 100 },
  });
  const client = door.raw();
  client.write("GET /health HTTP/1.1\r\nHost:");
  assert.match(await client.closed(), /^(HTTP\/1.1 408 |$)/);
});

Deno.test("a client that sends its body slowly is cut, and its batch aborted", async () => {
  await using door = await Fixture.start({
    limits: { headersMs: 50, requestMs: 100 },
  });
  const client = door.raw();
  client.write(head("POST", "/api/write", { "Content-Length": 100 }) + "m,");
  assert.match(await client.closed(), /^(HTTP\/1.1 408 |$)/);
  await door.engine.batchIs("aborted");
});

Deno.test("a client that does not read its answer is cut", async () => {
  await using door = await Fixture.start({
    main: { "metrics-public": true },
    limits: { slowMs: 50, bytesPerSecMin: 1 << 30 },
  });
  door.engine.answer = jsonBody("x".repeat(60 << 20), 60);
  const client = door.raw();
  client.socket.pause();
  client.write(head("POST", "/api/query", { "Content-Length": 2 }) + "{}");
  // Bytes of the answer count as in flight until the connection is gone.
  let inFlight = 0;
  let isAsked = false;
  do {
    isAsked = door.engine.queries.length > 0;
    const metrics = await door.ask("GET", "/metrics");
    inFlight = Number(
      /^ringstore_http_in_flight_bytes (\d+)$/m.exec(metrics.text)?.[1],
    );
  } while (!isAsked || inFlight > 0);
  client.socket.resume();
  const received = await client.closed();
  assert.ok(received.length < 60 << 20);
});

Deno.test("what is no HTTP or too long is refused and hung up on", async () => {
  await using door = await Fixture.start();
  const cases: [string, RegExp][] = [
    ["nonsense\r\n\r\n", /^HTTP\/1.1 400 /],
    [
      head("GET", "/health", { Filler: "x".repeat(100_000) }),
      /^HTTP\/1.1 431 /,
    ],
    [
      head("POST", "/api/write", {
        "Content-Length": 3,
        "Transfer-Encoding": "chunked",
      }) + "0\r\n\r\n",
      /^HTTP\/1.1 400 /,
    ],
  ];
  for (const [text, wanted] of cases) {
    const client = door.raw();
    client.write(text);
    assert.match(await client.closed(), wanted);
  }
  assert.equal((await door.ask("GET", "/health")).status, 200);
});

Deno.test("Expect: 100-continue is answered", async () => {
  await using door = await Fixture.start();
  const client = door.raw();
  client.write(
    head("POST", "/api/write", { "Content-Length": 4, Expect: "100-continue" }),
  );
  await client.until("100 Continue");
  client.write("m v\n");
  await client.until("200 OK");
  client.close();
});

Deno.test("close lets a request in flight finish and ends idle connections", async () => {
  const door = await Fixture.start();
  let finish: (report: typeof ALL_STORED) => void = () => {};
  door.engine.report = new Promise((resolve) => finish = resolve);
  const idle = door.raw();
  idle.write(GET_HEALTH);
  await idle.until("ok\n");
  const busy = door.raw();
  busy.write(head("POST", "/api/write", { "Content-Length": 4 }) + "m v\n");
  await door.engine.batchIs("ended");
  const closed = door[Symbol.asyncDispose]();
  await idle.closed();
  finish(ALL_STORED);
  const received = await busy.closed();
  assert.match(received, /^HTTP\/1.1 200 OK/);
  assert.match(received, /Connection: close/i);
  await closed;
});

Deno.test("close lets a large answer go out whole", async () => {
  const door = await Fixture.start();
  const bytes = 30 << 20;
  door.engine.answer = jsonBody("x".repeat(bytes), 2);
  const client = door.raw();
  client.write(head("POST", "/api/query", { "Content-Length": 2 }) + "{}");
  await client.until("HTTP/1.1 200 OK");
  client.socket.pause();
  const closed = door[Symbol.asyncDispose]();
  client.socket.resume();
  const received = await client.closed();
  assert.equal(received.length - received.indexOf("\r\n\r\n") - 4, bytes);
  await closed;
});

Deno.test("a client that vanishes from its answer harms nobody", async () => {
  await using door = await Fixture.start();
  door.engine.answer = jsonBody("x".repeat(30 << 20), 2);
  const reader = door.raw();
  reader.write(head("POST", "/api/query", { "Content-Length": 2 }) + "{}");
  await reader.until("HTTP/1.1 200 OK");
  reader.close();
  let finish: (report: typeof ALL_STORED) => void = () => {};
  door.engine.report = new Promise((resolve) => finish = resolve);
  const writer = door.raw();
  writer.write(head("POST", "/api/write", { "Content-Length": 4 }) + "m v\n");
  await door.engine.batchIs("ended");
  writer.close();
  finish(ALL_STORED);
  assert.equal((await door.ask("GET", "/health")).status, 200);
  assert.deepEqual(door.errors, []);
});

Deno.test("a client that vanishes gives its room back though the engine never answers", async () => {
  await using door = await Fixture.start({ main: { "metrics-public": true } });
  door.engine.report = new Promise(() => {});
  door.engine.answer = new Promise(() => {});
  const body = "{}" + " ".repeat(50_000);
  for (const path of ["/api/write", "/api/query"]) {
    const client = door.raw();
    client.write(head("POST", path, { "Content-Length": body.length }) + body);
    await inFlight(door, body.length, 2);
    client.close();
    await inFlight(door, 0, 1);
  }
  const metrics = await door.ask("GET", "/metrics");
  assert.match(metrics.text, /\{route="write",status="499"\} 1$/m);
  assert.match(metrics.text, /\{route="query",status="499"\} 1$/m);
  assert.deepEqual(door.errors, []);
});

/** Resolves once so many bytes and requests, the asking one included, are under way. */
async function inFlight(
  door: Fixture,
  bytes: number,
  requests: number,
): Promise<void> {
  const wanted = [bytes, requests].join();
  for (let seen = ""; seen !== wanted;) {
    const { text } = await door.ask("GET", "/metrics");
    seen = [
      /^ringstore_http_in_flight_bytes (\d+)$/m,
      /^ringstore_http_requests_in_flight (\d+)$/m,
    ].map((line) => line.exec(text)?.[1]).join();
  }
}

Deno.test("close cuts what does not finish in time", async () => {
  const door = await Fixture.start({ limits: { closeMs: 50 } });
  door.engine.report = new Promise(() => {});
  const busy = door.raw();
  busy.write(head("POST", "/api/write", { "Content-Length": 4 }) + "m v\n");
  await door.engine.batchIs("ended");
  await door[Symbol.asyncDispose]();
  assert.equal(await busy.closed(), "");
});
