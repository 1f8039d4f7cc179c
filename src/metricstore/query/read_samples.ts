/**
 * Samples of one series with their own times, empty slots left out. PromQL reads these;
 * `series_read.ts` gives a grid. A slot's sample has the nominal time of the slot.
 * Owner thread only; never writes to the table.
 */
import {
  LANES,
  PAGE_MASK,
  PAGE_SHIFT,
  phaseOf,
  RECORD_SHIFT,
  RUN_PAGES,
  RUN_SLOTS,
} from "../store/layout.ts";
import {
  firstSlot,
  frequencyOf,
  headRun,
  nextRun,
  oldestRun,
  previousRun,
} from "../store/records.ts";
import { PAGE } from "../store/sealed_pages.ts";
import { hotPageOf } from "../store/series_read.ts";
import { hotIndex, type SeriesTable } from "../store/series_table.ts";

/** Where samples go; `count` grows. */
export interface SampleSink {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  count: number;
}

/**
 * Appends the samples with a time in (`afterSec`, `untilSec`], oldest first, until
 * there are no more or the sink is full. Returns whether it stopped because the sink
 * was full; then the call is repeated with the time of the last sample as `afterSec`.
 */
export function readSamples(
  table: SeriesTable,
  series: number,
  afterSec: number,
  untilSec: number,
  sink: SampleSink,
): boolean {
  const frequency = frequencyOf(table, series);
  const half = phaseOf(frequency);
  let run = firstRun(table, series, afterSec - half);
  while (run !== 0) {
    const next = nextRun(table, run);
    const firstSec = table.runStart(run) + half;
    if (firstSec > untilSec) return false;
    // A later run may begin within the slots of this one, and hides them then.
    const capacity = next === 0 ? RUN_SLOTS : Math.min(
      RUN_SLOTS,
      Math.ceil((table.runStart(next) - table.runStart(run)) / frequency),
    );
    const from = Math.max(
      firstSlot(table, run),
      Math.floor((afterSec - firstSec) / frequency) + 1,
      0,
    );
    const end = Math.min(
      table.runLength(series, run),
      capacity,
      Math.floor((untilSec - firstSec) / frequency) + 1,
    );
    if (copyRun(table, series, run, from, end, firstSec, frequency, sink)) {
      return true;
    }
    run = next;
  }
  return false;
}

/** Whether the series has a sample with a time in (`afterSec`, `untilSec`]. */
export function hasSample(
  table: SeriesTable,
  series: number,
  afterSec: number,
  untilSec: number,
): boolean {
  ONE.count = 0;
  readSamples(table, series, afterSec, untilSec, ONE);
  return ONE.count > 0;
}

const ONE: SampleSink = {
  timesMs: new Float64Array(1),
  values: new Float64Array(1),
  count: 0,
};

/** The run in which samples after a time may begin: the newest that starts before it, else the oldest. */
function firstRun(
  table: SeriesTable,
  series: number,
  beforeSec: number,
): number {
  let run = headRun(table, series);
  while (run !== 0 && run !== oldestRun(table, series)) {
    if (table.runStart(run) <= beforeSec) break;
    run = previousRun(table, run);
  }
  return run;
}

/** Slots [from, end) of a run; `true`: the sink was full before the end. */
function copyRun(
  table: SeriesTable,
  series: number,
  run: number,
  from: number,
  end: number,
  firstSec: number,
  frequency: number,
  sink: SampleSink,
): boolean {
  const { timesMs, values } = sink;
  const hotPage = hotPageOf(table, series, run);
  const pages = (run << RECORD_SHIFT) + RUN_PAGES;
  for (let slot = from; slot < end;) {
    const page = slot >> PAGE_SHIFT;
    const stop = Math.min(end, (page + 1) << PAGE_SHIFT);
    const isHot = page === hotPage;
    const source = isHot ? table.hot : PAGE;
    const stride = isHot ? LANES : 1;
    let at = isHot ? hotIndex(series, slot) : slot & PAGE_MASK;
    if (!isHot) table.pages.load(table.runWords[pages + page]!);
    for (; slot < stop; slot++, at += stride) {
      const value = source[at]!;
      if (value !== value) continue;
      if (sink.count === values.length) return true;
      timesMs[sink.count] = (firstSec + slot * frequency) * 1000;
      values[sink.count++] = value;
    }
  }
  return false;
}
