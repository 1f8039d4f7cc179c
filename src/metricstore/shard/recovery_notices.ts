/** Notices to the operator about a start and about damaged files. Owner thread only. */
import type { RecoveryReport, ShardFiles } from "../persist/recovery.ts";
import { isDamaged } from "../persist/segment_report.ts";
import { trimQuarantine } from "../persist/quarantine.ts";
import { StorageError } from "../persist/storage_error.ts";
import type { RestoreCounts } from "./restore_state.ts";
import type { Notify } from "./shard_notices.ts";

/** Notes the samples in memory and those left out. */
export function notifyRestored(
  counts: RestoreCounts,
  durationMs: number,
  notify: Notify,
): void {
  if (counts.samples === 0) return;
  notify("info", "restored", {
    samples: counts.samples,
    ms: Math.round(durationMs),
    unknownMetric: counts.unknownMetric,
    tooOld: counts.tooOld,
    refused: counts.refused,
  });
}

/** The files that were damaged, with the place. */
export function notifyDamage(report: RecoveryReport, notify: Notify): void {
  for (const snapshot of report.snapshots) {
    if (snapshot.state === "good") continue;
    notify("err", "a snapshot is damaged, an older one was taken", {
      file: snapshot.path,
      reason: snapshot.reason,
    });
  }
  for (const segment of report.segments) {
    if (!isDamaged(segment)) continue;
    for (const { offset, bytes } of segment.gaps) {
      notify("err", "a part of the log is damaged and was passed over", {
        file: segment.path,
        offset,
        bytes,
      });
    }
  }
  notifyProblems(report.problems, notify);
}

/** Notes each problem of the disk as an error, with its file. */
export function notifyProblems(
  problems: readonly StorageError[],
  notify: Notify,
  prefix = "",
): void {
  for (const { message, path } of problems) {
    notify("err", `${prefix}${message}`, { file: path });
  }
}

/** Keeps what was put aside from filling the disk. */
export function trimQuarantineOf(
  { files, directory }: ShardFiles,
  notify: Notify,
): void {
  try {
    for (const file of trimQuarantine(files, directory)) {
      notify("warn", "a damaged file put aside earlier was removed", { file });
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    notifyProblems([error], notify);
  }
}
