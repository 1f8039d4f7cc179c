/**
 * An evaluator: takes questions of the main thread, asks the shards, answers. Its
 * questions take turns between slices of some milliseconds. Evaluator thread only.
 */
import { assert } from "../../base/assert.ts";
import type { MetricTable } from "../../metricstore/engine/metric_engine.ts";
import type { QueryAnswer } from "../../metricstore/engine/query_jobs.ts";
import type { Wiring } from "../../metricstore/transport/shard_wiring.ts";
import type {
  FromEvaluator,
  ToEvaluator,
} from "../../metricstore/transport/evaluator_messages.ts";
import { answerJob } from "./answer_job.ts";
import { CellPool } from "./cell_pool.ts";
import { ShardClient } from "./shard_client.ts";
import { usualLookbackMs } from "./shard_source.ts";

/** Samples count for five minutes where nothing else is known of their series. */
const LOOKBACK_MS_MIN = 5 * 60_000;
/** Cells that queries hold beside one another: 900 MB. */
const CELLS_MAX = 100_000_000;

/** What an evaluator is told when it starts. */
export interface EvaluatorStart {
  readonly evaluator: number;
  readonly wiring: Wiring;
}

export type Post = (message: FromEvaluator, transfer: ArrayBuffer[]) => void;

export class Evaluator {
  readonly #client: ShardClient;
  #usualLookbackMs: number;
  readonly #post: Post;
  readonly #pool = new CellPool(CELLS_MAX);
  readonly #jobs = new Map<number, AbortController>();

  constructor({ evaluator, wiring }: EvaluatorStart, post: Post) {
    const own = wiring.evaluators[evaluator];
    assert(own !== undefined, `there is no evaluator ${evaluator}`);
    this.#client = new ShardClient(own, wiring.shardBells);
    this.#usualLookbackMs = longestLookbackMs(wiring.options.metrics);
    this.#post = post;
  }

  /** Works for as long as the thread lives. */
  listen(): Promise<void> {
    return this.#client.listen();
  }

  take(message: ToEvaluator): void {
    switch (message.kind) {
      case "cancel":
        this.#jobs.get(message.id)?.abort();
        break;
      case "metrics":
        this.#usualLookbackMs = Math.max(
          this.#usualLookbackMs,
          longestLookbackMs(message.added),
        );
        break;
      case "job":
        void this.#answer(message);
    }
  }

  async #answer(
    { id, instance, view, job }: Extract<ToEvaluator, { kind: "job" }>,
  ): Promise<void> {
    const controller = new AbortController();
    this.#jobs.set(id, controller);
    try {
      const answer = await answerJob({
        client: this.#client,
        visible: view === undefined ? { instance } : { instance, view },
        job,
        signal: controller.signal,
        usualLookbackMs: this.#usualLookbackMs,
        pool: this.#pool,
      });
      this.#post({ kind: "answer", id, answer }, buffersOf(answer));
    } catch (error) {
      const message = error instanceof Error
        ? error.stack ?? error.message
        : String(error);
      this.#post({ kind: "fault", id, message }, []);
    } finally {
      this.#jobs.delete(id);
    }
  }
}

function buffersOf({ chunks }: QueryAnswer): ArrayBuffer[] {
  return chunks.map(({ buffer }) => buffer);
}

function longestLookbackMs({ defaults, clusters }: MetricTable): number {
  let longest = LOOKBACK_MS_MIN;
  for (const metrics of [defaults, ...Object.values(clusters)]) {
    for (const { frequencySec } of Object.values(metrics)) {
      longest = Math.max(longest, usualLookbackMs(frequencySec));
    }
  }
  return longest;
}
