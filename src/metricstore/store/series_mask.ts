/**
 * Hides the points of a series that were measured outside of given times. Whether a
 * point is shown depends on its slot alone, never on where a reader begins. Owner
 * thread only; never writes to the table.
 */
import { FREQUENCY, phaseOf, RECORD_SHIFT } from "./layout.ts";
import { RunWalk } from "./run_walk.ts";
import type { SeriesTable } from "./series_table.ts";

/** Begin and end of each time, in seconds, one after the other; an end is not in it. */
export type Times = readonly number[];

const WALK = new RunWalk();

/**
 * Makes NaN of those of `count` points that `readPoints` has read into `values` from
 * `run` and `fromSec` on, and whose slot has its nominal time outside of `times`.
 * Returns how many points there are up to the end of the last time.
 */
export function maskPoints(
  table: SeriesTable,
  series: number,
  run: number,
  fromSec: number,
  toSec: number,
  times: Times,
  values: Float64Array,
  count: number,
): number {
  const walk = WALK;
  const frequency = table.words[(series << RECORD_SHIFT) + FREQUENCY]!;
  const half = phaseOf(frequency);
  const endSec = times[times.length - 1] ?? -Infinity;
  let kept = 0;
  let time = 0;
  walk.begin(table, series, run, fromSec, toSec, count);
  while (walk.next()) {
    if (walk.run === 0) continue;
    let nominal = table.runStart(walk.run) + half + walk.slot * frequency;
    for (let at = walk.at; at < walk.count; at++, nominal += frequency) {
      while (time < times.length && nominal >= times[time + 1]!) time += 2;
      if (time >= times.length || nominal < times[time]!) values[at] = NaN;
      if (nominal < endSec) kept = at + 1;
    }
  }
  return kept;
}
