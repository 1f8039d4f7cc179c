/** What may follow a selector or an operator: `offset`, `@`, `on`, `group_left`, `fill`, … Any thread. */
import {
  type AtModifier,
  type BinaryOperator,
  type Duration,
  type Expr,
  isSetOperator,
  type MatrixSelector,
  type SubqueryExpr,
  typeOf,
  type VectorMatching,
  type VectorSelector,
} from "./ast.ts";
import { parseOffsetDuration, parseRangeDuration } from "./parse_duration.ts";
import { takeNumber } from "./parse_literal.ts";
import { formatFixed } from "./number_literal.ts";
import { parseLabels } from "./parse_selector.ts";
import { join, spanOf, type TokenReader } from "./token_reader.ts";

/** All modifiers and ranges that follow an expression. */
export function parsePostfix(reader: TokenReader, expr: Expr): Expr {
  let result = expr;
  for (;;) {
    const token = reader.peek();
    if (token.kind === "[") result = parseBrackets(reader, result);
    else if (token.kind === "operator" && token.word === "@") {
      result = parseAt(reader, result);
    } else if (token.kind === "keyword" && token.word === "offset") {
      result = parseOffset(reader, result);
    } else if (
      token.kind === "keyword" &&
      (token.word === "anchored" || token.word === "smoothed")
    ) {
      reader.take();
      result = extend(reader, result, token.word, spanOf(token).end);
    } else return result;
  }
}

type Selecting = VectorSelector | MatrixSelector | SubqueryExpr;

function asSelecting(expr: Expr): Selecting | undefined {
  return expr.kind === "vector-selector" || expr.kind === "matrix-selector" ||
      expr.kind === "subquery"
    ? expr
    : undefined;
}

/** Where modifiers of the expression are kept. */
function carrierOf(expr: Selecting): VectorSelector | SubqueryExpr {
  return expr.kind === "matrix-selector" ? expr.selector : expr;
}

/** The same with other modifiers; its span reaches to `end`. */
function withModifiers(
  expr: Selecting,
  change: { offset?: Duration; at?: AtModifier },
  end: number,
): Expr {
  const span = { start: expr.span.start, end };
  return expr.kind === "matrix-selector"
    ? { ...expr, selector: { ...expr.selector, ...change }, span }
    : { ...expr, ...change, span };
}

const SELECTORS =
  "an instant vector selector or range vector selector or a subquery";

function parseOffset(reader: TokenReader, expr: Expr): Expr {
  reader.take();
  const start = reader.peek().start;
  const offset = parseOffsetDuration(reader);
  const selecting = asSelecting(expr) ?? reader.fail(
    expr.span,
    `offset modifier must be preceded by ${SELECTORS}`,
  );
  const before = carrierOf(selecting).offset;
  if (before.ms !== 0 || before.operation !== undefined) {
    reader.fail(expr.span, "offset may not be set multiple times");
  }
  const end = lastEnd(reader, start);
  return withModifiers(selecting, { offset }, end);
}

function parseAt(reader: TokenReader, expr: Expr): Expr {
  reader.take();
  const start = reader.peek().start;
  const at = parseTimestamp(reader, expr);
  const selecting = asSelecting(expr) ?? reader.fail(
    expr.span,
    `@ modifier must be preceded by ${SELECTORS}`,
  );
  if (carrierOf(selecting).at !== undefined) {
    reader.fail(expr.span, "@ <timestamp> may not be set multiple times");
  }
  return withModifiers(selecting, { at }, lastEnd(reader, start));
}

/** Where the last token before the next one ends. */
function lastEnd(reader: TokenReader, start: number): number {
  const text = reader.text.slice(start, reader.peek().start);
  return start + text.trimEnd().length;
}

function parseTimestamp(reader: TokenReader, expr: Expr): AtModifier {
  for (const word of ["start", "end"] as const) {
    if (reader.takeIf("keyword", word) === undefined) continue;
    reader.expect("(", "@", "timestamp");
    reader.expect(")", "@", "timestamp");
    return word;
  }
  const isNegative = reader.takeIf("operator", "-") !== undefined;
  if (!isNegative) reader.takeIf("operator", "+");
  const number = takeNumber(reader) ?? reader.unexpected("@", "timestamp");
  const seconds = isNegative ? -number.value : number.value;
  if (!(Math.abs(seconds) < 2 ** 63)) {
    reader.fail(
      expr.span,
      `timestamp out of bounds for @ modifier: ${formatFixed(seconds)}`,
    );
  }
  return Math.round(seconds * 1000);
}

function extend(
  reader: TokenReader,
  expr: Expr,
  extension: "anchored" | "smoothed",
  end: number,
): Expr {
  if (expr.kind === "subquery") {
    reader.fail(
      expr.span,
      `${extension} modifier is not supported for subqueries`,
    );
  }
  if (expr.kind !== "vector-selector" && expr.kind !== "matrix-selector") {
    return reader.fail(expr.span, `${extension} modifier not implemented`);
  }
  const before = expr.kind === "vector-selector"
    ? expr.extension
    : expr.selector.extension;
  if (before !== undefined && before !== extension) {
    reader.fail(
      expr.span,
      "anchored and smoothed modifiers cannot be used together",
    );
  }
  const span = { start: expr.span.start, end };
  return expr.kind === "vector-selector"
    ? { ...expr, extension, span }
    : { ...expr, selector: { ...expr.selector, extension }, span };
}

const A_DURATION = "number, duration, step(), or range()";

function parseBrackets(reader: TokenReader, expr: Expr): Expr {
  const open = reader.take();
  const range = parseRangeDuration(
    reader,
    "subquery or range selector",
    A_DURATION,
  );
  if (reader.takeIf(":") === undefined) {
    const close = reader.expect("]", "subquery or range", '":" or "]"');
    const span = join(expr.span, spanOf(close));
    const wrong = whyNoRange(expr);
    if (wrong !== undefined || expr.kind !== "vector-selector") {
      return reader.fail(join(spanOf(open), spanOf(close)), wrong!);
    }
    return { kind: "matrix-selector", selector: expr, range, span };
  }
  const step = reader.isNext("]") ? undefined : parseRangeDuration(
    reader,
    "subquery selector",
    'number, duration, step(), range(), or "]"',
  );
  const close = reader.expect("]", "subquery selector", '"]"');
  return {
    kind: "subquery",
    expr,
    range,
    ...(step === undefined ? {} : { step }),
    offset: { ms: 0 },
    span: join(expr.span, spanOf(close)),
  };
}

function whyNoRange(expr: Expr): string | undefined {
  if (expr.kind !== "vector-selector") {
    return "ranges only allowed for vector selectors";
  }
  if (expr.offset.ms !== 0 || expr.offset.operation !== undefined) {
    return "no offset modifiers allowed before range";
  }
  return expr.at === undefined
    ? undefined
    : "no @ modifiers allowed before range";
}

/** What stands between an operator and its right side. */
export interface BinaryModifiers {
  readonly returnsBool: boolean;
  readonly matching: VectorMatching;
}

export function parseBinaryModifiers(reader: TokenReader): BinaryModifiers {
  const returnsBool = reader.takeIf("keyword", "bool") !== undefined;
  let matching: VectorMatching = {
    card: "one-to-one",
    labels: [],
    isOn: false,
    include: [],
  };
  const isOn = reader.takeIf("keyword", "on") !== undefined;
  if (isOn || reader.takeIf("keyword", "ignoring") !== undefined) {
    matching = { ...matching, isOn, labels: parseLabels(reader) };
    const isLeft = reader.takeIf("keyword", "group_left") !== undefined;
    if (isLeft || reader.takeIf("keyword", "group_right") !== undefined) {
      matching = {
        ...matching,
        card: isLeft ? "many-to-one" : "one-to-many",
        include: reader.isNext("(") ? parseLabels(reader) : [],
      };
    }
  }
  return { returnsBool, matching: parseFills(reader, matching) };
}

function parseFills(
  reader: TokenReader,
  matching: VectorMatching,
): VectorMatching {
  const both = takeFill(reader, "fill");
  if (both !== undefined) {
    return { ...matching, fillLeft: both, fillRight: both };
  }
  let fillLeft = takeFill(reader, "fill_left");
  const fillRight = takeFill(reader, "fill_right");
  if (fillRight !== undefined) fillLeft ??= takeFill(reader, "fill_left");
  return {
    ...matching,
    ...(fillLeft === undefined ? {} : { fillLeft }),
    ...(fillRight === undefined ? {} : { fillRight }),
  };
}

function takeFill(reader: TokenReader, word: string): number | undefined {
  if (reader.takeIf("keyword", word) === undefined) return undefined;
  reader.expect("(");
  const isNegative = reader.takeIf("operator", "-") !== undefined;
  if (!isNegative) reader.takeIf("operator", "+");
  const number = takeNumber(reader) ?? reader.unexpected();
  reader.expect(")");
  return isNegative ? -number.value : number.value;
}

/** How the sides are matched; `undefined` where one of them is a scalar and nothing was asked for. */
export function matchingOf(
  operator: BinaryOperator,
  left: Expr,
  right: Expr,
  matching: VectorMatching,
): VectorMatching | undefined {
  const areVectors = typeOf(left) === "vector" && typeOf(right) === "vector";
  const isAsked = matching.labels.length > 0 ||
    matching.fillLeft !== undefined || matching.fillRight !== undefined;
  if (!areVectors && !isAsked) return undefined;
  return isSetOperator(operator) && matching.card === "one-to-one"
    ? { ...matching, card: "many-to-many" }
    : matching;
}
