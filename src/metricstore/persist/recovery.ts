/**
 * Loads a shard's log and snapshots from disk and tidies its directory. Runs on the
 * shard's thread, or anywhere for a directory of another layout. No damage stops it;
 * its report lists the damage.
 */
import { segmentName, snapshotName } from "./filenames.ts";
import type { Files } from "./files.ts";
import {
  filesToRemove,
  listingOf,
  planRecovery,
  type RecoveryPlan,
} from "./recovery_plan.ts";
import { copyToQuarantine, moveToQuarantine } from "./quarantine.ts";
import {
  findMissingTails,
  isDamaged,
  type SegmentReport,
} from "./segment_report.ts";
import {
  readSnapshot,
  type SnapshotReport,
  verifySnapshot,
} from "./snapshot_reader.ts";
import { orStorageError, StorageError } from "./storage_error.ts";
import { readSegment, type WalHandler } from "./wal_reader.ts";
import type { WalResume } from "./wal_writer.ts";

/** Which directory, and whose. */
export interface ShardFiles {
  readonly files: Files;
  /** As `shardDirectory` names it. */
  readonly directory: string;
  readonly shard: number;
  readonly shardCount: number;
}

export interface RecoveryHandler {
  /**
   * A section of the snapshot. Should a snapshot go bad between being checked
   * and being read, the sections of an older one follow and win.
   */
  section(kind: number, payload: Uint8Array): void;
  /** A segment begins; its ids mean nothing to the segment before. */
  segment(segment: number): WalHandler;
}

export interface RecoveryReport {
  readonly plan: RecoveryPlan;
  /** Snapshots that were looked at. */
  readonly snapshots: readonly SnapshotReport[];
  readonly segments: readonly SegmentReport[];
  /** How a `WalWriter` goes on from here. */
  readonly resume: WalResume;
  /** Files that could not be opened, synced, removed or put aside. */
  readonly problems: readonly StorageError[];
}

/**
 * Hands everything stored to `handler`: the newest good snapshot, then the log
 * since. Removes leftovers and puts bad snapshots aside, unless the directory
 * belongs to others as well. Throws a `StorageError` only if it cannot be listed.
 */
export function recoverShard(
  shard: ShardFiles,
  handler: RecoveryHandler,
  isOwn = true,
): RecoveryReport {
  const { files, directory } = shard;
  const names = orStorageError(
    "a shard's directory cannot be listed",
    directory,
    () => files.list(directory),
  );
  const listing = listingOf(names);
  const snapshots = new Map<number, SnapshotReport>();
  const isGood = (snapshot: number) => {
    let report = snapshots.get(snapshot);
    if (report === undefined) {
      const path = `${directory}/${snapshotName(snapshot)}`;
      report = verifySnapshot(files, path, { ...shard, segment: snapshot });
      snapshots.set(snapshot, report);
    }
    return report.state === "good";
  };
  let plan = planRecovery(listing, isGood);
  while (plan.snapshot !== undefined) {
    const owner = { ...shard, segment: plan.snapshot };
    const path = `${directory}/${snapshotName(plan.snapshot)}`;
    const report = readSnapshot(
      files,
      path,
      owner,
      (kind, payload) => handler.section(kind, payload),
    );
    snapshots.set(plan.snapshot, report);
    if (report.state === "good") break;
    plan = planRecovery(listing, isGood);
  }
  const problems: StorageError[] = [];
  const segments = readSegments(shard, plan.segments, handler, problems);
  // A bad snapshot may be replaced by a segment that could not be synced then.
  const isSynced = syncAll(shard, plan.segments, problems) &&
    plan.badSnapshots.length === 0;
  findMissingTails(segments);
  if (isOwn) tidy(shard, plan, problems);
  const { nextSegment } = plan;
  const last = segments.find((one) => one.segment === nextSegment - 1);
  const previousBytes = last?.goodBytes ?? 0;
  return {
    plan,
    snapshots: [...snapshots.values()],
    segments,
    resume: { nextSegment, previousBytes, needsSnapshot: !isSynced },
    problems,
  };
}

function readSegments(
  shard: ShardFiles,
  numbers: readonly number[],
  handler: RecoveryHandler,
  problems: StorageError[],
): SegmentReport[] {
  const reports: SegmentReport[] = [];
  for (const segment of numbers) {
    const path = `${shard.directory}/${segmentName(segment)}`;
    attempt(problems, () => {
      const owner = { ...shard, segment };
      const wal = handler.segment(segment);
      reports.push(readSegment(shard.files, path, owner, wal));
    });
  }
  return reports;
}

/**
 * Syncs the segments. A killed process leaves segments that were not synced, and the
 * samples read from them count as safe from now on.
 */
function syncAll(
  { files, directory }: ShardFiles,
  numbers: readonly number[],
  problems: StorageError[],
): boolean {
  const count = problems.length;
  for (const segment of numbers) {
    const path = `${directory}/${segmentName(segment)}`;
    attempt(
      problems,
      () =>
        orStorageError("a log segment cannot be synced", path, () => {
          const file = files.openToRead(path);
          try {
            file.sync();
          } finally {
            file.close();
          }
        }),
    );
  }
  attempt(
    problems,
    () =>
      orStorageError("a shard's directory cannot be synced", directory, () => {
        files.syncDirectory(directory);
      }),
  );
  return problems.length === count;
}

function tidy(
  { files, directory }: ShardFiles,
  plan: RecoveryPlan,
  problems: StorageError[],
): void {
  for (const name of plan.leftovers) {
    attempt(problems, () => remove(files, directory, name));
  }
  for (const snapshot of plan.badSnapshots) {
    const name = snapshotName(snapshot);
    attempt(problems, () => moveToQuarantine(files, directory, name));
  }
}

/**
 * To be called when a snapshot has become durable. Copies segments that were
 * found damaged into `quarantine/`, where they stay; then removes what no start
 * needs any more. Returns what could not be done; the next call tries again.
 */
export function tidyAfterSnapshot(
  { files, directory }: ShardFiles,
  recovered: RecoveryReport,
): StorageError[] {
  const problems: StorageError[] = [];
  attempt(problems, () => {
    const names = orStorageError(
      "a shard's directory cannot be listed",
      directory,
      () => files.list(directory),
    );
    const damaged = recovered.segments.filter(isDamaged)
      .map((report) => segmentName(report.segment))
      .filter((name) => names.includes(name));
    const kept = new Set<string>();
    for (const name of damaged) {
      const count = problems.length;
      attempt(problems, () => copyToQuarantine(files, directory, name));
      if (problems.length > count) kept.add(name);
    }
    const { badSnapshots } = recovered.plan;
    for (const name of filesToRemove(listingOf(names), badSnapshots)) {
      if (kept.has(name)) continue;
      attempt(problems, () => remove(files, directory, name));
    }
  });
  return problems;
}

function remove(files: Files, directory: string, name: string): void {
  const path = `${directory}/${name}`;
  orStorageError("a file cannot be removed", path, () => files.remove(path));
}

function attempt(problems: StorageError[], action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    problems.push(error);
  }
}
