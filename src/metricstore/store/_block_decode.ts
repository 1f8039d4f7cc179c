/**
 * Decoding a block whose head has been read: codes to values, gaps to NaN, and
 * patches over them. No allocation but for WORDS and RAW blocks, whose values
 * are put together as integers.
 */
import { assert } from "../../base/assert.ts";
import {
  NARROW_MAX,
  rank,
  spread,
  unpack,
  unpackScaled,
} from "./_block_bits.ts";
import {
  BLOCK_SLOTS_MAX,
  type BlockHead,
  DECIMALS_MAX,
  DELTA,
  DICTIONARY,
  GAPS_BITMAP,
  GAPS_CODE,
  lowWidth,
  PACKED,
  packedBytes,
  POWERS_OF_TEN,
  RAW,
  readSigned,
  RECIPROCALS,
  WORDS,
} from "./_block_head.ts";

const CODES = new Float64Array(BLOCK_SLOTS_MAX);
/** Codes that a bitmap spreads, after a NaN for the slots that have none. */
const PRESENT = new Float64Array(1 + BLOCK_SLOTS_MAX);
PRESENT[0] = NaN;

/** The slots [first, end) of the block into `out` from `outAt`. */
export function decode(
  view: DataView,
  head: BlockHead,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  if (isPlain(head)) {
    if (head.gaps === GAPS_BITMAP) {
      const before = rank(view, head.bitmapAt, first);
      const after = rank(view, head.bitmapAt, end);
      unpackPlain(view, head, before, after, PRESENT, 1);
      spread(PRESENT, view, head.bitmapAt, first, end, out, outAt);
    } else unpackPlain(view, head, first, end, out, outAt);
  } else decodeOther(view, head, first, end, out, outAt);
  if (head.patches > 0) applyPatches(view, head, first, end, out, outAt);
}

function unpackPlain(
  view: DataView,
  head: BlockHead,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  const divisor = POWERS_OF_TEN[head.scale]!;
  if (head.width === 0 && head.gaps !== GAPS_CODE) {
    out.fill(head.base / divisor, outAt, outAt + end - first);
    return;
  }
  unpackScaled(
    view,
    head.codesAt,
    head.width,
    escapeOf(head),
    head.base,
    head.step,
    divisor,
    first,
    end,
    out,
    outAt,
  );
}

/** Whether the hot loops can decode it: narrow decimals. */
function isPlain(head: BlockHead): boolean {
  return head.scheme === PACKED && head.width <= NARROW_MAX &&
    head.scale <= DECIMALS_MAX;
}

function escapeOf(head: BlockHead): number {
  return head.gaps === GAPS_CODE ? 1 : 0;
}

/** How many codes are packed. */
export function packedCodes(view: DataView, head: BlockHead): number {
  return head.gaps === GAPS_BITMAP
    ? rank(view, head.bitmapAt, head.slots)
    : head.slots;
}

function decodeOther(
  view: DataView,
  head: BlockHead,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  switch (head.scheme) {
    case PACKED:
      unpackCodes(view, head, head.codesAt, head.width, first, end, out, outAt);
      scaleCodes(head, out, outAt, end - first);
      return;
    case DELTA:
      // Sums begin with the block; codes before `first` are needed too.
      unpackCodes(view, head, head.codesAt, head.width, 0, end, CODES, 0);
      sumCodes(head, first, end, out, outAt);
      scaleCodes(head, out, outAt, end - first);
      return;
    case DICTIONARY:
      unpackCodes(view, head, head.codesAt, head.width, first, end, out, outAt);
      for (let i = outAt; i < outAt + end - first; i++) {
        const entry = out[i]!;
        if (entry === entry) {
          out[i] = view.getFloat64(head.entriesAt + entry * 8, true);
        }
      }
      return;
    case WORDS:
      decodeWords(view, head, first, end, out, outAt);
      return;
    case RAW: {
      const words = wordsOf(out, outAt, end - first);
      let from = head.codesAt + first * 8;
      for (let i = 0; i < words.length; i++) {
        words[i] = view.getInt32(from, true);
        from += 4;
      }
      return;
    }
  }
  assert(false, `block of unknown scheme ${head.scheme}`);
}

/** Codes of the slots [first, end), NaN where there is none. */
function unpackCodes(
  view: DataView,
  head: BlockHead,
  codesAt: number,
  width: number,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  if (head.gaps === GAPS_BITMAP) {
    const before = rank(view, head.bitmapAt, first);
    const after = rank(view, head.bitmapAt, end);
    unpack(view, codesAt, width, 0, before, after, PRESENT, 1);
    spread(PRESENT, view, head.bitmapAt, first, end, out, outAt);
  } else unpack(view, codesAt, width, escapeOf(head), first, end, out, outAt);
}

/** Codes to values, in place; NaN stays. */
function scaleCodes(
  head: BlockHead,
  out: Float64Array,
  at: number,
  count: number,
): void {
  const { base, step } = head;
  if (head.scale > DECIMALS_MAX) {
    for (let i = at; i < at + count; i++) {
      const code = out[i]!;
      // Index 0 holds NaN.
      out[i] = RECIPROCALS[code === code ? base + code * step : 0]!;
    }
    return;
  }
  const divisor = POWERS_OF_TEN[head.scale]!;
  for (let i = at; i < at + count; i++) {
    out[i] = (base + out[i]! * step) / divisor;
  }
}

/** Sums of the differences in CODES; a slot without one does not move the sum. */
function sumCodes(
  head: BlockHead,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  const { deltaBase } = head;
  let sum = -deltaBase;
  for (let i = 0; i < end; i++) {
    const code = CODES[i]!;
    if (code === code) {
      sum += deltaBase + code;
      if (i >= first) out[outAt + i - first] = sum;
    } else if (i >= first) out[outAt + i - first] = NaN;
  }
}

/**
 * Whole words are put together as integers: a NaN that is handled as a number
 * may lose its payload.
 */
function decodeWords(
  view: DataView,
  head: BlockHead,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  const width = lowWidth(head);
  const lowAt = head.codesAt +
    packedBytes(packedCodes(view, head), head.width);
  const highShift = Math.max(0, head.scale - 32);
  const words = wordsOf(out, outAt, end - first);
  unpackCodes(view, head, lowAt, width, first, end, CODES, 0);
  unpackCodes(view, head, head.codesAt, head.width, first, end, out, outAt);
  for (let i = 0; i < end - first; i++) {
    const high = out[outAt + i]!;
    if (high !== high) continue;
    words[i * 2] = CODES[i]! << head.scale;
    words[i * 2 + 1] = (head.base + high) << highShift;
  }
}

function wordsOf(out: Float64Array, at: number, count: number): Int32Array {
  return new Int32Array(out.buffer, out.byteOffset + at * 8, count * 2);
}

/** Values that have no code, over what the codes left in their slots. */
function applyPatches(
  view: DataView,
  head: BlockHead,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  const { patches, patchBytes, positionsAt, positionBytes } = head;
  const whole = patchBytes === 8;
  // Only WORDS blocks may hold a NaN, which a number would not carry safely.
  const words = head.scheme === WORDS
    ? wordsOf(out, outAt, end - first)
    : undefined;
  let valueAt = head.patchValuesAt;
  for (let i = 0; i < patches; i++, valueAt += patchBytes) {
    const slot = positionBytes === 2
      ? view.getUint16(positionsAt + i * 2, true)
      : view.getUint8(positionsAt + i);
    if (slot < first) continue;
    if (slot >= end) return;
    const to = slot - first;
    if (words !== undefined) {
      words[to * 2] = view.getInt32(valueAt, true);
      words[to * 2 + 1] = view.getInt32(valueAt + 4, true);
    } else if (whole) out[outAt + to] = view.getFloat64(valueAt, true);
    else out[outAt + to] = readSigned(view, valueAt, patchBytes);
    if (!whole) scaleCodes(head, out, outAt + to, 1);
  }
}
