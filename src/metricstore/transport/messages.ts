/**
 * Messages between the threads: kinds of frames and the layout of their payloads.
 * Numbers are never reused for something else.
 *
 * WRITE and FORWARD payload: a header (`write_header.ts`), then line protocol.
 *
 * A marked batch ends with a FORWARD frame without lines to every shard that got
 * lines of it.
 *
 * Everything but line protocol and answers is JSON: it is rare and small.
 */
import type { UnknownMetrics } from "../engine/unknown_metrics.ts";
import type {
  LineError,
  MetricTable,
  NodeHealth,
  QueryRequest,
} from "../engine/metric_engine.ts";

export const KIND = {
  /** main → shard: a part of a batch. */
  WRITE: 1,
  /** shard → shard: lines of one batch that the receiver owns. */
  FORWARD: 2,
  /** main → shard: an `Ask` as JSON. */
  ASK: 3,
  /** shard → main: a `WriteDone` as JSON, or nothing to tell but counts. */
  WRITE_DONE: 4,
  /** shard → main: a piece of the JSON of an answer. */
  CHUNK: 5,
  /** shard → main: the end of an answer: a `Reply` as JSON. */
  REPLY: 6,
  /** shard → main: an `EngineNotice` as JSON, for the log. */
  NOTICE: 7,
  /**
   * shard → main: all samples on disk are in memory; from now on questions are
   * answered.
   */
  RESTORED: 8,
  /** shard → main: its hosts of other layouts are in a snapshot of its own. */
  CONVERTED: 9,
  /** shard → main: memory is short, archive what is before this (f64 seconds). */
  ARCHIVE_WANTED: 10,
  /** shard → main: a cluster (its name) has hosts here, or none any more. */
  CLUSTER: 11,
} as const;

/** `aux` of CLUSTER. */
export const CLUSTER_GONE = 0;
export const CLUSTER_THERE = 1;

/** `aux` of WRITE: this part begins, ends, or breaks off its batch. */
export const PART_FIRST = 1;
export const PART_LAST = 2;
export const PART_ABORT = 4;
/** With PART_FIRST: the batch may be given up where hardly a line can be read. */
export const PART_MAY_GIVE_UP = 8;

/** `aux` of ASK and REPLY: the last piece of the JSON, which may exceed a frame. */
export const AUX_END = 1;

/** `aux` of FORWARD: the end of a marked batch, without lines. */
export const FORWARD_END = 1;

/**
 * Defaults and bounds of the lines of a batch. Equal permissions have equal JSON:
 * shards tell contexts apart by it.
 */
export interface BatchContext {
  readonly instance: string;
  /** Cluster of the lines that name none; `""`: such lines are refused. */
  readonly defaultCluster: string;
  /** Clusters whose lines are taken; absent: any. */
  readonly clusters?: readonly string[];
  /** Series that the instance may have; absent: any number. */
  readonly maxSeries?: number;
}

/** A view (src/metricstore/engine/data_scope.ts) as far as it matters to a question. */
export interface AskedView {
  /** Names the view: shards keep what they made of it by this. */
  readonly id: string;
  /** The grants as JSON, written once for many questions and read when they are new. */
  readonly grants: string;
}

/**
 * When samples of hosts may be seen (`HostTimes` of src/metricstore/engine/data_scope.ts), of the
 * hosts that the question names; absent: all of them at any time.
 */
export type AskedTimes = readonly (readonly [string, readonly number[]])[];

/** A question to one shard. Queries carry the indices that the shard is to answer. */
export type Ask =
  | {
    readonly kind: "query";
    readonly instance: string;
    readonly view?: AskedView;
    /** Samples that may be read; absent: as many as the configuration allows. */
    readonly maxSamples?: number;
    readonly request: QueryRequest;
    /** Hosts of this shard each of which is asked for each metric, after the queries. */
    readonly forAll?: {
      readonly hosts: readonly string[];
      readonly metrics: readonly string[];
    };
    readonly times?: AskedTimes;
  }
  | {
    readonly kind: "hosts";
    readonly instance: string;
    readonly view?: AskedView;
    readonly cluster: string;
  }
  | {
    readonly kind: "free";
    readonly instance: string;
    readonly view?: AskedView;
    readonly selectors: readonly (readonly string[])[];
    readonly toSec: number;
  }
  | {
    readonly kind: "debug";
    readonly instance: string;
    /** Clusters that are shown; absent: all. */
    readonly clusters?: readonly string[];
    readonly selector: readonly string[];
  }
  | {
    readonly kind: "health";
    readonly instance: string;
    readonly view?: AskedView;
    readonly cluster: string;
    readonly nodes: readonly string[];
    readonly metrics: readonly string[] | undefined;
    readonly times?: AskedTimes;
  }
  /** Samples before it are too old from now on. */
  | { readonly kind: "archive-fence"; readonly oldestSec: number }
  /** Asks for the hosts with samples before `toSec`. */
  | { readonly kind: "archive-hosts"; readonly toSec: number }
  /** Slots of a host with a nominal time in [fromSec, toSec), as blocks. */
  | {
    readonly kind: "archive-rows";
    readonly instance: string;
    readonly cluster: string;
    readonly host: string;
    /** `last` of the answer before; -1: from the beginning. */
    readonly afterSeries: number;
    readonly fromSec: number;
    readonly toSec: number;
  }
  /** Everything before it is in files. */
  | { readonly kind: "archive-done"; readonly toSec: number }
  /** Hosts that have running jobs, by cluster: the retention passes them over. */
  | {
    readonly kind: "protect";
    readonly nodes: readonly (readonly [string, readonly string[]])[];
  }
  /** Further metrics that samples are taken of. */
  | { readonly kind: "metrics"; readonly added: MetricTable }
  /** Free what may be freed, then write a snapshot. */
  | { readonly kind: "clean-up" }
  | { readonly kind: "close" };

/** How an answer ends. Errors cross threads as data: a thrown class would not survive. */
export type Reply =
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  /** Bytes of the pieces sent before that belong to each query, in order. */
  | {
    readonly kind: "query";
    readonly lengths: readonly number[];
    readonly samples: number;
  }
  | { readonly kind: "hosts"; readonly hosts: readonly string[] }
  | { readonly kind: "free"; readonly removed: number }
  /**
   * Above the hosts, the pieces sent before are the members of each cluster's
   * object; from a host on they are one whole object. `found` is false where the
   * selector names nothing here.
   */
  | {
    readonly kind: "debug";
    readonly found: boolean;
    readonly clusters: readonly {
      readonly name: string;
      readonly bytes: number;
    }[];
  }
  | { readonly kind: "health"; readonly nodes: readonly NodeHealth[] }
  | { readonly kind: "archive-fence" }
  | {
    readonly kind: "archive-hosts";
    readonly clusters: readonly {
      readonly instance: string;
      readonly cluster: string;
      readonly hosts: readonly string[];
    }[];
  }
  /** The pieces sent before are series (src/metricstore/parquet/archive_series.ts); -1: that was all. */
  | { readonly kind: "archive-rows"; readonly last: number }
  | { readonly kind: "archive-done" }
  | { readonly kind: "protect" }
  | { readonly kind: "metrics" }
  | { readonly kind: "clean-up" }
  | { readonly kind: "close" };

/** Result of one shard's lines of a batch. Counts by index of the reason lists. */
export interface WriteDone {
  readonly lines: number;
  readonly stored: number;
  /** Frames sent to other shards, each of which answers with a `WriteDone` of its own. */
  readonly forwards: number;
  readonly rejected: readonly number[];
  readonly skipped: readonly number[];
  readonly errors: readonly LineError[];
  /** The line at which the batch was given up; later ones are not read. */
  readonly givenUpAt?: number;
  readonly unknown: readonly UnknownMetrics[];
}

/** `aux` of WRITE_DONE. */
export const DONE_OF_BATCH = 0;
export const DONE_OF_FORWARD = 1;

/**
 * The shard that owns a host: FNV-1a over the code units of the three names with a
 * final mix. Files on disk depend on it: a change moves every host.
 */
export function shardOf(
  instance: string,
  cluster: string,
  host: string,
  shards: number,
): number {
  let hash = 0x811c9dc5;
  hash = hashText(hash, instance);
  hash = hashText(Math.imul(hash ^ 0xff, 0x01000193), cluster);
  hash = hashText(Math.imul(hash ^ 0xff, 0x01000193), host);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return (hash >>> 0) % shards;
}

function hashText(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}
