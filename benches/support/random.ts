/** Random numbers that are the same in every run, so that runs compare. */

/** xorshift32: fast, and good enough for the digits of made-up values. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed | 0) || 1;
  }

  /** An integer in [0, limit), `limit` well below 2^31. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 1) % limit;
  }
}
