/**
 * What is wrong with an expression, and where. Offsets are UTF-16 units inside;
 * messages count lines and bytes, as Prometheus does. Any thread.
 */
import { ClientError } from "../../base/errors.ts";

/** A part of the query: first character and the one behind the last, UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An expression that cannot be read; the message begins with `line:column`. */
export class PromqlParseError extends ClientError {
  readonly span: Span;

  constructor(query: string, span: Span, what: string) {
    super(
      "E_BAD_REQUEST",
      `${lineColumn(query, span.start)}: parse error: ${what}`,
    );
    this.name = "PromqlParseError";
    this.span = span;
  }
}

/** `line:column`, both from 1, the column in UTF-8 bytes. */
export function lineColumn(query: string, offset: number): string {
  if (query === "") return "unknown position";
  if (offset < 0 || offset > query.length) return "invalid position";
  const before = query.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (
    let at = before.indexOf("\n");
    at >= 0;
    at = before.indexOf("\n", at + 1)
  ) {
    line++;
  }
  return `${line}:${utf8Length(before.slice(lineStart)) + 1}`;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
