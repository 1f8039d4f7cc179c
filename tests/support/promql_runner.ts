/**
 * Runs test files of Prometheus' format against the evaluator: each case as written;
 * an instant one also with `@` on every selector at other times, and as the middle
 * step of a range. A case that selects a native histogram is passed over.
 */
import { deepStrictEqual as equal, fail } from "node:assert/strict";
import { type Expr, METRIC_NAME } from "../../src/prometheus/language/ast.ts";
import { TIME_DEPENDENT } from "../../src/prometheus/language/functions.ts";
import { compileMatcher } from "../../src/prometheus/language/matchers.ts";
import { parseExpr } from "../../src/prometheus/language/parser.ts";
import { printExpr } from "../../src/prometheus/language/printer.ts";
import {
  evaluateInstant,
  evaluateSteps,
  type QueryResult,
  type ResultSeries,
} from "../../src/prometheus/evaluate/evaluate.ts";
import {
  compareLabels,
  type Labels,
  printLabels,
} from "../../src/prometheus/evaluate/labels.ts";
import { MemorySource } from "../../src/prometheus/evaluate/memory_source.ts";
import { bitsOf, isStaleAt } from "../../src/prometheus/evaluate/nan_kinds.ts";
import type {
  Selection,
  SeriesBatch,
  SeriesSource,
} from "../../src/prometheus/evaluate/series_source.ts";
import {
  type Command,
  type EvalCommand,
  type ExpectKind,
  type LoadCommand,
  nativeLabels,
  parseScript,
  type SeriesLine,
} from "./promql_script.ts";

const LOOKBACK_MS = 300_000;
const MINUTE_MS = 60_000;
/** Relative difference up to which values are the same. */
const SAME = 1e-6;
const LIMITS = { maxSamples: 10_000_000, maxSeries: 100_000 };

export interface ScriptOutcome {
  passed: number;
  /** Cases that select native histograms. */
  native: number;
  /** Evaluations, the repeated ones too. */
  evaluations: number;
  failures: string[];
}

/** Samples of a script, and the native histograms that are only known by name. */
class ScriptSource implements SeriesSource {
  #samples = new MemorySource();
  #native: Labels[] = [];
  /** A selection found a native histogram since this was last set. */
  foundNative = false;

  clear(): void {
    this.#samples = new MemorySource();
    this.#native = [];
  }

  load({ series, stepMs, isWithNative }: LoadCommand): void {
    for (const line of series) {
      if (line.isNative) {
        this.#native.push(line.labels);
        continue;
      }
      this.#add(line, stepMs);
      const name = line.labels.get(METRIC_NAME);
      if (isWithNative && /_(bucket|count|sum)$/.test(name)) {
        this.#native.push(nativeLabels(line.labels));
      }
    }
  }

  #add(line: SeriesLine, stepMs: number): void {
    const kept = [...line.isThere.keys()].filter((i) => line.isThere[i] === 1);
    const values = new Float64Array(kept.length);
    // By typed arrays alone: stale markers keep their bits.
    kept.forEach((from, to) =>
      values.set(line.values.subarray(from, from + 1), to)
    );
    this.#samples.add(line.labels, kept.map((i) => i * stepMs), values);
  }

  select(selection: Selection): AsyncIterable<SeriesBatch> {
    const tests = selection.matchers.map((matcher) => ({
      name: matcher.name,
      test: compileMatcher(matcher),
    }));
    this.foundNative ||= this.#native.some((labels) =>
      tests.every(({ name, test }) => test(labels.get(name)))
    );
    return this.#samples.select(selection);
  }
}

/** Runs a file; failures are collected, so that all of them are seen at once. */
export async function runScript(text: string): Promise<ScriptOutcome> {
  const source = new ScriptSource();
  const outcome = { passed: 0, native: 0, evaluations: 0, failures: [] };
  for (const command of parseScript(text)) {
    await runCommand(command, source, outcome);
  }
  return outcome;
}

async function runCommand(
  command: Command,
  source: ScriptSource,
  outcome: ScriptOutcome,
): Promise<void> {
  if (command.kind === "clear") return source.clear();
  if (command.kind === "load") return source.load(command);
  source.foundNative = false;
  const run = new CaseRun(command, source, outcome);
  let failure: unknown;
  try {
    await run.all();
  } catch (error) {
    failure = error;
  }
  const expectsNative = command.series.some((line) => line.isNative);
  if (source.foundNative || expectsNative) outcome.native++;
  else if (failure === undefined) outcome.passed++;
  else {
    const reason = failure instanceof Error
      ? failure.stack ?? failure.message
      : String(failure);
    outcome.failures.push(`line ${command.line}: ${command.expr}\n${reason}`);
  }
}

class CaseRun {
  readonly #command: EvalCommand;
  readonly #source: ScriptSource;
  readonly #outcome: ScriptOutcome;

  constructor(
    command: EvalCommand,
    source: ScriptSource,
    outcome: ScriptOutcome,
  ) {
    this.#command = command;
    this.#source = source;
    this.#outcome = outcome;
  }

  async all(): Promise<void> {
    const { expr, stepMs, endMs, range } = this.#command;
    if (stepMs > 0) {
      await this.#steps();
      return;
    }
    const atMs = range?.endMs ?? endMs;
    await this.#instant(expr, atMs);
    for (const repeated of fixedInTime(expr, atMs)) {
      await this.#instant(repeated.expr, repeated.atMs);
    }
  }

  #expects(kind: ExpectKind): boolean {
    return this.#command.expectations.some((expected) =>
      expected.kind === kind
    );
  }

  /** The result, or nothing where the query had to fail and did. */
  async #attempt(
    query: () => Promise<QueryResult>,
  ): Promise<QueryResult | undefined> {
    this.#outcome.evaluations++;
    const expected = this.#command.expectations.find(({ kind }) =>
      kind === "fail"
    );
    let result: QueryResult;
    try {
      result = await query();
    } catch (error) {
      if (expected === undefined || !(error instanceof Error)) throw error;
      if (!expected.matches(error.message)) {
        fail(`fails with "${error.message}", not "${expected.shown}"`);
      }
      return undefined;
    }
    if (expected !== undefined) fail("does not fail");
    return result;
  }

  async #steps(): Promise<void> {
    const { expr, startMs, endMs, stepMs } = this.#command;
    const times = { startMs, endMs, stepMs };
    const result = await this.#attempt(() => this.#evaluateSteps(expr, times));
    if (result === undefined) return;
    this.#checkRemarks(expr, result);
    this.#checkMatrix(result, startMs, stepMs);
  }

  async #evaluateSteps(
    expr: string,
    times: { startMs: number; endMs: number; stepMs: number },
  ): Promise<QueryResult> {
    return await evaluateSteps(parseExpr(expr), times, this.#source, {
      lookbackMs: LOOKBACK_MS,
      limits: LIMITS,
    });
  }

  async #instant(expr: string, atMs: number): Promise<void> {
    const result = await this.#attempt(async () =>
      await evaluateInstant(parseExpr(expr), atMs, this.#source, {
        lookbackMs: LOOKBACK_MS,
        limits: LIMITS,
      })
    );
    if (result === undefined) return;
    this.#checkRemarks(expr, result);
    const { range, text } = this.#command;
    if (range !== undefined) {
      this.#checkMatrix(result, range.startMs, range.stepMs);
      return;
    }
    this.#checkInstant(result);
    if (text !== undefined || /(start|end|range|step)\(\)/.test(expr)) return;
    const times = {
      startMs: atMs - MINUTE_MS,
      endMs: atMs + MINUTE_MS,
      stepMs: MINUTE_MS,
    };
    this.#outcome.evaluations++;
    const steps = await this.#evaluateSteps(expr, times);
    if (!this.#expects("ordered")) this.#checkMiddle(steps, atMs);
  }

  #checkRemarks(expr: string, result: QueryResult): void {
    const { warnings, infos } = result.annotations.texts(expr, 0);
    this.#checkTexts("warn", "no_warn", warnings);
    this.#checkTexts("info", "no_info", infos);
  }

  #checkTexts(
    kind: ExpectKind,
    noneKind: ExpectKind,
    texts: readonly string[],
  ): void {
    if (this.#expects(noneKind)) equal(texts, []);
    const expected = this.#command.expectations.filter((expectation) =>
      expectation.kind === kind
    );
    if (expected.length === 0) return;
    for (const { matches, shown } of expected) {
      if (!texts.some(matches)) {
        fail(`no ${kind} is "${shown}" among ${JSON.stringify(texts)}`);
      }
    }
    const other = texts.find((text) =>
      !expected.some(({ matches }) => matches(text))
    );
    if (other !== undefined) fail(`${kind} "${other}" is not expected`);
  }

  #checkInstant({ data }: QueryResult): void {
    const { series, scalar, text } = this.#command;
    if (data.type === "scalar") {
      checkValue("scalar", data.value, scalar ?? fail("expects no scalar"));
    } else if (data.type === "string") equal(data.value, text);
    else if (data.type === "vector") {
      if (scalar !== undefined) fail("expects a scalar, not a vector");
      const elements = data.labels.map((labels, i) =>
        [labels, data.values[i]!] as const
      );
      this.#checkElements(elements);
      if (this.#expects("ordered")) {
        equal(
          data.labels.map(printLabels),
          series.map(({ labels }) => printLabels(labels)),
        );
      }
    } else if (series.length > 0 || data.series.length > 0) {
      fail("expects no range vector");
    }
  }

  #checkElements(elements: readonly (readonly [Labels, number])[]): void {
    const { series } = this.#command;
    equal(
      elements.map(([labels]) => printLabels(labels)).sort(),
      series.map(({ labels }) => printLabels(labels)).sort(),
    );
    for (const [labels, value] of elements) {
      const expected = series.findLast((line) =>
        line.labels.key === labels.key
      );
      checkValue(printLabels(labels), value, expected!.values[0]!);
    }
  }

  /** The step of the instant query among those around it. */
  #checkMiddle({ data }: QueryResult, atMs: number): void {
    if (data.type !== "matrix") fail(`a range query gives a ${data.type}`);
    checkSorted(data.series);
    const elements = data.series.flatMap(({ labels, timesMs, values }) => {
      const step = timesMs.indexOf(atMs);
      return step < 0 ? [] : [[labels, values[step]!] as const];
    });
    const { scalar } = this.#command;
    if (scalar === undefined) this.#checkElements(elements);
    else {
      equal(elements.length, 1);
      checkValue("scalar", elements[0]![1], scalar);
    }
  }

  #checkMatrix({ data }: QueryResult, startMs: number, stepMs: number): void {
    const { series: expected, scalar } = this.#command;
    if (data.type !== "matrix") fail(`gives a ${data.type}, not a matrix`);
    if (scalar !== undefined) fail("expects a scalar, not a matrix");
    checkSorted(data.series);
    equal(
      data.series.map(({ labels }) => printLabels(labels)).sort(),
      expected.map(({ labels }) => printLabels(labels)).sort(),
    );
    for (const { labels, timesMs, values } of data.series) {
      const line = expected.findLast((line) => line.labels.key === labels.key)!;
      const kept = [...line.isThere.keys()]
        .filter((i) => line.isThere[i] === 1);
      equal([...timesMs], kept.map((i) => startMs + i * stepMs));
      kept.forEach((i, at) =>
        checkValue(
          `${printLabels(labels)} at ${timesMs[at]}`,
          values[at]!,
          line.values[i]!,
          isStaleAt(bitsOf(values), at) === isStaleAt(bitsOf(line.values), i),
        )
      );
    }
  }
}

function checkSorted(series: readonly ResultSeries[]): void {
  for (let i = 1; i < series.length; i++) {
    if (compareLabels(series[i - 1]!.labels, series[i]!.labels) >= 0) {
      fail("the matrix is not sorted");
    }
  }
}

function checkValue(
  what: string,
  actual: number,
  expected: number,
  isSameKind = true,
): void {
  if (isSameKind && isAlmostEqual(actual, expected)) return;
  fail(`${what} is ${actual}, expected ${expected}`);
}

function isAlmostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  if (a === b) return true;
  const sum = Math.min(Math.abs(a) + Math.abs(b), Number.MAX_VALUE);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < 2.2250738585072014e-308) {
    return difference < SAME * 2.2250738585072014e-308;
  }
  return difference / sum < SAME;
}

/** The query with `@` on every selector that has none, at times that must not matter. */
function fixedInTime(
  text: string,
  atMs: number,
): { expr: string; atMs: number }[] {
  let expr: Expr;
  try {
    expr = parseExpr(text);
  } catch {
    // The case is about the error.
    return [];
  }
  if (dependsOnTime(expr)) return [];
  const fixed = printExpr(fix(expr, atMs));
  const times = atMs === 0
    ? [-1000, 0, 1000]
    : [-10 * atMs, 0, Math.trunc(atMs / 5), atMs, 10 * atMs];
  return times.map((time) => ({ expr: fixed, atMs: time }));
}

/** Calls in a subquery that has `@` are not looked at: nothing is changed there. */
function dependsOnTime(expr: Expr): boolean {
  if (expr.kind === "subquery") {
    return expr.at === undefined && dependsOnTime(expr.expr);
  }
  if (expr.kind === "call") {
    return TIME_DEPENDENT.has(expr.function.name) ||
      expr.args.some(dependsOnTime);
  }
  if (expr.kind === "binary") {
    return dependsOnTime(expr.left) || dependsOnTime(expr.right);
  }
  if (expr.kind === "aggregate") {
    return dependsOnTime(expr.expr) ||
      (expr.param !== undefined && dependsOnTime(expr.param));
  }
  return (expr.kind === "paren" || expr.kind === "unary") &&
    dependsOnTime(expr.expr);
}

function fix(expr: Expr, atMs: number): Expr {
  switch (expr.kind) {
    case "vector-selector":
      return typeof expr.at === "number" ? expr : { ...expr, at: atMs };
    case "matrix-selector":
      return {
        ...expr,
        selector: fix(expr.selector, atMs) as typeof expr.selector,
      };
    case "subquery":
      return typeof expr.at === "number" ? expr : { ...expr, at: atMs };
    case "paren":
    case "unary":
      return { ...expr, expr: fix(expr.expr, atMs) };
    case "call":
      return { ...expr, args: expr.args.map((arg) => fix(arg, atMs)) };
    case "aggregate":
      return {
        ...expr,
        expr: fix(expr.expr, atMs),
        ...(expr.param === undefined ? {} : { param: fix(expr.param, atMs) }),
      };
    case "binary":
      return {
        ...expr,
        left: fix(expr.left, atMs),
        right: fix(expr.right, atMs),
      };
    default:
      return expr;
  }
}
