/**
 * Reading one series over a range, as metric-store 4.1 has it. Owner
 * thread only; never writes to the table.
 *
 * Cost: a step back per run between now and `from`, then one copy per slot.
 */
import { decodeBlock } from "./block_codec.ts";
import { decodeThousandths, GAP, toThousandths } from "./block_thousandths.ts";
import {
  FREQUENCY,
  HEAD,
  LANES,
  LENGTH,
  NEXT_SLOT,
  PAGE_MASK,
  PAGE_SHIFT,
  phaseOf,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_NEXT,
  RUN_PAGES,
  RUN_PREV,
} from "./layout.ts";
import { RunWalk } from "./run_walk.ts";
import { isThawed, thawedAt } from "./sealed_pages.ts";
import { hotIndex, type SeriesTable } from "./series_table.ts";

const WALK = new RunWalk();

/** Where a read over [from, to) begins once `from` is raised to the first sample. */
export interface ReadStart {
  /** Time of the first point, seconds. */
  fromSec: number;
  /** Run to begin in; 0: the series holds nothing visible. */
  run: number;
}

/**
 * Raises `fromSec` to the nominal time of the oldest slot that readers may see:
 * the first sample, or the first slot at or after `horizonSec` (-Infinity: no
 * horizon). The result is written into `out`.
 */
export function findStart(
  table: SeriesTable,
  series: number,
  fromSec: number,
  horizonSec: number,
  out: ReadStart,
): void {
  const at = series << RECORD_SHIFT;
  const frequency = table.words[at + FREQUENCY]!;
  const half = phaseOf(frequency);
  let run = table.words[at + HEAD]!;
  const low = Math.max(fromSec, horizonSec);
  let nominal = 0;
  while (run !== 0) {
    const runAt = run << RECORD_SHIFT;
    nominal = table.runStart(run) + half +
      table.runWords[runAt + RUN_FIRST]! * frequency;
    if (low >= nominal) break;
    const previous = table.runWords[runAt + RUN_PREV]!;
    if (previous === 0) {
      out.fromSec = nominal;
      out.run = run;
      return;
    }
    run = previous;
  }
  out.run = run;
  out.fromSec = fromSec;
  if (run === 0 || horizonSec <= fromSec) return;
  // Only the horizon hides something: begin on the grid, at a slot that exists.
  const first = table.runWords[(run << RECORD_SHIFT) + RUN_FIRST]!;
  const slot = first + Math.ceil((horizonSec - nominal) / frequency);
  if (slot < table.runLength(series, run)) {
    out.fromSec = nominal + (slot - first) * frequency;
    return;
  }
  const next = table.runWords[(run << RECORD_SHIFT) + RUN_NEXT]!;
  if (next === 0) {
    out.run = 0;
    return;
  }
  out.run = next;
  out.fromSec = table.runStart(next) + half +
    table.runWords[(next << RECORD_SHIFT) + RUN_FIRST]! * frequency;
}

/**
 * Copies the points at `fromSec`, `fromSec + f`, … before `toSec` into `out`,
 * beginning in `run` (both from `findStart`). Returns how many points there are;
 * never more than `out` holds, so that the caller bounds a read by its buffer.
 */
export function readPoints(
  table: SeriesTable,
  series: number,
  run: number,
  fromSec: number,
  toSec: number,
  out: Float64Array,
): number {
  const walk = WALK;
  walk.begin(table, series, run, fromSec, toSec, out.length);
  while (walk.next()) {
    if (walk.run === 0) out.fill(NaN, walk.at, walk.count);
    else copySlots(table, series, walk, out);
  }
  return walk.count;
}

/**
 * The same as integers: thousandths of the values, GAP where there is none.
 * Returns -1 where a value is no such integer; `out` is then void.
 */
export function readThousandths(
  table: SeriesTable,
  series: number,
  run: number,
  fromSec: number,
  toSec: number,
  out: Int32Array,
): number {
  const walk = WALK;
  walk.begin(table, series, run, fromSec, toSec, out.length);
  while (walk.next()) {
    if (walk.run === 0) out.fill(GAP, walk.at, walk.count);
    else if (!copyThousandths(table, series, walk, out)) return -1;
  }
  return walk.count;
}

/** Copies the slots of a stretch. */
function copySlots(
  table: SeriesTable,
  series: number,
  walk: RunWalk,
  out: Float64Array,
): void {
  const { run, end } = walk;
  let { slot, at } = walk;
  const hotPage = hotPageOf(table, series, run);
  const pages = (run << RECORD_SHIFT) + RUN_PAGES;
  while (slot < end) {
    const page = slot >> PAGE_SHIFT;
    const stop = Math.min(end, (page + 1) << PAGE_SHIFT);
    if (page === hotPage) {
      const hot = table.hot;
      for (let from = hotIndex(series, slot); slot < stop; slot++) {
        out[at++] = hot[from]!;
        from += LANES;
      }
      continue;
    }
    const block = table.runWords[pages + page]!;
    const count = stop - slot;
    const first = slot & PAGE_MASK;
    if (block === 0) out.fill(NaN, at, at + count);
    else if (isThawed(block)) {
      const from = thawedAt(block) + first;
      out.set(table.pages.thawed.subarray(from, from + count), at);
    } else {
      const { pool } = table.pages;
      const end = first + count;
      decodeBlock(pool.view(block), pool.offset(block), first, end, out, at);
    }
    at += count;
    slot = stop;
  }
}

/** The same as thousandths; `false`: a value is none. */
function copyThousandths(
  table: SeriesTable,
  series: number,
  walk: RunWalk,
  out: Int32Array,
): boolean {
  const { run, end } = walk;
  let { slot, at } = walk;
  const hotPage = hotPageOf(table, series, run);
  const pages = (run << RECORD_SHIFT) + RUN_PAGES;
  while (slot < end) {
    const page = slot >> PAGE_SHIFT;
    const stop = Math.min(end, (page + 1) << PAGE_SHIFT);
    const block = table.runWords[pages + page]!;
    const count = stop - slot;
    const first = slot & PAGE_MASK;
    if (page === hotPage) {
      const from = hotIndex(series, slot);
      if (!toThousandths(table.hot, from, LANES, count, out, at)) return false;
    } else if (block === 0) out.fill(GAP, at, at + count);
    else if (isThawed(block)) {
      const { thawed } = table.pages;
      const from = thawedAt(block) + first;
      if (!toThousandths(thawed, from, 1, count, out, at)) return false;
    } else {
      const { pool } = table.pages;
      const view = pool.view(block);
      const from = pool.offset(block);
      const end = first + count;
      if (!decodeThousandths(view, from, first, end, out, at)) return false;
    }
    at += count;
    slot = stop;
  }
  return true;
}

/** Number of the run's page that lies in the hot tile; -1: all are sealed. */
export function hotPageOf(
  table: SeriesTable,
  series: number,
  run: number,
): number {
  const at = series << RECORD_SHIFT;
  return run === table.words[at + HEAD]
    ? (table.words[at + LENGTH]! - 1) >> PAGE_SHIFT
    : -1;
}

/**
 * Returns an upper bound of the points of `readPoints`, for a range that `findStart`
 * began.
 */
export function pointsBound(
  table: SeriesTable,
  series: number,
  fromSec: number,
  toSec: number,
): number {
  const at = series << RECORD_SHIFT;
  const frequency = table.words[at + FREQUENCY]!;
  const endSec = table.floats[(at >> 1) + NEXT_SLOT]!;
  const span = Math.min(toSec, endSec + frequency) - fromSec;
  return span <= 0 ? 0 : Math.ceil(span / frequency);
}
