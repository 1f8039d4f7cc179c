/**
 * The head of a compressed block: the meaning of its bytes and the places of its parts.
 * The layout is described in docs/formats/block.md; this file is the only one that
 * knows the bit positions. Runs on the thread that owns the block.
 */

import { bitsOf, NARROW_MAX } from "./_block_bits.ts";

/** Codes are scaled integers: value = (base + code * step) / 10^scale. */
export const PACKED = 0;
/** As PACKED, but codes are differences between neighbours. */
export const DELTA = 1;
/** Codes are indices into a list of float64. */
export const DICTIONARY = 2;
/** Codes are the high and low words of the float64. */
export const WORDS = 3;
/** Every float64 as it is. */
export const RAW = 4;

/** Every slot has a code. */
export const GAPS_NONE = 0;
/** Code 0 is an empty slot, the others are one higher. */
export const GAPS_CODE = 1;
/** A bitmap says which slots have a code; the others have none. */
export const GAPS_BITMAP = 2;

/** The scale of indices into RECIPROCALS; below it are decimal places. */
export const RECIPROCAL = 23;
export const DECIMALS_MAX = 22;
/** Scaled integers stay below, so that sums of a base, a step and a code are exact. */
export const SCALED_LIMIT = 2 ** 51;
export const PATCHES_MAX = 32;
export const DICTIONARY_MAX = 256;
/** Longest block: one run of upstream's buffers (metric-store 3.1). */
export const BLOCK_SLOTS_MAX = 512;
/**
 * Bytes after a block that a reader may touch, and a writer may overwrite, so
 * that both can move four bytes at a time without looking for the end.
 */
export const BLOCK_SLACK = 16;

const SLOTS_STORED = 3;
const STEP_FLAG = 1 << 6;
const PATCH_FLAG = 1 << 7;
/** Bits of the first byte that are 0 in a plain block; the gaps may be a code. */
const NOT_PLAIN = 0xdf;
const PATCH_HEAD_SHIFT = 5;

export const POWERS_OF_TEN = Float64Array.from(
  { length: DECIMALS_MAX + 1 },
  (_, e) => Number(`1e${e}`),
);

/** A block's head, spelled out. One object is reused: reading allocates nothing. */
export class BlockHead {
  scheme = RAW;
  slots = 0;
  gaps = GAPS_NONE;
  /** Decimal places or RECIPROCAL; WORDS: low zero bits cut off. */
  scale = 0;
  /** Bits of a code. */
  width = 0;
  base = 0;
  step = 1;
  /** DELTA: value of the code 0, in steps. */
  deltaBase = 0;
  /** DICTIONARY: entries. */
  entries = 0;
  patches = 0;
  /** Bytes of a patch's value: 8 = a float64, less = steps from the base. */
  patchBytes = 0;
  /** Offsets in the view. */
  entriesAt = 0;
  bitmapAt = 0;
  positionsAt = 0;
  codesAt = 0;

  /** Bytes of a patch's slot number. */
  get positionBytes(): number {
    return positionBytes(this.slots);
  }

  get patchValuesAt(): number {
    return this.positionsAt + this.patches * this.positionBytes;
  }
}

/** Returns the bytes of a patch's slot number in a block of `slots` slots. */
export function positionBytes(slots: number): number {
  return slots > 256 ? 2 : 1;
}

/** Bytes that tell the number of slots, beyond the two bits in the first byte. */
export function slotsBytes(slots: number): number {
  return slots === 64 || slots === 128 || slots === 256 ? 0 : 2;
}

/** Bytes of `count` numbers of `width` bits. */
export function packedBytes(count: number, width: number): number {
  return (count * width + 7) >>> 3;
}

/** Bits of the low plane of a WORDS block. */
export function lowWidth(head: BlockHead): number {
  return head.scale < 32 ? 32 - head.scale : 0;
}

/**
 * RECIPROCALS[k] is 100 / k to 15 significant digits: instructions per cycle as
 * collectors report them, from cycles per instruction with two decimals. The
 * language says exactly how both are rounded, so every machine has this table.
 */
export const RECIPROCALS = Float64Array.from(
  { length: 2048 },
  (_, k) => k === 0 ? NaN : Number((100 / k).toPrecision(15)),
);

/**
 * Reads the head of the block at `at` into `head`. Touches up to BLOCK_SLACK bytes
 * behind the block (docs/formats/block.md).
 */
export function readHead(view: DataView, at: number, head: BlockHead): void {
  // Slack after the block makes four bytes safe to read, even of a RAW one.
  const start = view.getUint32(at, true);
  const scheme = start & 7;
  const second = (start >>> 8) & 255;
  let next = scheme === RAW ? at + 1 : at + 3;
  head.scheme = scheme;
  head.gaps = (start >>> 5) & 3;
  const slotsCode = (start >>> 3) & 3;
  if (slotsCode === SLOTS_STORED) {
    head.slots = view.getUint16(next, true);
    next += 2;
  } else head.slots = 64 << slotsCode;
  head.width = (start >>> 16) & 63;
  head.step = 1;
  head.patches = 0;
  if (scheme <= DELTA) {
    head.scale = second & 31;
    const baseBytes = second >>> 5;
    head.base = readSigned(view, next, baseBytes);
    next += baseBytes;
    if ((start >>> 16 & STEP_FLAG) !== 0) {
      head.step = readVarint(view, next);
      next += varintBytes(head.step);
    }
    if (scheme === DELTA) {
      const folded = readVarint(view, next);
      next += varintBytes(folded);
      head.deltaBase = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    }
  } else if (scheme === WORDS) {
    head.scale = second;
    head.base = view.getUint32(next, true);
    next += 4;
  } else if (scheme === DICTIONARY) {
    head.entries = second + 1;
    head.entriesAt = next;
    next += head.entries * 8;
  }
  head.bitmapAt = next;
  if (head.gaps === GAPS_BITMAP) next += (head.slots + 7) >>> 3;
  if ((start & PATCH_FLAG) !== 0) {
    const patchHead = view.getUint8(next);
    const patches = (patchHead & (PATCHES_MAX - 1)) + 1;
    head.patches = patches;
    head.patchBytes = (patchHead >>> PATCH_HEAD_SHIFT) + 1;
    head.positionsAt = next + 1;
    next += 1 + patches * (positionBytes(head.slots) + head.patchBytes);
  }
  head.codesAt = next;
}

/**
 * Reads the head of a plain block: 64 slots, PACKED in codes of up to 25 bits, no
 * bitmap, no patches, a base of at most four bytes. That is most blocks, and takes
 * a third of the time. `false`: it is another, and `head` is void.
 */
export function readPlainHead(
  view: DataView,
  at: number,
  head: BlockHead,
): boolean {
  const start = view.getInt32(at, true);
  const width = (start >>> 16) & 63;
  const baseBytes = (start >>> 13) & 7;
  if ((start & NOT_PLAIN) !== 0 || width > NARROW_MAX || baseBytes > 4) {
    return false;
  }
  head.scheme = PACKED;
  head.patches = 0;
  let next = at + 3;
  head.base = 0;
  if (baseBytes > 0) {
    const above = 32 - baseBytes * 8;
    head.base = (view.getInt32(next, true) << above) >> above;
    next += baseBytes;
  }
  head.step = 1;
  if ((start >>> 16 & STEP_FLAG) !== 0) {
    head.step = readVarint(view, next);
    next += varintBytes(head.step);
  }
  head.gaps = (start >>> 5) & 3;
  head.scale = (start >>> 8) & 31;
  head.width = width;
  head.codesAt = next;
  return true;
}

/** Writes what precedes the dictionary, bitmap and patches. Returns the offset after. */
export function writeHead(view: DataView, head: BlockHead): number {
  const slotsCode = slotsBytes(head.slots) > 0
    ? SLOTS_STORED
    : bitsOf(head.slots >> 7);
  view.setUint8(
    0,
    head.scheme | slotsCode << 3 | head.gaps << 5 |
      (head.patches > 0 ? PATCH_FLAG : 0),
  );
  const baseBytes = head.scheme <= DELTA ? signedBytes(head.base) : 0;
  let next = 1;
  if (head.scheme !== RAW) {
    view.setUint8(
      1,
      head.scheme === DICTIONARY
        ? head.entries - 1
        : head.scale | baseBytes << 5,
    );
    view.setUint8(2, head.width | (head.step === 1 ? 0 : STEP_FLAG));
    next = 3;
  }
  if (slotsCode === SLOTS_STORED) {
    view.setUint16(next, head.slots, true);
    next += 2;
  }
  if (head.scheme <= DELTA) {
    writeSigned(view, next, head.base, baseBytes);
    next += baseBytes;
    if (head.step !== 1) next = writeVarint(view, next, head.step);
    if (head.scheme === DELTA) {
      next = writeVarint(view, next, foldSign(head.deltaBase));
    }
  } else if (head.scheme === WORDS) {
    view.setUint32(next, head.base, true);
    next += 4;
  }
  return next;
}

/** Small numbers of either sign to small numbers: 0, -1, 1, -2, … to 0, 1, 2, 3, … */
export function foldSign(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The byte before the patches. */
export function writePatchHead(
  view: DataView,
  at: number,
  head: BlockHead,
): void {
  view.setUint8(
    at,
    head.patches - 1 | (head.patchBytes - 1) << PATCH_HEAD_SHIFT,
  );
}

/** Bytes that hold the integer in two's complement, 0 for 0. */
export function signedBytes(value: number): number {
  if (value === 0) return 0;
  const magnitude = value < 0 ? -value - 1 : value;
  let bytes = 1;
  for (let limit = 128; magnitude >= limit; limit *= 256) bytes++;
  return bytes;
}

/** Little-endian two's complement of up to 7 bytes. */
export function readSigned(view: DataView, at: number, bytes: number): number {
  switch (bytes) {
    case 0:
      return 0;
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at, true);
    case 3:
      return view.getInt16(at + 1, true) * 256 + view.getUint8(at);
    case 4:
      return view.getInt32(at, true);
  }
  const high = readSigned(view, at + 4, bytes - 4);
  return high * 2 ** 32 + view.getUint32(at, true);
}

/** Writes an integer as two's complement of `bytes` bytes, little-endian. */
export function writeSigned(
  view: DataView,
  at: number,
  value: number,
  bytes: number,
): void {
  let rest = value;
  for (let i = 0; i < bytes; i++) {
    const high = Math.floor(rest / 256);
    view.setUint8(at + i, rest - high * 256);
    rest = high;
  }
}

/** Seven bits a byte, low bits first, the top bit says that more follow. */
function readVarint(view: DataView, at: number): number {
  let value = 0;
  let unit = 1;
  for (let next = at;; next++) {
    const byte = view.getUint8(next);
    value += (byte & 127) * unit;
    if (byte < 128) return value;
    unit *= 128;
  }
}

function writeVarint(view: DataView, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 128) {
    const high = Math.floor(rest / 128);
    view.setUint8(next++, 128 + rest - high * 128);
    rest = high;
  }
  view.setUint8(next++, rest);
  return next;
}

/** Bytes of a number seven bits a byte. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
