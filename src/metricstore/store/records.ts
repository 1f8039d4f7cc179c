/**
 * Fields of series and run records by name, for code outside of loops over samples:
 * kernels read the words themselves. layout.ts has the layout. Reads only; the thread
 * that owns the table.
 */
import {
  FREQUENCY,
  HEAD,
  LEVEL,
  METRIC,
  NEXT_SLOT,
  OLDEST,
  OWNER,
  phaseOf,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_NEXT,
  RUN_PREV,
} from "./layout.ts";
import type { SeriesTable } from "./series_table.ts";

/** Seconds per slot of a series. */
export function frequencyOf(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + FREQUENCY]!;
}

/** Id of a series' metric. */
export function metricOf(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + METRIC]!;
}

/** Id of the level that a series belongs to. */
export function levelOf(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + LEVEL]!;
}

/** Owner of a series' memory, below OWNERS_MAX. */
export function ownerOf(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + OWNER]!;
}

/** Newest run of a series; 0 if it has none. */
export function headRun(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + HEAD]!;
}

/** Oldest run of a series; 0 if it has none. */
export function oldestRun(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + OLDEST]!;
}

/** Start of the slot after the newest of a series, seconds. */
export function newestEndSec(table: SeriesTable, series: number): number {
  return table.floats[((series << RECORD_SHIFT) >> 1) + NEXT_SLOT]!;
}

/** The next newer run; 0 if there is none. */
export function nextRun(table: SeriesTable, run: number): number {
  return table.runWords[(run << RECORD_SHIFT) + RUN_NEXT]!;
}

/** The next older run; 0 if there is none. */
export function previousRun(table: SeriesTable, run: number): number {
  return table.runWords[(run << RECORD_SHIFT) + RUN_PREV]!;
}

/** First slot in use of a run. */
export function firstSlot(table: SeriesTable, run: number): number {
  return table.runWords[(run << RECORD_SHIFT) + RUN_FIRST]!;
}

/** Nominal time of a slot of a series' run, seconds. */
export function nominalSec(
  table: SeriesTable,
  series: number,
  run: number,
  slot: number,
): number {
  const frequency = frequencyOf(table, series);
  return table.runStart(run) + phaseOf(frequency) + slot * frequency;
}
