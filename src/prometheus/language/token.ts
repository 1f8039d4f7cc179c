/**
 * The words and signs of PromQL: what the lexer hands to the parser, and how
 * messages call them. Any thread.
 */

/** Signs are their own kind; words of one class share a kind and differ in `text`. */
export type TokenKind =
  | "end"
  | "identifier"
  | "metric identifier"
  | "string"
  | "number"
  | "duration"
  /** `by`, `offset`, `bool` and the like; the word is in `word`. */
  | "keyword"
  /** `sum`, `topk`, …; the word is in `word`. */
  | "aggregator"
  /** `+`, `==`, `and`, `@`, …; the operator is in `word`. */
  | "operator"
  | "("
  | ")"
  | "{"
  | "}"
  | "["
  | "]"
  | ","
  | "="
  | ":";

export interface Token {
  readonly kind: TokenKind;
  /** Offset of its first character in the query, in UTF-16 units. */
  readonly start: number;
  /** As it stands in the query. */
  readonly text: string;
  /** Lower case of a keyword, an aggregator or an operator; otherwise "". */
  readonly word: string;
}

const OPERATOR_WORDS = ["and", "or", "unless", "atan2"];
const AGGREGATORS = [
  "sum",
  "avg",
  "count",
  "min",
  "max",
  "group",
  "stddev",
  "stdvar",
  "topk",
  "bottomk",
  "count_values",
  "quantile",
  "limitk",
  "limit_ratio",
];
const KEYWORDS = [
  "offset",
  "smoothed",
  "anchored",
  "by",
  "without",
  "on",
  "ignoring",
  "group_left",
  "group_right",
  "fill",
  "fill_left",
  "fill_right",
  "bool",
  "start",
  "end",
  "step",
  "range",
  "max_of",
  "min_of",
];

/** Kind of a word in lower case; a word that is not in it is an identifier. */
export const WORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>(
  [
    ...OPERATOR_WORDS.map((word) => [word, "operator"] as const),
    ...AGGREGATORS.map((word) => [word, "aggregator"] as const),
    ...KEYWORDS.map((word) => [word, "keyword"] as const),
    ["inf", "number"],
    ["nan", "number"],
  ],
);

/** Words that a duration may be made of, within `[…]` and after `offset`. */
export const DURATION_WORDS: readonly string[] = [
  "step",
  "range",
  "max_of",
  "min_of",
];

/** Words that are no name of a metric though other keywords are. */
const NO_METRIC = new Set([
  "on",
  "ignoring",
  "group_left",
  "group_right",
  "bool",
  "atan2",
]);

/** Whether the token may stand as the name of a metric. */
export function canNameMetric(token: Token): boolean {
  switch (token.kind) {
    case "identifier":
    case "metric identifier":
    case "aggregator":
      return true;
    case "keyword":
      return !NO_METRIC.has(token.word);
    case "operator":
      return OPERATOR_WORDS.includes(token.word) && !NO_METRIC.has(token.word);
    default:
      return false;
  }
}

/** Whether the token may stand as a label in `by (…)`, `on (…)` and the like. */
export function canNameLabel(token: Token): boolean {
  switch (token.kind) {
    case "identifier":
    case "metric identifier":
    case "aggregator":
    case "keyword":
      return true;
    case "operator":
      return OPERATOR_WORDS.includes(token.word);
    default:
      return false;
  }
}

/** The token as messages call it: `identifier "x"`, `<op:+>`, `<by>`, `","`. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case "end":
      return "end of input";
    case "identifier":
    case "metric identifier":
      return `${
        token.kind === "identifier" ? "identifier" : "metric identifier"
      } ${quoteShort(token.text)}`;
    case "string":
    case "number":
    case "duration":
      return `${token.kind} ${
        token.text.length > 10
          ? `${quoteShort(token.text.slice(0, 10))}...`
          : quoteShort(token.text)
      }`;
    case "keyword":
      return `<${token.text}>`;
    case "aggregator":
      return `<aggr:${token.text}>`;
    case "operator":
      return `<op:${token.text}>`;
    default:
      return `"${token.text}"`;
  }
}

function quoteShort(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
