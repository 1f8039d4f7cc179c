/**
 * The seam between everything that speaks to clients and everything that knows
 * where series live. The HTTP server, the job API and NATS see only this
 * interface; the worker shards behind it are one implementation.
 *
 * All times are Unix epoch seconds. Everything is asked within a
 * {@linkcode DataScope}: outside it nothing is seen, changed or told.
 */
import type { QueryEvaluator } from "./query_jobs.ts";
import type { UnknownMetrics } from "./unknown_metrics.ts";
import type { DataScope } from "./data_scope.ts";

/** How the values of a metric are combined over levels; `null`: not at all. */
export type Aggregation = "sum" | "avg" | null;

/** Configuration of one metric of one cluster. */
export interface MetricConfig {
  /** Seconds between two samples, an integer > 0. */
  readonly frequencySec: number;
  readonly aggregation: Aggregation;
}

/** Metrics by name: the default for all clusters, and overrides of single clusters. */
export interface MetricTable {
  readonly defaults: Readonly<Record<string, MetricConfig>>;
  readonly clusters: Readonly<
    Record<string, Readonly<Record<string, MetricConfig>>>
  >;
}

/** Why a line was not stored although the client sent it: an error of the line. */
export const REJECT_REASONS = [
  "syntax",
  "value",
  "field",
  "timestamp",
  "no-cluster",
  "no-hostname",
  "bad-name",
  "ambiguous-level",
  "max-series",
  "instance-series",
  "max-hosts",
  "max-clusters",
  "line-too-long",
  "forbidden",
  "rate",
  "memory-cap",
] as const;
export type RejectReason = typeof REJECT_REASONS[number];

/** Why a line was passed over without being an error. */
export const SKIP_REASONS = [
  "unknown-metric",
  "too-old",
  "too-new",
  "other-message",
  "replayed",
] as const;
export type SkipReason = typeof SKIP_REASONS[number];

/** A refused line: its number in the body counts from 1. */
export interface LineError {
  readonly line: number;
  readonly reason: RejectReason;
  readonly message: string;
}

/** Counts and errors of a batch, once every shard that owns a line of it has it. */
export interface WriteReport {
  /** Lines that were neither blank nor comments. */
  readonly lines: number;
  readonly stored: number;
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** The first refused lines, by line number, at most `MAX_LINE_ERRORS`. */
  readonly errors: readonly LineError[];
  /**
   * The line at which reading was given up, since hardly any could be read; the lines
   * before it count. Absent if all were read.
   */
  readonly givenUpAt?: number;
  /** The first metrics that no configuration names, by cluster; a few of a few. */
  readonly unknown?: readonly UnknownMetrics[];
}

export const MAX_LINE_ERRORS = 10;

export interface BatchOptions {
  readonly scope: DataScope;
  /** Cluster of the lines that have no `cluster` tag; `""`: such lines are refused. */
  readonly defaultCluster: string;
  /** Absent: the batch is applied whenever it comes. */
  readonly mark?: StreamMark | undefined;
  /** Reading may stop where hardly a line can be read: see `givenUpAt`. */
  readonly mayBeGivenUp?: boolean;
}

/**
 * Where a batch ends in an ordered stream of messages. A shard that has logged a
 * mark this high passes the lines over (`replayed`). Batches of a stream must come
 * in order, the next only once the one before was reported, and one that failed
 * again with the same lines.
 */
export interface StreamMark {
  /** Names the stream and its reader for ever: another one is another name. */
  readonly stream: string;
  /** Sequence of the batch's last message, an integer > 0. */
  readonly sequence: number;
}

/**
 * One body of line protocol on its way to the shards. Chunks may be cut
 * anywhere; the batch keeps them until they are sent, so they must not change.
 */
export interface Batch {
  /**
   * Hands over the next bytes. `undefined`: go on; a promise: wait for it before
   * the next push, the shard's inbox is full.
   */
  push(chunk: Uint8Array): Promise<void> | undefined;
  /** Bytes that the batch keeps, those apart for which a push is waiting. */
  readonly heldBytes: number;
  /** No more bytes. Resolves when every owner has its samples. */
  end(): Promise<WriteReport>;
  /**
   * The upload broke off: lines handed over already stay; the torn line and those not
   * handed over yet are dropped.
   */
  abort(): void;
  /** Report of a batch that was given up before its end; nothing more is read. */
  readonly givenUp?: WriteReport | undefined;
}

/** One question of a query request; names as on the wire (metric-store 5.2). */
export interface MetricQuery {
  readonly metric: string;
  readonly host: string;
  readonly type?: string | undefined;
  readonly "type-ids"?: readonly string[] | undefined;
  readonly subtype?: string | undefined;
  readonly "subtype-ids"?: readonly string[] | undefined;
  readonly aggreg: boolean;
  /** Seconds; 0: as stored. */
  readonly resolution: number;
  readonly "scale-by"?: number | undefined;
}

export interface QueryRequest {
  readonly cluster: string;
  readonly from: number;
  readonly to: number;
  readonly queries: readonly MetricQuery[];
  /** Metric names asked of every host known, after `queries`. */
  readonly forAllNodes?: readonly string[] | undefined;
  readonly withStats: boolean;
  readonly withData: boolean;
  readonly withPadding: boolean;
  /** `"null"`: a step lacks a value as soon as one member does; `"skip"`: those present count. */
  readonly missing: "null" | "skip";
}

/** A finished JSON body in pieces, so that the pieces of many shards need no copy. */
export interface JsonBody {
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
  /**
   * Lets the memory of `chunks` be used for other answers. A call is optional; after it
   * the caller does not touch them any more.
   */
  readonly release?: () => void;
}

export type HealthState = "full" | "partial" | "failed";

export interface NodeHealth {
  readonly state: HealthState;
  readonly known: boolean;
  readonly degraded: readonly string[];
  readonly missing: readonly string[];
}

/** Counters of one shard, as they were a moment ago. All counts since the start. */
export interface ShardStats {
  readonly shard: number;
  readonly linesTotal: number;
  readonly storedTotal: number;
  readonly rejectedTotal: Readonly<Record<RejectReason, number>>;
  readonly skippedTotal: Readonly<Record<SkipReason, number>>;
  readonly queriesTotal: number;
  /** Samples handed to answers, before aggregation and resampling. */
  readonly samplesReadTotal: number;
  readonly series: number;
  readonly hosts: number;
  readonly runs: number;
  /** Bytes of sealed, compressed pages. */
  readonly blockBytes: number;
  /** Bytes of sample memory in use: hot tiles and sealed blocks. */
  readonly sampleBytes: number;
  /** Bytes of line protocol waiting in the shard's inbox. */
  readonly inboxBytes: number;
  /** Host-level queries that added up levels of different types. */
  readonly mixedLevelQueriesTotal: number;
  /** Samples taken from disk at the start. */
  readonly restoredSamples: number;
  /** Bytes handed to the log, and how often that failed. */
  readonly logBytesTotal: number;
  readonly logFailuresTotal: number;
  /** Bytes of sample memory taken from the system, free or in use. */
  readonly reservedBytes: number;
  /** Samples before this were given up for want of memory, seconds; 0: none were. */
  readonly evictedBeforeSec: number;
  /** Questions of evaluators for series: under way, ended, and what they took. */
  readonly selectionsOpen: number;
  readonly selectionsTotal: number;
  readonly selectedSamplesTotal: number;
  readonly selectionSecTotal: number;
}

export type EngineState = "restoring" | "ready" | "stopping" | "failed";

/** Counters of the archive since the start. */
export interface ArchiveStats {
  readonly runsTotal: number;
  readonly failuresTotal: number;
  readonly filesTotal: number;
  readonly rowsTotal: number;
  /** Everything before it is in files, seconds; 0: no run was finished yet. */
  readonly reachedSec: number;
}

/** Which clusters have samples, of any instance. */
export interface ClusterPresence {
  /** In alphabetical order. */
  readonly names: readonly string[];
  /**
   * Calls back for each cluster there is, and from now on for each that gets its
   * first sample, before that sample is acknowledged.
   */
  watch(watcher: (cluster: string) => void): void;
}

/** Everything clients can ask of the metric store. Rejections are `ClientError`s. */
export interface MetricEngine extends QueryEvaluator {
  readonly state: EngineState;
  /** Absent: samples that age out are dropped. */
  readonly archive?: ArchiveStats | undefined;
  /** Series of each named instance that ever had one, as they are now. */
  readonly instanceSeries?: ReadonlyMap<string, number>;
  /** Lines passed over since their metrics are not configured, by cluster, bounded. */
  readonly unknownMetricLines?: ReadonlyMap<string, number>;
  /** Clusters with samples in memory; during a restore those found so far. */
  readonly clusters: ClusterPresence;
  openBatch(options: BatchOptions): Batch;
  /**
   * Guesses the shard of a batch from its first bytes. Merge bodies with equal lanes
   * into one batch; send different lanes at the same time. A hint for speed, without
   * other meaning.
   */
  laneOf(options: BatchOptions, start: Uint8Array): number;
  /** Answers `{"queries"?:…,"results":…}` and a newline. */
  query(scope: DataScope, request: QueryRequest): Promise<JsonBody>;
  /** Removes what ended before `toSec` at and below each selector; resolves to the number of runs removed. */
  free(
    scope: DataScope,
    selectors: readonly (readonly string[])[],
    toSec: number,
  ): Promise<number>;
  /** `{"data":{…}}` and a newline; `E_BAD_REQUEST` where the selector names nothing. */
  debug(scope: DataScope, selector: readonly string[]): Promise<JsonBody>;
  /** `metrics` undefined: all metrics of the cluster. */
  health(
    scope: DataScope,
    cluster: string,
    nodes: readonly string[],
    metrics: readonly string[] | undefined,
  ): Promise<ReadonlyMap<string, NodeHealth>>;
  stats(): readonly ShardStats[];
  /** Takes no more work, waits for the work under way, ends the workers. */
  close(): Promise<void>;
}

/** An engine as its owner sees it. */
export interface StoreEngine extends MetricEngine {
  /**
   * Takes samples of these metrics, too; those that are there stay what they are.
   * Resolves when all shards do; `E_NOT_READY` during a restore.
   */
  addMetrics(added: MetricTable): Promise<void>;
  /**
   * Archives what has aged out, frees it and writes snapshots; resolves when that
   * is done. Rejects where the archive cannot be written.
   */
  cleanUp(): Promise<void>;
}

/** Configuration of the engine; plain data, it is cloned into workers. */
export interface EngineOptions {
  readonly shards: number;
  readonly metrics: MetricTable;
  /** 0: no retention. */
  readonly retentionSec: number;
  readonly maxFutureSec: number;
  /** Bytes of the process as a whole; 0: no bound. */
  readonly memoryCapBytes: number;
  /** 0: none. */
  readonly maxSeries: number;
  readonly maxHosts: number;
  /** Bytes of a cluster, host, level or metric name. */
  readonly maxNameBytes: number;
  /** 0: none. */
  readonly maxQuerySamples: number;
  readonly missingIdPlaceholder: boolean;
  /** Where samples survive the process; `undefined`: nowhere. */
  readonly persistence: PersistenceOptions | undefined;
  /** Evaluators of queries that ask the shards; absent: none. */
  readonly evaluators?: number;
  /** Bytes of the ring from one shard to another, a power of two; absent: as large as is good. */
  readonly forwardRingBytes?: number;
  /**
   * Nodes of running jobs are protected from freeing: nothing is freed until it is
   * known which. Set by the engine itself when it is given a node provider.
   */
  readonly protectsNodes?: boolean;
  /** Where samples go that age out; absent: nowhere. */
  readonly archive?: ArchiveOptions | undefined;
}

export interface ArchiveOptions {
  /** `cleanup.directory`. */
  readonly directory: string;
  readonly intervalSec: number;
  /** For the shards: up to where the files there reach; absent: there are none. */
  readonly reachedSec?: number;
}

export interface PersistenceOptions {
  /** `checkpoints.directory`; our files are below `ringstore` in it. */
  readonly directory: string;
  /** How long an acknowledged sample may be lost to a power cut; 0: not at all. */
  readonly syncIntervalSec: number;
  readonly snapshotIntervalSec: number;
  /** Snapshots are made by `cleanUp` and at no other time: nothing is written. */
  readonly onlyCleanUp?: boolean;
  /**
   * A shard's log is followed by a snapshot when it exceeds this and the size of
   * the snapshot before, so that large stores do not write themselves all the time.
   */
  readonly maxLogBytes: number;
}

/** Something the operator should read. */
export interface EngineNotice {
  /** `crit`: nothing is served any more, only a restart helps. */
  readonly level: "info" | "warn" | "err" | "crit";
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}
