/**
 * Line protocol with strings, as events use it: measurement, tags, fields and a
 * timestamp that must be there. Pure. Metrics are parsed elsewhere and faster
 * (`src/ingest`); they have no strings.
 */

/** The rest of the message cannot be read. */
export class EventSyntaxError extends Error {
  readonly code = "E_EVENT_SYNTAX";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EventSyntaxError";
  }
}

const LINE_END = /\r?\n|$/y;
const BLANK_OR_COMMENT = /[ ]*(?:#[^\r\n]*)?(?:\r?\n|$)/y;
const SPACES = / +/y;
// deno-lint-ignore no-control-regex
const MEASUREMENT = /(?:\\[, ]|[^, \x00-\x1f\x7f])+/y;
// deno-lint-ignore no-control-regex
const NAME = /(?:\\[,= ]|[^,= \x00-\x1f\x7f])+/y;
const BARE_VALUE = /[^", \r\n][^, \r\n]*/y;
const TIMESTAMP = /-?\d{1,19}(?=[ \r\n]|$)/y;

const STRING_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
};

export interface EventLine {
  readonly measurement: string;
  readonly tags: ReadonlyMap<string, string>;
  /** Fields that are strings; of several with a name the last counts. */
  readonly strings: ReadonlyMap<string, string>;
}

/**
 * The lines of a text, without blank ones and comments. Throws an
 * {@linkcode EventSyntaxError} when it comes to something else.
 */
export function* readEventLines(text: string): Generator<EventLine> {
  const scan = new Scan(text);
  while (!scan.isAtEnd) {
    if (scan.take(BLANK_OR_COMMENT) === undefined) yield readLine(scan);
  }
}

/** A place in a text that moves on behind each thing it reads. */
class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Reads a match of the sticky pattern at this place; `undefined` if there is none. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  takeChar(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /**
   * Reads a quoted string at this place; `undefined` if it has no quotation mark, or no
   * second one. It is a loop, since a pattern would need a stack as deep as the string
   * is long.
   */
  takeString(): string | undefined {
    const text = this.#text;
    if (text[this.#at] !== '"') return undefined;
    for (let end = this.#at + 1; end < text.length; end++) {
      if (text[end] === "\\") end++;
      else if (text[end] === '"') {
        const string = text.slice(this.#at + 1, end);
        this.#at = end + 1;
        return string;
      }
    }
    return undefined;
  }

  expect(pattern: RegExp, what: string): string {
    return this.take(pattern) ?? this.#fail(what);
  }

  expectChar(char: string, what: string): void {
    if (!this.takeChar(char)) this.#fail(what);
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split("\n").length;
    const column = this.#at - before.lastIndexOf("\n");
    throw new EventSyntaxError(`line ${line}, column ${column}: ${what}`);
  }
}

function readLine(scan: Scan): EventLine {
  scan.take(SPACES);
  const measurement = unescape(scan.expect(MEASUREMENT, "a measurement"));
  const tags = new Map<string, string>();
  while (scan.takeChar(",")) {
    const key = unescape(scan.expect(NAME, "the name of a tag"));
    scan.expectChar("=", "= behind the name of a tag");
    tags.set(key, unescape(scan.expect(NAME, "the value of a tag")));
  }
  scan.expect(SPACES, "a blank in front of the fields");
  const strings = new Map<string, string>();
  do {
    const key = unescape(scan.expect(NAME, "the name of a field"));
    scan.expectChar("=", "= behind the name of a field");
    const string = scan.takeString();
    if (string === undefined) scan.expect(BARE_VALUE, "the value of a field");
    else strings.set(key, unescapeString(string));
  } while (scan.takeChar(","));
  scan.expect(SPACES, "a timestamp");
  scan.expect(TIMESTAMP, "a timestamp in nanoseconds");
  scan.take(SPACES);
  scan.expect(LINE_END, "the end of the line");
  return { measurement, tags, strings };
}

function unescape(name: string): string {
  return name.includes("\\") ? name.replace(/\\([,= ])/g, "$1") : name;
}

/** Other backslashes stay as they are. */
function unescapeString(text: string): string {
  return text.replace(
    /\\(["\\nrt])/g,
    (_, char: string) => STRING_ESCAPES[char] ?? "",
  );
}
