/** Arithmetic where Go's results differ from JavaScript's. Any thread. */

/** Go's `math.Pow`: 1 to any power and −1 to an infinite one are 1. */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) {
    return 1;
  }
  return base ** exponent;
}

/** Go's `math.Mod`: the sign is that of the dividend. */
export function modulo(dividend: number, divisor: number): number {
  return dividend % divisor;
}

/** Go's `math.Max`: as JavaScript's, but an infinity wins over NaN. */
export function goMax(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

/** Go's `math.Min`. */
export function goMin(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEXADECIMAL =
  /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?\d+)$/;

/** Go's `strconv.ParseFloat`; `undefined`: the text is no number, or one out of range. */
export function parseGoFloat(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const special = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2] === undefined) return special[1] === "" ? NaN : undefined;
    return special[1] === "-" ? -Infinity : Infinity;
  }
  const hex = HEXADECIMAL.exec(text);
  if (hex === null) return undefined;
  const digits = hex[2]! + (hex[3] ?? "");
  if (digits === "") return undefined;
  const value = Number(`0x${digits}`) *
    2 ** (Number(hex[4]) - 4 * (hex[3] ?? "").length);
  return hex[1] === "-" ? -value : value;
}
