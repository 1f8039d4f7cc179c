/**
 * The worker threads of the shards: started, watched, ended. Main thread only.
 */
import type { ShardStart, Wiring } from "../transport/shard_wiring.ts";

/** How long a worker that was told to close may take before it is ended. */
const CLOSE_MS = 2000;

export class ShardWorkers {
  readonly #workers: Worker[] = [];
  readonly #wiring: Wiring;
  readonly #onLost: (shard: number, reason: string) => void;

  /** `onLost` is called when a worker dies; without it the process would end. */
  constructor(
    wiring: Wiring,
    onLost: (shard: number, reason: string) => void,
  ) {
    this.#wiring = wiring;
    this.#onLost = onLost;
  }

  /** Starts all shards and resolves when each has taken its wiring. */
  async start(): Promise<void> {
    await Promise.all(
      this.#wiring.toShard.map((_, shard) => this.#startOne(shard)),
    );
  }

  #startOne(shard: number): Promise<void> {
    const worker = new Worker(
      new URL("../../../workers/shard.ts", import.meta.url),
      { type: "module", name: `shard ${shard}` },
    );
    this.#workers.push(worker);
    const start: ShardStart = { shard, wiring: this.#wiring };
    return new Promise((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`shard ${shard} did not start: ${event.message}`));
        this.#onLost(shard, event.message);
      };
      worker.postMessage(start);
    });
  }

  /** Ends the threads, once `closed` says that they have stopped or time is up. */
  async end(closed: Promise<unknown>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([closed, timeout]);
    clearTimeout(timer);
    for (const worker of this.#workers) worker.terminate();
  }
}
