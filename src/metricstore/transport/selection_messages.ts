/**
 * Messages between evaluators of queries and shards, over rings of their own: an
 * evaluator asks for series, a shard sends them piece by piece and never waits.
 *
 * SERIES payload, all little-endian, every part from a multiple of 8 on:
 *
 * | bytes        | type  | part                                                       |
 * | ------------ | ----- | ---------------------------------------------------------- |
 * | 4            | u32   | n: series                                                  |
 * | 4            | u32   | s: samples of all of them                                  |
 * | 4            | u32   | b: bytes of the names                                      |
 * | 4            | u32   | zero                                                       |
 * | b            | UTF-8 | names: JSON, an array of {@linkcode SeriesLabels} for each |
 * | 4 n          | u32   | samples of each series                                     |
 * | 4 n          | u32   | frequency of each series, seconds                          |
 * | 8 s          | f64   | times, milliseconds, ascending within a series             |
 * | 8 s          | f64   | values                                                     |
 *
 * A series with more samples than a frame holds goes on in the next one, under the
 * same names: `aux` of the first is `SERIES_GOES_ON`.
 */
import type { AskedView } from "./messages.ts";

export const SELECTION_KIND = {
  /** evaluator → shard: an `AskSeries` as JSON. */
  SELECT: 32,
  /** shard → evaluator: series with their samples. */
  SERIES: 33,
  /** shard → evaluator: the end: a `SelectionEnd` as JSON. */
  END: 34,
} as const;

/** `aux` of SELECT: the last piece of the question. */
export const SELECT_END = 1;

/** `aux` of SERIES: the last series of the frame has more samples, in the next frame. */
export const SERIES_GOES_ON = 1;

/** Values of metric, cluster, hostname, type, type_id, stype, stype_id; "" where it lacks one. */
export type SeriesLabels = readonly [
  metric: string,
  cluster: string,
  hostname: string,
  type: string,
  typeId: string,
  subtype: string,
  subtypeId: string,
];

/** The labels that a stored series shows, in the order of {@linkcode SeriesLabels}. */
export const SHOWN_LABELS = [
  "__name__",
  "cluster",
  "hostname",
  "type",
  "type_id",
  "stype",
  "stype_id",
] as const;

/** One condition on a label as it is shown; one that a series lacks is "". */
export interface SeriesMatcher {
  readonly name: string;
  readonly type: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/** A question for series. */
export interface AskSeries {
  readonly instance: string;
  readonly view?: AskedView;
  readonly matchers: readonly SeriesMatcher[];
  /** Samples are later than this, milliseconds. */
  readonly afterMs: number;
  /** And not later than this. */
  readonly untilMs: number;
  /**
   * Only which series have a sample there: they come without samples. `"all"`: each
   * of them; `"names"`: one for each set of labels that it has; else a label's
   * name: one for each value of it.
   */
  readonly onlyNames?: string;
}

export const ALL_SERIES = "all";
export const LABEL_NAMES_ONLY = "names";

/** How a selection ended in a shard. */
export interface SelectionEnd {
  readonly error?: { readonly code: string; readonly message: string };
}

/** Selections that may be cancelled at a time; their ids are told apart by this many. */
const CANCEL_SLOTS = 1024;

/** Shared words in which an evaluator takes questions back. */
export function createCancelFlags(): SharedArrayBuffer {
  return new SharedArrayBuffer(CANCEL_SLOTS * 4);
}

/** Takes a question back: the rest of its selection is not read. */
export function cancelSelection(flags: Int32Array, id: number): void {
  Atomics.store(flags, id & (CANCEL_SLOTS - 1), id | 0);
}

/** Returns whether the question `id` was taken back. */
export function isCancelled(flags: Int32Array, id: number): boolean {
  return Atomics.load(flags, id & (CANCEL_SLOTS - 1)) === (id | 0);
}

/** Bytes before the names. */
export const SERIES_HEAD_BYTES = 16;

/** Bytes of a SERIES payload. */
export function seriesFrameBytes(
  series: number,
  samples: number,
  namesBytes: number,
): number {
  return SERIES_HEAD_BYTES + pad8(namesBytes) + 2 * pad8(4 * series) +
    16 * samples;
}

/** Rounds a number of bytes up to a multiple of 8. */
export function pad8(bytes: number): number {
  return (bytes + 7) & ~7;
}
