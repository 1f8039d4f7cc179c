/** The functions of PromQL: which arguments they take and what they return. Any thread. */
import type { ValueType } from "./ast.ts";

export interface PromqlFunction {
  readonly name: string;
  /** The last stands for all that follow it. */
  readonly args: readonly ValueType[];
  readonly argsMin: number;
  readonly argsMax: number;
  readonly returns: ValueType;
}

const TYPES: Readonly<Record<string, ValueType>> = {
  s: "scalar",
  v: "vector",
  m: "matrix",
  t: "string",
};

/**
 * Arguments and result by letter: s a scalar, v an instant vector, m a range
 * vector, t a string. Each `?` makes one more argument possible, the first of them
 * the last letter itself; `*` any number from none on.
 */
const SIGNATURES = {
  abs: "v v",
  absent: "v v",
  absent_over_time: "m v",
  acos: "v v",
  acosh: "v v",
  asin: "v v",
  asinh: "v v",
  atan: "v v",
  atanh: "v v",
  avg_over_time: "m v",
  ceil: "v v",
  changes: "m v",
  clamp: "vss v",
  clamp_max: "vs v",
  clamp_min: "vs v",
  cos: "v v",
  cosh: "v v",
  count_over_time: "m v",
  day_of_month: "v? v",
  day_of_week: "v? v",
  day_of_year: "v? v",
  days_in_month: "v? v",
  deg: "v v",
  delta: "m v",
  deriv: "m v",
  double_exponential_smoothing: "mss v",
  end: " s",
  exp: "v v",
  first_over_time: "m v",
  floor: "v v",
  histogram_avg: "v v",
  histogram_count: "v v",
  histogram_fraction: "ssv v",
  histogram_quantile: "sv v",
  histogram_quantiles: "vtss????????? v",
  histogram_stddev: "v v",
  histogram_stdvar: "v v",
  histogram_sum: "v v",
  hour: "v? v",
  idelta: "m v",
  increase: "m v",
  info: "vv? v",
  irate: "m v",
  label_join: "vttt* v",
  label_replace: "vtttt v",
  last_over_time: "m v",
  ln: "v v",
  log10: "v v",
  log2: "v v",
  mad_over_time: "m v",
  max_of: "ss s",
  max_over_time: "m v",
  min_of: "ss s",
  min_over_time: "m v",
  minute: "v? v",
  month: "v? v",
  pi: " s",
  predict_linear: "ms v",
  present_over_time: "m v",
  quantile_over_time: "sm v",
  rad: "v v",
  range: " s",
  rate: "m v",
  resets: "m v",
  round: "vs? v",
  scalar: "v s",
  sgn: "v v",
  sin: "v v",
  sinh: "v v",
  sort: "v v",
  sort_by_label: "vt* v",
  sort_by_label_desc: "vt* v",
  sort_desc: "v v",
  sqrt: "v v",
  start: " s",
  start_timestamp: "v v",
  stddev_over_time: "m v",
  stdvar_over_time: "m v",
  step: " s",
  sum_over_time: "m v",
  tan: "v v",
  tanh: "v v",
  time: " s",
  timestamp: "v v",
  ts_of_first_over_time: "m v",
  ts_of_last_over_time: "m v",
  ts_of_max_over_time: "m v",
  ts_of_min_over_time: "m v",
  vector: "s v",
  year: "v? v",
} as const satisfies Record<string, string>;

type FunctionName = keyof typeof SIGNATURES;

const FUNCTIONS = new Map<string, PromqlFunction>(
  Object.entries(SIGNATURES).map(([name, signature]) => [
    name,
    parseSignature(name, signature),
  ]),
);

function parseSignature(name: string, signature: string): PromqlFunction {
  const [, letters, more, result] = /^([smvt]*)(\?*|\*) ([smvt])$/.exec(
    signature,
  )!;
  const args = [...letters!].map((letter) => TYPES[letter]!);
  const argsMin = more === "" ? args.length : args.length - 1;
  return {
    name,
    args,
    argsMin,
    argsMax: more === "*" ? Infinity : argsMin + (more!.length || 1) -
      (more === "" ? 1 : 0),
    returns: TYPES[result!]!,
  };
}

/** `undefined`: there is no such function. Names are in lower case. */
export function findFunction(name: string): PromqlFunction | undefined {
  return FUNCTIONS.get(name);
}

/** All names, sorted. */
export const FUNCTION_NAMES = Object.keys(SIGNATURES) as FunctionName[];

/** Functions whose value changes with the time of evaluation even where their arguments do not. */
export const TIME_DEPENDENT: ReadonlySet<string> = new Set<FunctionName>([
  "days_in_month",
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "hour",
  "minute",
  "month",
  "year",
  "predict_linear",
  "time",
  "timestamp",
  "start",
  "end",
  "step",
  "range",
]);
