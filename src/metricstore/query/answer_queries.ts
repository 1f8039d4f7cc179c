/**
 * One shard's part of a query request: writes, for each of its queries, the array
 * of entries as JSON (metric-store 4 and 5.3). Owner thread only.
 *
 * Order of operations: read, statistics over the native points, resample, scale,
 * pad.
 */
import { levelOf, newestEndSec } from "../store/records.ts";
import type { MetricQuery, QueryRequest } from "../engine/metric_engine.ts";
import { ANSWER_BYTES_MAX } from "../engine/request_bounds.ts";
import { ClientError } from "../../base/errors.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { HostLevel, Level } from "../catalog/level_tree.ts";
import type { Metric } from "../catalog/metric_catalog.ts";
import type { Times } from "../store/series_mask.ts";
import { findStart, type ReadStart } from "../store/series_read.ts";
import { SeriesCombiner } from "./combine_series.ts";
import type { JsonWriter } from "./json_writer.ts";
import { resampledPoints, resolutionError } from "./lttb.ts";
import {
  mixesTypes,
  NamedLevels,
  selectorCount,
  seriesOf,
} from "./select_series.ts";
import { sampleLimit } from "../engine/sample_limit.ts";
import type { HostFilter, SeriesFilter } from "./series_filter.ts";
import type { Statistics } from "./statistics.ts";
import { NO_TURNS, type Turns } from "./turns.ts";

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
/** Empty steps that are written in front of the first sample at the most. */
const PADDING_MAX = 1 << 20;
const NO_STATISTICS: Statistics = { avg: 0, min: 0, max: 0 };
/** Cost of an entry beside its points, in the units of {@linkcode Turns}. */
const ENTRY_WORK = 50;
/** Bytes that a point or a null takes at the least. */
const POINT_BYTES_MIN = 2;
const NULL_BYTES = 5;

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
  /**
   * When samples of a host may be seen; a host that is not in it might as well not
   * exist. `undefined`: of all hosts at any time.
   */
  readonly times?: ReadonlyMap<string, Times> | undefined;
}

/** Hosts each of which is asked for each metric, in this order. */
export interface HostsByMetrics {
  readonly hosts: readonly string[];
  readonly metrics: readonly string[];
}

export class QueryAnswerer {
  /** Host-level queries that added up levels of different types (metric-store M17). */
  mixedLevelQueries = 0;
  readonly #registry: SeriesRegistry;
  readonly #options: AnswerOptions;
  readonly #combiner: SeriesCombiner;
  readonly #turns: Turns;
  readonly #members: number[] = [];
  readonly #start: ReadStart = { fromSec: 0, run: 0 };
  /** The visible part of the present metric and host; `undefined`: all. */
  #shown: HostFilter | undefined;
  /** Metrics and hosts of the cluster that is asked for. */
  #metrics: ReadonlyMap<string, Metric> = new Map();
  #hosts: ReadonlyMap<string, HostLevel> = new Map();
  /** Where the answer may end at the latest, in bytes written. */
  #endBytes = 0;

  /** Others may get a turn between two series, at a time that `turns` decides. */
  constructor(
    registry: SeriesRegistry,
    options: AnswerOptions,
    turns: Turns = NO_TURNS,
  ) {
    this.#registry = registry;
    this.#options = options;
    this.#turns = turns;
    this.#combiner = new SeriesCombiner(registry.table, turns);
  }

  /** Samples read for the last request. */
  get samplesRead(): number {
    return this.#combiner.samplesRead;
  }

  /**
   * Writes one array per query, then one for each metric of each host of `forAll`,
   * without separators. Returns the bytes of each. `horizonOf` tells before which time
   * nothing of a host may be seen, seconds. Throws `E_TOO_MANY_SAMPLES`; the bytes
   * written before are then void.
   */
  answer(
    scope: AnswerScope,
    request: QueryRequest,
    horizonOf: (host: HostLevel) => number,
    out: JsonWriter,
    forAll?: HostsByMetrics,
  ): number[] {
    this.#combiner.begin(
      sampleLimit(this.#options.maxQuerySamples, scope.maxSamples),
    );
    this.#metrics = this.#registry.catalog.of(request.cluster);
    this.#hosts = this.#registry.tree.hosts(scope.instance, request.cluster);
    this.#endBytes = out.written + ANSWER_BYTES_MAX;
    const lengths: number[] = [];
    const answerOne = (query: MetricQuery) => {
      const before = out.written;
      this.#one(scope, request, query, horizonOf, out);
      lengths.push(out.written - before);
      this.#demandRoom(out, 0);
    };
    for (const query of request.queries) answerOne(query);
    for (const host of forAll?.hosts ?? []) {
      for (const metric of forAll!.metrics) {
        answerOne({ metric, host, resolution: 0, aggreg: false });
      }
    }
    return lengths;
  }

  #one(
    { filter, times }: AnswerScope,
    request: QueryRequest,
    query: MetricQuery,
    horizonOf: (host: HostLevel) => number,
    out: JsonWriter,
  ): void {
    const metric = this.#metrics.get(query.metric);
    out.raw("[");
    if (request.from > request.to || metric === undefined) {
      const error = request.from > request.to
        ? "[METRICSTORE]> invalid time range"
        : `[METRICSTORE]> unknown metric: ${query.metric}`;
      const count = selectorCount(query);
      this.#demandRoom(out, count * error.length);
      for (let i = count; i > 0; i--) {
        writeError(out, error);
        if (i > 1) out.raw(",");
        this.#demandRoom(out, 0);
        this.#turns.spend(ENTRY_WORK);
      }
    } else {
      const host = this.#hosts.get(query.host);
      // A host that is not there may have a name of any length.
      const shown = host && filter?.at(metric.name, host.name);
      const ofHost = host && times?.get(host.name);
      const isHidden = times !== undefined && ofHost === undefined ||
        shown?.showsNothing === true;
      if (host !== undefined && !isHidden) {
        this.#shown = shown;
        this.#combiner.times = ofHost;
        const horizonSec = Math.max(horizonOf(host), ofHost?.[0] ?? -Infinity);
        this.#query(request, query, host, metric, horizonSec, out);
      }
      this.#turns.spend(ENTRY_WORK);
    }
    out.raw("]");
  }

  #query(
    request: QueryRequest,
    query: MetricQuery,
    host: Level,
    metric: Metric,
    horizonSec: number,
    out: JsonWriter,
  ): void {
    const levels = new NamedLevels(query, host);
    let written = 0;
    // Ids without data so far; they get an entry only if one with data follows (metric-store M8).
    let missing = 0;
    for (let at = 0; at < levels.count;) {
      const end = query.aggreg ? levels.count : at + 1;
      const found = this.#findMembers(
        levels,
        at,
        end,
        metric,
        query,
        request,
        horizonSec,
      );
      at = end;
      if (!found) {
        missing++;
        continue;
      }
      if (this.#options.missingIdPlaceholder) {
        for (; missing > 0; missing--) {
          if (written++ > 0) out.raw(",");
          writeRange(out, request.from, request.from, metric.frequencySec);
          writeStatistics(out, { avg: NaN, min: NaN, max: NaN }, 1);
          out.raw("}");
          this.#demandRoom(out, 0);
          this.#turns.spend(ENTRY_WORK);
        }
      }
      if (written++ > 0) out.raw(",");
      this.#entry(request, query, metric, horizonSec, out);
    }
  }

  /** Throws where the answer has no room for so many bytes more. */
  #demandRoom(out: JsonWriter, bytes: number): void {
    if (out.written + bytes > this.#endBytes) throw answerTooLarge();
  }

  /** The series of the levels [from, to) into `#members`; `false`: there are none. */
  #findMembers(
    levels: NamedLevels,
    from: number,
    to: number,
    metric: Metric,
    query: MetricQuery,
    request: QueryRequest,
    horizonSec: number,
  ): boolean {
    const members = this.#members;
    members.length = 0;
    for (let at = from; at < to; at++) {
      const level = levels.at(at);
      if (level !== undefined) seriesOf(level, metric.id, this.#shown, members);
      this.#turns.spend(10);
    }
    this.#dropHidden(metric, request.from, horizonSec);
    if (
      members.length > 1 && query.type === undefined &&
      mixesTypes(members, (series) => this.#levelOf(series))
    ) this.mixedLevelQueries++;
    return members.length > 0;
  }

  /** Drops series that the retention or the visible times hide as a whole. */
  #dropHidden(metric: Metric, fromSec: number, horizonSec: number): void {
    const { table } = this.#registry;
    const { times } = this.#combiner;
    const half = Math.floor(metric.frequencySec / 2);
    const members = this.#members;
    let kept = 0;
    for (const series of members) {
      const newest = newestEndSec(table, series) -
        metric.frequencySec + half;
      if (newest < horizonSec) continue;
      if (times !== undefined) {
        findStart(table, series, fromSec, horizonSec, this.#start);
        const { fromSec: first, run } = this.#start;
        if (run === 0 || first >= times[times.length - 1]!) continue;
      }
      members[kept++] = series;
    }
    members.length = kept;
  }

  #levelOf(series: number): Level {
    const { table, tree } = this.#registry;
    return tree.level(levelOf(table, series));
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
    if (request.withData) {
      this.#demandRoom(
        out,
        padding * NULL_BYTES + points.count * POINT_BYTES_MIN,
      );
    }
    this.#turns.spend(ENTRY_WORK + 2 * points.count + padding);
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
