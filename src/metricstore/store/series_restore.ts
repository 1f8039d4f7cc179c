/**
 * Series out of memory and back into it, as a snapshot needs them: runs and their
 * blocks, without looking at the samples. Owner thread only.
 */
import {
  BLOCK_SLACK,
  blockBytes,
  blockBytesMax,
  decodeBlock,
  encodeBlock,
} from "./block_codec.ts";
import {
  FREQUENCY,
  HEAD,
  LENGTH,
  NEXT_SLOT,
  OLDEST,
  PAGE_MASK,
  PAGE_SHIFT,
  PAGE_SLOTS,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_LENGTH,
  RUN_NEXT,
  RUN_PAGES,
  RUN_PREV,
  RUN_START,
} from "./layout.ts";
import { isThawed, PAGE } from "./sealed_pages.ts";
import { hotIndex, type SeriesTable } from "./series_table.ts";

const BLOCK = new Uint8Array(blockBytesMax(PAGE_SLOTS) + BLOCK_SLACK);
const BLOCK_VIEW = new DataView(BLOCK.buffer);

/** The hot page of a series as a block, valid until the next call; `undefined`: no value in it. */
export function hotBlock(
  table: SeriesTable,
  series: number,
): Uint8Array | undefined {
  const length = table.words[(series << RECORD_SHIFT) + LENGTH]!;
  if (table.takeHot(series, length) === 0) return undefined;
  return BLOCK.subarray(0, encodeBlock(PAGE, 0, PAGE_SLOTS, BLOCK_VIEW));
}

/**
 * A page that the series has left, as a block that is valid until the next call;
 * `undefined`: no value in it.
 */
export function leftBlock(
  table: SeriesTable,
  page: number,
): Uint8Array | undefined {
  if (page === 0) return undefined;
  if (isThawed(page)) {
    table.pages.load(page);
    return BLOCK.subarray(0, encodeBlock(PAGE, 0, PAGE_SLOTS, BLOCK_VIEW));
  }
  const view = table.pages.pool.view(page);
  const at = table.pages.pool.offset(page);
  return new Uint8Array(
    view.buffer,
    view.byteOffset + at,
    blockBytes(view, at),
  );
}

/**
 * Makes a run behind the newest of a series that is being restored. Its pages
 * follow by `putBlock`, and `warmUp` ends the restoring. 0: no room.
 */
export function appendRun(
  table: SeriesTable,
  series: number,
  startSec: number,
  first: number,
  length: number,
): number {
  const run = table.allocateRun(series);
  if (run === 0) return 0;
  const at = series << RECORD_SHIFT;
  const runAt = run << RECORD_SHIFT;
  const head = table.words[at + HEAD]!;
  table.runFloats[(runAt >> 1) + RUN_START] = startSec;
  table.runWords[runAt + RUN_FIRST] = first;
  table.runWords[runAt + RUN_LENGTH] = length;
  table.runWords[runAt + RUN_PREV] = head;
  if (head === 0) table.words[at + OLDEST] = run;
  else table.runWords[(head << RECORD_SHIFT) + RUN_NEXT] = run;
  table.words[at + HEAD] = run;
  table.words[at + LENGTH] = length;
  table.floats[(at >> 1) + NEXT_SLOT] = startSec +
    length * table.words[at + FREQUENCY]!;
  return run;
}

/** Gives a run that is being restored its page. */
export function putBlock(
  table: SeriesTable,
  run: number,
  page: number,
  block: Uint8Array,
): void {
  table.pages.keep((run << RECORD_SHIFT) + RUN_PAGES + page, block);
}

/** Takes the newest page of a restored series back into its hot lane. */
export function warmUp(
  table: SeriesTable,
  series: number,
): void {
  const at = series << RECORD_SHIFT;
  const length = table.words[at + LENGTH]!;
  if (length === 0) return;
  const pageAt = (table.words[at + HEAD]! << RECORD_SHIFT) + RUN_PAGES +
    ((length - 1) >> PAGE_SHIFT);
  table.pages.load(table.runWords[pageAt]!);
  table.pages.drop(pageAt);
  fillLane(table, series, length);
}

/**
 * The same with the newest page as a block that was put nowhere; `undefined`: no value
 * is in it.
 */
export function warmUpWith(
  table: SeriesTable,
  series: number,
  block: Uint8Array | undefined,
): void {
  if (block === undefined) PAGE.fill(NaN);
  else {
    BLOCK.set(block);
    decodeBlock(BLOCK_VIEW, 0, 0, PAGE_SLOTS, PAGE, 0);
  }
  fillLane(table, series, table.words[(series << RECORD_SHIFT) + LENGTH]!);
}

/** Copies PAGE into the hot lane of a series, up to its newest slot. */
function fillLane(table: SeriesTable, series: number, length: number): void {
  const rows = ((length - 1) & PAGE_MASK) + 1;
  for (let row = 0; row < rows; row++) {
    table.hot[hotIndex(series, row)] = PAGE[row]!;
  }
}
