/**
 * The series of the shards as an evaluator selects them. Label policies are applied
 * in the shards; here it is only said whose they are. Evaluator thread only.
 */
import { assert } from "../../base/assert.ts";
import {
  type AskedView,
  shardOf,
} from "../../metricstore/transport/messages.ts";
import type {
  AskSeries,
  SeriesLabels,
} from "../../metricstore/transport/selection_messages.ts";
import { type Labels, Labels as LabelSet } from "../evaluate/labels.ts";
import { reasonOf } from "../evaluate/budget.ts";
import type {
  Selection,
  SeriesBatch,
  SeriesSource,
} from "../evaluate/series_source.ts";
import type { LabelMatcher } from "../language/ast.ts";
import type { ShardClient } from "./shard_client.ts";

/** A sample of a series without stale markers counts for two of its steps, and for a minute at least. */
const LOOKBACK_MS_MIN = 60_000;

/** Whose series are selected. */
export interface Visible {
  readonly instance: string;
  readonly view?: AskedView;
}

export class ShardSource implements SeriesSource {
  readonly #client: ShardClient;
  readonly #visible: Visible;
  readonly #hasOwnLookback: boolean;
  /** Samples that came from the shards. */
  samplesRead = 0;

  /** `hasOwnLookback`: the query says how long samples count, whatever their series. */
  constructor(client: ShardClient, visible: Visible, hasOwnLookback: boolean) {
    this.#client = client;
    this.#visible = visible;
    this.#hasOwnLookback = hasOwnLookback;
  }

  async *select(
    selection: Selection,
    signal?: AbortSignal,
  ): AsyncGenerator<SeriesBatch> {
    const { matchers, afterMs, untilMs } = selection;
    const pieces = this.#pieces({ matchers, afterMs, untilMs }, signal);
    // What a shard sent of a series that goes on.
    const begun = new Map<number, Begun>();
    for await (const { shard, piece } of pieces) {
      const { counts, timesMs, values } = piece;
      const offsets = new Uint32Array(counts.length + 1);
      for (let i = 0; i < counts.length; i++) {
        offsets[i + 1] = offsets[i]! + counts[i]!;
      }
      let first = 0;
      let last = counts.length;
      const before = begun.get(shard);
      if (before !== undefined) {
        assert(
          piece.labels[0]!.every((value, i) => value === before.labels[i]),
          "a series goes on under other names",
        );
        before.timesMs.push(timesMs.subarray(0, offsets[1]));
        before.values.push(values.subarray(0, offsets[1]));
        if (last === 1 && piece.goesOn) continue;
        begun.delete(shard);
        yield this.#joined(before);
        first = 1;
      }
      if (piece.goesOn) {
        last--;
        begun.set(shard, {
          labels: piece.labels[last]!,
          frequencySec: piece.frequenciesSec[last]!,
          timesMs: [timesMs.subarray(offsets[last])],
          values: [values.subarray(offsets[last])],
        });
      }
      if (first === last) continue;
      yield {
        labels: piece.labels.slice(first, last).map(labelsOf),
        offsets: offsets.subarray(first, last + 1),
        timesMs,
        values,
        ...this.#lookbacks(piece.frequenciesSec.subarray(first, last)),
      };
    }
  }

  /** The label sets of series that match; `only` as in {@linkcode AskSeries}. */
  async *names(
    matchers: readonly LabelMatcher[],
    afterMs: number,
    untilMs: number,
    only: string,
    signal?: AbortSignal,
  ): AsyncGenerator<Labels> {
    const ask = { matchers, afterMs, untilMs, onlyNames: only };
    for await (const { piece } of this.#pieces(ask, signal)) {
      for (const labels of piece.labels) yield labelsOf(labels);
    }
  }

  async *#pieces(
    ask: Omit<AskSeries, "instance" | "view">,
    signal: AbortSignal | undefined,
  ) {
    const selection = this.#client.open(
      { ...this.#visible, ...ask },
      this.#shardsOf(ask.matchers),
    );
    // A reader that waits for a piece is woken.
    const stop = () => selection.fail(reasonOf(signal!));
    signal?.addEventListener("abort", stop);
    try {
      for (;;) {
        if (signal?.aborted) stop();
        const piece = await selection.next();
        if (piece === undefined) return;
        this.samplesRead += piece.piece.values.length;
        yield piece;
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#client.close(selection);
    }
  }

  /** The only shard that can have series of that cluster and host, or all of them. */
  #shardsOf(matchers: AskSeries["matchers"]): number[] {
    const { shards } = this.#client;
    const valueOf = (label: string) =>
      matchers.find(({ name, type, value }) =>
        name === label && type === "=" && value !== ""
      )?.value;
    const cluster = valueOf("cluster");
    const host = valueOf("hostname");
    if (cluster === undefined || host === undefined) {
      return Array.from({ length: shards }, (_, shard) => shard);
    }
    return [shardOf(this.#visible.instance, cluster, host, shards)];
  }

  #joined(begun: Begun): SeriesBatch {
    const timesMs = concat(begun.timesMs);
    return {
      labels: [labelsOf(begun.labels)],
      offsets: Uint32Array.of(0, timesMs.length),
      timesMs,
      values: concat(begun.values),
      ...this.#lookbacks(Uint32Array.of(begun.frequencySec)),
    };
  }

  #lookbacks(frequenciesSec: Uint32Array): { lookbacksMs?: Float64Array } {
    if (this.#hasOwnLookback) return {};
    return {
      lookbacksMs: Float64Array.from(frequenciesSec, usualLookbackMs),
    };
  }
}

/** How long a sample counts where the query does not say it (prometheus-api 15.11). */
export function usualLookbackMs(frequencySec: number): number {
  return Math.max(LOOKBACK_MS_MIN, 2000 * frequencySec);
}

interface Begun {
  readonly labels: SeriesLabels;
  readonly frequencySec: number;
  readonly timesMs: Float64Array[];
  readonly values: Float64Array[];
}

function concat(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Names in the order of their bytes, with their place in {@linkcode SeriesLabels}. */
const SORTED = [
  ["__name__", 0],
  ["cluster", 1],
  ["hostname", 2],
  ["stype", 5],
  ["stype_id", 6],
  ["type", 3],
  ["type_id", 4],
] as const;

function labelsOf(series: SeriesLabels): Labels {
  const names: string[] = [];
  const values: string[] = [];
  for (const [name, at] of SORTED) {
    const value = series[at];
    if (value === "") continue;
    names.push(name);
    values.push(value);
  }
  return new LabelSet(names, values);
}
