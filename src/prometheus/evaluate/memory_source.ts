/** Series in memory: for tests, benchmarks, and whatever is not worth a store. Any thread. */
import { compileMatcher } from "../language/matchers.ts";
import { type Labels, labelsOf } from "./labels.ts";
import type { Selection, SeriesBatch, SeriesSource } from "./series_source.ts";

/** Samples of a batch; a batch has one series at least. */
const BATCH_SAMPLES = 64 << 10;

interface StoredSeries {
  readonly labels: Labels;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

export class MemorySource implements SeriesSource {
  readonly #series = new Map<string, StoredSeries>();
  /** Samples of a batch at most, but for a single series. */
  readonly #batchSamples: number;

  constructor(batchSamples: number = BATCH_SAMPLES) {
    this.#batchSamples = batchSamples;
  }

  /** Adds samples to a series; where it has one of the same time, the new one counts. */
  add(
    labels: Labels | Record<string, string>,
    timesMs: ArrayLike<number>,
    values: Float64Array,
  ): void {
    const set = "names" in labels && Array.isArray(labels.names)
      ? labels as Labels
      : labelsOf(Object.entries(labels as Record<string, string>));
    const known = this.#series.get(set.key);
    this.#series.set(set.key, {
      labels: set,
      ...merge(known, Float64Array.from(timesMs), values),
    });
  }

  async *select(selection: Selection): AsyncGenerator<SeriesBatch> {
    const tests = selection.matchers.map((matcher) => ({
      name: matcher.name,
      test: compileMatcher(matcher),
    }));
    let batch: Slice[] = [];
    let samples = 0;
    for (const series of this.#series.values()) {
      if (!tests.every(({ name, test }) => test(series.labels.get(name)))) {
        continue;
      }
      const from = firstAfter(series.timesMs, selection.afterMs);
      const to = firstAfter(series.timesMs, selection.untilMs);
      if (from >= to) continue;
      if (samples > 0 && samples + to - from > this.#batchSamples) {
        yield assemble(batch, samples);
        batch = [];
        samples = 0;
      }
      batch.push({ series, from, to });
      samples += to - from;
    }
    if (batch.length > 0) yield await Promise.resolve(assemble(batch, samples));
  }
}

interface Slice {
  readonly series: StoredSeries;
  readonly from: number;
  readonly to: number;
}

function assemble(slices: readonly Slice[], samples: number): SeriesBatch {
  const offsets = new Uint32Array(slices.length + 1);
  const timesMs = new Float64Array(samples);
  const values = new Float64Array(samples);
  let at = 0;
  slices.forEach(({ series, from, to }, i) => {
    timesMs.set(series.timesMs.subarray(from, to), at);
    values.set(series.values.subarray(from, to), at);
    at += to - from;
    offsets[i + 1] = at;
  });
  return {
    labels: slices.map((slice) => slice.series.labels),
    offsets,
    timesMs,
    values,
  };
}

/** Index of the first time later than `timeMs`. */
function firstAfter(timesMs: Float64Array, timeMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle]! <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(
  known: StoredSeries | undefined,
  timesMs: Float64Array,
  values: Float64Array,
): { timesMs: Float64Array; values: Float64Array } {
  if (known === undefined) return { timesMs, values: values.slice() };
  const fromNew = new Set(timesMs);
  const kept = [...known.timesMs.keys()]
    .filter((i) => !fromNew.has(known.timesMs[i]!));
  const count = kept.length + timesMs.length;
  const allTimes = new Float64Array(count);
  // Copied by typed arrays alone, so that the bits of NaN stay.
  const allValues = new Float64Array(count);
  kept.forEach((from, i) => {
    allTimes[i] = known.timesMs[from]!;
    allValues.set(known.values.subarray(from, from + 1), i);
  });
  allTimes.set(timesMs, kept.length);
  allValues.set(values, kept.length);
  const order = [...allTimes.keys()].sort((a, b) =>
    allTimes[a]! - allTimes[b]!
  );
  const sortedTimes = new Float64Array(count);
  const sortedValues = new Float64Array(count);
  order.forEach((from, i) => {
    sortedTimes[i] = allTimes[from]!;
    sortedValues.set(allValues.subarray(from, from + 1), i);
  });
  return { timesMs: sortedTimes, values: sortedValues };
}
