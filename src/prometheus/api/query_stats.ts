/** Counts of questions by their outcome, for the server's own metrics (prometheus-api 10). Main thread. */

/** Counts of one endpoint; all only grow. */
export interface EndpointCounts {
  /** Questions by `success` or the type of the error. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly queueSec: number;
  readonly evaluatorSec: number;
  readonly samplesRead: number;
}

interface Counts {
  readonly outcomes: Map<string, number>;
  queueSec: number;
  evaluatorSec: number;
  samplesRead: number;
}

export class QueryStats {
  readonly #byEndpoint = new Map<string, Counts>();

  /** `endpoint` is one of few names, never what a client made up. */
  countOutcome(endpoint: string, outcome: string): void {
    const { outcomes } = this.#of(endpoint);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  countWait(endpoint: string, seconds: number): void {
    this.#of(endpoint).queueSec += seconds;
  }

  countWork(endpoint: string, seconds: number, samplesRead: number): void {
    const counts = this.#of(endpoint);
    counts.evaluatorSec += seconds;
    counts.samplesRead += samplesRead;
  }

  get byEndpoint(): ReadonlyMap<string, EndpointCounts> {
    return this.#byEndpoint;
  }

  #of(endpoint: string): Counts {
    let counts = this.#byEndpoint.get(endpoint);
    if (counts === undefined) {
      counts = {
        outcomes: new Map(),
        queueSec: 0,
        evaluatorSec: 0,
        samplesRead: 0,
      };
      this.#byEndpoint.set(endpoint, counts);
    }
    return counts;
  }
}
