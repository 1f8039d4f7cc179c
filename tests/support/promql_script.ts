/**
 * The language of Prometheus' own test files: `load` with series, `eval` with what is
 * expected. Only read here; `promql_runner.ts` runs it.
 */
import assert from "node:assert/strict";
import { METRIC_NAME } from "../../src/prometheus/language/ast.ts";
import { parseDurationMs } from "../../src/prometheus/language/duration.ts";
import { parseGoFloat } from "../../src/prometheus/evaluate/go_math.ts";
import { type Labels, labelsOf } from "../../src/prometheus/evaluate/labels.ts";
import { bitsOf, writeStale } from "../../src/prometheus/evaluate/nan_kinds.ts";
import { parseMetricSelector } from "../../src/prometheus/language/parser.ts";
import { unquote } from "../../src/prometheus/language/quote.ts";

/** A sequence of values: one a step, `isThere` 0 where there is none. */
export interface Sequence {
  readonly values: Float64Array;
  readonly isThere: Uint8Array;
  /** Has native histograms, which are not read. */
  readonly isNative: boolean;
}

export interface SeriesLine extends Sequence {
  readonly labels: Labels;
}

export interface LoadCommand {
  readonly kind: "load";
  readonly stepMs: number;
  readonly series: readonly SeriesLine[];
  /** Classic histograms are native ones too. */
  readonly isWithNative: boolean;
}

export type ExpectKind =
  | "ordered"
  | "fail"
  | "warn"
  | "no_warn"
  | "info"
  | "no_info";

export interface Expectation {
  readonly kind: ExpectKind;
  /** Whether a text is what is expected. */
  readonly matches: (text: string) => boolean;
  readonly shown: string;
}

export interface EvalCommand {
  readonly kind: "eval";
  readonly line: number;
  readonly expr: string;
  /** `stepMs` 0: at one time, `endMs`. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly expectations: readonly Expectation[];
  readonly series: readonly SeriesLine[];
  readonly scalar?: number;
  readonly text?: string;
  /** Times of an expected range vector. */
  readonly range?: { startMs: number; endMs: number; stepMs: number };
}

export type Command = LoadCommand | EvalCommand | { readonly kind: "clear" };

/** Reads a file. A line that begins with `#` counts as empty, an empty one ends a block. */
export function parseScript(text: string): Command[] {
  const lines = text.split("\n").map((line) => line.trim())
    .map((line) => line.startsWith("#") ? "" : line);
  const commands: Command[] = [];
  for (let at = 0; at < lines.length; at++) {
    const first = lines[at]!;
    if (first === "") continue;
    const number = at + 1;
    const block: string[] = [];
    if (first !== "clear") {
      while (at + 1 < lines.length && lines[at + 1] !== "") {
        block.push(lines[++at]!);
      }
    }
    commands.push(parseCommand(first, block, number));
  }
  return commands;
}

function parseCommand(
  first: string,
  block: readonly string[],
  line: number,
): Command {
  if (first === "clear") return { kind: "clear" };
  const load = /^load(_with_nhcb)?\s+(.+?)$/.exec(first);
  if (load !== null) {
    return {
      kind: "load",
      stepMs: parseDurationMs(load[2]!),
      series: block.filter((text) => !isStartTimes(text)).map(parseSeriesLine),
      isWithNative: load[1] !== undefined,
    };
  }
  return parseEval(first, block, line);
}

/** `metric@st …`: start timestamps of the line that follows. */
function isStartTimes(line: string): boolean {
  return /^\S*@st\s/.test(line);
}

function parseEval(
  first: string,
  block: readonly string[],
  line: number,
): EvalCommand {
  const instant =
    /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/
      .exec(first);
  const steps =
    /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/
      .exec(first);
  const match = instant ?? steps;
  assert(match !== null, `line ${line}: ${first}`);
  const command = {
    kind: "eval" as const,
    line,
    expr: match[instant === null ? 5 : 3]!,
    ...(instant === null
      ? {
        startMs: parseDurationMs(match[2]!),
        endMs: parseDurationMs(match[3]!),
        stepMs: parseDurationMs(match[4]!),
      }
      : {
        startMs: parseDurationMs(match[2]!),
        endMs: parseDurationMs(match[2]!),
        stepMs: 0,
      }),
  };
  const old = match[1] === undefined ? [] : [anything(match[1] as ExpectKind)];
  return { ...command, ...parseExpected(block, old) };
}

function anything(kind: ExpectKind): Expectation {
  return { kind, matches: () => true, shown: "anything" };
}

type Expected = Pick<
  EvalCommand,
  "expectations" | "series" | "scalar" | "text" | "range"
>;

function parseExpected(
  block: readonly string[],
  old: readonly Expectation[],
): Expected {
  const expectations = [...old];
  const series: SeriesLine[] = [];
  let rest: Partial<Expected> = {};
  for (const line of block) {
    const range =
      /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/.exec(
        line,
      );
    const number = parseGoFloat(line);
    if (range !== null) {
      const [startMs, endMs, stepMs] = range.slice(1).map(parseDurationMs) as [
        number,
        number,
        number,
      ];
      rest = { ...rest, range: { startMs, endMs, stepMs } };
    } else if (line.startsWith("expect string ")) {
      rest = { ...rest, text: unquote(line.slice("expect string ".length)) };
    } else if (line.startsWith("expect ")) {
      expectations.push(parseExpect(line));
    } else if (number !== undefined) {
      rest = { ...rest, scalar: number };
      break;
    } else series.push(parseSeriesLine(line));
  }
  return { expectations, series, ...rest };
}

function parseExpect(line: string): Expectation {
  const match =
    /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/
      .exec(line);
  assert(match !== null, line);
  const kind = match[1] as ExpectKind;
  if (match[2] === undefined) return anything(kind);
  const shown = match[3]!.trim();
  if (match[2] === "msg") {
    return { kind, matches: (text) => text === shown, shown };
  }
  const pattern = new RegExp(shown);
  return { kind, matches: (text) => pattern.test(text), shown };
}

/** `name{…} 1 2+1x3 _ stale`. */
export function parseSeriesLine(line: string): SeriesLine {
  const end = endOfMetric(line);
  const metric = line.slice(0, end).trim();
  return { labels: parseMetric(metric), ...parseSequence(line.slice(end)) };
}

/** Where the metric ends: the first space outside of braces and quotes, or after a brace. */
function endOfMetric(line: string): number {
  let quote = "";
  let isInBraces = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quote !== "") {
      if (character === "\\" && quote !== "`") at++;
      else if (character === quote) quote = "";
    } else if (`"'\``.includes(character)) quote = character;
    else if (character === "{") isInBraces = true;
    else if (character === "}") return at + 1;
    else if (!isInBraces && /\s/.test(character)) {
      // `name {a="b"}` is one metric.
      if (!/^\s*\{[^{]/.test(line.slice(at))) return at;
    }
  }
  return line.length;
}

function parseMetric(metric: string): Labels {
  if (metric === "{}") return labelsOf([]);
  const empty = /^(.+)\{\}$/.exec(metric);
  if (empty !== null) return parseMetric(empty[1]!);
  const selector = parseMetricSelector(metric);
  return labelsOf(
    selector!.matchers.map(({ name, value }) => [name, value] as const),
  );
}

const NUMBER = String.raw`[+-]?(?:[0-9.]+(?:e[+-]?[0-9]+)?|inf|nan)`;
const ITEM = new RegExp(
  String
    .raw`^(?:(_)(?:x(\d+))?|(stale)|(${NUMBER})(?:([+-]${NUMBER}))?(?:x(\d+))?)$`,
  "i",
);

function parseSequence(text: string): Sequence {
  if (text.includes("{{")) {
    return {
      values: new Float64Array(0),
      isThere: new Uint8Array(0),
      isNative: true,
    };
  }
  const values: number[] = [];
  const stale: number[] = [];
  const isThere: number[] = [];
  for (const item of text.trim().split(/\s+/)) {
    if (item === "") continue;
    const match = ITEM.exec(item);
    assert(match !== null, `a value "${item}"`);
    const [, gap, gaps, marker, base, step, times] = match;
    if (gap !== undefined) {
      const count = gaps === undefined ? 1 : Number(gaps);
      for (let i = 0; i < count; i++) values.push(0), isThere.push(0);
    } else if (marker !== undefined) {
      stale.push(values.length);
      values.push(NaN);
      isThere.push(1);
    } else {
      const start = parseGoFloat(base!)!;
      const difference = step === undefined ? 0 : parseGoFloat(step)!;
      let value = start;
      for (let i = 0; i <= Number(times ?? 0); i++) {
        values.push(value);
        isThere.push(1);
        value += difference;
      }
    }
  }
  const array = Float64Array.from(values);
  const bits = bitsOf(array);
  stale.forEach((index) => writeStale(bits, index));
  return { values: array, isThere: Uint8Array.from(isThere), isNative: false };
}

/** The name of the native histogram that a classic series is a part of. */
export function nativeLabels(labels: Labels): Labels {
  const name = labels.get(METRIC_NAME).replace(/_(bucket|count|sum)$/, "");
  const pairs = labels.names.map((label, i) =>
    [label, label === METRIC_NAME ? name : labels.values[i]!] as const
  );
  return labelsOf(pairs.filter(([label]) => label !== "le"));
}
