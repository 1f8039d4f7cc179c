/**
 * Nobody keeps others out of the HTTP server, however little or much it sends and
 * however slowly it reads: real sockets of one principal that do their worst, and
 * what others are answered meanwhile.
 */
import assert from "node:assert/strict";
import { jsonBody } from "./fake_engine.ts";
import {
  Fixture,
  type FixtureOptions,
  head,
  type RawClient,
} from "./fixture.ts";

const MIB = 1 << 20;
/** A half of them is for writes, the other for the rest. */
const IN_FLIGHT = 4 * MIB;
/** Nobody waits so long in these tests: who is let in is let in at once. */
const OVERLOAD_WAIT_MS = 60_000;

function start(options: FixtureOptions = {}): Promise<Fixture> {
  return Fixture.start({
    ...options,
    main: { "max-in-flight": IN_FLIGHT, "metrics-public": true },
    limits: { overloadWaitMs: OVERLOAD_WAIT_MS, ...options.limits },
  });
}

/** So many requests of one principal that announce a body and send a part of it. */
function torture(
  door: Fixture,
  count: number,
  who: string,
  path: string,
  sent: string,
): RawClient[] {
  return Array.from({ length: count }, () => {
    const client = door.raw();
    client.write(
      head("POST", path, {
        Authorization: `Bearer ${who}`,
        "Content-Length": MIB,
      }) + sent,
    );
    return client;
  });
}

async function figure(door: Fixture, name: string): Promise<number> {
  const { text } = await door.ask("GET", "/metrics", { role: null });
  const match = new RegExp(`^ringstore_http_${name} (\\d+)$`, "m").exec(text);
  assert.ok(match !== null, name);
  return Number(match[1]);
}

/** Resolves once the figure fulfils the condition. */
async function until(
  door: Fixture,
  name: string,
  holds: (value: number) => boolean,
): Promise<void> {
  while (!holds(await figure(door, name)));
}

/** A collector's write and another user's query are served at once. */
async function othersAreServed(door: Fixture): Promise<void> {
  const write = await door.ask("POST", "/api/write", {
    role: "api~collector",
    body: "m,hostname=h value=1\n".repeat(20_000),
  });
  assert.equal(write.status, 200, write.text);
  const query = await door.ask("POST", "/api/query", {
    role: "user~modest",
    body: JSON.stringify({ cluster: "x".repeat(100_000) }),
  });
  assert.equal(query.status, 200, query.text);
  assert.equal(await figure(door, "overload_refusals_total"), 0);
}

function end(clients: readonly RawClient[]): void {
  for (const client of clients) client.close();
}

Deno.test("announced bodies of which nothing comes take nothing", async () => {
  await using door = await start();
  const clients = [
    ...torture(door, 8, "user~mallory", "/api/query", ""),
    ...torture(door, 8, "api~mallory", "/api/write", ""),
  ];
  // The one that asks counts as well.
  await until(door, "requests_in_flight", (value) => value === 17);
  assert.equal(await figure(door, "in_flight_bytes"), 0);
  await othersAreServed(door);
  end(clients);
});

for (
  const [who, path] of [
    ["user~mallory", "/api/query"],
    ["api~mallory", "/api/write"],
  ] as const
) {
  Deno.test(`bodies that are held back just before their end keep nobody else out: ${path}`, async () => {
    await using door = await start();
    const sent = "x".repeat(MIB - 1);
    const clients = torture(door, 8, who, path, sent);
    await until(door, "overload_waits_total", (value) => value >= 6);
    assert.ok(await figure(door, "in_flight_bytes") <= IN_FLIGHT / 2 + MIB);
    await othersAreServed(door);
    end(clients);
    await until(door, "in_flight_bytes", (value) => value === 0);
  });
}

Deno.test("answers that nobody reads keep nobody else out", async () => {
  await using door = await start();
  door.engine.answer = jsonBody("x".repeat(40 * MIB), 40);
  const clients = Array.from({ length: 6 }, () => {
    const client = door.raw();
    client.socket.pause();
    client.write(
      head("POST", "/api/query", {
        Authorization: "Bearer user~mallory",
        "Content-Length": 2,
      }) + "{}",
    );
    return client;
  });
  // The first fills its half: what comes then waits for it, unless it is of others.
  await until(door, "in_flight_bytes", (value) => value >= 40 * MIB);
  door.engine.answer = jsonBody('{"results":[]}\n');
  await othersAreServed(door);
  end(clients);
  await until(door, "in_flight_bytes", (value) => value === 0);
});

Deno.test("the administrator gets through while everything is full", async () => {
  await using door = await start();
  const sent = "x".repeat(MIB - 1);
  const clients = [
    ...torture(door, 8, "admin", "/api/query", sent),
    ...torture(door, 8, "admin", "/api/write", sent),
  ];
  await until(door, "overload_waits_total", (value) => value >= 12);
  const body = JSON.stringify({ name: "dev", cluster: "T" });
  const answer = await door.ask("POST", "/admin/api/v1/instances", { body });
  assert.equal(answer.status, 400, answer.text);
  assert.match(answer.text, /no cluster/);
  end(clients);
});

Deno.test("of bodies that must be whole and fill their half the newest is refused", async () => {
  await using door = await start();
  const body = "[".padEnd(MIB, " ");
  const first = Math.floor(MIB * 0.6);
  const clients = torture(door, 3, "user~mallory", "/api/query", "");
  await until(door, "requests_in_flight", (value) => value === 4);
  for (const [i, client] of clients.entries()) {
    client.write(body.slice(0, first));
    await until(
      door,
      "in_flight_bytes",
      (value) => value >= (i + 1) * first,
    );
  }
  for (const client of clients) client.write(body.slice(first));
  const newest = await clients[2]!.until("in flight");
  assert.match(newest, /^HTTP\/1.1 503 [^]*Retry-After: 1\r\n/);
  for (const client of clients.slice(0, 2)) {
    assert.match(await client.until("error"), /^HTTP\/1.1 400 /);
  }
  end(clients);
});

Deno.test("a body below the least speed is ended, one above it and an idle connection are not", async () => {
  await using door = await start({
    limits: { slowMs: 200, bytesPerSecMin: 100 },
  });
  const idle = door.raw();
  idle.write(head("GET", "/health"));
  await idle.until("ok\n");
  const [slow] = torture(door, 1, "user~mallory", "/api/query", "{");
  const [steady] = torture(door, 1, "user~modest", "/api/query", "{");
  const beat = setInterval(() => steady!.write(" ".repeat(100)), 20);
  const received = await slow!.closed();
  clearInterval(beat);
  assert.match(received, /^HTTP\/1.1 408 /);
  assert.match(received, /slower than 100 bytes a second for 0.2 s/);
  assert.equal(steady!.received, "");
  idle.write(head("GET", "/health"));
  await idle.until("ok\n", 2);
  end([steady!, idle]);
});
