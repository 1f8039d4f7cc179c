/**
 * Long questions give turns to others. A question's cost is counted as it is spent, and
 * now and then waiting work is served before the question goes on. So no question holds
 * its shard for long. Owner thread only.
 */
import { monotonicMs } from "../../base/clock.ts";

/** Work after which the clock is looked at; a unit is about ten nanoseconds. */
const LOOK_WORK = 100_000;
/** A question that has held the shard for so long gives a turn. */
const HELD_MS = 10;

export class Turns {
  readonly #serve: () => void;
  #work = 0;
  #sinceMs = 0;

  /**
   * `serve` takes in waiting work. It must not free series or runs: the question under
   * way holds their numbers.
   */
  constructor(serve: () => void) {
    this.#serve = serve;
  }

  /** A question begins. */
  begin(): void {
    this.#work = 0;
    this.#sinceMs = monotonicMs();
  }

  /** So much work was done; others get a turn if it is due. */
  spend(work: number): void {
    this.#work += work;
    if (this.#work >= LOOK_WORK) this.#look();
  }

  #look(): void {
    this.#work = 0;
    if (monotonicMs() - this.#sinceMs < HELD_MS) return;
    this.#serve();
    this.#sinceMs = monotonicMs();
  }
}

/** For questions that give no turns. */
export const NO_TURNS = new Turns(() => {});
