/** Errors of shards on their way to the client, without shards behind the rings. */
import assert from "node:assert/strict";
import type { QueryAnswer } from "../../metricstore/engine/query_jobs.ts";
import { createBell } from "../../metricstore/transport/bell.ts";
import { createRing, RingProducer } from "../../metricstore/transport/ring.ts";
import {
  createCancelFlags,
  SELECTION_KIND,
} from "../../metricstore/transport/selection_messages.ts";
import { answerJob } from "./answer_job.ts";
import { CellPool } from "./cell_pool.ts";
import { ShardClient } from "./shard_client.ts";

/** The answer to a query whose only shard ends with this error. */
function answerOf(
  error: { code: string; message: string } | undefined,
  timeoutMs = 60_000,
): Promise<QueryAnswer> {
  const fromShard = createRing(1 << 16);
  const client = new ShardClient({
    bell: createBell(),
    cancelled: createCancelFlags(),
    toShard: [createRing(1 << 16)],
    fromShard: [fromShard],
  }, [createBell()]);
  const answer = answerJob({
    client,
    visible: { instance: "" },
    job: {
      question: { kind: "instant", query: "x", timeMs: 0 },
      limit: 0,
      withStats: false,
      timeoutMs,
      maxSamples: 1000,
      maxSeries: 1000,
      maxAnswerBytes: 1000,
    },
    signal: new AbortController().signal,
    usualLookbackMs: 60_000,
    pool: new CellPool(1000),
  });
  if (error === undefined) return answer;
  const end = new TextEncoder().encode(JSON.stringify({ error }));
  // The first selection of a client has this number.
  assert.ok(new RingProducer(fromShard).send(SELECTION_KIND.END, 1, 0, end));
  const probe = { instance: "", matchers: [], afterMs: 0, untilMs: 0 };
  client.close(client.open(probe, []));
  return answer;
}

Deno.test("answerJob() tells what a shard refuses", async () => {
  const { status, outcome, chunks } = await answerOf({
    code: "E_FORBIDDEN",
    message: "the access policy has too many matchers",
  });
  assert.deepEqual([status, outcome], [403, "forbidden"]);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(chunks[0])), {
    status: "error",
    errorType: "forbidden",
    error: "the access policy has too many matchers",
  });
});

Deno.test("answerJob() rejects where a shard is broken, so that no client reads its stack", async () => {
  const message = "Error: secret\n    at shard.ts:1";
  await assert.rejects(answerOf({ code: "E_INTERNAL", message }), { message });
  await assert.rejects(answerOf({ code: "E_NOBODY_KNOWS", message }), {
    message,
  });
});

Deno.test("answerJob() ends with its time while a shard says nothing", async () => {
  const { status, outcome } = await answerOf(undefined, 20);
  assert.deepEqual([status, outcome], [503, "timeout"]);
});
