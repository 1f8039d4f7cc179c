/**
 * Makes a shard's samples outlive the process: the log that every batch goes to before
 * it is acknowledged, and the snapshots that let the log begin anew
 * (shard_snapshots.ts). Owner thread only; everything is synchronous.
 */
import { assert } from "../../base/assert.ts";
import { monotonicMs, nowSec } from "../../base/clock.ts";
import type { PersistenceOptions } from "../engine/metric_engine.ts";
import { shardDirectory } from "../persist/filenames.ts";
import { DENO_FILES, type Files } from "../persist/files.ts";
import {
  recoverShard,
  type RecoveryReport,
  type ShardFiles,
} from "../persist/recovery.ts";
import { makeShardDirectory } from "../persist/shard_directory.ts";
import { StorageError } from "../persist/storage_error.ts";
import { WalWriter } from "../persist/wal_writer.ts";
import {
  notifyDamage,
  notifyRestored,
  trimQuarantineOf,
} from "./recovery_notices.ts";
import { type OnProgress, RestoreState } from "./restore_state.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { Notify } from "./shard_notices.ts";
import type { ShardOutbox } from "./shard_outbox.ts";
import type { ShardSlot } from "../transport/stream_progress.ts";
import { ShardSnapshots } from "./shard_snapshots.ts";
import { StreamMarks } from "./stream_marks.ts";

export interface PersistedShard {
  readonly options: PersistenceOptions;
  readonly owner: ShardSlot;
  /** The registry that samples on disk are restored into. */
  readonly registry: SeriesRegistry;
  /** Older samples are not put back; 0: all are. */
  readonly retentionSec: number;
  /** Owners of the directories on disk, the one written last at the end. */
  readonly directories: readonly ShardSlot[];
  readonly outbox: Pick<ShardOutbox, "converted">;
  readonly notify: Notify;
  readonly onProgress: OnProgress;
  /** Stands in for the file system; for tests. */
  readonly files?: Files;
}

export class ShardPersistence {
  readonly wal: WalWriter;
  /** Marks as they were on disk; the writer of batches raises them. */
  readonly marks: StreamMarks;
  readonly #shard: PersistedShard;
  readonly #snapshots: ShardSnapshots;
  #syncDueMs = 0;
  /** Bytes committed that no sync has seen. */
  #syncedBytes = 0;
  #isFailing = false;
  #failure: StorageError | undefined;
  #failures = 0;

  /** Restores what is on disk. Throws if the directory cannot be used. */
  constructor(shard: PersistedShard) {
    this.#shard = shard;
    const { directories, options, outbox, owner, registry, notify } = shard;
    this.marks = new StreamMarks(owner);
    const shardFiles = this.#ownFiles();
    const recovered = this.#restore(shardFiles);
    trimQuarantineOf(shardFiles, notify);
    this.wal = new WalWriter({
      ...shardFiles,
      resume: recovered.resume,
      describe: (series) => registry.describe(series),
    });
    const mustConvert = directories.some(({ shards }) =>
      shards !== owner.shards
    );
    this.#snapshots = new ShardSnapshots({
      options,
      registry,
      marks: this.marks,
      files: shardFiles,
      wal: this.wal,
      recovered,
      notify,
      onFirst: () => {
        if (mustConvert) outbox.converted();
      },
    }, mustConvert);
    // Before anything is logged behind what others have overwritten since.
    if (this.#isOutdated(recovered)) this.#snapshots.now();
  }

  /** Whether the shard's directory has something older than those of other layouts. */
  #isOutdated({ plan }: RecoveryReport): boolean {
    const { directories, owner } = this.#shard;
    const youngest = directories.findLast((one) =>
      one.shards !== owner.shards || one.shard === owner.shard
    );
    const isEmpty = plan.snapshot === undefined && plan.segments.length === 0;
    return !isEmpty && youngest?.shards !== owner.shards;
  }

  #ownFiles(): ShardFiles {
    const { files = DENO_FILES, options, owner } = this.#shard;
    const { shard, shards: shardCount } = owner;
    const directory = makeShardDirectory(
      files,
      options.directory,
      shardCount,
      shard,
    );
    return { files, directory, shard, shardCount };
  }

  /** Restores the shard's hosts from all layouts; the sample written last wins. */
  #restore(own: ShardFiles): RecoveryReport {
    const { directories, notify, owner, registry, retentionSec } = this.#shard;
    const startedMs = monotonicMs();
    const horizonSec = retentionSec === 0 ? -Infinity : nowSec() - retentionSec;
    const state = new RestoreState(
      registry,
      owner,
      horizonSec,
      this.#shard.onProgress,
    );
    let recovered: RecoveryReport | undefined;
    for (const writer of directories) {
      state.readFrom(writer);
      if (writer.shards !== owner.shards) {
        this.#takeOver(own.files, writer, state);
      } else if (writer.shard === owner.shard) {
        recovered = recoverShard(own, state);
        notifyDamage(recovered, notify);
      }
    }
    assert(recovered !== undefined, "the shard's own layout is among all");
    this.marks.restore(state.facts);
    notifyRestored(state.counts, monotonicMs() - startedMs, notify);
    return recovered;
  }

  /** Takes the shard's hosts out of the directory of another layout's shard. */
  #takeOver(files: Files, writer: ShardSlot, state: RestoreState): void {
    const { notify, options, owner } = this.#shard;
    const { shard, shards: shardCount } = writer;
    const directory = shardDirectory(options.directory, shardCount, shard);
    const report = recoverShard(
      { files, directory, shard, shardCount },
      state,
      false,
    );
    // Every shard reads all of them, one tells.
    if (shard % owner.shards === owner.shard) notifyDamage(report, notify);
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
      if (this.#shard.options.syncIntervalSec === 0) this.wal.sync();
    } catch (error) {
      this.#failures++;
      this.#noteFailure(error);
      throw error;
    }
    if (this.#failures !== failuresBefore) throw this.#failure!;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    // Memory may hold runs whose grid a sample fixed that is not in the log.
    this.#snapshots.want();
    this.#shard.notify("warn", "the log can be written again", {});
  }

  #noteFailure(error: unknown): void {
    if (!(error instanceof StorageError)) return;
    this.#failure = error;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#shard.notify(
      "err",
      `${error.message}; writes are refused until it can`,
      {
        file: error.path,
      },
    );
  }

  /**
   * Does the work that is due: a sync, a slice of a snapshot. Returns whether there is
   * more to do at once.
   */
  tick(): boolean {
    if (!this.wal.batch.isEmpty) this.#commitRest();
    this.#syncIfDue();
    return this.#snapshots.tick();
  }

  /** Writes a snapshot at once; whether that went well is told. */
  snapshotNow(): void {
    if (!this.wal.batch.isEmpty) this.#commitRest();
    this.#snapshots.now();
  }

  /** The next `tick` begins a snapshot, for a log of any size. */
  wantSnapshot(): void {
    this.#snapshots.want();
  }

  /**
   * Logs that samples are about to be removed: `add` hands over which. Throws a
   * `StorageError`; they must stay then.
   */
  logFree(add: (wal: WalWriter) => void): void {
    if (!this.wal.batch.isEmpty) this.#commitRest();
    this.#snapshots.beforeFree();
    add(this.wal);
    this.commit();
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
    const { syncIntervalSec } = this.#shard.options;
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

  /** Milliseconds until `tick` is due again. */
  get idleMs(): number {
    return this.wal.committedBytes === this.#syncedBytes
      ? Infinity
      : Math.max(1, this.#syncDueMs - monotonicMs());
  }

  /** Syncs the log. A snapshot under way is given up: the log has what it would have had. */
  close(): void {
    this.#snapshots.abort();
    this.wal.close();
  }
}
