/**
 * The slots of a block that is being encoded, and the search for the decimal
 * scale that makes integers of them (ALP, SIGMOD 2024): a value has e decimals
 * when round(v * 10^e) / 10^e is v, bit for bit. The division is rounded
 * correctly for |d| < 2^53 and e <= 22, so a decoder that divides gets v back.
 *
 * One column is reused for every block; no allocation per block.
 */
import {
  BLOCK_SLOTS_MAX,
  DECIMALS_MAX,
  PATCHES_MAX,
  POWERS_OF_TEN,
  RECIPROCAL,
  RECIPROCALS,
  SCALED_LIMIT,
} from "./_block_head.ts";

/** No value. */
export const EMPTY = 0;
/** A value with a code. */
export const CODED = 1;
/** A value that no code stands for. */
export const ASIDE = 2;

/** High word of the NaN that means "no value"; its low word is 0. */
const EMPTY_HIGH = 0x7ff80000;
const SAMPLES = 8;
/** From here on decimals are the digits of a ratio rather than of a reading. */
const RATIO_DECIMALS = 10;
/** Bytes a decimal adds to each code: log2(10) / 8. */
const DECIMAL_BYTES = 0.415;
/** Bytes of a value that is kept aside. */
const ASIDE_BYTES = 9;

export class Column {
  slots = 0;
  /** Slots that hold a value. */
  present = 0;
  /** Values that are NaN but not the NaN that means "no value". */
  oddNans = 0;
  /** Values with a code, after a scale is found. */
  coded = 0;
  scale = 0;
  /** The least and the greatest integer. */
  least = 0;
  most = 0;
  values: Float64Array = new Float64Array(0);
  /** The bits of `values`: low and high word by turns. */
  words: Int32Array = new Int32Array(0);
  /** Slot 0 in `values`. */
  from = 0;
  /** EMPTY, CODED or ASIDE a slot. */
  readonly states = new Uint8Array(BLOCK_SLOTS_MAX);
  /** Integers of the CODED slots. */
  readonly integers = new Float64Array(BLOCK_SLOTS_MAX);

  load(values: Float64Array, from: number, slots: number): void {
    if (this.values !== values) {
      this.values = values;
      this.words = new Int32Array(
        values.buffer,
        values.byteOffset,
        values.length * 2,
      );
    }
    this.from = from;
    this.slots = slots;
    this.present = slots;
    this.oddNans = 0;
    for (let i = 0; i < slots; i++) {
      const value = values[from + i]!;
      this.states[i] = CODED;
      if (value === value) continue;
      const at = (from + i) * 2;
      if (this.words[at] === 0 && this.words[at + 1] === EMPTY_HIGH) {
        this.states[i] = EMPTY;
        this.present--;
      } else this.oddNans++;
    }
    this.coded = this.present;
  }

  /** States as after `load`: every value coded. */
  codeAll(): void {
    for (let i = 0; i < this.slots; i++) {
      if (this.states[i] === ASIDE) this.states[i] = CODED;
    }
    this.coded = this.present;
  }
}

/**
 * Finds the scale at which the block is smallest and fills in the integers.
 * `false`: too few values are decimals.
 */
export function findScale(column: Column): boolean {
  const sampled = sampleDecimals(column);
  if (sampled < 0) return false;
  applyDecimals(column, sampled);
  if (column.coded < column.present) {
    const better = weighDecimals(column, sampled);
    if (better < 0) return false;
    if (better !== sampled) applyDecimals(column, better);
  }
  if (column.scale >= RATIO_DECIMALS && areReciprocals(column)) {
    applyReciprocal(column);
  }
  // With more decimals, large values may have left the range of the integers.
  return column.present - column.coded <= PATCHES_MAX;
}

/** Decimals of a value if there are at least `from`, -1: too many. */
function decimalsOf(value: number, from: number): number {
  for (let e = from; e <= DECIMALS_MAX; e++) {
    const power = POWERS_OF_TEN[e]!;
    const integer = Math.round(value * power);
    if (!(Math.abs(integer) < SCALED_LIMIT)) return -1;
    if (integer / power === value) return e;
  }
  return -1;
}

/**
 * Decimals that all but one of a few values make do with; one may be a stray.
 * -1: half of them are no decimals.
 */
function sampleDecimals(column: Column): number {
  const { slots, states, values, from } = column;
  const stride = Math.max(1, Math.floor(slots / SAMPLES));
  let most = 0;
  let second = 0;
  let seen = 0;
  let failed = 0;
  for (let i = 0; i < slots; i += stride) {
    if (states[i] === EMPTY) continue;
    seen++;
    const decimals = decimalsOf(values[from + i]!, 0);
    if (decimals < 0) failed++;
    else if (decimals >= most) {
      second = most;
      most = decimals;
    } else if (decimals > second) second = decimals;
  }
  if (failed * 2 > seen) return -1;
  return second;
}

function applyDecimals(column: Column, decimals: number): void {
  const { slots, states, values, from, integers } = column;
  const power = POWERS_OF_TEN[decimals]!;
  let coded = 0;
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < slots; i++) {
    if (states[i] === EMPTY) continue;
    const value = values[from + i]!;
    const integer = Math.round(value * power);
    // -0 equals 0, but a code would lose its sign.
    if (
      integer / power === value && Math.abs(integer) < SCALED_LIMIT &&
      (integer !== 0 || 1 / value > 0)
    ) {
      integers[i] = integer;
      states[i] = CODED;
      coded++;
      if (integer < least) least = integer;
      if (integer > most) most = integer;
    } else states[i] = ASIDE;
  }
  column.coded = coded;
  column.least = least;
  column.most = most;
  column.scale = decimals;
}

const NEEDS = new Uint16Array(DECIMALS_MAX + 1);

/**
 * Whether more decimals for all cost less than the values they would save from
 * being kept aside. -1: more must be kept aside than a block can.
 */
function weighDecimals(column: Column, decimals: number): number {
  const { slots, states, values, from, present } = column;
  NEEDS.fill(0);
  let stray = 0;
  let above = 0;
  for (let i = 0; i < slots; i++) {
    if (states[i] !== ASIDE) continue;
    const need = decimalsOf(values[from + i]!, decimals + 1);
    if (need < 0 || values[from + i] === 0) {
      if (++stray > PATCHES_MAX) return -1;
    } else {
      NEEDS[need]!++;
      above++;
    }
  }
  let best = -1;
  let bestBytes = Infinity;
  for (let e = decimals; e <= DECIMALS_MAX; e++) {
    if (e > decimals && NEEDS[e] === 0) continue;
    above -= NEEDS[e]!;
    const aside = above + stray;
    const bytes = aside * ASIDE_BYTES +
      (e - decimals) * present * DECIMAL_BYTES;
    if (aside > PATCHES_MAX || bytes >= bestBytes) continue;
    best = e;
    bestBytes = bytes;
  }
  return best;
}

/** The index of a value in RECIPROCALS, 0: it is not there. */
function reciprocalOf(value: number): number {
  const k = Math.round(100 / value);
  return k >= 1 && k < RECIPROCALS.length && RECIPROCALS[k] === value ? k : 0;
}

function areReciprocals(column: Column): boolean {
  const asideMax = Math.min(PATCHES_MAX, column.present >> 2);
  let aside = 0;
  for (let i = 0; i < column.slots; i++) {
    if (
      column.states[i] !== EMPTY &&
      reciprocalOf(column.values[column.from + i]!) === 0 &&
      ++aside > asideMax
    ) return false;
  }
  return true;
}

function applyReciprocal(column: Column): void {
  let coded = 0;
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < column.slots; i++) {
    if (column.states[i] === EMPTY) continue;
    const k = reciprocalOf(column.values[column.from + i]!);
    column.integers[i] = k;
    column.states[i] = k === 0 ? ASIDE : CODED;
    if (k === 0) continue;
    coded++;
    least = Math.min(least, k);
    most = Math.max(most, k);
  }
  column.coded = coded;
  column.least = least;
  column.most = most;
  column.scale = RECIPROCAL;
}
