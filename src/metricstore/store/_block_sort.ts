/**
 * Sorts the codes of a block. The engine's own sort stumbles over the branches
 * of unordered numbers; placing them by their leading twelve bits first, which
 * takes none, costs half as much for 64 codes.
 */
import { BLOCK_SLOTS_MAX } from "./_block_head.ts";

/** The codes, ascending. */
export const SORTED = new Float64Array(BLOCK_SLOTS_MAX);

const DIGIT_BITS = 6;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;
const RANK_MAX = DIGITS * DIGITS - 1;
/** Above, a block with far outliers would take the last step too long. */
const PLACED_MAX = 128;

const LOW_ENDS = new Int32Array(DIGITS);
const HIGH_ENDS = new Int32Array(DIGITS);
const RANKS = new Int32Array(PLACED_MAX);
const HALF_SORTED = new Float64Array(PLACED_MAX);
const HALF_RANKS = new Int32Array(PLACED_MAX);

/** Sorts codes[0..slots), each NaN (left out) or an integer up to `codeMax`, into SORTED. */
export function sortCodes(
  codes: Float64Array,
  slots: number,
  codeMax: number,
): void {
  let count = 0;
  for (let i = 0; i < slots; i++) {
    const code = codes[i]!;
    if (code === code) SORTED[count++] = code;
  }
  if (codeMax === 0) return;
  if (count > PLACED_MAX) {
    SORTED.subarray(0, count).sort();
    return;
  }
  place(count, RANK_MAX / codeMax);
  settle(count);
}

/** Orders SORTED by the first and second digit of each code's rank. */
function place(count: number, ranksPerCode: number): void {
  LOW_ENDS.fill(0);
  HIGH_ENDS.fill(0);
  for (let i = 0; i < count; i++) {
    const rank = (SORTED[i]! * ranksPerCode) | 0;
    RANKS[i] = rank;
    LOW_ENDS[rank & DIGIT_MASK]!++;
    HIGH_ENDS[rank >>> DIGIT_BITS]!++;
  }
  let low = 0;
  let high = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    low += LOW_ENDS[digit]!;
    high += HIGH_ENDS[digit]!;
    LOW_ENDS[digit] = low;
    HIGH_ENDS[digit] = high;
  }
  for (let i = count - 1; i >= 0; i--) {
    const rank = RANKS[i]!;
    const to = --LOW_ENDS[rank & DIGIT_MASK]!;
    HALF_SORTED[to] = SORTED[i]!;
    HALF_RANKS[to] = rank;
  }
  for (let i = count - 1; i >= 0; i--) {
    SORTED[--HIGH_ENDS[HALF_RANKS[i]! >>> DIGIT_BITS]!] = HALF_SORTED[i]!;
  }
}

/** Orders the codes of equal rank: insertion, as nearly all are in place. */
function settle(count: number): void {
  for (let i = 1; i < count; i++) {
    const code = SORTED[i]!;
    let to = i;
    while (to > 0 && SORTED[to - 1]! > code) {
      SORTED[to] = SORTED[to - 1]!;
      to--;
    }
    if (to !== i) SORTED[to] = code;
  }
}
