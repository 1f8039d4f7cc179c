/** Counts and errors of the lines of a batch in one shard. */
import {
  type LineError,
  MAX_LINE_ERRORS,
  REJECT_REASONS,
  type RejectReason,
  SKIP_REASONS,
  type SkipReason,
} from "../engine/metric_engine.ts";
import { UnknownMetricTally } from "../engine/unknown_metrics.ts";

const REJECT_INDEX = new Map<RejectReason, number>(
  REJECT_REASONS.map((reason, index) => [reason, index]),
);
const SKIP_INDEX = new Map<SkipReason, number>(
  SKIP_REASONS.map((reason, index) => [reason, index]),
);

export class BatchTally {
  lines = 0;
  stored = 0;
  /** Counts by index into `REJECT_REASONS` and `SKIP_REASONS`. */
  readonly rejected = new Array<number>(REJECT_REASONS.length).fill(0);
  readonly skipped = new Array<number>(SKIP_REASONS.length).fill(0);
  readonly errors: LineError[] = [];
  readonly unknown = new UnknownMetricTally();
  /** Lines that break the grammar, refused or passed over. */
  unparsable = 0;
  /** Whether a line was neither stored nor forwarded. */
  hasDetail = false;

  /** Whether the message of a further refused line is shown. */
  get explains(): boolean {
    return this.errors.length < MAX_LINE_ERRORS;
  }

  /** `message` is made of the first lines only, those that are shown. */
  reject(line: number, reason: RejectReason, message: () => string): void {
    this.hasDetail = true;
    this.lines++;
    this.rejected[REJECT_INDEX.get(reason)!]!++;
    if (!this.explains) return;
    this.errors.push({
      line,
      reason,
      message: `at line ${line}: ${message()}`,
    });
  }

  /** The batch was applied before: its samples were passed over for no other reason. */
  nameReplayed(): void {
    const tooOld = SKIP_INDEX.get("too-old")!;
    this.skipped[SKIP_INDEX.get("replayed")!]! += this.skipped[tooOld]!;
    this.skipped[tooOld] = 0;
  }

  /** Counts a line whose metric is not configured for its cluster. */
  skipUnknown(cluster: string, metric: string): void {
    this.skip("unknown-metric");
    this.unknown.add(cluster, metric);
  }

  skip(reason: SkipReason): void {
    this.hasDetail = true;
    this.lines++;
    this.skipped[SKIP_INDEX.get(reason)!]!++;
  }
}
