/**
 * The way of a reader through the runs of a series (metric-store 4.1): the
 * points of a range, cut into stretches that lie in one run or in a gap. Owner
 * thread only.
 */
import {
  FREQUENCY,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_NEXT,
  RUN_SLOTS,
} from "./layout.ts";
import type { SeriesTable } from "./series_table.ts";

/** One object is reused: walking allocates nothing. */
export class RunWalk {
  /** Run of the stretch that `next` found; 0: its points have no value. */
  run = 0;
  /** First slot and the slot after the last; only where there is a run. */
  slot = 0;
  end = 0;
  /** Index of the first point, and of the point after the last. */
  at = 0;
  count = 0;
  #table: SeriesTable | undefined;
  #series = 0;
  #frequency = 0;
  #current = 0;
  #fromSec = 0;
  #toSec = 0;
  #wanted = 0;

  /**
   * Starts at the point `fromSec` in `run` (both from `findStart`), for the points
   * before `toSec`, at most `pointsMax` of them.
   */
  begin(
    table: SeriesTable,
    series: number,
    run: number,
    fromSec: number,
    toSec: number,
    pointsMax: number,
  ): void {
    this.#table = table;
    this.#series = series;
    this.#frequency = table.words[(series << RECORD_SHIFT) + FREQUENCY]!;
    this.#current = run;
    this.#fromSec = fromSec;
    this.#toSec = toSec;
    this.#wanted = run === 0 ? 0 : Math.min(
      Math.ceil((toSec - fromSec) / this.#frequency),
      pointsMax,
    );
    this.count = 0;
  }

  /** Goes on to the next stretch; `false`: there are no more points. */
  next(): boolean {
    const table = this.#table!;
    const frequency = this.#frequency;
    const wanted = this.#wanted;
    const at = this.at = this.count;
    while (at < wanted) {
      const run = this.#current;
      const runAt = run << RECORD_SHIFT;
      const start = table.runStart(run);
      const next = table.runWords[runAt + RUN_NEXT]!;
      const slot = Math.floor(
        (this.#fromSec + at * frequency - start) / frequency,
      );
      const capacity = next === 0 ? RUN_SLOTS : Math.min(
        RUN_SLOTS,
        Math.ceil((table.runStart(next) - start) / frequency),
      );
      if (slot >= capacity) {
        if (next === 0) return false;
        this.#current = next;
        continue;
      }
      const first = table.runWords[runAt + RUN_FIRST]!;
      const length = Math.min(table.runLength(this.#series, run), capacity);
      if (slot >= first && slot < length) {
        this.run = run;
        this.slot = slot;
        this.end = Math.min(length, slot + wanted - at);
        this.count = at + this.end - slot;
        return true;
      }
      // Behind the last sample: a gap if something newer follows in the range.
      if (
        slot >= length &&
        (next === 0 || this.#toSec <= visibleStart(table, next, frequency))
      ) return false;
      const points = (slot < first ? first : capacity) - slot;
      this.run = 0;
      this.count = Math.min(wanted, at + points);
      return true;
    }
    return false;
  }
}

/** Start of the first slot of a run that is in use. */
function visibleStart(
  table: SeriesTable,
  run: number,
  frequency: number,
): number {
  return table.runStart(run) +
    table.runWords[(run << RECORD_SHIFT) + RUN_FIRST]! * frequency;
}
