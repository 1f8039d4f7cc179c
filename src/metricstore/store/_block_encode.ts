/**
 * Encoding a block: tries the schemes that may pay for these values and writes
 * the smallest. Scratch arrays are reused: nothing is allocated per block.
 *
 * Cost: decimal readings, the normal case, take two divisions and a share of a
 * sort of 32-bit integers a value; the other schemes are only looked at when
 * they can win.
 */
import { assert } from "../../base/assert.ts";
import { pack } from "./_block_bits.ts";
import { Column, EMPTY, findScale } from "./_block_column.ts";
import {
  BLOCK_SLOTS_MAX,
  BlockHead,
  DICTIONARY,
  GAPS_BITMAP,
  GAPS_CODE,
  GAPS_NONE,
  lowWidth,
  PACKED,
  RAW,
  WORDS,
  writeHead,
  writePatchHead,
  writeSigned,
} from "./_block_head.ts";
import {
  ENTRIES,
  Plan,
  planDictionary,
  planScaled,
  planWords,
} from "./_block_plan.ts";

const COLUMN = new Column();
const SCALED = new Plan();
const LISTED = new Plan();
const WHOLE = new Plan();
const PLAIN_HEAD = new BlockHead();

/** Codes in the order they are packed. */
const CODES = new Float64Array(BLOCK_SLOTS_MAX);

/** Below this no dictionary is smaller: two entries and a head. */
const DICTIONARY_FROM_BYTES = 24;
/** Bits a value must take on average before whole words may be smaller. */
const WORDS_FROM_BITS = 24;

/** See `encodeBlock`. */
export function encode(
  values: Float64Array,
  from: number,
  slots: number,
  out: DataView,
): number {
  const column = COLUMN;
  column.load(values, from, slots);
  if (column.present === 0) return writeEmpty(slots, out);
  let best: Plan | undefined;
  let bytes = 1 + slots * 8;
  if (column.oddNans === 0) {
    if (findScale(column) && column.coded > 0) {
      planScaled(column, SCALED);
      if (SCALED.bytes < bytes) {
        best = SCALED;
        bytes = SCALED.bytes;
      }
    }
    if (bytes > DICTIONARY_FROM_BYTES) {
      planDictionary(column, LISTED, bytes);
      if (LISTED.bytes < bytes) {
        best = LISTED;
        bytes = LISTED.bytes;
      }
    }
  }
  if (bytes * 8 > slots * WORDS_FROM_BITS) {
    planWords(column, WHOLE);
    if (WHOLE.bytes < bytes) best = WHOLE;
  }
  if (best === undefined) return writeRaw(column, out);
  const written = writePlan(column, best, out);
  assert(written === best.bytes, "a block is not as long as planned");
  return written;
}

/** No values at all: the code that is an empty slot, in zero bits. */
function writeEmpty(slots: number, out: DataView): number {
  PLAIN_HEAD.scheme = PACKED;
  PLAIN_HEAD.slots = slots;
  PLAIN_HEAD.gaps = GAPS_CODE;
  return writeHead(out, PLAIN_HEAD);
}

function writeRaw(column: Column, out: DataView): number {
  PLAIN_HEAD.scheme = RAW;
  PLAIN_HEAD.slots = column.slots;
  PLAIN_HEAD.gaps = GAPS_NONE;
  let next = writeHead(out, PLAIN_HEAD);
  for (let i = 0; i < column.slots; i++) {
    copyValue(column, i, out, next);
    next += 8;
  }
  return next;
}

/** The bits of a value: passing a NaN on as a number might change them. */
function copyValue(
  column: Column,
  slot: number,
  out: DataView,
  at: number,
): void {
  const word = (column.from + slot) * 2;
  out.setInt32(at, column.words[word]!, true);
  out.setInt32(at + 4, column.words[word + 1]!, true);
}

function writePlan(column: Column, plan: Plan, out: DataView): number {
  const { head, window } = plan;
  head.gaps = window.gaps;
  head.width = window.width;
  head.patches = window.patches;
  head.patchBytes = window.patchBytes;
  let next = writeHead(out, head);
  if (head.scheme === DICTIONARY) {
    for (let i = 0; i < head.entries; i++) {
      out.setFloat64(next, ENTRIES[i]!, true);
      next += 8;
    }
  }
  if (head.gaps === GAPS_BITMAP) {
    next = writeBitmap(head.slots, plan, out, next);
  }
  if (head.patches > 0) next = writePatches(column, plan, out, next);
  const count = gatherCodes(plan);
  next = pack(CODES, count, head.width, out, next);
  if (head.scheme !== WORDS || lowWidth(head) === 0) return next;
  const lows = gatherLowWords(column, plan);
  return pack(CODES, lows, lowWidth(head), out, next);
}

function writeBitmap(
  slots: number,
  plan: Plan,
  out: DataView,
  at: number,
): number {
  const { low, high } = plan.window;
  const { codes } = plan;
  let next = at;
  for (let i = 0; i < slots; i += 8) {
    let byte = 0;
    const end = Math.min(8, slots - i);
    for (let bit = 0; bit < end; bit++) {
      const code = codes[i + bit]!;
      if (code >= low && code <= high) byte |= 1 << bit;
    }
    out.setUint8(next++, byte);
  }
  return next;
}

function writePatches(
  column: Column,
  plan: Plan,
  out: DataView,
  at: number,
): number {
  const { head, codes } = plan;
  const { low, high } = plan.window;
  const { slots, states } = column;
  writePatchHead(out, at, head);
  head.positionsAt = at + 1;
  const wide = head.positionBytes === 2;
  let position = head.positionsAt;
  let next = head.patchValuesAt;
  for (let i = 0; i < slots; i++) {
    const code = codes[i]!;
    if (states[i] === EMPTY || (code >= low && code <= high)) continue;
    if (wide) out.setUint16(position, i, true);
    else out.setUint8(position, i);
    position += head.positionBytes;
    if (head.patchBytes === 8) copyValue(column, i, out, next);
    else writeSigned(out, next, code - low, head.patchBytes);
    next += head.patchBytes;
  }
  return next;
}

/** The codes to pack into CODES. Returns how many. */
function gatherCodes(plan: Plan): number {
  const { codes } = plan;
  const { gaps, slots } = plan.head;
  const { low, high } = plan.window;
  if (gaps === GAPS_BITMAP) {
    let count = 0;
    for (let i = 0; i < slots; i++) {
      const code = codes[i]!;
      if (code >= low && code <= high) CODES[count++] = code - low;
    }
    return count;
  }
  const lift = gaps === GAPS_CODE ? 1 : 0;
  for (let i = 0; i < slots; i++) {
    const code = codes[i]!;
    CODES[i] = code >= low && code <= high ? code - low + lift : 0;
  }
  return slots;
}

/**
 * Gathers the low words of the codes that `gatherCodes` packs, less the bits that are always 0.
 */
function gatherLowWords(column: Column, plan: Plan): number {
  const { codes } = plan;
  const { gaps, slots, scale } = plan.head;
  const { low, high } = plan.window;
  let count = 0;
  for (let i = 0; i < slots; i++) {
    const code = codes[i]!;
    if (code >= low && code <= high) {
      CODES[count++] = column.words[(column.from + i) * 2]! >>> scale;
    } else if (gaps !== GAPS_BITMAP) CODES[count++] = 0;
  }
  return count;
}
