/** Checks the escapes of a quoted string while it is read. Any thread. */

const DIGITS: Readonly<Record<string, readonly [count: number, base: number]>> =
  { x: [2, 16], u: [4, 16], U: [8, 16] };

/**
 * Passes over the escape whose letter is at `at`: the offset behind it, or what is
 * wrong with it. `quote` is what the string is enclosed in.
 */
export function skipEscape(
  text: string,
  at: number,
  quote: string,
): number | string {
  const letter = text[at];
  if (letter === undefined) return "escape sequence not terminated";
  if ("abfnrtv\\".includes(letter) || letter === quote) return at + 1;
  const isOctal = letter >= "0" && letter <= "7";
  const digits = isOctal ? [3, 8] as const : DIGITS[letter];
  if (digits === undefined) {
    return `unknown escape sequence ${describe(text, at)}`;
  }
  const [count, base] = digits;
  const start = isOctal ? at : at + 1;
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const character = text[i];
    if (character === undefined) return "escape sequence not terminated";
    const digit = /^[0-9a-fA-F]$/.test(character)
      ? parseInt(character, 16)
      : 16;
    if (digit >= base) {
      return `illegal character ${describe(text, i)} in escape sequence`;
    }
    value = value * base + digit;
  }
  const max = letter === "u" || letter === "U" ? 0x10ffff : 255;
  if (value > max || (value >= 0xd800 && value < 0xe000)) {
    return "escape sequence is an invalid Unicode code point";
  }
  return start + count;
}

/** `U+0063 'c'`. */
function describe(text: string, at: number): string {
  const code = text.codePointAt(at)!;
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  return `U+${hex} '${String.fromCodePoint(code)}'`;
}
