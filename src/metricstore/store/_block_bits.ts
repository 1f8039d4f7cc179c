/**
 * Numbers of equal width, packed low bits first. The hot loops of the block
 * codec; no allocation, 32-bit arithmetic up to 25 bits, float64 above.
 *
 * Where a value may be NaN the loops branch: of `c ? NaN : x` V8 makes a heap
 * object per value, which doubles the time of a decode.
 *
 * Readers and writers move four bytes at a time, unaligned (a DataView does this
 * in one instruction; putting four bytes together costs half as much again), and
 * may touch BLOCK_SLACK bytes after the last code.
 */

/** Widest code that one unaligned load of 32 bits always contains. */
export const NARROW_MAX = 25;
/** Bits the writer adds at once: with up to 7 left over they fit 32. */
const PIECE = 24;
const PIECE_VALUES = 2 ** PIECE;

/** Bits that hold the integer 0 <= value < 2^53. */
export function bitsOf(value: number): number {
  return value < 2 ** 32
    ? 32 - Math.clz32(value)
    : 64 - Math.clz32(value / 2 ** 32);
}

/** Packs codes[0..count). Returns the offset after the last byte in use. */
export function pack(
  codes: Float64Array,
  count: number,
  width: number,
  view: DataView,
  at: number,
): number {
  let next = at;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < count; i++) {
    let code = codes[i]!;
    let left = width;
    while (left > PIECE) {
      const high = Math.floor(code / PIECE_VALUES);
      held |= (code - high * PIECE_VALUES) << heldBits;
      view.setInt32(next, held, true);
      next += 3;
      held >>>= PIECE;
      code = high;
      left -= PIECE;
    }
    held |= code << heldBits;
    heldBits += left;
    view.setInt32(next, held, true);
    next += heldBits >>> 3;
    held >>>= heldBits & 24;
    heldBits &= 7;
  }
  return heldBits === 0 ? next : next + 1;
}

/** The code of 26 to 53 bits that begins at a bit. */
function wideCode(view: DataView, at: number, bit: number, width: number) {
  const byte = at + (bit >>> 3);
  const shift = bit & 7;
  const low = (view.getInt32(byte, true) >>> shift) |
    (view.getUint8(byte + 4) << 1) << (31 - shift);
  if (width <= 32) {
    return width === 32 ? low >>> 0 : low & (2 ** width - 1);
  }
  const high = (view.getInt32(byte + 4, true) >>> shift) &
    ((1 << (width - 32)) - 1);
  return high * 2 ** 32 + (low >>> 0);
}

/**
 * Codes [first, end) as numbers. `escape` 1: code 0 becomes NaN and the others
 * are lowered by one; 0: codes as they are.
 */
export function unpack(
  view: DataView,
  at: number,
  width: number,
  escape: number,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  let bit = first * width;
  let to = outAt;
  if (width > NARROW_MAX) {
    for (let i = first; i < end; i++) {
      const code = wideCode(view, at, bit, width);
      if (code < escape) out[to] = NaN;
      else out[to] = code - escape;
      to++;
      bit += width;
    }
    return;
  }
  const mask = (1 << width) - 1;
  for (let i = first; i < end; i++) {
    const code = (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask;
    if (code < escape) out[to] = NaN;
    else out[to] = code - escape;
    to++;
    bit += width;
  }
}

/**
 * Spreads packed[1], packed[2], … over those of the slots [first, end) that a
 * bitmap names; the others get packed[0]. Without a branch: where slots are
 * missing cannot be predicted.
 */
export function spread(
  packed: Float64Array,
  view: DataView,
  bitmapAt: number,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  let next = 1;
  let to = outAt;
  for (let i = first; i < end; i++) {
    const present = view.getUint8(bitmapAt + (i >>> 3)) >>> (i & 7) & 1;
    out[to++] = packed[next & -present]!;
    next += present;
  }
}

/** The same for integers: another function, so that each keeps to one kind of array. */
export function spreadIntegers(
  packed: Int32Array,
  view: DataView,
  bitmapAt: number,
  first: number,
  end: number,
  out: Int32Array,
  outAt: number,
): void {
  let next = 1;
  let to = outAt;
  for (let i = first; i < end; i++) {
    const present = view.getUint8(bitmapAt + (i >>> 3)) >>> (i & 7) & 1;
    out[to++] = packed[next & -present]!;
    next += present;
  }
}

/**
 * Fast path, the form of most blocks: codes of up to 25 bits straight to
 * (base + code * step) / divisor. `escape` as in `unpack`.
 */
export function unpackScaled(
  view: DataView,
  at: number,
  width: number,
  escape: number,
  base: number,
  step: number,
  divisor: number,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  const mask = (1 << width) - 1;
  const low = base - escape * step;
  let bit = first * width;
  let to = outAt;
  for (let i = first; i < end; i++) {
    const code = (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask;
    if (code < escape) out[to] = NaN;
    else out[to] = (low + code * step) / divisor;
    to++;
    bit += width;
  }
}

/**
 * Fast path. `low + code * factor` for the codes [first, end) of up to 25 bits,
 * where all of it fits 32 bits. Eight codes are `width` bytes, so that in a group
 * of eight each has its own byte and shift, the same in every group.
 */
export function unpackIntegers(
  view: DataView,
  at: number,
  width: number,
  low: number,
  factor: number,
  first: number,
  end: number,
  out: Int32Array,
  outAt: number,
): void {
  const mask = (1 << width) - 1;
  const b1 = width;
  const b2 = 2 * width;
  const b3 = 3 * width;
  const b4 = 4 * width;
  const b5 = 5 * width;
  const b6 = 6 * width;
  const b7 = 7 * width;
  let i = first;
  let to = outAt;
  while (i < end) {
    if ((i & 7) !== 0 || i + 8 > end) {
      const bit = i++ * width;
      const code = (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask;
      out[to++] = low + Math.imul(code, factor);
      continue;
    }
    const from = at + (i >>> 3) * width;
    const c0 = view.getInt32(from, true) & mask;
    const c1 = (view.getInt32(from + (b1 >>> 3), true) >>> (b1 & 7)) & mask;
    const c2 = (view.getInt32(from + (b2 >>> 3), true) >>> (b2 & 7)) & mask;
    const c3 = (view.getInt32(from + (b3 >>> 3), true) >>> (b3 & 7)) & mask;
    const c4 = (view.getInt32(from + (b4 >>> 3), true) >>> (b4 & 7)) & mask;
    const c5 = (view.getInt32(from + (b5 >>> 3), true) >>> (b5 & 7)) & mask;
    const c6 = (view.getInt32(from + (b6 >>> 3), true) >>> (b6 & 7)) & mask;
    const c7 = (view.getInt32(from + (b7 >>> 3), true) >>> (b7 & 7)) & mask;
    out[to] = low + Math.imul(c0, factor);
    out[to + 1] = low + Math.imul(c1, factor);
    out[to + 2] = low + Math.imul(c2, factor);
    out[to + 3] = low + Math.imul(c3, factor);
    out[to + 4] = low + Math.imul(c4, factor);
    out[to + 5] = low + Math.imul(c5, factor);
    out[to + 6] = low + Math.imul(c6, factor);
    out[to + 7] = low + Math.imul(c7, factor);
    i += 8;
    to += 8;
  }
}

/** Like `unpackIntegers`, but adds to the values in `sums`. */
export function addIntegers(
  view: DataView,
  at: number,
  width: number,
  factor: number,
  first: number,
  end: number,
  sums: Int32Array,
): void {
  const mask = (1 << width) - 1;
  const b1 = width;
  const b2 = 2 * width;
  const b3 = 3 * width;
  const b4 = 4 * width;
  const b5 = 5 * width;
  const b6 = 6 * width;
  const b7 = 7 * width;
  let i = first;
  let to = 0;
  while (i < end) {
    if ((i & 7) !== 0 || i + 8 > end) {
      const bit = i++ * width;
      const code = (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask;
      sums[to++]! += Math.imul(code, factor);
      continue;
    }
    const from = at + (i >>> 3) * width;
    const c0 = view.getInt32(from, true) & mask;
    const c1 = (view.getInt32(from + (b1 >>> 3), true) >>> (b1 & 7)) & mask;
    const c2 = (view.getInt32(from + (b2 >>> 3), true) >>> (b2 & 7)) & mask;
    const c3 = (view.getInt32(from + (b3 >>> 3), true) >>> (b3 & 7)) & mask;
    const c4 = (view.getInt32(from + (b4 >>> 3), true) >>> (b4 & 7)) & mask;
    const c5 = (view.getInt32(from + (b5 >>> 3), true) >>> (b5 & 7)) & mask;
    const c6 = (view.getInt32(from + (b6 >>> 3), true) >>> (b6 & 7)) & mask;
    const c7 = (view.getInt32(from + (b7 >>> 3), true) >>> (b7 & 7)) & mask;
    sums[to]! += Math.imul(c0, factor);
    sums[to + 1]! += Math.imul(c1, factor);
    sums[to + 2]! += Math.imul(c2, factor);
    sums[to + 3]! += Math.imul(c3, factor);
    sums[to + 4]! += Math.imul(c4, factor);
    sums[to + 5]! += Math.imul(c5, factor);
    sums[to + 6]! += Math.imul(c6, factor);
    sums[to + 7]! += Math.imul(c7, factor);
    i += 8;
    to += 8;
  }
}

/** Bits set before `slot`. */
export function rank(view: DataView, bitmapAt: number, slot: number): number {
  let count = 0;
  const whole = slot >>> 3;
  for (let i = 0; i < whole; i++) count += ones(view.getUint8(bitmapAt + i));
  const rest = slot & 7;
  if (rest === 0) return count;
  return count + ones(view.getUint8(bitmapAt + whole) & ((1 << rest) - 1));
}

function ones(byte: number): number {
  const pairs = byte - ((byte >>> 1) & 0x55);
  const nibbles = (pairs & 0x33) + ((pairs >>> 2) & 0x33);
  return (nibbles + (nibbles >>> 4)) & 15;
}
