/**
 * Keeps the last few objects of a kind in memory. V8 throws the optimised code of a
 * function away once no object of a shape that it was compiled for is left, as after a
 * collection between two bursts of requests: then the next twenty thousand requests
 * are compiled anew and cost twice as much.
 */
const KEPT = 4;

export class LastFew<Kept extends object> {
  readonly #kept: Kept[] = [];
  #next = 0;

  /** Keeps this one in the place of the oldest. It should hold little memory itself. */
  keep(object: Kept): void {
    this.#kept[this.#next] = object;
    this.#next = (this.#next + 1) % KEPT;
  }
}
