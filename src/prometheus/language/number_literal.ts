/**
 * Numbers as PromQL writes and prints them: decimal, hexadecimal, octal with a
 * leading 0, single `_` between digits, `Inf`, `NaN`. Any thread.
 */

/** The value of a literal that the lexer accepted; throws a `SyntaxError` where it has none. */
export function parseNumberLiteral(text: string): number {
  const lower = text.toLowerCase();
  if (lower === "inf" || lower === "+inf") return Infinity;
  if (lower === "-inf") return -Infinity;
  if (lower === "nan") return NaN;
  const integer = parseInteger(lower);
  if (integer !== undefined) return integer;
  if (!isDecimal(lower)) {
    throw new SyntaxError(
      `strconv.ParseFloat: parsing "${text}": invalid syntax`,
    );
  }
  const value = Number(lower);
  if (!Number.isFinite(value)) {
    throw new SyntaxError(
      `strconv.ParseFloat: parsing "${text}": value out of range`,
    );
  }
  return value;
}

/** Integers have a base by their prefix, and may have `_` between digits. */
function parseInteger(lower: string): number | undefined {
  const form = lower.startsWith("0x")
    ? /^0x(?:_?[0-9a-f])+$/
    : lower.startsWith("0") && lower.length > 1
    ? /^0(?:_?[0-7])+$/
    : /^[0-9](?:_?[0-9])*$/;
  if (!form.test(lower)) return undefined;
  const digits = lower.replaceAll("_", "");
  const value = lower.startsWith("0x")
    ? BigInt(digits)
    : lower.startsWith("0") && digits.length > 1
    ? BigInt(`0o${digits.slice(1)}`)
    : BigInt(digits);
  // Beyond 63 bits the text is read as a decimal number, if it is one.
  return value < 1n << 63n ? Number(value) : undefined;
}

function isDecimal(lower: string): boolean {
  return /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(lower);
}

/** The shortest decimal without an exponent that reads back the same: `1e21` has 22 digits. */
export function formatPlain(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  const exponentAt = text.indexOf("e");
  if (exponentAt < 0) return text;
  const sign = text.startsWith("-") ? "-" : "";
  const [whole, fraction = ""] = text.slice(sign.length, exponentAt).split(".");
  const digits = `${whole}${fraction}`;
  const point = whole!.length + Number(text.slice(exponentAt + 1));
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, "0")}`;
}

/** The shortest decimal, with an exponent below 1e-4 and from 1e6 on, as Go's `%g` has it. */
export function formatShortest(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatPlain(value);
  const [mantissa, exponentText] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return formatPlain(value);
  const sign = exponent < 0 ? "-" : "+";
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** Six digits behind the point, as Go's `%f` has it. */
export function formatFixed(value: number): string {
  if (!Number.isFinite(value)) return formatPlain(value);
  const text = value.toFixed(6);
  // `toFixed` gives up beyond 1e21.
  return text.includes("e") ? `${formatPlain(value)}.000000` : text;
}
