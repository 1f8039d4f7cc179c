/**
 * Finds the end of a number or a duration. The rules are those of Prometheus'
 * lexer, so that a bad number is refused at the same character. Any thread.
 */

/** How far was read, and whether that is a number (a duration) as a whole. */
export interface Scanned {
  readonly end: number;
  readonly isWhole: boolean;
}

const DECIMAL = "0123456789";
const HEXADECIMAL = "0123456789abcdefABCDEF";

export function scanNumber(text: string, start: number): Scanned {
  let at = start;
  const is = (characters: string) =>
    at < text.length && characters.includes(text[at]!);
  const accept = (characters: string) => {
    if (!is(characters)) return false;
    at++;
    return true;
  };
  const failed = (): Scanned => ({ end: at, isWhole: false });

  let digits = DECIMAL;
  if (accept("0") && accept("xX")) {
    accept("_");
    digits = HEXADECIMAL;
  }
  accept(".");
  accept(digits);
  let hasPoint = false;
  let hasExponent = false;
  while (is(`${digits}._eE`)) {
    if (is(".") && hasPoint) {
      at++;
      return failed();
    }
    if (is("eE") && hasExponent) {
      at++;
      return failed();
    }
    if (accept(".")) {
      hasPoint = true;
      if (accept("_.") || digits === HEXADECIMAL) return failed();
    } else if (accept("eE")) {
      hasExponent = true;
      accept("+-");
      if (accept("._eE") || at >= text.length) return failed();
    } else if (accept("_")) {
      if (accept("._eE") || at >= text.length) return failed();
    } else {
      while (accept(digits));
    }
  }
  return { end: at, isWhole: at > start && !isWordPart(text[at]) };
}

/** Reads on behind the digits that `scanNumber` stopped at: `5m30s`. */
export function scanDuration(text: string, start: number): Scanned {
  let at = start;
  const accept = (characters: string) => {
    if (at >= text.length || !characters.includes(text[at]!)) return false;
    at++;
    return true;
  };
  const failed = (): Scanned => ({ end: at, isWhole: false });

  if (!accept("smhdwy")) return failed();
  // `ms`; a bad one such as `hs` is found when the duration is read.
  accept("s");
  while (accept(DECIMAL)) {
    while (accept(DECIMAL));
    if (!accept("smhdw")) return failed();
    accept("s");
  }
  if (!isWordPart(text[at])) return { end: at, isWhole: true };
  return { end: at + 1, isWhole: false };
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /^[a-zA-Z0-9_]$/.test(character);
}
