/**
 * Numbers of the line protocol, read from bytes: field values and timestamps.
 * Runs in shard workers, once or twice for each sample.
 *
 * Nothing is kept between calls: a refused text is answered with NaN, which no
 * valid text can mean, and the reason is found by a second look at the bytes
 * (`explainRefusedValue`). Values are correctly rounded, bit for bit what
 * `Number` makes of the same digits.
 *
 * The idea (William Clinger, 1990): digits that make an integer below 2^53 and a power
 * of ten of at most 10^22 are both exact as doubles, so one division or product of them
 * is rounded once and thus correctly. Up to 18 digits are divided with twice the
 * precision; texts that are still undecided go to `Number`.
 */

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const QUOTE = 0x22;
const UPPER_E = 0x45;
const LOWER_E = 0x65;
const LOWER_I = 0x69;
const LOWER_U = 0x75;

/** So many digits always fit an int32. */
const INT32_DIGITS = 9;
const TWO_POW_53 = 9007199254740992;
/** 2^27 + 1 cuts a double in two halves. */
const SPLITTER = 134217729;
/** Exponents beyond decide alone; counting stops there so that nothing overflows. */
const MAX_EXPONENT = 100_000;

const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const MAX_INT64 = "9223372036854775807";
const MIN_INT64 = "9223372036854775808";
const MAX_UINT64 = "18446744073709551615";
const BOOLEANS = /^(?:t|T|true|True|TRUE|f|F|false|False|FALSE)$/;
const FLOAT = /^-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/;
const INTEGER = /^(?:-?[0-9]+i|[0-9]+u)$/;

/** Reason of a refused field value: text that is no number, or a number out of range. */
export type RefusedValue =
  | "not-a-number"
  | "boolean"
  | "string"
  | "out-of-range";

/**
 * Fast path. The field value in `bytes` from `start` to `end - 1`, or NaN if it is
 * not a number (a float, `4i` within int64 or `4u` within uint64) or overflows.
 */
export function parseFieldValue(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let position = start;
  const negative = start < end && bytes[start] === MINUS;
  if (negative) position++;
  const first = position;
  let mantissa = 0;
  let digit = 0;
  while (
    position < end && (digit = bytes[position]! - ZERO) >= 0 && digit <= 9
  ) {
    mantissa = (Math.imul(mantissa, 10) + digit) | 0;
    position++;
  }
  let digits = position - first;
  let decimals = 0;
  if (position < end && bytes[position] === POINT) {
    position++;
    const point = position;
    while (
      position < end && (digit = bytes[position]! - ZERO) >= 0 && digit <= 9
    ) {
      mantissa = (Math.imul(mantissa, 10) + digit) | 0;
      position++;
    }
    decimals = position - point;
    digits += decimals;
  }
  if (position !== end || digits === 0 || digits > INT32_DIGITS) {
    return parseLongValue(bytes, start, end);
  }
  const magnitude = decimals === 0 ? mantissa : mantissa / POWERS[decimals]!;
  return negative ? -magnitude : magnitude;
}

/** Like `parseFieldValue`, for any text: many digits, exponents, suffixes, garbage. */
function parseLongValue(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const negative = start < end && bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  // The first nine digits that count, and up to nine more; zeros in front do not.
  let high = 0;
  let low = 0;
  let significant = 0;
  let digits = 0;
  let point = -1;
  let position = first;
  for (; position < end; position++) {
    const digit = bytes[position]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      digits++;
      if (significant > 0 || digit > 0) significant++;
      if (significant <= INT32_DIGITS) {
        high = (Math.imul(high, 10) + digit) | 0;
      } else if (significant <= 2 * INT32_DIGITS) {
        low = (Math.imul(low, 10) + digit) | 0;
      }
    } else if (digit === POINT - ZERO && point < 0) {
      point = position;
    } else {
      break;
    }
  }
  if (digits === 0) return NaN;
  let exponent = 0;
  let isInteger = false;
  if (position < end) {
    const letter = bytes[position]!;
    if (letter === LOWER_E || letter === UPPER_E) {
      exponent = parseExponent(bytes, position + 1, end);
      if (exponent !== exponent) return NaN;
    } else {
      const signed = letter === LOWER_I;
      if (!signed && (letter !== LOWER_U || negative)) return NaN;
      if (position !== end - 1 || point >= 0) return NaN;
      const limit = !signed ? MAX_UINT64 : negative ? MIN_INT64 : MAX_INT64;
      if (significant > 18 && exceeds(bytes, first, position, limit)) {
        return NaN;
      }
      isInteger = true;
    }
  }
  if (point >= 0) exponent -= position - 1 - point;
  let magnitude = NaN;
  if (significant <= 2 * INT32_DIGITS) {
    const lowDigits = Math.max(0, significant - INT32_DIGITS);
    magnitude = scaleExactly(high * POWERS[lowDigits]!, low, exponent);
  }
  if (magnitude !== magnitude) {
    magnitude = Number(textOf(bytes, first, isInteger ? position : end));
    if (magnitude === Infinity) return NaN;
  }
  // Integers have no negative zero.
  if (isInteger && magnitude === 0) return 0;
  return negative ? -magnitude : magnitude;
}

/** Returns the signed number after `e`, or NaN if there is none. */
function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  const sign = position < end ? bytes[position] : 0;
  if (sign === PLUS || sign === MINUS) position++;
  if (position >= end) return NaN;
  let exponent = 0;
  for (; position < end; position++) {
    const digit = bytes[position]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    if (exponent < MAX_EXPONENT) exponent = exponent * 10 + digit;
  }
  return sign === MINUS ? -exponent : exponent;
}

/**
 * (`high` + `low`) * 10^`exponent` correctly rounded, or NaN where that takes more
 * than twice the precision of a double. `high` is a product of an int32 and at most
 * 10^9, thus exact, 0 <= `low` < 10^9.
 */
function scaleExactly(high: number, low: number, exponent: number): number {
  const mantissa = high + low;
  if (exponent === 0 || mantissa === 0) return mantissa;
  if (exponent < -22 || exponent > 22) return NaN;
  // 2^53 itself may be 2^53 + 1 rounded.
  if (mantissa < TWO_POW_53) {
    return exponent < 0
      ? mantissa / POWERS[-exponent]!
      : mantissa * POWERS[exponent]!;
  }
  if (exponent > 0) return NaN;
  // `quotient` + `correction` is the true quotient but for some 2^-51 of the
  // correction; if both ends of that span round alike, so does what is between.
  const divisor = POWERS[-exponent]!;
  const quotient = mantissa / divisor;
  const lost = low - (mantissa - high);
  const remainder = divisionRemainder(mantissa, quotient, divisor);
  const correction = (remainder + lost) / divisor;
  const slack = correction * 2 ** -48;
  const below = quotient + (correction - slack);
  return below === quotient + (correction + slack) ? below : NaN;
}

/**
 * `dividend` - `quotient` * `divisor` without rounding, for a rounded quotient.
 * The product is split into halves of 26 bits (Dekker, 1971), for there is no fma.
 */
function divisionRemainder(
  dividend: number,
  quotient: number,
  divisor: number,
): number {
  const spreadA = quotient * SPLITTER;
  const highA = spreadA - (spreadA - quotient);
  const lowA = quotient - highA;
  const spreadB = divisor * SPLITTER;
  const highB = spreadB - (spreadB - divisor);
  const lowB = divisor - highB;
  const product = quotient * divisor;
  const error = highA * highB - product + highA * lowB + lowA * highB +
    lowA * lowB;
  return dividend - product - error;
}

/** Whether the digits are a number above `limit`. */
function exceeds(
  bytes: Uint8Array,
  first: number,
  end: number,
  limit: string,
): boolean {
  let start = first;
  while (start < end - 1 && bytes[start] === ZERO) start++;
  if (end - start !== limit.length) return end - start > limit.length;
  for (let i = 0; i < limit.length; i++) {
    const difference = bytes[start + i]! - limit.charCodeAt(i);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** `TextDecoder` refuses shared memory, hence by hand; the bytes are checked to be ASCII. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/**
 * Returns the reason of a text for which `parseFieldValue` answered NaN. For error
 * messages.
 */
export function explainRefusedValue(
  bytes: Uint8Array,
  start: number,
  end: number,
): RefusedValue {
  if (end - start >= 2 && bytes[start] === QUOTE && bytes[end - 1] === QUOTE) {
    return "string";
  }
  const text = textOf(bytes, start, end);
  if (BOOLEANS.test(text)) return "boolean";
  return FLOAT.test(text) || INTEGER.test(text)
    ? "out-of-range"
    : "not-a-number";
}

/**
 * Fast path. The timestamp in `bytes` from `start` to `end - 1` as whole Unix
 * epoch seconds, or NaN if it is not an integer of 64 bits. Magnitudes below 1e11 are
 * seconds, below 1e14 milliseconds, below 1e17 microseconds, else
 * nanoseconds; fractions are floored, also below zero.
 */
export function parseTimestampSec(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const negative = start < end && bytes[start] === MINUS;
  let first = negative ? start + 1 : start;
  if (first >= end) return NaN;
  while (first < end - 1 && bytes[first] === ZERO) first++;
  const digits = end - first;
  if (digits > 19) return NaN;
  // Dropping digits divides exactly, which 19 digits in a double would not.
  const dropped = digits < 12 ? 0 : digits < 15 ? 3 : digits < 18 ? 6 : 9;
  const kept = end - dropped;
  const middle = Math.min(kept, first + INT32_DIGITS);
  let seconds = 0;
  for (let i = first; i < middle; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    seconds = (Math.imul(seconds, 10) + digit) | 0;
  }
  let total = seconds;
  for (let i = middle; i < kept; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    total = total * 10 + digit;
  }
  let fraction = 0;
  for (let i = kept; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    fraction |= digit;
  }
  if (
    digits === 19 &&
    exceeds(bytes, first, end, negative ? MIN_INT64 : MAX_INT64)
  ) return NaN;
  if (!negative) return total;
  return fraction === 0 ? 0 - total : -1 - total;
}
