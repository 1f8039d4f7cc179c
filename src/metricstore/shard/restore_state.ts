/**
 * Puts what recovery reads from disk back into the store: sections of a snapshot,
 * then the log. Owner thread only, before the shard takes any work.
 *
 * Nothing is refused for having been written under another configuration: samples
 * of a metric whose frequency changed go through the same door as new ones, hosts
 * of other shards are passed over, metrics that are gone are counted.
 */
import type { RecoveryHandler } from "../persist/recovery.ts";
import type { SeriesEntry } from "../persist/series_dictionary.ts";
import type { WalHandler } from "../persist/wal_reader.ts";
import type { FreeRecord } from "../persist/wal_records.ts";
import { freeAtAndBelow, freeRecorded } from "./free_selectors.ts";
import { restoreSeries, SERIES_SECTION } from "./series_state.ts";
import {
  isIn,
  ProgressByStream,
  type ShardSlot,
} from "../transport/stream_progress.ts";
import {
  FACTS_SECTION,
  MARKS_SECTION,
  readFacts,
  readMarks,
} from "./stream_marks.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";

/** A series of the log that was not asked for yet, and one that is not kept. */
const UNRESOLVED = -1;
const NOT_KEPT = -2;

export interface RestoreCounts {
  /** Samples put into memory. */
  samples: number;
  /** Samples of metrics that are not configured any more. */
  unknownMetric: number;
  /** Samples older than the retention. */
  tooOld: number;
  /** Samples for which there was no room. */
  refused: number;
}

/**
 * Told how many samples are in memory by now. Returns whether data was given up for
 * want of memory, so that series may have ended.
 */
export type OnProgress = (samples: number) => boolean;

export class RestoreState implements RecoveryHandler {
  readonly counts: RestoreCounts = {
    samples: 0,
    unknownMetric: 0,
    tooOld: 0,
    refused: 0,
  };
  /** How far streams got, by all directories read so far. */
  readonly facts = new ProgressByStream();
  readonly #registry: SeriesRegistry;
  readonly #share: ShardSlot;
  /** Owner of the directory that is being read. */
  #writer: ShardSlot;
  readonly #horizonSec: number;
  readonly #onProgress: OnProgress;

  /** `horizonSec`: samples before it are not put back; -Infinity: all are. */
  constructor(
    registry: SeriesRegistry,
    share: ShardSlot,
    horizonSec: number,
    onProgress: OnProgress,
  ) {
    this.#registry = registry;
    this.#share = share;
    this.#writer = share;
    this.#horizonSec = horizonSec;
    this.#onProgress = onProgress;
  }

  /** From now on it is the directory of that shard that is read. */
  readFrom(writer: ShardSlot): void {
    this.#writer = writer;
  }

  section(kind: number, payload: Uint8Array): void {
    if (kind === MARKS_SECTION) {
      return readMarks(payload, this.#writer, this.facts);
    }
    if (kind === FACTS_SECTION) return readFacts(payload, this.facts);
    // Sections of other kinds are of a later version, which says what they mean.
    if (kind !== SERIES_SECTION) return;
    restoreSeries(
      this.#registry,
      payload,
      (entry) => this.#isOurs(entry),
      this.#horizonSec,
      this.counts,
    );
    if (this.#onProgress(this.counts.samples)) this.#registry.recycleEnded();
  }

  segment(_segment: number): WalHandler {
    const names: SeriesEntry[] = [];
    let series = new Int32Array(1024).fill(UNRESOLVED);
    let isStale = false;
    return {
      series: (id, entry) => {
        names[id] = entry;
        if (id >= series.length) {
          const grown = new Int32Array(Math.max(id + 1, series.length * 2))
            .fill(UNRESOLVED);
          grown.set(series);
          series = grown;
        }
      },
      samples: (firstId, count, timestampSec, values, at) => {
        if (isStale) this.#forgetEnded(series);
        isStale = false;
        if (timestampSec < this.#horizonSec) {
          this.counts.tooOld += count;
          return;
        }
        const { table } = this.#registry;
        let stored = 0;
        for (let i = 0; i < count; i++) {
          const id = firstId + i;
          let one = series[id]!;
          if (one === UNRESOLVED) {
            one = series[id] = this.#resolve(names[id]!);
          }
          if (one === NOT_KEPT) continue;
          if (table.write(one, timestampSec, values[at + i]!)) stored++;
          else this.counts.refused++;
        }
        this.counts.samples += stored;
        if (this.#onProgress(this.counts.samples)) this.#forgetEnded(series);
      },
      free: (record) => {
        this.#free(record);
        this.#forgetEnded(series);
      },
      mark: ({ key, value }) =>
        this.facts.add(key, { ...this.#writer, sequence: value }),
      freeSeries: (record) => {
        freeRecorded(this.#registry, record);
        // Such records come in thousands: once for all of them.
        isStale = true;
      },
    };
  }

  /** Series may have ended; their names find or make them again. */
  #forgetEnded(series: Int32Array): void {
    series.fill(UNRESOLVED);
    this.#registry.recycleEnded();
  }

  #isOurs(entry: SeriesEntry): boolean {
    const { instance, cluster, host } = entry;
    return isIn(this.#share, instance, cluster, host);
  }

  #resolve(entry: SeriesEntry): number {
    if (!this.#isOurs(entry)) return NOT_KEPT;
    const series = this.#registry.resolveEntry(entry);
    if (series === undefined) {
      this.counts.unknownMetric++;
      return NOT_KEPT;
    }
    if (typeof series === "string") {
      this.counts.refused++;
      return NOT_KEPT;
    }
    return series;
  }

  #free(record: FreeRecord): void {
    freeAtAndBelow(
      this.#registry,
      record.instance,
      record.path,
      record.toSec,
    );
  }
}
