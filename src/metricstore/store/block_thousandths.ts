/**
 * Values of up to three decimals as int32 thousandths, straight out of a block:
 * without a division, which is most of the time of a decode, ready to be added
 * and printed. Most series of a cluster are such decimals throughout; for others
 * there are float64. Owner thread of the block.
 */
import {
  NARROW_MAX,
  rank,
  spreadIntegers,
  unpackIntegers,
} from "./_block_bits.ts";
import {
  BLOCK_SLOTS_MAX,
  BlockHead,
  GAPS_BITMAP,
  GAPS_CODE,
  PACKED,
  readHead,
  readPlainHead,
  readSigned,
} from "./_block_head.ts";
import { decodeBlock } from "./block_codec.ts";

/** Stands for a slot without a value. */
export const GAP = -(2 ** 31);
/** Greatest magnitude of an integer. */
export const THOUSANDTHS_MAX = 2 ** 31 - 1;
const DECIMALS = 3;
/** Thousandths in a unit of that many decimals. */
export const UNITS = Int32Array.of(1000, 100, 10, 1);

const HEAD = new BlockHead();
const VALUES = new Float64Array(BLOCK_SLOTS_MAX);
/** Codes that a bitmap spreads, after what the slots get that have none. */
const PRESENT = new Int32Array(1 + BLOCK_SLOTS_MAX);
PRESENT[0] = GAP;

/**
 * Decodes the slots [first, end) of the block at `at` into `out` from `outAt`. Returns
 * false if a value has no such integer; the written values are then void.
 */
export function decodeThousandths(
  view: DataView,
  at: number,
  first: number,
  end: number,
  out: Int32Array,
  outAt: number,
): boolean {
  const head = HEAD;
  if (!readPlainHead(view, at, head)) readHead(view, at, head);
  if (
    head.scheme === PACKED && head.width <= NARROW_MAX &&
    head.scale <= DECIMALS
  ) {
    const unit = UNITS[head.scale]!;
    const factor = head.step * unit;
    const base = head.base * unit;
    if (Math.abs(base) + (1 << head.width) * factor <= THOUSANDTHS_MAX) {
      unpackSlots(view, head, base, factor, first, end, out, outAt);
      return head.patches === 0 ||
        applyPatches(view, head, base, factor, first, end, out, outAt);
    }
  }
  decodeBlock(view, at, first, end, VALUES, 0);
  return toThousandths(VALUES, 0, 1, end - first, out, outAt);
}

/** Slots that have a code; the others become gaps. */
function unpackSlots(
  view: DataView,
  head: BlockHead,
  base: number,
  factor: number,
  first: number,
  end: number,
  out: Int32Array,
  outAt: number,
): void {
  const { bitmapAt, codesAt, gaps, width } = head;
  if (gaps === GAPS_BITMAP) {
    const from = rank(view, bitmapAt, first);
    const to = rank(view, bitmapAt, end);
    unpackIntegers(view, codesAt, width, base, factor, from, to, PRESENT, 1);
    spreadIntegers(PRESENT, view, bitmapAt, first, end, out, outAt);
  } else if (gaps === GAPS_CODE) {
    unpackIntegers(view, codesAt, width, 0, 1, first, end, out, outAt);
    scaleCodes(base - factor, factor, out, outAt, outAt + end - first);
  } else if (width === 0) out.fill(base, outAt, outAt + end - first);
  else {
    unpackIntegers(view, codesAt, width, base, factor, first, end, out, outAt);
  }
}

/** Codes to thousandths, code 0 to a gap. */
function scaleCodes(
  low: number,
  factor: number,
  codes: Int32Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const code = codes[i]!;
    codes[i] = code === 0 ? GAP : low + Math.imul(code, factor);
  }
}

/** Values that have no code. `false`: one has no integer. */
function applyPatches(
  view: DataView,
  head: BlockHead,
  base: number,
  factor: number,
  first: number,
  end: number,
  out: Int32Array,
  outAt: number,
): boolean {
  const { patches, patchBytes, positionsAt, positionBytes } = head;
  let valueAt = head.patchValuesAt;
  for (let i = 0; i < patches; i++, valueAt += patchBytes) {
    const slot = positionBytes === 2
      ? view.getUint16(positionsAt + i * 2, true)
      : view.getUint8(positionsAt + i);
    if (slot < first) continue;
    if (slot >= end) return true;
    const to = outAt + slot - first;
    if (patchBytes === 8) {
      VALUES[0] = view.getFloat64(valueAt, true);
      if (!toThousandths(VALUES, 0, 1, 1, out, to)) return false;
      continue;
    }
    const integer = base + readSigned(view, valueAt, patchBytes) * factor;
    if (Math.abs(integer) > THOUSANDTHS_MAX) return false;
    out[to] = integer;
  }
  return true;
}

/**
 * Writes the integers of `count` values, `stride` apart from index `from` on, into
 * `out` from `outAt`. Returns false if a value has none; the written values are then
 * void.
 */
export function toThousandths(
  values: Float64Array,
  from: number,
  stride: number,
  count: number,
  out: Int32Array,
  outAt: number,
): boolean {
  for (let i = 0; i < count; i++) {
    const value = values[from + i * stride]!;
    if (value !== value) {
      out[outAt + i] = GAP;
      continue;
    }
    const scaled = value * 1000;
    if (!(Math.abs(scaled) < THOUSANDTHS_MAX)) return false;
    const integer = Math.round(scaled) | 0;
    // The quotient is correctly rounded: equality means that the decimal is exact.
    if (integer / 1000 !== value) return false;
    // -0 would lose its sign.
    if (integer === 0 && 1 / value < 0) return false;
    out[outAt + i] = integer;
  }
  return true;
}
