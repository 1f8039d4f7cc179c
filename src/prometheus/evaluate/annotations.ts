/**
 * Remarks that go with a result: warnings and infos, each once, with their place in
 * the query. The texts are those of Prometheus. Any thread.
 */
import { lineColumn, type Span } from "../language/parse_error.ts";
import { formatShortest } from "../language/number_literal.ts";
import { quote } from "../language/quote.ts";

/** Of each kind; the rest is counted. */
const SHOWN_MAX = 10;

/** Different remarks that are kept; each metric may be worth one. */
const KEPT_MAX = 1000;

interface Remark {
  readonly kind: "warning" | "info";
  readonly text: string;
  span: Span;
  /** Only of corrected histograms. */
  correction?: Correction;
}

/** What was corrected in buckets that should only grow, over all steps. */
interface Correction {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDifference: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: number;
}

export interface AnnotationTexts {
  readonly warnings: string[];
  readonly infos: string[];
}

export class Annotations {
  readonly #remarks = new Map<string, Remark>();

  warn(text: string, span: Span): void {
    this.#add({ kind: "warning", text: `PromQL warning: ${text}`, span });
  }

  inform(text: string, span: Span): void {
    this.#add({ kind: "info", text: `PromQL info: ${text}`, span });
  }

  #add(remark: Remark): void {
    const known = this.#remarks.get(remark.text);
    if (known !== undefined) known.span = remark.span;
    else if (this.#remarks.size < KEPT_MAX) {
      this.#remarks.set(remark.text, remark);
    }
  }

  invalidQuantile(quantile: number, span: Span): void {
    this.warn(
      `quantile value should be between 0 and 1, got ${
        formatShortest(quantile)
      }`,
      span,
    );
  }

  invalidRatio(ratio: number, used: number, span: Span): void {
    this.warn(
      `ratio value should be between -1 and 1, got ${formatShortest(ratio)}, ` +
        `capping to ${formatShortest(used)}`,
      span,
    );
  }

  badBucketLabel(metric: string, value: string, span: Span): void {
    this.warn(
      `bucket label "le" is missing or has a malformed value of ${
        quote(value)
      }${forMetric(metric)}`,
      span,
    );
  }

  sortInRange(span: Span): void {
    this.warn(
      "sort is ineffective for range queries since results are always ordered by labels",
      span,
    );
  }

  possibleNonCounter(metric: string, span: Span): void {
    this.inform(
      "metric might not be a counter, name does not end in " +
        `_total/_sum/_count/_bucket: ${quote(metric)}`,
      span,
    );
  }

  incompatibleTypes(operator: string, span: Span): void {
    this.inform(
      "incompatible sample types encountered for binary operator " +
        `"${operator}": float ${operator} float`,
      span,
    );
  }

  forcedMonotonicity(
    metric: string,
    span: Span,
    timeMs: number,
    found: Omit<Correction, "fromMs" | "toMs" | "samples">,
  ): void {
    const text =
      "PromQL info: input to histogram_quantile needed to be fixed " +
      "for monotonicity (see https://prometheus.io/docs/prometheus/latest/" +
      `querying/functions/#histogram_quantile)${forMetric(metric)}`;
    const known = this.#remarks.get(text);
    const before = known?.correction;
    const correction = {
      minBucket: Math.min(before?.minBucket ?? Infinity, found.minBucket),
      maxBucket: Math.max(before?.maxBucket ?? -Infinity, found.maxBucket),
      maxDifference: Math.max(before?.maxDifference ?? 0, found.maxDifference),
      fromMs: Math.min(before?.fromMs ?? Infinity, timeMs),
      toMs: Math.max(before?.toMs ?? -Infinity, timeMs),
      samples: (before?.samples ?? 0) + 1,
    };
    if (known !== undefined) known.correction = correction;
    else if (this.#remarks.size < KEPT_MAX) {
      this.#remarks.set(text, { kind: "info", text, span, correction });
    }
  }

  /** As clients read them; `shownMax` 0 shows all. */
  texts(query: string, shownMax: number = SHOWN_MAX): AnnotationTexts {
    const warnings: string[] = [];
    const infos: string[] = [];
    for (const remark of this.#remarks.values()) {
      const list = remark.kind === "warning" ? warnings : infos;
      list.push(
        `${remark.text}${describe(remark.correction)} (${
          lineColumn(query, remark.span.start)
        })`,
      );
    }
    return {
      warnings: shorten(warnings, shownMax, "warning"),
      infos: shorten(infos, shownMax, "info"),
    };
  }
}

function forMetric(metric: string): string {
  return metric === "" ? "" : ` for metric name ${quote(metric)}`;
}

function describe(correction: Correction | undefined): string {
  if (correction === undefined) return "";
  const { minBucket, maxBucket, maxDifference, samples } = correction;
  return `, from buckets ${formatShortest(minBucket)} to ${
    formatShortest(maxBucket)
  }, with a max diff of ${twoDigits(maxDifference)}, over ${samples} samples ` +
    `from ${seconds(correction.fromMs)} to ${seconds(correction.toMs)}`;
}

/** Two significant digits, as Go's `%.2g`. */
function twoDigits(value: number): string {
  const exponent = value === 0
    ? 0
    : Number(value.toExponential(1).split("e")[1]);
  if (exponent >= -4 && exponent < 2) {
    return String(Number(value.toPrecision(2)));
  }
  const mantissa = Number(value.toExponential(1).split("e")[0]);
  const sign = exponent < 0 ? "-" : "+";
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function seconds(timeMs: number): string {
  return new Date(Math.trunc(timeMs / 1000) * 1000).toISOString()
    .replace(".000Z", "Z");
}

function shorten(texts: string[], max: number, kind: string): string[] {
  if (max === 0 || texts.length <= max) return texts;
  const omitted = texts.length - max;
  return [
    ...texts.slice(0, max),
    `${omitted} more ${kind} annotations omitted`,
  ];
}
