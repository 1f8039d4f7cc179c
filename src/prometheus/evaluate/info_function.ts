/**
 * info(): adds the labels of info series, such as `target_info`, to the series that
 * describe the same `instance` and `job`. Of two info series of one name the newer
 * sample counts. Any thread.
 */
import {
  type CallExpr,
  childrenOf,
  type Expr,
  type LabelMatcher,
  METRIC_NAME,
  unwrapParens,
  type VectorSelector,
} from "../language/ast.ts";
import { compileMatcher } from "../language/matchers.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { type Labels, partKey, printLabels, setLabel } from "./labels.ts";
import { failDuplicate } from "./merge_rows.ts";
import { failExecution } from "./query_error.ts";
import { selectInstant } from "./select_instant.ts";
import { StepMatrix } from "./step_matrix.ts";

const DEFAULT_INFO = "target_info";
const IDENTIFYING = ["instance", "job"];
const NONE = -1;

export async function addInfo(
  call: CallExpr,
  base: StepMatrix,
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix> {
  const wanted = wantedInfo(call);
  const isInfo = testOf(wanted.nameMatchers);
  const isIgnored = base.labels.map((labels) =>
    isInfo(labels.get(METRIC_NAME))
  );
  const info = await selectInfo(call, base, isIgnored, wanted, grid, context);
  const joined = await new InfoJoin(
    base,
    info,
    isIgnored,
    wanted,
    grid,
    context,
  )
    .run();
  info?.release();
  base.release();
  return joined;
}

interface WantedInfo {
  readonly nameMatchers: readonly LabelMatcher[];
  /** Matchers of other labels; only these labels are added, or all where there is none. */
  readonly dataMatchers: readonly LabelMatcher[];
}

function wantedInfo(call: CallExpr): WantedInfo {
  const selector = call.args[1] === undefined
    ? undefined
    : unwrapParens(call.args[1]) as VectorSelector;
  const matchers = selector?.matchers ?? [];
  const named = matchers.filter(({ name }) => name === METRIC_NAME);
  const dataMatchers = matchers.filter(({ name }) => name !== METRIC_NAME);
  return { nameMatchers: effectiveNames(named), dataMatchers };
}

/** A name that is only excluded leaves all info metrics else. */
function effectiveNames(named: readonly LabelMatcher[]): LabelMatcher[] {
  const isPositive = named.some(({ type }) => type === "=" || type === "=~");
  if (isPositive) return [...named];
  const name = METRIC_NAME;
  return named.length > 0
    ? [{ type: "=~", name, value: ".+_info" }, ...named]
    : [{ type: "=", name, value: DEFAULT_INFO }];
}

function testOf(matchers: readonly LabelMatcher[]): (value: string) => boolean {
  const tests = matchers.map((matcher) => compileMatcher(matcher));
  return (value) => tests.every((test) => test(value));
}

/** Info series at the times of the first selector; `undefined`: nothing identifies any. */
async function selectInfo(
  call: CallExpr,
  base: StepMatrix,
  isIgnored: readonly boolean[],
  wanted: WantedInfo,
  grid: Grid,
  context: EvaluationContext,
): Promise<StepMatrix | undefined> {
  const matchers: LabelMatcher[] = [];
  for (const name of IDENTIFYING) {
    const values = new Set<string>();
    base.labels.forEach((labels, row) => {
      const value = labels.get(name);
      if (!isIgnored[row] && value !== "") values.add(value);
    });
    if (values.size === 0) continue;
    const pattern = [...values].map(escapePattern).join("|");
    matchers.push({ type: "=~", name, value: pattern });
  }
  if (matchers.length === 0) return undefined;
  const selector: VectorSelector = {
    kind: "vector-selector",
    name: "",
    matchers: [...matchers, ...wanted.dataMatchers, ...wanted.nameMatchers],
    ...timesOf(call.args[0]!, context),
    span: call.span,
  };
  return await selectInstant(selector, grid, context, "info", true);
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");
}

/** Offset and `@` of the first selector of an expression, with those of subqueries around it. */
function timesOf(
  expr: Expr,
  { plan }: EvaluationContext,
): Pick<VectorSelector, "offset" | "at"> {
  const path = pathToSelector(expr);
  const selector = path.pop();
  if (selector?.kind !== "vector-selector") return { offset: { ms: 0 } };
  let ms = plan.ms(selector.offset, true);
  let at = selector.at;
  for (const outer of path.reverse()) {
    if (at !== undefined || outer.kind !== "subquery") continue;
    ms += plan.ms(outer.offset, true);
    at = outer.at;
  }
  return { offset: { ms }, ...(at === undefined ? {} : { at }) };
}

function pathToSelector(expr: Expr): Expr[] {
  if (expr.kind === "vector-selector") return [expr];
  for (const child of childrenOf(expr)) {
    const path = pathToSelector(child);
    if (path.length > 0) return [expr, ...path];
  }
  return [];
}

const identityOf = partKey(IDENTIFYING, true);

class InfoJoin {
  readonly #base: StepMatrix;
  readonly #info: StepMatrix | undefined;
  readonly #isIgnored: readonly boolean[];
  readonly #context: EvaluationContext;
  readonly #result: StepMatrix;
  /** Rows of info series by identity, those of one name together. */
  readonly #infoOf = new Map<string, number[][]>();
  readonly #rows = new Map<string, number>();
  readonly #dataNames: ReadonlySet<string>;
  /** A series without info stays unless a matcher asks for a value. */
  readonly #keepsWithout: boolean;

  constructor(
    base: StepMatrix,
    info: StepMatrix | undefined,
    isIgnored: readonly boolean[],
    wanted: WantedInfo,
    grid: Grid,
    context: EvaluationContext,
  ) {
    this.#base = base;
    this.#info = info;
    this.#isIgnored = isIgnored;
    this.#context = context;
    this.#result = new StepMatrix(grid.count, base.rows, context.budget);
    this.#dataNames = new Set(wanted.dataMatchers.map(({ name }) => name));
    this.#keepsWithout = wanted.dataMatchers
      .every((matcher) => compileMatcher(matcher)(""));
  }

  async run(): Promise<StepMatrix> {
    const { budget } = this.#context;
    this.#indexInfo();
    for (let row = 0; row < this.#base.rows; row++) {
      if (budget.isDue(this.#base.steps)) await budget.pause();
      const rows = this.#isIgnored[row]
        ? []
        : this.#infoOf.get(identityOf(this.#base.labels[row]!)) ?? [];
      this.#joinRow(row, rows);
    }
    return this.#result;
  }

  #indexInfo(): void {
    const byName = new Map<string, number[]>();
    this.#info?.labels.forEach((labels, row) => {
      const identity = identityOf(labels);
      const key = `${labels.get(METRIC_NAME)}\ud800${identity}`;
      const rows = byName.get(key);
      if (rows !== undefined) {
        rows.push(row);
        return;
      }
      const first = [row];
      byName.set(key, first);
      const groups = this.#infoOf.get(identity);
      if (groups === undefined) this.#infoOf.set(identity, [first]);
      else groups.push(first);
    });
  }

  #joinRow(row: number, groups: readonly (readonly number[])[]): void {
    const { steps, present, values } = this.#base;
    // Info series seldom change: labels are made once for each choice of them.
    let chosenBefore: string | undefined;
    let to = NONE;
    for (let step = 0; step < steps; step++) {
      const cell = row * steps + step;
      if (present[cell] === 0) continue;
      const chosen = groups.map((rows) => this.#newest(rows, step))
        .filter((info) => info !== NONE);
      const key = chosen.join();
      if (key !== chosenBefore) {
        chosenBefore = key;
        to = this.#rowFor(row, chosen);
      }
      if (to === NONE) continue;
      if (this.#result.present[to + step] === 1) failDuplicate();
      this.#result.present[to + step] = 1;
      this.#result.values[to + step] = values[cell]!;
    }
  }

  /** The row with the newest sample at the step; two of one time are a mistake. */
  #newest(rows: readonly number[], step: number): number {
    const info = this.#info!;
    let newest = NONE;
    for (const row of rows) {
      const cell = row * info.steps + step;
      if (info.present[cell] === 0) continue;
      if (newest === NONE) {
        newest = row;
        continue;
      }
      const time = info.values[cell]!;
      const known = info.values[newest * info.steps + step]!;
      if (time === known) {
        const ms = Math.round(time * 1000);
        failExecution(
          `found duplicate series for info metric: existing ${
            printLabels(info.labels[newest]!)
          } @ ${ms}, new ${printLabels(info.labels[row]!)} @ ${ms}`,
        );
      }
      if (time > known) newest = row;
    }
    return newest;
  }

  /** Where the cells of a base row with these info series go; NONE: nowhere. */
  #rowFor(row: number, chosen: readonly number[]): number {
    const base = this.#base.labels[row]!;
    const isLost = chosen.length === 0 && !this.#isIgnored[row] &&
      !this.#keepsWithout;
    if (isLost) return NONE;
    const labels = this.#withInfo(base, chosen);
    const known = this.#rows.get(labels.key);
    if (known !== undefined) return known;
    const start = this.#result.append(labels, this.#base.dropsName[row]!);
    this.#rows.set(labels.key, start);
    return start;
  }

  #withInfo(base: Labels, chosen: readonly number[]): Labels {
    const added = new Map<string, string>();
    for (const row of chosen) {
      const info = this.#info!.labels[row]!;
      info.names.forEach((name, i) => {
        if (name === METRIC_NAME) return;
        if (this.#dataNames.size > 0 && !this.#dataNames.has(name)) return;
        const value = info.values[i]!;
        const known = added.get(name);
        if (known !== undefined && known !== value) {
          failExecution(`conflicting label: ${name}`);
        }
        if (base.get(name) === "") added.set(name, value);
      });
    }
    let labels = base;
    for (const [name, value] of added) labels = setLabel(labels, name, value);
    return labels;
  }
}
