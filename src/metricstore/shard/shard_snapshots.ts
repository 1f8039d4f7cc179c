/**
 * When a shard writes a snapshot, and the one under way. Owner thread only.
 *
 * A snapshot is written in slices between batches, while the state changes under it.
 * That is sound: it stands for everything logged before its segment, and samples logged
 * since are applied again on top, slot by slot, the last value winning. Removing
 * samples is the exception: see `beforeFree`.
 */
import { nowSec } from "../../base/clock.ts";
import type { PersistenceOptions } from "../engine/metric_engine.ts";
import {
  type RecoveryReport,
  type ShardFiles,
  tidyAfterSnapshot,
} from "../persist/recovery.ts";
import { SnapshotWriter } from "../persist/snapshot_writer.ts";
import { StorageError } from "../persist/storage_error.ts";
import type { WalWriter } from "../persist/wal_writer.ts";
import { notifyProblems, trimQuarantineOf } from "./recovery_notices.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import { SERIES_SECTION, SeriesSections } from "./series_state.ts";
import type { Notify } from "./shard_notices.ts";
import type { StreamMarks } from "./stream_marks.ts";

/** A snapshot that failed is tried again after this. */
const RETRY_SEC = 60;
/** So often a snapshot gives way to samples being freed. */
const RESTARTS_MAX = 3;

export interface SnapshotSource {
  readonly options: PersistenceOptions;
  readonly registry: SeriesRegistry;
  readonly marks: StreamMarks;
  readonly files: ShardFiles;
  readonly wal: WalWriter;
  readonly recovered: RecoveryReport;
  readonly notify: Notify;
  /** Called when the first snapshot is durable. */
  readonly onFirst: () => void;
}

interface SnapshotRun {
  readonly writer: SnapshotWriter;
  readonly sections: SeriesSections;
  readonly segment: number;
}

export class ShardSnapshots {
  readonly #source: SnapshotSource;
  #run: SnapshotRun | undefined;
  /** One must begin, whether or not anything was logged since the last. */
  #isWanted: boolean;
  #dueSec: number;
  #retryAtSec = 0;
  #restarts = 0;
  #isFirst = true;
  /** `committedBytes` when the last snapshot began. */
  #begunBytes = 0;
  /** Size of the last snapshot. */
  #fileBytes = 0;

  constructor(source: SnapshotSource, isWanted: boolean) {
    this.#source = source;
    this.#isWanted = isWanted;
    this.#dueSec = nowSec() + source.options.snapshotIntervalSec;
  }

  /** Begins one if it is due, or writes a slice. Returns whether there is more to do at once. */
  tick(): boolean {
    if (this.#run !== undefined) return this.#writeSlice();
    if (nowSec() < this.#retryAtSec || !this.#isDue()) return false;
    if (this.#isWanted || this.#hasChanges()) this.#begin();
    else this.#postpone();
    return this.#run !== undefined;
  }

  /** Writes a whole one and returns when it is durable, or has failed, which is told. */
  now(): void {
    this.#finish();
    this.#begin();
    this.#finish();
  }

  /** Samples in memory that the log lacks must be in a snapshot begun from now on. */
  want(): void {
    this.#isWanted = true;
  }

  /**
   * To be called before samples are removed on request. The log, replayed onto a
   * snapshot that was begun before and written after the removal, could put some of
   * them back into runs that were begun since. So the snapshot under way begins
   * anew behind the removal; if that happens again and again, it is finished first.
   */
  beforeFree(): void {
    if (this.#run === undefined) return;
    if (this.#restarts === RESTARTS_MAX) return this.#finish();
    this.#restarts++;
    this.abort();
    this.#isWanted = true;
  }

  /** Gives up the one under way: the log has what it would have had. */
  abort(): void {
    this.#run?.writer.abort();
    this.#run = undefined;
  }

  #isDue(): boolean {
    const { options, wal } = this.#source;
    return this.#isWanted || wal.needsSnapshot || nowSec() >= this.#dueSec ||
      wal.committedBytes - this.#begunBytes >
        Math.max(options.maxLogBytes, this.#fileBytes);
  }

  #hasChanges(): boolean {
    const { recovered, wal } = this.#source;
    return wal.committedBytes !== this.#begunBytes || wal.needsSnapshot ||
      recovered.segments.length > 0;
  }

  #postpone(): void {
    this.#dueSec = nowSec() + this.#source.options.snapshotIntervalSec;
  }

  #begin(): void {
    const { files, marks, registry, wal } = this.#source;
    this.#isWanted = false;
    this.#guard(() => {
      const segment = wal.cut();
      this.#begunBytes = wal.committedBytes;
      const writer = new SnapshotWriter(files.files, files.directory, {
        shard: files.shard,
        shardCount: files.shardCount,
        segment,
      });
      this.#run = { writer, sections: new SeriesSections(registry), segment };
      // Now: later marks belong to lines that are in the log behind it.
      for (const [kind, payload] of marks.sections()) {
        writer.section(kind, payload);
      }
    });
  }

  #finish(): void {
    while (this.#run !== undefined) this.#writeSlice();
  }

  #writeSlice(): boolean {
    const { writer, sections, segment } = this.#run!;
    this.#guard(() => {
      const payload = sections.next();
      if (payload !== undefined) {
        writer.section(SERIES_SECTION, payload);
        return;
      }
      writer.finish();
      this.#run = undefined;
      this.#noteFinished(segment, writer.byteLength);
    });
    return this.#run !== undefined;
  }

  #noteFinished(segment: number, bytes: number): void {
    const { files, notify, onFirst, recovered, wal } = this.#source;
    wal.snapshotFinished(segment);
    this.#fileBytes = bytes;
    this.#restarts = 0;
    this.#postpone();
    notify("info", "snapshot written", { segment, bytes });
    if (this.#isFirst) {
      this.#isFirst = false;
      onFirst();
    }
    notifyProblems(tidyAfterSnapshot(files, recovered), notify);
    trimQuarantineOf(files, notify);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.abort();
      this.#isWanted = true;
      this.#retryAtSec = nowSec() + RETRY_SEC;
      notifyProblems([error], this.#source.notify, "no snapshot: ");
    }
  }
}
