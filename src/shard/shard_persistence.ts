/**
 * What makes a shard's samples outlive the process: the log that every batch goes
 * to before it is acknowledged, and the snapshots that let the log begin anew.
 * Owner thread only; everything is synchronous.
 *
 * A snapshot is written in slices between batches, while the state changes under
 * it. That is sound: it stands for everything logged before its segment, and what
 * was logged since is applied again on top, slot by slot, the last value winning.
 */
import type { PersistenceOptions } from "../engine/metric_engine.ts";
import { monotonicMs, nowSec } from "../clock.ts";
import { shardDirectory } from "../persist/filenames.ts";
import { DENO_FILES } from "../persist/files.ts";
import {
  recoverShard,
  type RecoveryReport,
  type ShardFiles,
  tidyAfterSnapshot,
} from "../persist/recovery.ts";
import { isDamaged } from "../persist/segment_report.ts";
import { makeShardDirectory } from "../persist/shard_directory.ts";
import { SnapshotWriter } from "../persist/snapshot_writer.ts";
import { StorageError } from "../persist/storage_error.ts";
import { WalWriter } from "../persist/wal_writer.ts";
import { type OnProgress, RestoreState } from "./restore_state.ts";
import type { SeriesRegistry } from "./series_registry.ts";
import { SERIES_SECTION, SeriesSections } from "./series_state.ts";
import type { Notify } from "./shard_notices.ts";
import type { ShardOutbox } from "./shard_outbox.ts";
import { commonMarks, MARKS_SECTION, StreamMarks } from "./stream_marks.ts";

/** A snapshot that failed is tried again after this. */
const SNAPSHOT_RETRY_SEC = 60;

export interface ShardOwner {
  readonly shard: number;
  readonly shards: number;
}

export class ShardPersistence {
  readonly wal: WalWriter;
  readonly #options: PersistenceOptions;
  /** As far as they were on disk; whoever applies batches raises them. */
  readonly marks = new StreamMarks();
  readonly #registry: SeriesRegistry;
  readonly #files: ShardFiles;
  readonly #notify: Notify;
  #recovered: RecoveryReport;
  #snapshot: {
    writer: SnapshotWriter;
    sections: SeriesSections;
    segment: number;
  } | undefined;
  #snapshotDueSec: number;
  /** `committedBytes` when the last snapshot began. */
  #snapshotBytes = 0;
  /** Size of the last snapshot. */
  #snapshotFileBytes = 0;
  #syncDueMs = 0;
  /** Bytes committed that no sync has seen. */
  #syncedBytes = 0;
  readonly #outbox: Pick<ShardOutbox, "converted">;
  #mustConvert: boolean;
  #isFailing = false;
  #retryAtSec = 0;
  #failure: StorageError | undefined;
  #failures = 0;

  /** Restores what is on disk into `registry`. Throws if the directory cannot be used. */
  constructor(
    options: PersistenceOptions,
    owner: ShardOwner,
    registry: SeriesRegistry,
    retentionSec: number,
    otherLayouts: readonly number[],
    outbox: Pick<ShardOutbox, "converted">,
    notify: Notify,
    onProgress: OnProgress,
  ) {
    this.#outbox = outbox;
    this.#options = options;
    this.#registry = registry;
    this.#notify = notify;
    const { shard, shards } = owner;
    const directory = makeShardDirectory(
      DENO_FILES,
      options.directory,
      shards,
      shard,
    );
    this.#files = { files: DENO_FILES, directory, shard, shardCount: shards };
    const startedMs = monotonicMs();
    const horizonSec = retentionSec === 0 ? -Infinity : nowSec() - retentionSec;
    const state = new RestoreState(registry, owner, horizonSec, onProgress);
    for (const count of otherLayouts) this.#takeOver(count, state);
    this.#mustConvert = otherLayouts.length > 0;
    this.#recovered = recoverShard(this.#files, state);
    this.marks.restore(state.takeMarks());
    this.#report(this.#recovered, state, monotonicMs() - startedMs);
    this.wal = new WalWriter({
      ...this.#files,
      resume: this.#recovered.resume,
      describe: (series) => registry.describe(series),
    });
    this.#snapshotDueSec = nowSec() + options.snapshotIntervalSec;
  }

  /** Takes the shard's hosts out of what another number of shards left. */
  #takeOver(shardCount: number, state: RestoreState): void {
    const marks: Map<string, number>[] = [];
    for (let shard = 0; shard < shardCount; shard++) {
      const directory = shardDirectory(
        this.#options.directory,
        shardCount,
        shard,
      );
      recoverShard({ files: DENO_FILES, directory, shard, shardCount }, state);
      marks.push(state.takeMarks());
    }
    // This shard's hosts may have been anybody's: only what all had counts.
    this.marks.restore(commonMarks(marks));
  }

  #report(
    report: RecoveryReport,
    state: RestoreState,
    durationMs: number,
  ): void {
    const { counts } = state;
    if (counts.samples > 0) {
      this.#notify("info", "restored", {
        samples: counts.samples,
        ms: Math.round(durationMs),
        unknownMetric: counts.unknownMetric,
        tooOld: counts.tooOld,
        refused: counts.refused,
      });
    }
    for (const snapshot of report.snapshots) {
      if (snapshot.state === "good") continue;
      this.#notify("err", "a snapshot is damaged, an older one was taken", {
        file: snapshot.path,
        reason: snapshot.reason,
      });
    }
    for (const segment of report.segments) {
      if (!isDamaged(segment)) continue;
      for (const gap of segment.gaps) {
        this.#notify(
          "err",
          "a part of the log is damaged and was passed over",
          {
            file: segment.path,
            offset: gap.offset,
            bytes: gap.bytes,
          },
        );
      }
    }
    for (const problem of report.problems) {
      this.#notify("err", problem.message, { file: problem.path });
    }
  }

  /** How often a commit has failed; see `commit`. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Hands the batch's samples to the operating system, or with a sync interval of 0
   * to the device. Throws a `StorageError`; they are then in memory, not in the log,
   * and must not be acknowledged. `failuresBefore`: `failures` when the batch began;
   * lines of another batch may have been committed meanwhile, and failed for both.
   */
  commit(failuresBefore: number = this.#failures): void {
    try {
      this.wal.commit();
      if (this.#options.syncIntervalSec === 0) this.wal.sync();
    } catch (error) {
      this.#failures++;
      this.#noteFailure(error);
      throw error;
    }
    if (this.#failures !== failuresBefore) throw this.#failure!;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#notify("warn", "the log can be written again", {});
  }

  #noteFailure(error: unknown): void {
    if (!(error instanceof StorageError)) return;
    this.#failure = error;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#notify("err", `${error.message}; writes are refused until it can`, {
      file: error.path,
    });
  }

  /** What is due: a sync, a slice of a snapshot. Returns whether there is more to do at once. */
  tend(): boolean {
    if (!this.wal.batch.isEmpty) this.#commitRest();
    this.#syncIfDue();
    if (this.#snapshot !== undefined) return this.#writeSlice();
    const isDue = nowSec() >= this.#snapshotDueSec ||
      this.wal.needsSnapshot || this.#mustConvert ||
      this.wal.committedBytes - this.#snapshotBytes >
        Math.max(this.#options.maxLogBytes, this.#snapshotFileBytes);
    if (!isDue || nowSec() < this.#retryAtSec) return false;
    this.#beginSnapshot();
    return true;
  }

  /** A batch that failed half-way was not acknowledged, but what it stored is in memory. */
  #commitRest(): void {
    try {
      this.commit();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #syncIfDue(): void {
    const { syncIntervalSec } = this.#options;
    const now = monotonicMs();
    if (
      syncIntervalSec === 0 || now < this.#syncDueMs ||
      this.wal.committedBytes === this.#syncedBytes
    ) return;
    this.#syncDueMs = now + syncIntervalSec * 1000;
    const bytes = this.wal.committedBytes;
    try {
      this.wal.sync();
      this.#syncedBytes = bytes;
    } catch (error) {
      this.#noteFailure(error);
    }
  }

  /** Milliseconds until `tend` is due again. */
  get idleMs(): number {
    return this.wal.committedBytes === this.#syncedBytes
      ? Infinity
      : Math.max(1, this.#syncDueMs - monotonicMs());
  }

  #beginSnapshot(): void {
    // Nothing new since the last one.
    if (
      this.wal.committedBytes === this.#snapshotBytes &&
      !this.wal.needsSnapshot && !this.#mustConvert &&
      this.#recovered.segments.length === 0
    ) {
      this.#snapshotDueSec = nowSec() + this.#options.snapshotIntervalSec;
      return;
    }
    this.#guardSnapshot(() => {
      const segment = this.wal.cut();
      this.#snapshotBytes = this.wal.committedBytes;
      const { files, directory, shard, shardCount } = this.#files;
      const writer = new SnapshotWriter(files, directory, {
        shard,
        shardCount,
        segment,
      });
      this.#snapshot = {
        writer,
        sections: new SeriesSections(this.#registry),
        segment,
      };
      // Now: later marks belong to lines that are in the log behind it.
      const marks = this.marks.encode();
      if (marks !== undefined) writer.section(MARKS_SECTION, marks);
    });
  }

  #writeSlice(): boolean {
    const snapshot = this.#snapshot!;
    this.#guardSnapshot(() => {
      const payload = snapshot.sections.next();
      if (payload !== undefined) {
        snapshot.writer.section(SERIES_SECTION, payload);
        return;
      }
      snapshot.writer.finish();
      this.#snapshot = undefined;
      this.#finishSnapshot(snapshot.segment, snapshot.writer.byteLength);
    });
    return this.#snapshot !== undefined;
  }

  #finishSnapshot(segment: number, bytes: number): void {
    this.wal.snapshotFinished(segment);
    this.#snapshotFileBytes = bytes;
    this.#snapshotDueSec = nowSec() + this.#options.snapshotIntervalSec;
    this.#notify("info", "snapshot written", { segment, bytes });
    if (this.#mustConvert) {
      this.#mustConvert = false;
      this.#outbox.converted();
    }
    for (const problem of tidyAfterSnapshot(this.#files, this.#recovered)) {
      this.#notify("err", problem.message, { file: problem.path });
    }
  }

  #guardSnapshot(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#snapshot?.writer.abort();
      this.#snapshot = undefined;
      this.#retryAtSec = nowSec() + SNAPSHOT_RETRY_SEC;
      this.#notify("err", `no snapshot: ${error.message}`, {
        file: error.path,
      });
    }
  }

  /** Syncs the log. A snapshot under way is given up: the log has what it would have had. */
  close(): void {
    this.#snapshot?.writer.abort();
    this.#snapshot = undefined;
    this.wal.close();
  }
}
