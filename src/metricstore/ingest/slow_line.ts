/**
 * One line read in full: the first of its key, one of an odd shape, or one that
 * cannot be stored. Decides what becomes of it, counts it, and remembers its key
 * so that the next line of the series takes the fast path. Owner thread only.
 */
import type { RejectReason } from "../engine/metric_engine.ts";
import type { Metric } from "../catalog/metric_catalog.ts";
import type { LevelLabels } from "../catalog/level_tree.ts";
import {
  CLUSTERS_MAX,
  type SeriesRegistry,
} from "../catalog/series_registry.ts";
import { shardOf } from "../transport/messages.ts";
import type { IngestBatch, SampleLog } from "./line_ingest.ts";
import { hashKey, type KeyTable } from "./key_table.ts";
import {
  LINE_BLANK,
  LINE_ERROR,
  LINE_INCOMPLETE,
  LineParser,
} from "./line_parser.ts";
import {
  explainRefusedValue,
  parseFieldValue,
  parseTimestampSec,
} from "./number_parse.ts";

const LF = 0x0a;
/** Longer samples are refused; so every line fits a frame between shards. */
export const LINE_BYTES_MAX = 32 << 10;
/** Longest piece of a client's text that an error message repeats. */
const QUOTED_BYTES_MAX = 64;

/** A context in which every line is read in full. */
export const KEYS_NOT_KEPT = -2;

/**
 * Defaults and bounds of the lines of a batch. A line allowed in a context once is
 * allowed in it for good.
 */
export interface Context {
  /** Number of the context within the shard, or `KEYS_NOT_KEPT`. */
  readonly id: number;
  readonly instance: string;
  readonly defaultCluster: string;
  /** Clusters whose lines are taken; `undefined`: any. */
  readonly clusters: ReadonlySet<string> | undefined;
  /** Series that the instance may have; 0: any number. */
  readonly maxSeries: number;
  /** All of it as it goes to other shards. */
  readonly encoded: Uint8Array;
}

export interface SlowLineOptions {
  readonly shard: number;
  readonly shards: number;
  readonly maxFutureSec: number;
  readonly maxNameBytes: number;
}

export class SlowLines {
  /** Results of `take`: where the next line begins, and its key, 0: not kept. */
  next = 0;
  key = 0;
  /** The line is cut and more bytes may come; nothing was done. */
  isIncomplete = false;
  readonly #parser = new LineParser();
  readonly #encoder = new TextEncoder();
  readonly #registry: SeriesRegistry;
  readonly #keys: KeyTable;
  readonly #options: SlowLineOptions;
  readonly #log: SampleLog | undefined;

  constructor(
    registry: SeriesRegistry,
    keys: KeyTable,
    options: SlowLineOptions,
    log?: SampleLog,
  ) {
    this.#log = log;
    this.#registry = registry;
    this.#keys = keys;
    this.#options = options;
  }

  /**
   * Reads the line at `at` and stores, skips or refuses it, or returns the number
   * of the shard that owns it; else -1. Advances `batch.line`.
   */
  take(
    bytes: Uint8Array,
    at: number,
    end: number,
    isFinal: boolean,
    batch: IngestBatch,
  ): number {
    const parser = this.#parser;
    const mayBreak = batch.line !== batch.strictLine;
    parser.explains = batch.tally.explains;
    const state = parser.parse(bytes, at, end, isFinal, mayBreak);
    this.key = 0;
    this.isIncomplete = !isFinal &&
      (state === LINE_INCOMPLETE ||
        (parser.next >= end && bytes[end - 1] !== LF));
    if (this.isIncomplete) return -1;
    this.next = parser.next;
    const line = batch.line;
    batch.line += parser.lineBreaks;
    if (state === LINE_BLANK) return -1;
    if (parser.next - at > LINE_BYTES_MAX && !parser.isOtherMessage) {
      batch.tally.reject(
        line,
        "line-too-long",
        () => `the line is longer than ${LINE_BYTES_MAX} bytes`,
      );
      return -1;
    }
    if (state === LINE_ERROR && parser.errorReason === "syntax") {
      batch.tally.unparsable++;
      batch.isGivenUp = batch.mayBeGivenUp &&
        isRubbish(batch.tally.unparsable, line);
    }
    return this.#entry(bytes, at, line, batch, state === LINE_ERROR);
  }

  #entry(
    bytes: Uint8Array,
    at: number,
    line: number,
    batch: IngestBatch,
    isError: boolean,
  ): number {
    const parser = this.#parser;
    const { catalog } = this.#registry;
    if (parser.isOtherMessage && !isError) {
      batch.tally.skip("other-message");
      return -1;
    }
    const cluster = parser.cluster ?? batch.context.defaultCluster;
    // Before anything is told of the cluster, such as which metrics it has.
    if (cluster !== "" && batch.context.clusters?.has(cluster) === false) {
      batch.tally.reject(
        line,
        "forbidden",
        () => `no access to cluster ${quoteText(cluster)}`,
      );
      return -1;
    }
    // Faults of a line do not matter if its metric is not configured.
    const metric = catalog.of(cluster).get(parser.measurement);
    if (
      metric === undefined && parser.measurement !== "" &&
      (!isError || !catalog.knows(parser.measurement))
    ) {
      batch.tally.skipUnknown(cluster, parser.measurement);
      return -1;
    }
    const refuse = (reason: RejectReason, message: () => string) => {
      batch.tally.reject(line, reason, message);
      return -1;
    };
    if (isError || metric === undefined) {
      return refuse(parser.errorReason, () => parser.error);
    }
    if (cluster === "") {
      return refuse(
        "no-cluster",
        () => "tag cluster is missing and no default is given",
      );
    }
    const host = parser.hostname;
    if (host === undefined) {
      return refuse("no-hostname", () => "tag hostname is missing");
    }
    const badName = this.#badName(cluster, host);
    if (badName !== undefined) return refuse("bad-name", () => badName);

    const { shard, shards } = this.#options;
    const owner = shardOf(batch.context.instance, cluster, host, shards);
    if (owner !== shard) {
      this.#remember(bytes, at, batch.context, ~owner);
      return owner;
    }
    return this.#store(bytes, at, line, batch, cluster, host, metric);
  }

  #store(
    bytes: Uint8Array,
    at: number,
    line: number,
    batch: IngestBatch,
    cluster: string,
    host: string,
    metric: Metric,
  ): number {
    const parser = this.#parser;
    const { tally } = batch;
    const { valueStart, valueEnd, timeStart, timeEnd } = parser;
    const refuse = (reason: RejectReason, message: () => string) => {
      tally.reject(line, reason, message);
      return -1;
    };
    const value = parseFieldValue(bytes, valueStart, valueEnd);
    if (Number.isNaN(value)) {
      return refuse("value", () => {
        const why =
          EXPLANATIONS[explainRefusedValue(bytes, valueStart, valueEnd)];
        const value = quote(bytes, valueStart, valueEnd);
        return `column ${
          valueStart - at + 1
        }: value for field "value" (${value}) ${why}`;
      });
    }
    let timestamp = batch.nowSec;
    if (timeEnd > timeStart) {
      timestamp = parseTimestampSec(bytes, timeStart, timeEnd);
      if (Number.isNaN(timestamp)) {
        return refuse(
          "timestamp",
          () =>
            `column ${timeStart - at + 1}: timestamp (${
              quote(bytes, timeStart, timeEnd)
            }) is not an integer of seconds, ms, µs or ns within 64 bits`,
        );
      }
    }
    if (batch.wasApplied?.(batch.context.instance, cluster, host)) {
      tally.skip("replayed");
      return -1;
    }
    if (timestamp < batch.oldestSec) {
      tally.skip("too-old");
      return -1;
    }
    if (timestamp > batch.nowSec + this.#options.maxFutureSec) {
      tally.skip("too-new");
      return -1;
    }
    const level = levelOf(parser.type, parser.typeId);
    const series = this.#registry.resolve(
      {
        instance: batch.context.instance,
        cluster,
        host,
        level,
        sublevel: level && labelsOf(parser.subtype, parser.subtypeId),
        metric,
      },
      batch.context.maxSeries,
      CLUSTERS_MAX,
    );
    if (series === "ambiguous-level") {
      return refuse(
        series,
        () =>
          `level "${parser.type ?? ""}${
            parser.typeId ?? ""
          }" or its sub-level is known with another split into type and id ` +
          "(`ringstore import` and `export` cut names by --types)",
      );
    }
    if (series === "memory-cap") {
      return refuse(
        series,
        () => "no memory for another series (metric-store.memory-cap)",
      );
    }
    if (series === "instance-series") {
      const { instance, maxSeries } = batch.context;
      return refuse(
        series,
        () =>
          `instance "${instance}" may have no more than ${maxSeries} series (limits.max_series)`,
      );
    }
    if (series === "max-clusters") {
      return refuse(
        series,
        () =>
          `there are too many clusters without a configuration (${CLUSTERS_MAX}) for cluster ${
            quoteText(cluster)
          }`,
      );
    }
    if (series === "max-series" || series === "max-hosts") {
      return refuse(
        series,
        () => `the limit metric-store.${series} is reached`,
      );
    }
    if (!this.#registry.table.write(series, timestamp, value)) {
      return refuse(
        "max-series",
        () => "the store has no room for another run",
      );
    }
    this.#log?.append(series, timestamp, value);
    tally.lines++;
    tally.stored++;
    this.#remember(bytes, at, batch.context, series);
    return -1;
  }

  /** Why a name cannot be stored; `undefined`: all are good. */
  #badName(cluster: string, host: string): string | undefined {
    const parser = this.#parser;
    const long = this.#isLong(cluster)
      ? "cluster"
      : this.#isLong(host)
      ? "hostname"
      : this.#isLong(parser.type)
      ? "type"
      : this.#isLong(parser.typeId)
      ? "type-id"
      : this.#isLong(parser.subtype)
      ? "stype"
      : this.#isLong(parser.subtypeId)
      ? "stype-id"
      : undefined;
    if (long !== undefined) {
      return `tag ${long} is longer than ${this.#options.maxNameBytes} bytes`;
    }
    if (isDots(cluster)) return `tag cluster is "${cluster}"`;
    if (isDots(host)) return `tag hostname is "${host}"`;
    // Tags are checked by the parser; a default from a URL is not.
    for (let i = 0; i < cluster.length; i++) {
      if (cluster.charCodeAt(i) < 0x20 || cluster.charCodeAt(i) === 0x7f) {
        return "the default cluster has a control character";
      }
    }
    return undefined;
  }

  #isLong(name: string | undefined): boolean {
    if (name === undefined) return false;
    const { maxNameBytes } = this.#options;
    return name.length > maxNameBytes ||
      (name.length * 3 > maxNameBytes &&
        this.#encoder.encode(name).length > maxNameBytes);
  }

  /** Keeps the key of a line of the common shape; a stale key is pointed anew. */
  #remember(
    bytes: Uint8Array,
    at: number,
    context: Context,
    target: number,
  ): void {
    const end = this.#parser.keyEnd;
    if (end === 0 || context.id < 0 || bytes[at] === 0x20) return;
    const hash = hashKey(bytes, at, end, context.id);
    const known = this.#keys.find(bytes, at, end, hash, context.id);
    if (known !== 0) {
      this.#keys.setTarget(known, target);
      this.key = known;
    } else {
      this.key = this.#keys.add(bytes, at, end, hash, context.id, target);
    }
  }
}

/** Whether a path of files would take the name for a directory above. */
function isDots(name: string): boolean {
  return name === "." || name === "..";
}

/** Lines that break the grammar before a batch is given up, and their part of all. */
const RUBBISH_LINES = 10_000;
const RUBBISH_PART = 0.95;

/** Whether a batch with so many unparsable lines of those read so far is no batch. */
function isRubbish(unparsable: number, lines: number): boolean {
  return unparsable >= RUBBISH_LINES && unparsable > lines * RUBBISH_PART;
}

const EXPLANATIONS = {
  "not-a-number": "has unrecognized type",
  "boolean": "is a boolean, only numbers are stored",
  "string": "is a string, only numbers are stored",
  "out-of-range": "is out of range",
} as const;

/** Level 3 of a line. A node is the host itself, with any id (metric-store M5). */
function levelOf(
  type: string | undefined,
  id: string | undefined,
): LevelLabels | undefined {
  return type === "node" ? undefined : labelsOf(type, id);
}

function labelsOf(
  type: string | undefined,
  id: string | undefined,
): LevelLabels | undefined {
  return type === undefined && id === undefined
    ? undefined
    : { type: type ?? "", id: id ?? "" };
}

function quoteText(text: string): string {
  return JSON.stringify(
    text.length > QUOTED_BYTES_MAX
      ? `${text.slice(0, QUOTED_BYTES_MAX)}…`
      : text,
  );
}

function quote(bytes: Uint8Array, start: number, end: number): string {
  const stop = Math.min(end, start + QUOTED_BYTES_MAX);
  const text = new TextDecoder().decode(bytes.slice(start, stop));
  return JSON.stringify(stop < end ? `${text}…` : text);
}
