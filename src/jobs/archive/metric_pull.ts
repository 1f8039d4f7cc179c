/**
 * Turns a reading that calls for each metric into one that is asked for the next: the
 * reading stands still in between. Worker threads.
 */
import type { NamedMetric } from "../data/job_data.ts";

type Take = (metric: NamedMetric) => Promise<void>;

/** What the reading ends with when nobody wants the rest. */
const CLOSED = Symbol("closed");

export class MetricPull {
  readonly #read: (take: Take) => Promise<void>;
  /** Whoever waits for a metric. */
  #asked: PromiseWithResolvers<NamedMetric | undefined> | undefined;
  /** Resolves when the next one is wanted. */
  #goOn: PromiseWithResolvers<void> | undefined;
  #state: "new" | "reading" | "over" = "new";

  /** `read` is called with the first `next`. */
  constructor(read: (take: Take) => Promise<void>) {
    this.#read = read;
  }

  /**
   * The next metric; `undefined`: that was the last. One at a time. Rejects with what
   * the reading failed with.
   */
  next(): Promise<NamedMetric | undefined> {
    if (this.#state === "over") return Promise.resolve(undefined);
    const asked = this.#asked = Promise.withResolvers();
    if (this.#state === "new") this.#start();
    else this.#goOn?.resolve();
    return asked.promise;
  }

  /** Ends the reading; who waits gets `undefined`. */
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
