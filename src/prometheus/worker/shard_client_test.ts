/** Selections from the side of an evaluator, without shards behind the rings. */
import assert from "node:assert/strict";
import { createBell } from "../../metricstore/transport/bell.ts";
import { createRing, RingProducer } from "../../metricstore/transport/ring.ts";
import {
  createCancelFlags,
  isCancelled,
  SELECTION_KIND,
} from "../../metricstore/transport/selection_messages.ts";
import { SeriesFrame } from "../../metricstore/transport/series_frame.ts";
import { QueryError } from "../evaluate/query_error.ts";
import { ShardClient } from "./shard_client.ts";

const ASK = { instance: "", matchers: [], afterMs: 0, untilMs: 1 };

function clientOfOneShard() {
  const bell = createBell();
  const cancelled = createCancelFlags();
  const fromShard = createRing(1 << 20);
  const client = new ShardClient({
    bell,
    cancelled,
    toShard: [createRing(1 << 16)],
    fromShard: [fromShard],
  }, [createBell()]);
  return {
    client,
    shard: new RingProducer(fromShard),
    cancelled: new Int32Array(cancelled),
  };
}

function namesFrame(series: number): SeriesFrame {
  const frame = new SeriesFrame();
  for (let i = 0; i < series; i++) {
    frame.end(["m", "c", `h${i}`, "", "", "", ""], 60, 0, false);
  }
  return frame;
}

Deno.test("ShardClient.close() stops shards whose selection failed", () => {
  const { client, cancelled } = clientOfOneShard();
  const selection = client.open(ASK, [0]);
  assert.equal(isCancelled(cancelled, selection.id), false);
  selection.fail(new QueryError("canceled", "gone"));
  client.close(selection);
  assert.equal(isCancelled(cancelled, selection.id), true);
});

Deno.test("ShardClient.close() leaves alone what has ended", async () => {
  const { client, cancelled, shard } = clientOfOneShard();
  const selection = client.open(ASK, [0]);
  const end = new TextEncoder().encode("{}");
  assert.ok(shard.send(SELECTION_KIND.END, selection.id, 0, end));
  // Closing another one looks at the rings.
  client.close(client.open(ASK, []));
  assert.equal(await selection.next(), undefined);
  client.close(selection);
  assert.equal(isCancelled(cancelled, selection.id), false);
});

Deno.test("ShardClient keeps no more names than samples that nobody reads", async () => {
  const { client, shard } = clientOfOneShard();
  const selection = client.open(ASK, [0]);
  let sent = 0;
  // Until the ring is full because nobody takes more.
  for (;;) {
    if (!namesFrame(1024).send(shard, selection.id)) break;
    sent++;
    client.close(client.open(ASK, []));
  }
  assert.ok(selection.isFull);
  for (let read = 0; read < sent; read++) {
    assert.equal((await selection.next())?.piece.labels.length, 1024);
  }
  assert.equal(selection.isFull, false);
});
