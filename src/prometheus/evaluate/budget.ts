/**
 * What one query may hold and how long it may work without a break. Cells held are
 * those of columns and of samples that are decoded at once; what is only read is
 * counted, not bounded. Any thread.
 */
import { QueryError } from "./query_error.ts";

export interface QueryLimits {
  /** Cells held at once. */
  readonly maxSamples: number;
  /** Series that one selector may deliver. */
  readonly maxSeries: number;
}

/** What the caller does with a query that is under way. */
export interface QueryControl {
  /** Ends the query: the next slice throws its reason if that is a `QueryError`, else `canceled`. */
  readonly signal?: AbortSignal;
  /** Whether the time is over, asked once a slice: then `timeout` is thrown. */
  readonly isTimeOver?: () => boolean;
  /**
   * Told of cells before they are held, and when they are given back (below 0). An error
   * that it throws ends the query.
   */
  readonly onHold?: (cells: number) => void;
  /** Called between slices; the query goes on when the promise is fulfilled. */
  readonly betweenSlices?: () => Promise<void> | void;
}

/** What was used, for `stats`. */
export interface QueryUsage {
  /** Samples read from the source. */
  readonly samplesRead: number;
  /** Most cells held at a time. */
  readonly peakSamples: number;
}

/** Cells between two breaks: some milliseconds of the slower operators. */
export const SLICE_CELLS = 100_000;

/** What handling a label set costs, in cells: texts are put together and compared. */
export const LABEL_CELLS = 32;

export class Budget {
  readonly #limits: QueryLimits;
  readonly #control: QueryControl;
  #held = 0;
  #peak = 0;
  #read = 0;
  #sinceBreak = 0;

  constructor(limits: QueryLimits, control: QueryControl) {
    this.#limits = limits;
    this.#control = control;
  }

  get usage(): QueryUsage {
    return { samplesRead: this.#read, peakSamples: this.#peak };
  }

  /** Throws where that is more than the query may hold. */
  hold(cells: number): void {
    this.#held += cells;
    if (this.#held > this.#limits.maxSamples) {
      throw new QueryError(
        "execution",
        "query processing would load too many samples into memory in query execution",
      );
    }
    this.#control.onHold?.(cells);
    if (this.#held > this.#peak) this.#peak = this.#held;
  }

  /** Throws where the query could never hold that many, before anything of them is made. */
  checkFits(cells: number): void {
    this.hold(cells);
    this.release(cells);
  }

  release(cells: number): void {
    this.#held -= cells;
    this.#control.onHold?.(-cells);
  }

  countRead(samples: number): void {
    this.#read += samples;
  }

  /** Throws where a selector delivers more series than it may. */
  checkSeries(count: number): void {
    if (count <= this.#limits.maxSeries) return;
    throw new QueryError(
      "execution",
      `a selector matches more than ${this.#limits.maxSeries} series`,
    );
  }

  /** Counts work; `true`: it is time for {@linkcode pause}. */
  isDue(cells: number): boolean {
    this.#sinceBreak += cells;
    return this.#sinceBreak >= SLICE_CELLS;
  }

  /** Ends a slice. Throws where the query was cancelled or its time is over. */
  async pause(): Promise<void> {
    this.#sinceBreak = 0;
    this.check();
    await this.#control.betweenSlices?.();
    this.check();
  }

  check(): void {
    const { signal, isTimeOver } = this.#control;
    if (signal?.aborted) throw reasonOf(signal);
    if (isTimeOver?.()) throw timedOut();
  }
}

/** Why a query ends before its time. */
export function reasonOf({ reason }: AbortSignal): QueryError {
  if (reason instanceof QueryError) return reason;
  return new QueryError(
    "canceled",
    "query was canceled in expression evaluation",
  );
}

/** The time of a query is over. */
export function timedOut(): QueryError {
  return new QueryError("timeout", "query timed out in expression evaluation");
}
