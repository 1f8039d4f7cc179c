import assert from "node:assert/strict";
import { StoreClient, StoreError } from "./store_client.ts";

/** A server that gives these answers in turn, the last one for ever. */
async function withAnswers(
  answers: readonly (() => Response)[],
  use: (client: StoreClient, seen: string[]) => Promise<void>,
): Promise<void> {
  const seen: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const answer = answers[Math.min(seen.length, answers.length - 1)];
      seen.push(await request.text());
      return answer?.() ?? new Response();
    },
  );
  try {
    const { port } = server.addr;
    await use(new StoreClient(`http://127.0.0.1:${port}/`, "t"), seen);
  } finally {
    await server.shutdown();
  }
}

const busy = (status: number) => () =>
  new Response("", { status, headers: { "Retry-After": "0" } });

Deno.test("StoreClient.write() counts what was skipped", () =>
  withAnswers(
    [() =>
      new Response("", {
        headers: { "X-Skipped": "too-old=3, unknown-metric=1, new-reason=1" },
      })],
    async (client) => {
      assert.deepEqual(await client.write("…", 10), {
        stored: 6,
        skipped: { "too-old": 3, "unknown-metric": 1 },
        rejected: {},
        errors: [],
      });
    },
  ));

Deno.test("StoreClient.write() sends a batch again while the server is busy", () =>
  withAnswers(
    [busy(503), busy(429), () => new Response("")],
    async (client, seen) => {
      assert.equal((await client.write("batch", 1)).stored, 1);
      assert.deepEqual(seen, ["batch", "batch", "batch"]);
    },
  ));

Deno.test("StoreClient.write() gives up on a server that stays busy", () =>
  withAnswers([busy(503)], async (client, seen) => {
    await assert.rejects(
      client.write("batch", 1),
      (error) => error instanceof StoreError && error.status === 503,
    );
    assert.ok(seen.length > 1);
  }));

Deno.test("StoreClient.write() takes the counts of a refused batch", () => {
  const refusal = {
    status: "Bad Request",
    error: "at line 2: …",
    stored: 1,
    rejected: { value: 1 },
    skipped: {},
    errors: [{ line: 2, reason: "value", message: "at line 2: …" }],
  };
  return withAnswers(
    [() => Response.json(refusal, { status: 400 })],
    async (client) => {
      const outcome = await client.write("…", 2);
      assert.equal(outcome.stored, 1);
      assert.deepEqual(outcome.rejected, { value: 1 });
    },
  );
});

Deno.test("StoreClient.query() refuses answers that are none", () =>
  withAnswers([() => new Response("hello")], async (client) => {
    await assert.rejects(client.query({}), /unknown answer/);
  }));

Deno.test("StoreClient.write() says when nobody answers", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const client = new StoreClient(`http://127.0.0.1:${port}`, undefined);
  await assert.rejects(client.write("", 0), /does not answer: /);
});
