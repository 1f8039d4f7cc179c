/**
 * Tells questions that come one after the other from those that come together: only
 * where a question is alone may the main thread wait for its answer on the spot.
 * Main thread only.
 */
import { setImmediate } from "node:timers";
import { monotonicMs } from "../../base/clock.ts";

/** So long after two came together it is assumed that others wait again. */
const TOGETHER_MS = 100;

export class LoneQuestions {
  readonly #nowMs: () => number;
  readonly #atTurnEnd: (work: () => void) => void;
  #ofTurn = 0;
  #togetherMs = -Infinity;

  /** `atTurnEnd` calls back when the sockets that are ready have been served. */
  constructor(
    nowMs: () => number = monotonicMs,
    atTurnEnd: (work: () => void) => void = setImmediate,
  ) {
    this.#nowMs = nowMs;
    this.#atTurnEnd = atTurnEnd;
  }

  /** Counts a question; whether no other one came with it, nor two together of late. */
  isAlone(): boolean {
    const nowMs = this.#nowMs();
    if (this.#ofTurn++ > 0) {
      this.#togetherMs = nowMs;
      return false;
    }
    this.#atTurnEnd(() => {
      this.#ofTurn = 0;
    });
    return nowMs - this.#togetherMs >= TOGETHER_MS;
  }
}
