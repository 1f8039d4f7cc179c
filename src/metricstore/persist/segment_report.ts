/** The result of reading a log segment. */
import type { HeaderState } from "./file_header.ts";

/** A stretch in which no record could be found. */
export interface Gap {
  readonly offset: number;
  readonly bytes: number;
}

/** Gaps told one by one; the rest is in the sums. */
const GAPS_TOLD_MAX = 100;

export interface SegmentReport {
  readonly path: string;
  readonly segment: number;
  fileBytes: number;
  header: HeaderState;
  /** Good records. */
  records: number;
  /** Samples handed over. */
  samples: number;
  /** Samples whose series' name was lost, both copies of it. */
  namelessSamples: number;
  /** Records with a fitting checksum that make no sense: a fault of the writer. */
  malformedRecords: number;
  /** Intact records of kinds this program does not know. */
  unknownRecords: number;
  readonly gaps: Gap[];
  gapCount: number;
  gapBytes: number;
  /** Bytes behind the last good record; after a crash the batch being written. */
  tornTailBytes: number;
  /** Where the last good record ends. */
  goodBytes: number;
  /** `goodBytes` of the segment before, as the header has it; 0 if unknown. */
  previousBytes: number;
  /** Good bytes that were there when the next segment was begun, and are not now. */
  missingTailBytes: number;
  /** Bytes the device did not give back; they are part of the gaps. */
  unreadableBytes: number;
}

/** Returns the report of a segment before anything of it is read. */
export function newReport(path: string, segment: number): SegmentReport {
  return {
    path,
    segment,
    fileBytes: 0,
    header: "damaged",
    records: 0,
    samples: 0,
    namelessSamples: 0,
    malformedRecords: 0,
    unknownRecords: 0,
    gaps: [],
    gapCount: 0,
    gapBytes: 0,
    tornTailBytes: 0,
    goodBytes: 0,
    previousBytes: 0,
    missingTailBytes: 0,
    unreadableBytes: 0,
  };
}

/**
 * Adds a gap of `bytes` bytes at `offset` to the report; its list of gaps is bounded.
 */
export function noteGap(
  report: SegmentReport,
  offset: number,
  bytes: number,
): void {
  report.gapCount++;
  report.gapBytes += bytes;
  if (report.gaps.length < GAPS_TOLD_MAX) report.gaps.push({ offset, bytes });
}

/**
 * Returns whether acknowledged samples may be missing from the segment. A torn tail
 * does not count, since a crash leaves it of a batch that was not acknowledged; unless
 * the next segment says that the tail was good once.
 */
export function isDamaged(report: SegmentReport): boolean {
  return report.header === "unknown-version" || report.gapCount > 0 ||
    report.malformedRecords > 0 || report.unknownRecords > 0 ||
    report.namelessSamples > 0 || report.unreadableBytes > 0 ||
    report.missingTailBytes > 0;
}

/**
 * Compares each segment's good end with the end that the next one's header names.
 * `reports` are in the order of the log.
 */
export function findMissingTails(reports: readonly SegmentReport[]): void {
  for (const [i, next] of reports.entries()) {
    const report = reports[i - 1];
    if (report === undefined || report.segment + 1 !== next.segment) continue;
    report.missingTailBytes = Math.max(
      0,
      next.previousBytes - report.goodBytes,
    );
  }
}
