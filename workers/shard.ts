/** Entry of a shard worker: takes its wiring, then works until it is told to stop. */
import { Shard } from "../src/shard/shard.ts";
import type { ShardStart } from "../src/shard/shard_wiring.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ShardStart>) => void;
  postMessage(message: "ready"): void;
  close(): void;
};

scope.onmessage = (event) => {
  // Requests wait in the inbox while the shard takes back what is on disk.
  scope.postMessage("ready");
  new Shard(event.data).run();
  scope.close();
};
