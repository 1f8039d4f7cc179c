/**
 * Numbers as people read them (web 8): three or four digits, a prefix chosen so that
 * the number lies between 1 and 1000, a thin space before the unit. No DOM, no Deno.
 */

/** As in `cluster.json`: the base (`B/s`) and the prefix of the stored values (`G`). */
export interface Unit {
  readonly base: string;
  readonly prefix?: string;
}

export const THIN_SPACE = "\u2009";
export const MINUS = "\u2212";
export const NO_VALUE = "–";

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"] as const;
const SMALL = ["", "m", "µ", "n", "p"] as const;

/** Bases whose numbers get no prefix of ours: a milli-degree helps nobody. */
const FIXED = new Set(["", "%", "°C", "degC", "C", "CPI", "IPC", "load"]);

/** The factor of a number and the unit that is written behind it. */
export interface Scale {
  readonly factor: number;
  /** With its prefix, like `GB/s`; `""`: none. */
  readonly unit: string;
}

function powerOfPrefix(prefix: string): number {
  const large = PREFIXES.indexOf(
    (prefix === "K" ? "k" : prefix) as typeof PREFIXES[number],
  );
  if (large >= 0) return large;
  const small = SMALL.indexOf(
    (prefix === "u" ? "µ" : prefix) as typeof SMALL[number],
  );
  return small > 0 ? -small : 0;
}

/** The scale in which `largest`, a stored value of the unit, has one to three digits. */
export function scaleFor(largest: number, unit: Unit): Scale {
  const { base, prefix = "" } = unit;
  const size = Math.abs(largest);
  if (FIXED.has(base) || !Number.isFinite(size) || size === 0) {
    return { factor: 1, unit: prefix + base };
  }
  const stored = powerOfPrefix(prefix);
  const exact = Math.floor(Math.log10(size * 1.000501) / 3) + stored;
  const power = Math.max(
    1 - SMALL.length,
    Math.min(PREFIXES.length - 1, exact),
  );
  const written = power >= 0 ? PREFIXES[power]! : SMALL[-power]!;
  return { factor: 1000 ** (stored - power), unit: written + base };
}

/** Like `1.234`, `56.7` or `890`: at least three digits, no exponent below 10^15. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const size = Math.abs(value);
  if (size >= 1e15) return signed(value, value.toExponential(2));
  if (size >= 999.5) return signed(value, groups(Math.round(size)));
  if (size !== 0 && size < 0.001) return signed(value, size.toPrecision(3));
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return signed(value, trimmed(size.toFixed(digits)));
}

/** A count: all digits, in groups of three. */
export function formatCount(value: number): string {
  return Number.isFinite(value)
    ? signed(value, groups(Math.round(Math.abs(value))))
    : NO_VALUE;
}

/** A value with its unit, prefix chosen for it alone. */
export function formatQuantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const scale = scaleFor(value, unit);
  return withUnit(formatNumber(value * scale.factor), scale.unit);
}

/** A value in the scale of its axis or column, without the unit. */
export function formatScaled(value: number, scale: Scale): string {
  return formatNumber(value * scale.factor);
}

export function withUnit(number: string, unit: string): string {
  if (unit === "" || number === NO_VALUE) return number;
  return unit === "%" ? `${number}%` : `${number}${THIN_SPACE}${unit}`;
}

/** Energy, given and shown in kWh. */
export function formatEnergy(kWh: number): string {
  return kWh > 0 ? withUnit(formatNumber(kWh), "kWh") : NO_VALUE;
}

/** A share of 1 as whole per cent. */
export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)}%` : NO_VALUE;
}

/** The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `value`. */
export function niceCeiling(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const lead = [1, 2, 2.5, 5, 10].find((one) => one * power >= value * 0.9999);
  return (lead ?? 10) * power;
}

function signed(value: number, text: string): string {
  return value < 0 ? MINUS + text.replace(/^[-\u2212]/, "") : text;
}

function groups(whole: number): string {
  return String(whole).replace(/\B(?=(\d{3})+(?!\d))/g, THIN_SPACE);
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
