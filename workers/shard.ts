/** Entry of a shard worker: takes its wiring, then works until it is told to stop. */
import { workerScope } from "../src/base/worker_call.ts";
import { Shard } from "../src/metricstore/shard/shard.ts";
import type { ShardStart } from "../src/metricstore/transport/shard_wiring.ts";

const worker = workerScope<ShardStart, "ready">();

worker.onmessage = (event) => {
  // Requests wait in the inbox while the shard takes back what is on disk.
  worker.postMessage("ready");
  try {
    new Shard(event.data).run();
  } catch (error) {
    // The event that the main thread gets of it has no stack.
    const stack = error instanceof Error ? error.stack : undefined;
    throw new Error(stack ?? String(error), { cause: error });
  }
  worker.close();
};
