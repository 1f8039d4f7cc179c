/** Selectors with their matchers, and lists of labels. Any thread. */
import {
  type LabelMatcher,
  type MatchType,
  METRIC_NAME,
  type VectorSelector,
} from "./ast.ts";
import { compileMatcher } from "./matchers.ts";
import { stringValue } from "./parse_literal.ts";
import type { Span } from "./parse_error.ts";
import { isLabelName, quote } from "./quote.ts";
import { canNameLabel, type Token } from "./token.ts";
import { join, spanOf, type TokenReader } from "./token_reader.ts";

const MATCHING = "label matching";
const GROUPING = "grouping opts";

/** A selector whose name, if it has one, has been taken. */
export function parseSelector(
  reader: TokenReader,
  name: Token | undefined,
): VectorSelector {
  let span = name === undefined ? undefined : spanOf(name);
  const matchers: LabelMatcher[] = [];
  if (name === undefined || reader.isNext("{")) {
    const braces = parseMatchers(reader, matchers);
    span = span === undefined ? braces : join(span, braces);
  }
  if (name !== undefined) {
    matchers.push({ type: "=", name: METRIC_NAME, value: name.text });
  }
  return {
    kind: "vector-selector",
    name: name?.text ?? "",
    matchers,
    offset: { ms: 0 },
    span: span!,
  };
}

function parseMatchers(reader: TokenReader, matchers: LabelMatcher[]): Span {
  const open = reader.expect("{");
  for (;;) {
    const close = reader.takeIf("}");
    if (close !== undefined) return join(spanOf(open), spanOf(close));
    matchers.push(parseMatcher(reader));
    if (reader.isNext("}")) continue;
    reader.expect(",", MATCHING, '"," or "}"');
  }
}

function parseMatcher(reader: TokenReader): LabelMatcher {
  const label = reader.takeIf("identifier") ?? reader.takeIf("string") ??
    reader.unexpected(MATCHING, 'identifier or "}"');
  const name = label.kind === "string" ? stringValue(label) : label.text;
  const type = takeMatchType(reader);
  if (type === undefined) {
    if (label.kind === "identifier") {
      reader.unexpected(MATCHING, "label matching operator");
    }
    // A string alone is the name of the metric.
    if (!reader.isNext(",") && !reader.isNext("}")) {
      reader.unexpected(MATCHING, '"," or "}"');
    }
    return { type: "=", name: METRIC_NAME, value: name };
  }
  const literal = reader.expect("string", MATCHING, "string");
  const matcher = { type, name, value: stringValue(literal) };
  try {
    compileMatcher(matcher, reader.compile);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    reader.fail(join(spanOf(label), spanOf(literal)), error.message);
  }
  return matcher;
}

function takeMatchType(reader: TokenReader): MatchType | undefined {
  if (reader.takeIf("=") !== undefined) return "=";
  const token = reader.peek();
  if (token.kind !== "operator") return undefined;
  reader.take();
  return token.word as MatchType;
}

/** `(a, b, "c d")`; an empty list and a comma at the end are fine. */
export function parseLabels(reader: TokenReader): string[] {
  reader.expect("(", GROUPING, '"("');
  const labels: string[] = [];
  while (reader.takeIf(")") === undefined) {
    labels.push(parseLabel(reader));
    if (reader.isNext(")")) continue;
    reader.expect(",", GROUPING, '"," or ")"');
  }
  return labels;
}

function parseLabel(reader: TokenReader): string {
  const token = reader.peek();
  if (token.kind !== "string" && !canNameLabel(token)) {
    reader.unexpected(GROUPING, "label");
  }
  reader.take();
  if (token.kind !== "string") return token.text;
  const label = stringValue(token);
  if (!isLabelName(label)) {
    reader.fail(
      spanOf(token),
      `invalid label name for grouping: ${quote(label)}`,
    );
  }
  return label;
}
