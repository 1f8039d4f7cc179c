/**
 * Reading one series over a range, as section 4.1 of the contract has it. Owner
 * thread only; never writes to the table.
 *
 * Cost: a step back per run between now and `from`, then one copy per slot.
 */
import { assert } from "../assert.ts";
import { decodeBlock } from "./block_codec.ts";
import {
  FREQUENCY,
  HEAD,
  LANE_SHIFT,
  NEXT_SLOT,
  PAGE_MASK,
  PAGE_SHIFT,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_NEXT,
  RUN_PAGES,
  RUN_PREV,
  RUN_SLOTS,
} from "./layout.ts";
import { hotIndex, type SeriesTable } from "./series_table.ts";

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
  const half = Math.floor(frequency / 2);
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
  if (run === 0) return 0;
  const frequency = table.words[(series << RECORD_SHIFT) + FREQUENCY]!;
  const head = table.words[(series << RECORD_SHIFT) + HEAD]!;
  const wanted = Math.min(
    Math.ceil((toSec - fromSec) / frequency),
    out.length,
  );
  let count = 0;
  while (count < wanted) {
    const runAt = run << RECORD_SHIFT;
    const start = table.runStart(run);
    const next = table.runWords[runAt + RUN_NEXT]!;
    const slot = Math.floor((fromSec + count * frequency - start) / frequency);
    const capacity = next === 0 ? RUN_SLOTS : Math.min(
      RUN_SLOTS,
      Math.ceil((table.runStart(next) - start) / frequency),
    );
    if (slot >= capacity) {
      if (next === 0) break;
      run = next;
      continue;
    }
    const first = table.runWords[runAt + RUN_FIRST]!;
    const length = Math.min(table.runLength(series, run), capacity);
    if (slot < first) {
      const end = Math.min(wanted, count + first - slot);
      out.fill(NaN, count, end);
      count = end;
    } else if (slot < length) {
      const end = Math.min(length, slot + wanted - count);
      copySlots(table, series, run, run === head, slot, end, out, count);
      count += end - slot;
    } else {
      // Behind the last sample of this run: a gap if something newer follows in the range.
      if (next === 0 || toSec <= visibleStart(table, next, frequency)) break;
      const end = Math.min(wanted, count + capacity - slot);
      out.fill(NaN, count, end);
      count = end;
    }
  }
  return count;
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

/** Copies slots [slot, end) of one run, all below its length, to `out[at…]`. */
function copySlots(
  table: SeriesTable,
  series: number,
  run: number,
  isHead: boolean,
  slot: number,
  end: number,
  out: Float64Array,
  at: number,
): void {
  assert(slot < end, "nothing to copy");
  const hotPage = isHead
    ? (table.runLength(series, run) - 1) >> PAGE_SHIFT
    : -1;
  const pages = (run << RECORD_SHIFT) + RUN_PAGES;
  while (slot < end) {
    const pageNumber = slot >> PAGE_SHIFT;
    const stop = Math.min(end, (pageNumber + 1) << PAGE_SHIFT);
    if (pageNumber === hotPage) {
      const hot = table.hot;
      const base = hotIndex(series, 0);
      for (; slot < stop; slot++) {
        out[at++] = hot[base + ((slot & PAGE_MASK) << LANE_SHIFT)]!;
      }
      continue;
    }
    const page = table.runWords[pages + pageNumber]!;
    if (page === 0) {
      out.fill(NaN, at, at + stop - slot);
      at += stop - slot;
      slot = stop;
      continue;
    }
    const first = slot & PAGE_MASK;
    const count = stop - slot;
    const { pool } = table.pages;
    decodeBlock(
      pool.view(page),
      pool.offset(page),
      first,
      first + count,
      out,
      at,
    );
    at += count;
    slot = stop;
  }
}

/** An upper bound of what `readPoints` returns for a range that `findStart` began. */
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
