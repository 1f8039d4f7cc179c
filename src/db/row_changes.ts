/**
 * Tells which rows of a table changed since they were told of last, so that a change
 * of one of ten thousand does not bring the others to the main thread again, which
 * stands still while it takes them. Database worker.
 */

/** `changed` and `gone` bring who has `since` to `generation`. */
export interface RowChanges<Row> {
  readonly generation: number;
  /** `changed` are all rows there are: forget the others. */
  readonly isWhole: boolean;
  readonly changed: readonly Row[];
  /** Names of rows that are not there any more. */
  readonly gone: readonly string[];
}

export class RowTracker<Row> {
  readonly #nameOf: (row: Row) => string;
  readonly #stampOf: (row: Row) => string | number;
  /** What was told of last, by name. */
  #told = new Map<string, string | number>();
  #generation = 0;

  /** `stampOf`: what is another where the row is. */
  constructor(
    nameOf: (row: Row) => string,
    stampOf: (row: Row) => string | number,
  ) {
    this.#nameOf = nameOf;
    this.#stampOf = stampOf;
  }

  /** `rows`: all there are; `since`: the generation the caller has, 0: none. */
  take(rows: readonly Row[], since: number): RowChanges<Row> {
    const before = this.#told;
    const isWhole = since === 0 || since !== this.#generation;
    this.#told = new Map(
      rows.map((row) => [this.#nameOf(row), this.#stampOf(row)]),
    );
    return {
      generation: ++this.#generation,
      isWhole,
      changed: isWhole
        ? rows
        : rows.filter((row) =>
          before.get(this.#nameOf(row)) !== this.#stampOf(row)
        ),
      gone: [...before.keys()].filter((name) => !this.#told.has(name)),
    };
  }
}

/** Rows with a name and a version, such as those of the admin API. */
export function versionTracker<
  Row extends { readonly name: string; readonly version: number },
>(): RowTracker<Row> {
  return new RowTracker<Row>(({ name }) => name, ({ version }) => version);
}
