/** Counters of the messages of one subscription since the start. */
import type {
  RejectReason,
  SkipReason,
  WriteReport,
} from "../metricstore/engine/metric_engine.ts";

export class SubscriptionStats {
  /** The subject, and the durable where there is one. */
  readonly subject: string;
  readonly durable: string;
  messages = 0;
  bytes = 0;
  stored = 0;
  /** Messages for which there was no room. */
  dropped = 0;
  /** Messages that the store did not take for another reason, and never will. */
  failed = 0;
  /** Messages that came again. */
  redelivered = 0;
  /** Attempts to store a batch that failed and were repeated. */
  retries = 0;
  readonly rejected: Partial<Record<RejectReason, number>> = {};
  readonly skipped: Partial<Record<SkipReason, number>> = {};

  constructor(subject: string, durable: string) {
    this.subject = subject;
    this.durable = durable;
  }

  addReport(report: WriteReport): void {
    this.stored += report.stored;
    addCounts(this.rejected, report.rejected);
    addCounts(this.skipped, report.skipped);
  }
}

function addCounts<Reason extends string>(
  sums: Partial<Record<Reason, number>>,
  counts: Readonly<Partial<Record<Reason, number>>>,
): void {
  for (const reason of Object.keys(counts) as Reason[]) {
    sums[reason] = (sums[reason] ?? 0) + (counts[reason] ?? 0);
  }
}
