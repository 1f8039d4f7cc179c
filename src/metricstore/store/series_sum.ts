/**
 * Adding up series that lie on the same grid, page by page: the blocks of one
 * page were sealed one after the other, lie together in memory, and are added
 * as they come out of their bits, without being decoded first. Owner thread only.
 */
import { addIntegers } from "./_block_bits.ts";
import { BlockHead, GAPS_CODE, readPlainHead } from "./_block_head.ts";
import { decodeBlock } from "./block_codec.ts";
import {
  decodeThousandths,
  GAP,
  THOUSANDTHS_MAX,
  UNITS,
} from "./block_thousandths.ts";
import {
  LANES,
  LENGTH,
  PAGE_MASK,
  PAGE_SHIFT,
  PAGE_SLOTS,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_LENGTH,
  RUN_NEXT,
  RUN_PAGES,
} from "./layout.ts";
import { RunWalk } from "./run_walk.ts";
import { hotPageOf } from "./series_read.ts";
import { isThawed, thawedAt } from "./sealed_pages.ts";
import { hotIndex, type SeriesTable } from "./series_table.ts";

const WALK = new RunWalk();
/**
 * The sums of the points at `fromSec`, `fromSec + f`, … before `toSec` into `out`;
 * NaN where a member has no value. `runs[i]` is where member i begins (`findStart`
 * gives `fromSec` for all of them); it is used up. Returns the number of points,
 * or -1 where the members do not lie on the same grid. Members must be two or more.
 */
export function sumPoints(
  table: SeriesTable,
  members: readonly number[],
  runs: Int32Array,
  fromSec: number,
  toSec: number,
  out: Float64Array,
): number {
  const shortest = shortestOnGrid(table, members, runs);
  if (shortest < 0) return -1;
  const walk = WALK;
  walk.begin(
    table,
    members[shortest]!,
    runs[shortest]!,
    fromSec,
    toSec,
    out.length,
  );
  while (walk.next()) {
    if (walk.run === 0) {
      out.fill(NaN, walk.at, walk.count);
      continue;
    }
    while (runs[shortest] !== walk.run) stepRuns(table, runs, members.length);
    sumStretch(table, members, runs, walk, out);
  }
  return walk.count;
}

function stepRuns(table: SeriesTable, runs: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    runs[i] = table.runWords[(runs[i]! << RECORD_SHIFT) + RUN_NEXT]!;
  }
}

/**
 * Index of the member whose head run is the shortest, if all runs from `runs` on
 * begin and end alike but for the ends of the head runs; else -1.
 */
function shortestOnGrid(
  table: SeriesTable,
  members: readonly number[],
  runs: Int32Array,
): number {
  let shortest = 0;
  let length = lengthOf(table, members[0]!);
  for (let i = 1; i < members.length; i++) {
    if (!areAlike(table, runs[0]!, runs[i]!)) return -1;
    const own = lengthOf(table, members[i]!);
    if (own >= length) continue;
    length = own;
    shortest = i;
  }
  return shortest;
}

/** Slots of the head run. */
function lengthOf(table: SeriesTable, series: number): number {
  return table.words[(series << RECORD_SHIFT) + LENGTH]!;
}

/** Whether two chains of runs are the same grid, up to the ends of their last runs. */
function areAlike(table: SeriesTable, one: number, other: number): boolean {
  const words = table.runWords;
  let a = one;
  let b = other;
  while (a !== 0 && b !== 0) {
    const aAt = a << RECORD_SHIFT;
    const bAt = b << RECORD_SHIFT;
    if (
      table.runStart(a) !== table.runStart(b) ||
      words[aAt + RUN_FIRST] !== words[bAt + RUN_FIRST]
    ) return false;
    a = words[aAt + RUN_NEXT]!;
    b = words[bAt + RUN_NEXT]!;
    // The length of a head run is in the series' record.
    if (a !== 0 && words[aAt + RUN_LENGTH] !== words[bAt + RUN_LENGTH]) {
      return false;
    }
  }
  return a === b;
}

/** Adds up the slots of a stretch; each member's run is in `runs`. */
function sumStretch(
  table: SeriesTable,
  members: readonly number[],
  runs: Int32Array,
  walk: RunWalk,
  out: Float64Array,
): void {
  const { end } = walk;
  let { slot, at } = walk;
  while (slot < end) {
    const page = slot >> PAGE_SHIFT;
    const count = Math.min(end, (page + 1) << PAGE_SHIFT) - slot;
    SUM.clear(count);
    for (let i = 0; i < members.length; i++) {
      addPage(table, members[i]!, runs[i]!, page, slot, count);
    }
    SUM.take(count, out, at);
    at += count;
    slot += count;
  }
}

/** Adds one member's slots from `slot` on, all of one page. */
function addPage(
  table: SeriesTable,
  series: number,
  run: number,
  page: number,
  slot: number,
  count: number,
): void {
  if (page === hotPageOf(table, series, run)) {
    SUM.addFloats(table.hot, hotIndex(series, slot), LANES, count);
    return;
  }
  const block = table.runWords[(run << RECORD_SHIFT) + RUN_PAGES + page]!;
  if (block === 0) SUM.addFloats(NOTHING, 0, 1, count);
  else if (isThawed(block)) {
    const from = thawedAt(block) + (slot & PAGE_MASK);
    SUM.addFloats(table.pages.thawed, from, 1, count);
  } else {
    const { pool } = table.pages;
    const view = pool.view(block);
    SUM.addBlock(view, pool.offset(block), slot & PAGE_MASK, count);
  }
}

/**
 * Sums of one page: integers in thousandths with a base that all slots share, and
 * float64 for members that are no such integers.
 */
class PageSum {
  readonly #integers = new Int32Array(PAGE_SLOTS);
  /** Integers that came one by one, and NaN where a member has no value. */
  readonly #wide = new Float64Array(PAGE_SLOTS);
  readonly #decoded = new Int32Array(PAGE_SLOTS);
  readonly #floats = new Float64Array(PAGE_SLOTS);
  readonly #head = new BlockHead();
  readonly #values = new Float64Array(PAGE_SLOTS);
  /** In thousandths. */
  #base = 0;
  /** The amount by which an integer may still grow. */
  #room = 0;
  #hasWide = false;
  #hasFloats = false;

  clear(count: number): void {
    this.#integers.fill(0, 0, count);
    this.#base = 0;
    this.#room = THOUSANDTHS_MAX;
    this.#hasWide = false;
    this.#hasFloats = false;
  }

  /** Writes the sums to `out[at…]`. */
  take(count: number, out: Float64Array, at: number): void {
    const base = this.#base;
    const integers = this.#integers;
    if (this.#hasWide) {
      const wide = this.#wide;
      for (let i = 0; i < count; i++) {
        out[at + i] = (base + integers[i]! + wide[i]!) / 1000;
      }
    } else {
      for (let i = 0; i < count; i++) {
        out[at + i] = (base + integers[i]!) / 1000;
      }
    }
    if (!this.#hasFloats) return;
    const floats = this.#floats;
    for (let i = 0; i < count; i++) out[at + i]! += floats[i]!;
  }

  /** Fast path. Adds `count` slots of a block from slot `first` on. */
  addBlock(view: DataView, at: number, first: number, count: number): void {
    const head = this.#head;
    if (
      readPlainHead(view, at, head) && head.gaps !== GAPS_CODE &&
      head.scale < UNITS.length
    ) {
      const { codesAt, width } = head;
      const unit = UNITS[head.scale]!;
      const factor = head.step * unit;
      const most = (1 << width) * factor;
      if (most < this.#room) {
        this.#room -= most;
        this.#base += head.base * unit;
        if (width === 0) return;
        const end = first + count;
        addIntegers(view, codesAt, width, factor, first, end, this.#integers);
        return;
      }
    }
    if (decodeThousandths(view, at, first, first + count, this.#decoded, 0)) {
      this.#addDecoded(count);
      return;
    }
    decodeBlock(view, at, first, first + count, this.#values, 0);
    this.addFloats(this.#values, 0, 1, count);
  }

  #addDecoded(count: number): void {
    const wide = this.#wide;
    const decoded = this.#decoded;
    if (!this.#hasWide) wide.fill(0, 0, count);
    this.#hasWide = true;
    for (let i = 0; i < count; i++) {
      const integer = decoded[i]!;
      if (integer === GAP) wide[i] = NaN;
      else wide[i]! += integer;
    }
  }

  /** Adds `count` values, `stride` apart from index `from` on. */
  addFloats(
    values: Float64Array,
    from: number,
    stride: number,
    count: number,
  ): void {
    const floats = this.#floats;
    if (!this.#hasFloats) floats.fill(0, 0, count);
    this.#hasFloats = true;
    for (let i = 0; i < count; i++) floats[i]! += values[from + i * stride]!;
  }
}

const SUM = new PageSum();
const NOTHING = new Float64Array(PAGE_SLOTS).fill(NaN);
