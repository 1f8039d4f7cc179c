/**
 * The ways to encode one column: each plan fills in a head, a code per slot and
 * the window of codes to pack, and says how many bytes that takes. Nothing is
 * written here. Plans are reused, nothing is allocated per block.
 */
import { CODED, type Column, EMPTY } from "./_block_column.ts";
import {
  BLOCK_SLOTS_MAX,
  BlockHead,
  DELTA,
  DICTIONARY,
  DICTIONARY_MAX,
  foldSign,
  lowWidth,
  PACKED,
  signedBytes,
  slotsBytes,
  varintBytes,
  WORDS,
} from "./_block_head.ts";
import { sortCodes, SORTED } from "./_block_sort.ts";
import {
  chooseGaps,
  chooseWindow,
  patchListBytes,
  Window,
  type WindowTask,
} from "./_block_window.ts";

export class Plan {
  readonly head = new BlockHead();
  readonly window = new Window();
  /**
   * A code for each slot, before the window's low end is taken off; NaN: none.
   * A value whose code lies outside the window, or that has none, is patched.
   */
  readonly codes = new Float64Array(BLOCK_SLOTS_MAX);
  /** Size of the block; Infinity: the plan does not work. */
  bytes = Infinity;
}

/** Float64 values of a dictionary plan. */
export const ENTRIES = new Float64Array(DICTIONARY_MAX);

/** Scheme, scale and width. */
const HEAD_BYTES = 3;
/** The base of a WORDS block. */
const WORD_BYTES = 4;

const TASK: WindowTask = {
  slots: 0,
  empty: 0,
  exceptions: 0,
  extraBits: 0,
  wholePatches: false,
  canEscape: true,
};

/** PACKED or DELTA, of a column whose scale was found. */
export function planScaled(column: Column, plan: Plan): void {
  const { slots, states, integers, present, coded } = column;
  const { least, most } = column;
  const { head, codes, window } = plan;
  head.scheme = PACKED;
  head.slots = slots;
  head.scale = column.scale;
  TASK.slots = slots;
  TASK.empty = slots - present;
  TASK.exceptions = present - coded;
  TASK.extraBits = 0;
  TASK.wholePatches = false;
  TASK.canEscape = true;
  const step = commonStep(column);
  head.step = step;
  for (let i = 0; i < slots; i++) {
    codes[i] = states[i] === CODED ? integers[i]! - least : NaN;
  }
  if (step > 1) { for (let i = 0; i < slots; i++) codes[i]! /= step; }
  sortCodes(codes, slots, (most - least) / step);
  chooseWindow(SORTED, coded, TASK, window);
  head.base = least + window.low * step;
  if (coded > 2) planDelta(column, plan);
  plan.bytes = HEAD_BYTES + slotsBytes(slots) + signedBytes(head.base) +
    (step === 1 ? 0 : varintBytes(step)) + window.bytes;
}

/** Turns the plan to differences if that is smaller. */
function planDelta(column: Column, plan: Plan): void {
  const { slots, states } = column;
  const { head, codes, window } = plan;
  let before = NaN;
  let first = 0;
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < slots; i++) {
    if (states[i] !== CODED) continue;
    const code = codes[i]!;
    const delta = code - before;
    if (delta < least) least = delta;
    if (delta > most) most = delta;
    if (before !== before) first = code;
    before = code;
  }
  // A slot kept aside must not move the sum: it is empty here.
  TASK.empty += TASK.exceptions;
  const listed = patchListBytes(slots, TASK.exceptions, 8);
  const placed = chooseGaps(TASK, most - least, column.coded);
  const bytes = listed + placed.bytes + varintBytes(foldSign(least));
  if (bytes >= window.bytes) return;
  head.base += (first - window.low) * head.step;
  head.scheme = DELTA;
  head.deltaBase = least;
  window.low = 0;
  window.high = most - least;
  window.gaps = placed.gaps;
  window.width = placed.width;
  window.patches = TASK.exceptions;
  window.patchBytes = 8;
  window.bytes = bytes;
  before = first - least;
  for (let i = 0; i < slots; i++) {
    if (states[i] !== CODED) continue;
    const code = codes[i]!;
    codes[i] = code - before - least;
    before = code;
  }
}

/** The greatest step from the least integer that meets every other. */
function commonStep(column: Column): number {
  const { slots, states, integers, least } = column;
  let step = 0;
  if (column.most - least < 2 ** 31) {
    // Remainders of small integers are ten times as fast as those of floats.
    for (let i = 0; i < slots && step !== 1; i++) {
      if (states[i] !== CODED) continue;
      let a = step | 0;
      let b = (integers[i]! - least) | 0;
      while (b !== 0) {
        const rest = (a % b) | 0;
        a = b;
        b = rest;
      }
      step = a;
    }
  } else {
    for (let i = 0; i < slots && step !== 1; i++) {
      if (states[i] !== CODED) continue;
      let b = integers[i]! - least;
      while (b !== 0) {
        const rest = step % b;
        step = b;
        b = rest;
      }
    }
  }
  return Math.max(1, step);
}

/** DICTIONARY, if it takes less than `bytesMax`. */
export function planDictionary(
  column: Column,
  plan: Plan,
  bytesMax: number,
): void {
  const { slots, states, values, from, present } = column;
  const { head, codes, window } = plan;
  plan.bytes = Infinity;
  const entriesMax = Math.min(
    DICTIONARY_MAX,
    slots >> 1,
    Math.floor((bytesMax - HEAD_BYTES) / 8),
  );
  let entries = 0;
  for (let i = 0; i < slots; i++) {
    codes[i] = NaN;
    if (states[i] === EMPTY) continue;
    const value = values[from + i]!;
    let entry = 0;
    while (entry < entries && !Object.is(ENTRIES[entry], value)) entry++;
    if (entry === entries) {
      if (entries >= entriesMax) return;
      ENTRIES[entries++] = value;
    }
    codes[i] = entry;
  }
  TASK.slots = slots;
  TASK.empty = slots - present;
  TASK.exceptions = 0;
  TASK.extraBits = 0;
  TASK.canEscape = true;
  const placed = chooseGaps(TASK, entries - 1, present);
  head.scheme = DICTIONARY;
  head.slots = slots;
  head.entries = entries;
  window.low = 0;
  window.high = entries - 1;
  window.gaps = placed.gaps;
  window.width = placed.width;
  window.patches = 0;
  window.bytes = entries * 8 + placed.bytes;
  plan.bytes = HEAD_BYTES + slotsBytes(slots) + window.bytes;
}

/**
 * WORDS: zero bits at the low end of all values are cut off, high words packed
 * within a window. Forgets which values the scale could not express.
 */
export function planWords(column: Column, plan: Plan): void {
  const { slots, states, words, from, present } = column;
  const { head, codes, window } = plan;
  column.codeAll();
  let low = 0;
  let high = 0;
  for (let i = 0; i < slots; i++) {
    if (states[i] === EMPTY) continue;
    low |= words[(from + i) * 2]!;
    high |= words[(from + i) * 2 + 1]!;
  }
  head.scheme = WORDS;
  head.slots = slots;
  head.scale = low !== 0 ? zerosBelow(low) : 32 + zerosBelow(high);
  const shift = Math.max(0, head.scale - 32);
  let most = 0;
  for (let i = 0; i < slots; i++) {
    codes[i] = NaN;
    if (states[i] === EMPTY) continue;
    const code = words[(from + i) * 2 + 1]! >>> shift;
    codes[i] = code;
    if (code > most) most = code;
  }
  TASK.slots = slots;
  TASK.empty = slots - present;
  TASK.exceptions = 0;
  TASK.extraBits = lowWidth(head);
  TASK.wholePatches = true;
  TASK.canEscape = false;
  sortCodes(codes, slots, most);
  chooseWindow(SORTED, present, TASK, window);
  head.base = window.low;
  plan.bytes = HEAD_BYTES + slotsBytes(slots) + WORD_BYTES + window.bytes;
}

/** Zero bits below the lowest that is set; 31 for 0, which no caller cares about. */
function zerosBelow(word: number): number {
  return word === 0 ? 31 : 31 - Math.clz32(word & -word);
}
