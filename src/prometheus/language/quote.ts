/**
 * Strings as PromQL writes them: the escapes of Go in `"…"` and `'…'`, none in
 * `` `…` ``. Any thread.
 */

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};
const DIGITS: Readonly<Record<string, readonly [count: number, base: number]>> =
  { x: [2, 16], u: [4, 16], U: [8, 16] };

/**
 * The value of a literal that the lexer accepted. A byte written by itself (`\xff`)
 * that is no part of UTF-8 becomes the lone surrogate U+DC00 + byte, so that the
 * value is not well-formed and differs from every text that came as UTF-8.
 */
export function unquote(literal: string): string {
  const quote = literal[0];
  const inside = literal.slice(1, -1);
  if (quote === "`" || !inside.includes("\\")) return inside;
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  let at = 0;
  while (at < inside.length) {
    const escape = inside.indexOf("\\", at);
    const end = escape < 0 ? inside.length : escape;
    for (const byte of encoder.encode(inside.slice(at, end))) bytes.push(byte);
    if (escape < 0) break;
    at = unescape(inside, escape + 1, bytes);
  }
  return decodeBytes(new Uint8Array(bytes));
}

function decodeBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]!);
    try {
      text += decoder.decode(bytes.subarray(at, at + length));
      at += length;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      text += String.fromCharCode(0xdc00 + bytes[at]!);
      at++;
    }
  }
  return text;
}

/** Bytes of a character by its first byte. */
function sequenceLength(first: number): number {
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** Reads the escape whose letter is at `at`, appends its bytes; returns what follows it. */
function unescape(text: string, at: number, bytes: number[]): number {
  const letter = text[at]!;
  const simple = SIMPLE[letter];
  if (simple !== undefined) {
    bytes.push(simple.charCodeAt(0));
    return at + 1;
  }
  const digits = DIGITS[letter];
  if (digits === undefined) {
    // Three octal digits, one byte.
    bytes.push(parseInt(text.slice(at, at + 3), 8) & 0xff);
    return at + 3;
  }
  const end = at + 1 + digits[0];
  const code = parseInt(text.slice(at + 1, end), digits[1]);
  if (letter === "x") bytes.push(code);
  else {
    for (const byte of new TextEncoder().encode(String.fromCodePoint(code))) {
      bytes.push(byte);
    }
  }
  return end;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** The string as a literal in double quotes; only what cannot be printed is escaped. */
export function quote(value: string): string {
  return `"${
    value.replace(
      // deno-lint-ignore no-control-regex
      /[\\"\u0000-\u001f\u007f-\u00a0\u00ad\u2028\u2029\ufeff\udc80-\udcff]/gu,
      escapeCharacter,
    )
  }"`;
}

function escapeCharacter(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.charCodeAt(0);
  // A lone byte; see `unquote`.
  if (code >= 0xdc80 && code <= 0xdcff) {
    return `\\x${(code - 0xdc00).toString(16)}`;
  }
  return code < 0x80
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Whether a label may have that name: any UTF-8 but nothing. */
export function isLabelName(name: string): boolean {
  return name !== "" && name.isWellFormed();
}
