/**
 * Large answers share memory that is used again: what one client reads slowly must
 * not change under it while others are answered.
 */
import assert from "node:assert/strict";
import { SAMPLE_TOKEN, TestClient } from "./support/client.ts";
import { TestServer } from "./support/server.ts";

const FROM = 1_700_000_000;
const SLOTS = 3000;
/** So many times the same series: some 20 MB, more than sockets take in. */
const QUERIES = 800;
const SLOW_READERS = 3;

function question(host: string): string {
  return JSON.stringify({
    ...{ cluster: "c", from: FROM, to: FROM + SLOTS },
    ...{ "with-stats": false, "with-data": true, "with-padding": false },
    queries: Array.from({ length: QUERIES }, () => ({
      ...{ metric: "load", host, aggreg: false, resolution: 0 },
    })),
  });
}

/** Asks and reads the first bytes; `rest` reads on to the end and gives the body. */
async function askSlowly(
  port: number,
  host: string,
): Promise<{ rest(): Promise<string> }> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const body = question(host);
  const request = new TextEncoder().encode(
    `POST /api/query/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
      `Authorization: Bearer ${SAMPLE_TOKEN}\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  for (let sent = 0; sent < request.length;) {
    sent += await connection.write(request.subarray(sent));
  }
  const first = new Uint8Array(1000);
  const read = await connection.read(first);
  assert.ok(read !== null);
  const start = new TextDecoder().decode(first.subarray(0, read));
  return {
    async rest() {
      const text = start + await new Response(connection.readable).text();
      return text.slice(text.indexOf("\r\n\r\n") + 4);
    },
  };
}

Deno.test("a large answer that is read slowly stays what it was while others are given", async () => {
  await using server = await TestServer.start({
    metrics: { load: { frequency: 1, aggregation: null } },
    metricStore: { "retention-in-memory": "100000h" },
  });
  const client = new TestClient(server.url);
  for (const [number, host] of ["a", "b"].entries()) {
    const lines = Array.from(
      { length: SLOTS },
      (_, i) =>
        `load,cluster=c,hostname=${host} value=${number + i / 1000} ${
          FROM + i
        }`,
    );
    assert.equal((await client.write(lines.join("\n"))).status, 200);
  }
  const ask = async (host: string) => {
    const { status, text } = await client.send({
      ...{ method: "POST", path: "/api/query/", body: question(host) },
    });
    assert.equal(status, 200);
    return text;
  };
  const expected = { a: await ask("a"), b: await ask("b") };
  assert.ok(expected.a.length > 12e6 && expected.a !== expected.b);
  const port = Number(new URL(server.url).port);
  const slow = await Promise.all(
    Array.from({ length: SLOW_READERS }, () => askSlowly(port, "a")),
  );
  for (let i = 0; i < 5; i++) assert.ok(await ask("b") === expected.b);
  for (const { rest } of slow) assert.ok(await rest() === expected.a);
  client.close();
});
