/**
 * Tells which rows of a table changed since a generation. The main thread takes only
 * these: with ten thousand rows it would stand still while it takes all of them.
 * Database worker.
 */

/** The changes from generation `since` to `generation`. */
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
  /** Stamps of the rows in the last generation, by name. */
  #told = new Map<string, string | number>();
  #generation = 0;

  /** `stampOf` returns a value that changes whenever the row changes. */
  constructor(
    nameOf: (row: Row) => string,
    stampOf: (row: Row) => string | number,
  ) {
    this.#nameOf = nameOf;
    this.#stampOf = stampOf;
  }

  /**
   * Begins a new generation with `rows`, all rows of the table. Returns the changes after
   * the caller's generation `since`; all rows if that is 0 or not the last one.
   */
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
