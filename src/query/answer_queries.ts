/**
 * One shard's part of a query request: writes, for each of its queries, the array
 * of entries as JSON (metric-store 4 and 5.3). Owner thread only.
 *
 * Order of operations: read, statistics over the native points, resample, scale,
 * pad.
 */
import type { MetricQuery, QueryRequest } from "../engine/metric_engine.ts";
import { ClientError } from "../errors.ts";
import type { SeriesRegistry } from "../shard/series_registry.ts";
import {
  LEVEL,
  NEXT_SLOT,
  RECORD_SHIFT,
  RECORD_WORDS,
} from "../store/layout.ts";
import type { HostLevel, Level } from "../store/level_tree.ts";
import type { Metric } from "../store/metric_catalog.ts";
import { SeriesCombiner } from "./combine_series.ts";
import type { JsonWriter } from "./json_writer.ts";
import { resampledPoints, resolutionError } from "./lttb.ts";
import {
  mixesTypes,
  type Selector,
  selectorCount,
  selectorsOf,
  seriesOf,
  shownSeriesOf,
} from "./select_series.ts";
import { sampleLimit } from "./sample_limit.ts";
import type { HostFilter, SeriesFilter } from "./series_filter.ts";
import type { Statistics } from "./statistics.ts";

const ENCODER = new TextEncoder();
/** Pieces of an entry that come in every one. */
const TEXT = {
  data: ENCODER.encode(`{"data":`),
  dataEnd: ENCODER.encode(`,"from":`),
  from: ENCODER.encode(`{"from":`),
  to: ENCODER.encode(`,"to":`),
  resolution: ENCODER.encode(`,"resolution":`),
  avg: ENCODER.encode(`,"avg":`),
  min: ENCODER.encode(`,"min":`),
  max: ENCODER.encode(`,"max":`),
} as const;
/** What one request may be answered with: far more than anybody can look at. */
export const ANSWER_BYTES_MAX = 256 << 20;
/** Empty steps that are written in front of the first sample at the most. */
const PADDING_MAX = 1 << 20;
const NO_STATISTICS: Statistics = { avg: 0, min: 0, max: 0 };

export interface AnswerOptions {
  readonly maxQuerySamples: number;
  readonly missingIdPlaceholder: boolean;
}

/** Within which bounds a request is answered. */
export interface AnswerScope {
  readonly instance: string;
  /** `undefined`: everything is shown. */
  readonly filter: SeriesFilter | undefined;
  /** Samples that the instance allows to be read; 0 or absent: no limit of its own. */
  readonly maxSamples?: number | undefined;
}

export class QueryAnswerer {
  /** Host-level queries that added up levels of different types (metric-store M17). */
  mixedLevelQueries = 0;
  readonly #registry: SeriesRegistry;
  readonly #options: AnswerOptions;
  readonly #combiner: SeriesCombiner;
  readonly #members: number[] = [];
  /** What is shown of the metric and host that is being asked for; `undefined`: all. */
  #shown: HostFilter | undefined;

  constructor(registry: SeriesRegistry, options: AnswerOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#combiner = new SeriesCombiner(registry.table);
  }

  /** Samples read for the last request. */
  get samplesRead(): number {
    return this.#combiner.samplesRead;
  }

  /**
   * Writes one array per query, without separators. Returns the bytes of each.
   * `horizonOf` tells before which time nothing of a host may be seen, seconds.
   * Throws `E_TOO_MANY_SAMPLES`; what was written before is then void.
   */
  answer(
    { instance, filter, maxSamples }: AnswerScope,
    request: QueryRequest,
    horizonOf: (host: HostLevel) => number,
    out: JsonWriter,
  ): number[] {
    this.#combiner.begin(
      sampleLimit(this.#options.maxQuerySamples, maxSamples),
    );
    const metrics = this.#registry.catalog.of(request.cluster);
    const hosts = this.#registry.tree.hosts(instance, request.cluster);
    const lengths: number[] = [];
    const start = out.written;
    for (const query of request.queries) {
      const before = out.written;
      out.raw("[");
      const metric = metrics.get(query.metric);
      if (request.from > request.to || metric === undefined) {
        const error = request.from > request.to
          ? "[METRICSTORE]> invalid time range"
          : `[METRICSTORE]> unknown metric: ${query.metric}`;
        for (let i = selectorCount(query); i > 0; i--) {
          writeError(out, error);
          if (i > 1) out.raw(",");
        }
      } else {
        const host = hosts.get(query.host);
        // A host that is not there may have a name of any length.
        const shown = host && filter?.at(metric.name, host.name);
        if (host !== undefined && shown?.showsNothing !== true) {
          this.#shown = shown;
          this.#query(request, query, host, metric, horizonOf(host), out);
        }
      }
      out.raw("]");
      lengths.push(out.written - before);
      if (out.written - start > ANSWER_BYTES_MAX) throw answerTooLarge();
    }
    return lengths;
  }

  #query(
    request: QueryRequest,
    query: MetricQuery,
    host: Level,
    metric: Metric,
    horizonSec: number,
    out: JsonWriter,
  ): void {
    let written = 0;
    // Ids without data so far; they get an entry only if one with data follows (metric-store M8).
    let missing = 0;
    for (const selector of selectorsOf(query, host)) {
      if (!this.#findMembers(selector, metric, query, horizonSec)) {
        missing++;
        continue;
      }
      if (this.#options.missingIdPlaceholder) {
        for (; missing > 0; missing--) {
          if (written++ > 0) out.raw(",");
          writeRange(out, request.from, request.from, metric.frequencySec);
          writeStatistics(out, { avg: NaN, min: NaN, max: NaN }, 1);
          out.raw("}");
        }
      }
      if (written++ > 0) out.raw(",");
      this.#entry(request, query, metric, horizonSec, out);
    }
  }

  #findMembers(
    selector: Selector,
    metric: Metric,
    query: MetricQuery,
    horizonSec: number,
  ): boolean {
    const members = this.#members;
    members.length = 0;
    if (this.#shown === undefined || this.#shown.showsAll) {
      seriesOf(selector, metric.id, members);
    } else shownSeriesOf(selector, metric.id, this.#shown, members);
    this.#dropHidden(metric, horizonSec);
    if (
      members.length > 1 && query.type === undefined &&
      mixesTypes(members, (series) => this.#levelOf(series))
    ) this.mixedLevelQueries++;
    return members.length > 0;
  }

  /** What the retention has hidden as a whole is as good as gone. */
  #dropHidden(metric: Metric, horizonSec: number): void {
    const { table } = this.#registry;
    const half = Math.floor(metric.frequencySec / 2);
    const members = this.#members;
    let kept = 0;
    for (const series of members) {
      const newest = table.floats[series * (RECORD_WORDS / 2) + NEXT_SLOT]! -
        metric.frequencySec + half;
      if (newest >= horizonSec) members[kept++] = series;
    }
    members.length = kept;
  }

  #levelOf(series: number): Level {
    const { table, tree } = this.#registry;
    return tree.level(table.words[(series << RECORD_SHIFT) + LEVEL]!);
  }

  #entry(
    request: QueryRequest,
    query: MetricQuery,
    metric: Metric,
    horizonSec: number,
    out: JsonWriter,
  ): void {
    const combiner = this.#combiner;
    const { points } = combiner;
    const skip = request.missing === "skip";
    const error = this.#read(request, metric, horizonSec, skip) ??
      resolutionError(query.resolution, metric.frequencySec);
    if (error !== undefined) return writeError(out, error);

    const stats = request.withStats ? points.statistics() : NO_STATISTICS;
    let resolution = metric.frequencySec;
    const fewer = resampledPoints(points.count, query.resolution, resolution);
    if (fewer > 0) {
      points.resample(fewer);
      resolution = query.resolution;
    }
    const scaleBy = query["scale-by"] ?? 1;
    const scale = scaleBy === 0 ? 1 : scaleBy;

    const padding = request.withData && request.withPadding
      ? paddingOf(request, combiner.fromSec, resolution, fewer > 0)
      : 0;
    combiner.charge(padding);
    if (request.withData && points.count + padding > 0) {
      out.bytes(TEXT.data);
      points.write(out, scale, padding);
      out.bytes(TEXT.dataEnd);
      out.number(combiner.fromSec);
      writeRangeEnd(out, combiner.toSec, resolution);
    } else writeRange(out, combiner.fromSec, combiner.toSec, resolution);
    writeStatistics(out, stats, scale);
    if (skip && this.#members.length > 1) {
      out.raw(`,"members":[${combiner.membersMin},${combiner.membersMax}]`);
    }
    out.raw("}");
  }

  /** Fills the combiner with the entry's points, or says why it cannot. */
  #read(
    request: QueryRequest,
    metric: Metric,
    horizonSec: number,
    skip: boolean,
  ): string | undefined {
    const members = this.#members;
    const combiner = this.#combiner;
    const { from, to } = request;
    if (members.length === 1) {
      combiner.readOne(members[0]!, from, to, horizonSec);
      return undefined;
    }
    if (skip && metric.aggregation !== null) {
      combiner.sumPresent(members, from, to, horizonSec);
    } else {
      const misaligned = combiner.sumAll(members, from, to, horizonSec);
      if (misaligned !== undefined) return misaligned;
    }
    if (metric.aggregation === null) {
      return "[METRICSTORE]> invalid aggregation";
    }
    if (metric.aggregation === "avg") combiner.average(members.length, skip);
    return undefined;
  }
}

/** The refusal of a request whose answer would exceed `ANSWER_BYTES_MAX`. */
export function answerTooLarge(): ClientError {
  return new ClientError(
    "E_TOO_MANY_SAMPLES",
    `the answer would be larger than ${ANSWER_BYTES_MAX} bytes: ask for less at a time`,
  );
}

/**
 * Empty steps between the requested begin and the first point, so that data[0] is
 * where the client takes it to be; never more than the window holds. Native steps
 * are counted as upstream counts them, on the grid of whole multiples of the
 * step: clients shift their time axis by that (metric-store 5.3).
 */
function paddingOf(
  request: QueryRequest,
  fromSec: number,
  resolution: number,
  isResampled: boolean,
): number {
  const steps = isResampled
    ? Math.floor((fromSec - request.from) / resolution)
    : Math.floor(fromSec / resolution) - Math.floor(request.from / resolution);
  const window = Math.ceil((request.to - request.from) / resolution);
  const padding = Math.max(0, Math.min(steps, window));
  if (padding > PADDING_MAX) {
    throw new ClientError(
      "E_TOO_MANY_SAMPLES",
      `the range begins ${padding} steps before the first sample, at most ${PADDING_MAX} are padded: ask for a later "from" or set "with-padding" to false`,
    );
  }
  return padding;
}

function writeError(out: JsonWriter, error: string): void {
  out.raw(`{"error":`);
  out.string(error);
  out.raw(`,"from":0,"to":0,"resolution":0,"avg":0,"min":0,"max":0}`);
}

function writeRange(
  out: JsonWriter,
  fromSec: number,
  toSec: number,
  resolution: number,
): void {
  out.bytes(TEXT.from);
  out.number(fromSec);
  writeRangeEnd(out, toSec, resolution);
}

function writeRangeEnd(
  out: JsonWriter,
  toSec: number,
  resolution: number,
): void {
  out.bytes(TEXT.to);
  out.number(toSec);
  out.bytes(TEXT.resolution);
  out.number(resolution);
}

function writeStatistics(
  out: JsonWriter,
  stats: Statistics,
  scale: number,
): void {
  out.bytes(TEXT.avg);
  out.number(stats.avg * scale);
  out.bytes(TEXT.min);
  out.number(stats.min * scale);
  out.bytes(TEXT.max);
  out.number(stats.max * scale);
}
