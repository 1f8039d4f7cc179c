/**
 * Where the evaluator gets samples from: the only thing that it knows of a store.
 * What a caller may see is decided below this seam; a series that is hidden is not
 * delivered and not counted. Any thread.
 */
import type { LabelMatcher } from "../language/ast.ts";
import type { Labels } from "./labels.ts";

/** What is selected: series by their labels, samples by their times. */
export interface Selection {
  readonly matchers: readonly LabelMatcher[];
  /** Samples are later than this. Milliseconds. */
  readonly afterMs: number;
  /** Samples are not later than this. Milliseconds. */
  readonly untilMs: number;
  readonly hints: SelectionHints;
}

/** What will be done with the samples; a source may use it to deliver fewer, never others. */
export interface SelectionHints {
  /** The function or aggregation around the selector; "" where there is none. */
  readonly around: string;
  /** Width of the windows; 0 where the newest sample of each step counts. */
  readonly rangeMs: number;
  /** Distance of the steps; 0 where there is one. */
  readonly stepMs: number;
}

/**
 * Series with their samples, one after the other: series i has the samples from
 * `offsets[i]` to `offsets[i + 1]`. The evaluator reads a batch before it asks for
 * the next, and keeps nothing of it but the labels: the arrays may be used again.
 */
export interface SeriesBatch {
  readonly labels: readonly Labels[];
  /** One more than there are series; ascending. */
  readonly offsets: Uint32Array;
  /** Milliseconds, ascending within a series. */
  readonly timesMs: Float64Array;
  /** Stale markers are NaN with the bits of `nan_kinds.ts`; every other NaN is a value. */
  readonly values: Float64Array;
  /** By series: how long its samples count, where that is shorter than the query's lookback. */
  readonly lookbacksMs?: Float64Array;
}

export interface SeriesSource {
  /**
   * Delivers every series once that matches and has a sample in the range. Two
   * series of one label set are a mistake of the source.
   */
  select(
    selection: Selection,
    signal?: AbortSignal,
  ): AsyncIterable<SeriesBatch>;
}
