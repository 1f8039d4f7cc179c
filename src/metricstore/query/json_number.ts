/**
 * Kernels that print doubles as JSON numbers straight into bytes. They run in
 * shard workers, for nearly every byte of a big answer.
 *
 * Invariants: each printed decimal parses back to the very same double, `-0`
 * included, and has no zeros at the end of its fraction; NaN and the infinities
 * become `null`. The callers keep room of `MAX_NUMBER_BYTES` for each number:
 * words of four bytes are stored whole, whatever their length.
 *
 * The idea: measured values have few decimals. For an integer d < 2^53 and a
 * power of ten p <= 1e22 the quotient d / p is correctly rounded, so when it
 * equals v, the digits of d are a decimal of v. The digits come out of tables
 * in groups of three; the words of a table are filled from their lowest byte
 * and hold zero above, so that counting leading zeros gives their length.
 */

/**
 * The longest number is `-0.0000012345678901234567`, 25 bytes; one more is its
 * comma, and a stored word may reach three bytes further.
 */
export const MAX_NUMBER_BYTES = 32;

import { GAP } from "../store/block_thousandths.ts";

const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
/** `null` as a little-endian word. */
const NULL_WORD = 0x6c6c756e;
const TWO_POW_53 = 9007199254740992;

/** 0 to 999 without leading zeros. */
const PLAIN = new Int32Array(1000);
/** 000 to 999. */
const PADDED = new Int32Array(1000);
/** The digits after a decimal point, without zeros at the end: 120 is `12`, 0 is empty. */
const TRIMMED = new Int32Array(1000);
/** The same with the point in front, also empty for 0. */
const POINTED = new Int32Array(1000);
/** That and a comma as far as it fits, and the length of both. */
const ENDED = new Int32Array(1000);
const ENDED_BYTES = new Uint8Array(1000);
const PLAIN_BYTES = new Uint8Array(1000);

for (let i = 0; i < 1000; i++) {
  const digits = String(i).padStart(3, "0");
  const trimmed = digits.replace(/0+$/, "");
  PLAIN[i] = asciiWord(String(i));
  PADDED[i] = asciiWord(digits);
  TRIMMED[i] = asciiWord(trimmed);
  POINTED[i] = trimmed === "" ? 0 : asciiWord("." + trimmed);
  const ended = trimmed === "" ? "," : `.${trimmed},`;
  ENDED[i] = asciiWord(ended.slice(0, 4));
  ENDED_BYTES[i] = ended.length;
  PLAIN_BYTES[i] = String(i).length;
}

function asciiWord(text: string): number {
  let word = 0;
  for (let i = 0; i < text.length; i++) {
    word |= text.charCodeAt(i) << (8 * i);
  }
  return word;
}

/**
 * Fast path. Prints `values[from] * scale` up to `values[to - 1] * scale`, a
 * comma after each, from `position` on, and returns the position behind the last
 * comma. `bytes` and `view` show the same memory.
 */
export function writeNumbers(
  bytes: Uint8Array,
  view: DataView,
  position: number,
  values: Float64Array,
  from: number,
  to: number,
  scale: number,
): number {
  for (let i = from; i < to; i++) {
    const value = values[i]! * scale;
    const magnitude = Math.abs(value);
    const thousandfold = magnitude * 1000;
    // NaN fails the test. Below the bound all of this stays in int32 registers.
    if (thousandfold < 2147483647) {
      const scaled = (thousandfold + 0.5) | 0;
      if (scaled / 1000 === magnitude) {
        // 1 / -0 is -Infinity.
        if (value < 0 || (scaled === 0 && 1 / value < 0)) {
          bytes[position++] = MINUS;
        }
        const whole = magnitude | 0;
        if (whole < 1000) {
          const word = PLAIN[whole]!;
          view.setInt32(position, word, true);
          position += 4 - (Math.clz32(word) >>> 3);
        } else {
          position = writeInt32(view, position, whole);
        }
        const fraction = POINTED[scaled - Math.imul(whole, 1000)]!;
        view.setInt32(position, fraction, true);
        position += 4 - (Math.clz32(fraction) >>> 3);
        bytes[position++] = COMMA;
        continue;
      }
    }
    position = writeNumber(bytes, view, position, value);
    bytes[position++] = COMMA;
  }
  return position;
}

/**
 * Fast path. The same for integers that are thousandths of the values; GAP is
 * `null`.
 */
export function writeThousandths(
  bytes: Uint8Array,
  view: DataView,
  position: number,
  integers: Int32Array,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) {
    let rest = integers[i]!;
    if (rest < 0) {
      if (rest === GAP) {
        view.setInt32(position, NULL_WORD, true);
        bytes[position + 4] = COMMA;
        position += 5;
        continue;
      }
      bytes[position++] = MINUS;
      rest = -rest;
    }
    const whole = (rest / 1000) | 0;
    if (whole < 1000) {
      view.setInt32(position, PLAIN[whole]!, true);
      position += PLAIN_BYTES[whole]!;
    } else position = writeInt32(view, position, whole);
    const fraction = rest - Math.imul(whole, 1000);
    view.setInt32(position, ENDED[fraction]!, true);
    position += ENDED_BYTES[fraction]!;
    // A fraction of three digits has left no room for it.
    bytes[position - 1] = COMMA;
  }
  return position;
}

/** Prints any double at `position` and returns the position behind it. */
export function writeNumber(
  bytes: Uint8Array,
  view: DataView,
  position: number,
  value: number,
): number {
  const magnitude = Math.abs(value);
  if (!(magnitude < Infinity)) {
    view.setInt32(position, NULL_WORD, true);
    return position + 4;
  }
  if (magnitude >= TWO_POW_53) {
    return writeText(bytes, position, String(value));
  }
  const whole = Math.floor(magnitude);
  if (whole === magnitude) {
    if (value < 0 || (whole === 0 && 1 / value < 0)) bytes[position++] = MINUS;
    return writeWhole(view, position, whole);
  }
  for (let power = 1e3; power <= 1e15; power *= 1e3) {
    const product = magnitude * power;
    if (product >= TWO_POW_53) break;
    const scaled = Math.floor(product + 0.5);
    if (scaled / power === magnitude && scaled < TWO_POW_53) {
      if (value < 0) bytes[position++] = MINUS;
      position = writeWhole(view, position, whole);
      bytes[position++] = POINT;
      return writeFraction(view, position, scaled - whole * power, power);
    }
  }
  return writeText(bytes, position, String(value));
}

/** Prints 0 <= whole < 2^53. */
function writeWhole(view: DataView, position: number, whole: number): number {
  if (whole < 1e9) return writeInt32(view, position, whole | 0);
  const billions = Math.floor(whole / 1e9);
  const rest = (whole - billions * 1e9) | 0;
  position = writeInt32(view, position, billions | 0);
  const millions = (rest / 1e6) | 0;
  const low = rest - Math.imul(millions, 1e6);
  const thousands = (low / 1e3) | 0;
  view.setInt32(position, PADDED[millions]!, true);
  view.setInt32(position + 3, PADDED[thousands]!, true);
  view.setInt32(position + 6, PADDED[low - Math.imul(thousands, 1e3)]!, true);
  return position + 9;
}

/** Prints 0 <= whole < 1e9. */
function writeInt32(view: DataView, position: number, whole: number): number {
  let rest = whole;
  if (whole >= 1e6) {
    const millions = (whole / 1e6) | 0;
    position = writePlain(view, position, millions);
    rest = whole - Math.imul(millions, 1e6);
    const thousands = (rest / 1e3) | 0;
    view.setInt32(position, PADDED[thousands]!, true);
    view.setInt32(
      position + 3,
      PADDED[rest - Math.imul(thousands, 1e3)]!,
      true,
    );
    return position + 6;
  }
  if (whole >= 1e3) {
    const thousands = (whole / 1e3) | 0;
    position = writePlain(view, position, thousands);
    rest = whole - Math.imul(thousands, 1e3);
    view.setInt32(position, PADDED[rest]!, true);
    return position + 3;
  }
  return writePlain(view, position, whole);
}

function writePlain(view: DataView, position: number, below1000: number) {
  const word = PLAIN[below1000]!;
  view.setInt32(position, word, true);
  return position + 4 - (Math.clz32(word) >>> 3);
}

/**
 * Prints the digits of `fraction` / `power`, 0 < `fraction` < `power`, three at a time
 * until only zeros are left. Each quotient is off by too little to reach the next
 * integer, because `power` is at most 1e15.
 */
function writeFraction(
  view: DataView,
  position: number,
  fraction: number,
  power: number,
): number {
  let unit = power;
  let rest = fraction;
  while (rest > 0) {
    unit /= 1e3;
    const group = (rest / unit) | 0;
    rest -= group * unit;
    const word = rest > 0 ? PADDED[group]! : TRIMMED[group]!;
    view.setInt32(position, word, true);
    position += 4 - (Math.clz32(word) >>> 3);
  }
  return position;
}

function writeText(bytes: Uint8Array, position: number, ascii: string): number {
  for (let i = 0; i < ascii.length; i++) {
    bytes[position + i] = ascii.charCodeAt(i);
  }
  return position + ascii.length;
}
