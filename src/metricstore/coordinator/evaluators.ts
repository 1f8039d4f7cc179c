/**
 * The worker threads that evaluate queries: started, asked, ended. Main thread only.
 */
import { ClientError } from "../../base/errors.ts";
import type { Wiring } from "../transport/shard_wiring.ts";
import type {
  FromEvaluator,
  ToEvaluator,
} from "../transport/evaluator_messages.ts";
import type { AskedView } from "../transport/messages.ts";
import type { MetricTable } from "../engine/metric_engine.ts";
import type { QueryAnswer, QueryJob } from "../engine/query_jobs.ts";

/** The series that a question may see. */
export interface AskedScope {
  readonly instance: string;
  readonly view?: AskedView;
}

interface Waiting {
  readonly worker: number;
  resolve(answer: QueryAnswer): void;
  reject(reason: Error): void;
}

export class Evaluators {
  readonly #workers: Worker[] = [];
  readonly #busy: number[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #wiring: Wiring;
  readonly #onLost: (evaluator: number, reason: string) => void;
  #nextId = 1;

  /** `onLost` is called when a worker dies; without it the process would end. */
  constructor(
    wiring: Wiring,
    onLost: (evaluator: number, reason: string) => void,
  ) {
    this.#wiring = wiring;
    this.#onLost = onLost;
  }

  /** Starts all of them and resolves when they listen. */
  async start(): Promise<void> {
    await Promise.all(
      this.#wiring.evaluators.map((_, evaluator) => this.#startOne(evaluator)),
    );
  }

  #startOne(evaluator: number): Promise<void> {
    const worker = new Worker(
      new URL("../../../workers/evaluator.ts", import.meta.url),
      { type: "module", name: `evaluator ${evaluator}` },
    );
    this.#workers[evaluator] = worker;
    this.#busy[evaluator] = 0;
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<FromEvaluator>) => {
        if (data.kind === "ready") resolve();
        else this.#receive(data);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(
          new Error(`evaluator ${evaluator} did not start: ${event.message}`),
        );
        this.#onLost(evaluator, event.message);
      };
      worker.postMessage({ evaluator, wiring: this.#wiring });
    });
  }

  /** Asks the evaluator that has least to do. */
  ask(
    scope: AskedScope,
    job: QueryJob,
    signal: AbortSignal | undefined,
  ): Promise<QueryAnswer> {
    const worker = this.#busy.indexOf(Math.min(...this.#busy));
    if (worker < 0) {
      throw new ClientError("E_NOT_FOUND", "queries are not evaluated here");
    }
    const id = this.#nextId++;
    this.#busy[worker]!++;
    const cancel = () => this.#post(worker, { kind: "cancel", id });
    signal?.addEventListener("abort", cancel);
    const answer = new Promise<QueryAnswer>((resolve, reject) => {
      this.#waiting.set(id, { worker, resolve, reject });
      this.#post(worker, { kind: "job", id, ...scope, job });
      if (signal?.aborted) cancel();
    });
    return answer.finally(() => {
      this.#waiting.delete(id);
      this.#busy[worker]!--;
      signal?.removeEventListener("abort", cancel);
    });
  }

  /** Tells them of metrics that came since the start. */
  addMetrics(added: MetricTable): void {
    for (const worker of this.#workers.keys()) {
      this.#post(worker, { kind: "metrics", added });
    }
  }

  #post(worker: number, message: ToEvaluator): void {
    this.#workers[worker]!.postMessage(message);
  }

  #receive(message: Exclude<FromEvaluator, { kind: "ready" }>): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if (message.kind === "answer") waiting.resolve(message.answer);
    else waiting.reject(new Error(message.message));
  }

  /** Ends the workers; waiting questions and later ones are rejected. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
    const reason = new ClientError("E_SHARD_LOST", "the server is closing");
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
