import assert from "node:assert/strict";
import {
  LINE_BLANK,
  LINE_ENTRY,
  LINE_ERROR,
  LINE_INCOMPLETE,
  LineParser,
} from "./line_parser.ts";

/**
 * The first entry of a text as a sentence: `measurement{tags} value @timestamp` with
 * the tags that were understood, `message` for one that is no metric, `blank`,
 * `incomplete`, or the error.
 */
function meaning(text: string | Uint8Array, isFinal = true): string {
  const bytes = typeof text === "string"
    ? new TextEncoder().encode(text)
    : text;
  const parser = new LineParser();
  const kind = parser.parse(bytes, 0, bytes.length, isFinal);
  if (kind === LINE_BLANK) return "blank";
  if (kind === LINE_INCOMPLETE) return "incomplete";
  if (kind === LINE_ERROR) return `${parser.errorReason}: ${parser.error}`;
  assert.equal(kind, LINE_ENTRY);
  const range = (start: number, end: number) =>
    new TextDecoder().decode(bytes.subarray(start, end));
  const tags = Object.entries({
    cluster: parser.cluster,
    host: parser.hostname,
    type: parser.type,
    "type-id": parser.typeId,
    stype: parser.subtype,
    "stype-id": parser.subtypeId,
  }).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  const value = parser.isOtherMessage
    ? "message"
    : range(parser.valueStart, parser.valueEnd);
  const time = range(parser.timeStart, parser.timeEnd);
  return `${parser.measurement}{${tags.join(" ")}} ${value}` +
    (time === "" ? "" : ` @${time}`);
}

/** Line and meaning, by metric-store 2.1. */
const LINES: readonly (readonly [line: string, meaning: string])[] = [
  // Blank lines and comments.
  ["", "blank"],
  ["  ", "blank"],
  ["\n", "blank"],
  ["\r\n", "blank"],
  ["# m value=1", "blank"],
  ["  # m value=1\nm value=1", "blank"],
  // Value and timestamp, line ends, spaces.
  ["m value=1", "m{} 1"],
  ["m value=1 5", "m{} 1 @5"],
  ["m value=1 -5", "m{} 1 @-5"],
  ["m value=1\r\n", "m{} 1"],
  ["m value=1 5\r\n", "m{} 1 @5"],
  ["m value=1 5\nrest", "m{} 1 @5"],
  ["  m value=1 5", "m{} 1 @5"],
  ["m  value=1  5  ", "m{} 1 @5"],
  // Tags: others than these are passed over, of equal ones the last counts.
  ["m,cluster=c,hostname=h value=1 5", "m{cluster=c host=h} 1 @5"],
  ["m,host=h value=1", "m{host=h} 1"],
  ["m,host=a,hostname=b value=1", "m{host=b} 1"],
  ["m,hostname=a,host=b value=1", "m{host=b} 1"],
  [
    "m,type=socket,type-id=0,stype=x,stype-id=1 value=1",
    "m{type=socket type-id=0 stype=x stype-id=1} 1",
  ],
  ["m,type=node value=1", "m{type=node} 1"],
  ["m,unit=W,jobid=7 value=1", "m{} 1"],
  ["m,cluster=a,cluster=b value=1", "m{cluster=b} 1"],
  // Values are ranges of bytes; number_parse.ts reads them.
  ["m value=1i", "m{} 1i"],
  ["m value=1u", "m{} 1u"],
  ["m value=t", "m{} t"],
  ['m value="text"', 'm{} "text"'],
  ['m value="a b,c=d" 5', 'm{} "a b,c=d" @5'],
  ['m value="a\\"b" 5', 'm{} "a\\"b" @5'],
  ['m value="a\nb" 5', 'm{} "a\nb" @5'],
  ["m value=1,value=2 5", "m{} 2 @5"],
  // Other messages of ClusterCockpit.
  ['m event="x" 5', "m{} message @5"],
  ['m log="x",value=1', "m{} message"],
  ['m control="x",other=1', "m{} message"],
  ['m query="x"', "m{} message"],
  // Names: escapes, other backslashes, UTF-8.
  ["m\\ n value=1", "m n{} 1"],
  ["m\\,n value=1", "m,n{} 1"],
  ["m=n value=1", "m=n{} 1"],
  ["m\\=n value=1", "m\\=n{} 1"],
  ["m\\n value=1", "m\\n{} 1"],
  ["m,host=a\\ b value=1", "m{host=a b} 1"],
  ["m,host=a\\,b value=1", "m{host=a,b} 1"],
  ["m,host=a\\=b value=1", "m{host=a=b} 1"],
  [
    "m,host=a\\\\ value=1",
    "syntax: column 17: want ',' or a space after the tags, found '='",
  ],
  ["m,ho\\ st=a value=1", "m{} 1"],
  ["mé,host=ö value=1", "mé{host=ö} 1"],
  ["\ufeffm value=1", "\ufeffm{} 1"],
  // Names that are missing.
  [
    "m",
    "syntax: column 2: want ',' or a space after the tags, found the end of the line",
  ],
  ["m,", "syntax: column 3: tag key is empty"],
  [",host=a value=1", "syntax: column 1: measurement is empty"],
  [
    "m,host value=1",
    "syntax: column 7: want '=' after tag key \"host\", found ' '",
  ],
  ["m,host= value=1", 'syntax: column 8: value of tag "host" is empty'],
  ["m,=a value=1", "syntax: column 3: tag key is empty"],
  ["m,host=a,,cluster=c value=1", "syntax: column 10: tag key is empty"],
  [
    "m,host=a=b value=1",
    "syntax: column 9: want ',' or a space after the tags, found '='",
  ],
  // Fields that are missing or unknown.
  ["m ", "syntax: column 3: field key is empty"],
  [
    "m value",
    "syntax: column 8: want '=' after field key \"value\", found the end of the line",
  ],
  ["m value=", 'syntax: column 9: field "value" has no value'],
  ["m value= 5", 'syntax: column 9: field "value" has no value'],
  ["m =1", "syntax: column 3: field key is empty"],
  ["m value=1,", "syntax: column 11: field key is empty"],
  ["m value=1,,value=2", "syntax: column 11: field key is empty"],
  [
    "m other=1",
    'field: column 10: unknown field "other", only "value" is known',
  ],
  [
    "m value=1,other=2",
    'field: column 18: unknown field "other", only "value" is known',
  ],
  [
    "m other=1,more=2,value=3",
    'field: column 25: unknown field "other", only "value" is known',
  ],
  // Line ends, control characters, strings.
  [
    "m value=1 5 6",
    "syntax: column 13: want the end of the line after the timestamp, found '6'",
  ],
  [
    "m value=1 5,6",
    "syntax: column 12: want the end of the line after the timestamp, found ','",
  ],
  ["m\tvalue=1", "syntax: column 2: measurement has a control character (9)"],
  [
    "m,host=a\tb value=1",
    'syntax: column 9: value of tag "host" has a control character (9)',
  ],
  [
    "m\u007f value=1",
    "syntax: column 2: measurement has a control character (127)",
  ],
  ['m value="text', "syntax: column 9: string is not closed"],
  [
    'm value="a"b 5',
    "syntax: column 14: want the end of the line after the timestamp, found '5'",
  ],
  [
    "m value=1\r5",
    "syntax: column 10: want the end of the line after the timestamp, found byte 13",
  ],
];

Deno.test("LineParser reads the grammar of the line protocol", () => {
  const found = LINES.map(([line]) => [line, meaning(line)] as const);
  assert.deepEqual(found, LINES);
});

Deno.test("LineParser refuses names that are not UTF-8", () => {
  const bytes = (text: string) =>
    Uint8Array.from(text, (char) => char.charCodeAt(0));
  assert.equal(
    meaning(bytes("m\xff value=1")),
    "syntax: column 3: measurement is not valid UTF-8",
  );
  assert.equal(
    meaning(bytes("m,host=\xc3 value=1")),
    'syntax: column 9: value of tag "host" is not valid UTF-8',
  );
});

Deno.test("LineParser waits for the end of a string that more bytes may close", () => {
  for (
    const text of ['m value="a', 'm value="a\\"', 'm value="a\nb', 'm value="']
  ) {
    assert.equal(meaning(text, false), "incomplete", text);
    assert.match(meaning(text, true), /string is not closed/, text);
  }
  assert.equal(meaning("m value=1", false), "m{} 1");
});

Deno.test("LineParser goes on behind the line break, also after an error", () => {
  const bytes = new TextEncoder().encode(
    'm value="a\nb"\r\nx\n\n# c\nm,host=h value=2 7',
  );
  const parser = new LineParser();
  const seen: [kind: number, next: number, breaks: number][] = [];
  for (let at = 0; at < bytes.length; at = parser.next) {
    const kind = parser.parse(bytes, at, bytes.length, true);
    seen.push([kind, parser.next, parser.lineBreaks]);
  }
  assert.deepEqual(seen, [
    [LINE_ENTRY, 15, 2],
    [LINE_ERROR, 17, 1],
    [LINE_BLANK, 18, 1],
    [LINE_BLANK, 22, 1],
    [LINE_ENTRY, 40, 0],
  ]);
});

Deno.test("LineParser marks the end of a key of the common shape alone", () => {
  const keyOf = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const parser = new LineParser();
    parser.parse(bytes, 0, bytes.length, true);
    return text.slice(0, parser.keyEnd);
  };
  assert.equal(keyOf("m,host=h value=1 5"), "m,host=h value=");
  assert.equal(keyOf("m,host=h  value=1 5"), "");
  assert.equal(keyOf("m value=1,value=2"), "m value=");
  assert.equal(keyOf('m event="x",value=1'), "");
});
