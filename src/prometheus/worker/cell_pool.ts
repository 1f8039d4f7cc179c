/**
 * The cells that all queries of an evaluator hold together, 9 bytes each. A query that
 * is alone is bounded by its own limit; beside others it is refused where the sum
 * would be too large, and may be asked again. Evaluator thread only.
 */
import { ClientError } from "../../base/errors.ts";

/** The share of one query. */
export interface HeldCells {
  /** Adds cells, or gives them back (below 0). Throws `E_OVERLOAD` where there is no room. */
  add(cells: number): void;
  /** Gives back what is left. */
  close(): void;
}

export class CellPool {
  readonly #max: number;
  #used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Cells that are held now. */
  get used(): number {
    return this.#used;
  }

  /** Opens the share of a query; `close` it when the query has ended. */
  open(): HeldCells {
    let own = 0;
    const add = (cells: number) => {
      own += cells;
      this.#used += cells;
    };
    return {
      add: (cells) => {
        const others = this.#used - own;
        if (cells > 0 && others > 0 && this.#used + cells > this.#max) {
          throw new ClientError(
            "E_OVERLOAD",
            `the queries under way hold ${this.#used} samples, at most ${this.#max} fit beside one another`,
            { retryAfterSec: 1 },
          );
        }
        add(cells);
      },
      close: () => add(-own),
    };
  }
}
