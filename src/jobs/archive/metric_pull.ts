/**
 * Turns a reading that calls for each metric into one that is asked for the next: the
 * reading stands still in between. Worker threads.
 */
import type { NamedMetric } from "../data/job_data.ts";

type Take = (metric: NamedMetric) => Promise<void>;

/** The error that ends a reading when the rest is not wanted. */
const CLOSED = Symbol("closed");

export class MetricPull {
  readonly #read: (take: Take) => Promise<void>;
  /** The call of `next` that waits for a metric. */
  #asked: PromiseWithResolvers<NamedMetric | undefined> | undefined;
  /** Resolves when the next one is wanted. */
  #goOn: PromiseWithResolvers<void> | undefined;
  #state: "new" | "reading" | "over" = "new";

  /** `read` is called with the first `next`. */
  constructor(read: (take: Take) => Promise<void>) {
    this.#read = read;
  }

  /**
   * Returns the next metric, `undefined` behind the last. One call at a time. Rejects
   * with the error of the reading.
   */
  next(): Promise<NamedMetric | undefined> {
    if (this.#state === "over") return Promise.resolve(undefined);
    const asked = this.#asked = Promise.withResolvers();
    if (this.#state === "new") this.#start();
    else this.#goOn?.resolve();
    return asked.promise;
  }

  /** Ends the reading; a waiting `next` gets `undefined`. */
  close(): void {
    this.#state = "over";
    this.#asked?.resolve(undefined);
    this.#goOn?.reject(CLOSED);
  }

  #start(): void {
    this.#state = "reading";
    this.#read((metric) => this.#give(metric)).then(
      () => this.#asked?.resolve(undefined),
      (error) => this.#asked?.reject(error),
    ).finally(() => this.#state = "over");
  }

  async #give(metric: NamedMetric): Promise<void> {
    if (this.#state === "over") throw CLOSED;
    const goOn = this.#goOn = Promise.withResolvers<void>();
    this.#asked?.resolve(metric);
    await goOn.promise;
  }
}
