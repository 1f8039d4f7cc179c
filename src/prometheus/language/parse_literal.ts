/** Numbers, durations and strings as they stand in an expression. Any thread. */
import type { NumberLiteral } from "./ast.ts";
import { parseDurationMs } from "./duration.ts";
import { parseNumberLiteral } from "./number_literal.ts";
import { unquote } from "./quote.ts";
import { spanOf, type TokenReader } from "./token_reader.ts";
import type { Token } from "./token.ts";

/** The number or duration that comes next; `undefined`: something else does. */
export function takeNumber(reader: TokenReader): NumberLiteral | undefined {
  const token = reader.takeIf("number") ?? reader.takeIf("duration");
  if (token === undefined) return undefined;
  const isDuration = token.kind === "duration";
  return {
    kind: "number",
    value: isDuration ? durationSeconds(reader, token) : number(reader, token),
    isDuration,
    span: spanOf(token),
  };
}

function number(reader: TokenReader, token: Token): number {
  try {
    return parseNumberLiteral(token.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return reader.fail(spanOf(token), `error parsing number: ${error.message}`);
  }
}

function durationSeconds(reader: TokenReader, token: Token): number {
  try {
    return parseDurationMs(token.text) / 1000;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return reader.fail(spanOf(token), error.message);
  }
}

/** The value of a string token. */
export function stringValue(token: Token): string {
  return unquote(token.text);
}
