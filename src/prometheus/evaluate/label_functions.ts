/** Functions that change labels: label_replace, label_join, and the labels of absent. Any thread. */
import type { RE2JS } from "re2js";
import {
  type CallExpr,
  type Expr,
  METRIC_NAME,
  type StringLiteral,
  unwrapParens,
} from "../language/ast.ts";
import { isLabelName } from "../language/quote.ts";
import { compileRegex } from "../../base/pattern.ts";
import { type Budget, LABEL_CELLS } from "./budget.ts";
import { type Labels, labelsOf, setLabel } from "./labels.ts";
import { mergeEqualRows } from "./merge_rows.ts";
import { failExecution } from "./query_error.ts";
import type { StepMatrix } from "./step_matrix.ts";

function textOf(expr: Expr): string {
  return (unwrapParens(expr) as StringLiteral).value;
}

/** Gives every row the label `name`; a new name of the metric stays. */
async function relabel(
  matrix: StepMatrix,
  name: string,
  valueOf: (labels: Labels) => string | undefined,
  budget: Budget,
): Promise<StepMatrix> {
  for (let row = 0; row < matrix.rows; row++) {
    if (budget.isDue(LABEL_CELLS)) await budget.pause();
    const value = valueOf(matrix.labels[row]!);
    if (value === undefined) continue;
    matrix.labels[row] = setLabel(matrix.labels[row]!, name, value);
    if (name === METRIC_NAME) matrix.dropsName[row] = false;
  }
  return await mergeEqualRows(matrix, budget);
}

export interface LabelChange {
  /** Applies it to the rows of the first argument. */
  apply(matrix: StepMatrix, budget: Budget): Promise<StepMatrix>;
}

/** `label_replace(v, target, replacement, source, pattern)`. */
export function labelReplace(call: CallExpr): LabelChange {
  const [, target, replacement, source, pattern] = call.args.map((arg, i) =>
    i === 0 ? "" : textOf(arg)
  ) as [string, string, string, string, string];
  const regex = compile(pattern);
  if (!isLabelName(target)) {
    failExecution(
      `invalid destination label name in label_replace(): ${target}`,
    );
  }
  const template = parseTemplate(replacement, regex);
  const known = new Map<string, string | undefined>();
  const valueOf = (labels: Labels) => {
    const value = labels.get(source);
    if (!known.has(value)) known.set(value, replace(regex, template, value));
    return known.get(value);
  };
  return {
    apply: (matrix, budget) => relabel(matrix, target, valueOf, budget),
  };
}

function compile(pattern: string): RE2JS {
  try {
    return compileRegex(pattern);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return failExecution(
      `invalid regular expression in label_replace(): ${pattern}`,
    );
  }
}

/** Text, or the number of a group. */
type TemplatePart = string | number;

/** `$1`, `${1}`, `${name}`, `$$`; a name is as long as it can be: `$1x` is the group `1x`. */
function parseTemplate(template: string, regex: RE2JS): TemplatePart[] {
  const parts: TemplatePart[] = [];
  const form = /\$(?:\$|\{(\w+)\}|(\w+))/g;
  let at = 0;
  for (const match of template.matchAll(form)) {
    parts.push(template.slice(at, match.index));
    at = match.index + match[0].length;
    const name = match[1] ?? match[2];
    if (name === undefined) parts.push("$");
    else if (/^\d+$/.test(name)) parts.push(Number(name));
    else parts.push(regex.namedGroups()[name] ?? Infinity);
  }
  parts.push(template.slice(at));
  return parts;
}

/** The replacement; `undefined` where the value does not match as a whole. */
function replace(
  regex: RE2JS,
  template: readonly TemplatePart[],
  value: string,
): string | undefined {
  const matcher = regex.matcher(value);
  if (!matcher.matches()) return undefined;
  return template.map((part) => {
    if (typeof part === "string") return part;
    // A group that there is not is empty.
    return part <= matcher.groupCount() ? matcher.group(part) ?? "" : "";
  }).join("");
}

/** `label_join(v, target, separator, sources…)`. */
export function labelJoin(call: CallExpr): LabelChange {
  const [target, separator, ...sources] = call.args.slice(1).map(textOf) as [
    string,
    string,
    ...string[],
  ];
  const bad = sources.find((source) => !isLabelName(source));
  if (bad !== undefined) {
    failExecution(`invalid source label name in label_join(): ${bad}`);
  }
  if (!isLabelName(target)) {
    failExecution(`invalid destination label name in label_join(): ${target}`);
  }
  const valueOf = (labels: Labels) =>
    sources.map((source) => labels.get(source)).join(separator);
  return {
    apply: (matrix, budget) => relabel(matrix, target, valueOf, budget),
  };
}

/** What `absent` says of a selector: labels that it names once, by equality. */
export function labelsOfAbsent(expr: Expr): Labels {
  const inner = unwrapParens(expr);
  const selector = inner.kind === "matrix-selector" ? inner.selector : inner;
  if (selector.kind !== "vector-selector") return labelsOf([]);
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, type, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (type === "=" && !seen.has(name)) {
      values.set(name, value);
      seen.add(name);
    } else values.delete(name);
  }
  return labelsOf(values);
}
