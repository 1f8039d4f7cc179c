/**
 * The end of a subscription that faces the store: it asks which samples the messages
 * may write, counts the results, and says when to try again. Main thread only.
 */
import type { DataScope } from "../metricstore/engine/data_scope.ts";
import type {
  MetricEngine,
  StreamMark,
} from "../metricstore/engine/metric_engine.ts";
import { ClientError, type ErrorCode } from "../base/errors.ts";
import type { InstanceRate } from "../base/ingest_rates.ts";
import { type MetricMessage, writeMessages } from "./message_batch.ts";
import { PASSING, pause, pauseMs } from "./pauses.ts";
import type { SeldomLog } from "../base/seldom_log.ts";
import type { SubscriptionStats } from "./subscription_stats.ts";

const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 5000;

/** Codes of failures that pass, for any batch. */
const PASSING_FOR_BATCHES: readonly ErrorCode[] = [...PASSING, "E_RATE"];

/** Why nothing may be written just now, such as an access policy that is gone. */
export interface ScopeRefusal {
  readonly refused: string;
}

/** The lines that may be written, and the cluster of lines that name none. */
export interface WriteGrant {
  readonly scope: DataScope;
  readonly defaultCluster: string;
  /** Rate of the instance; absent if it has no limit. */
  readonly rate?: Pick<InstanceRate, "admit" | "charge"> | undefined;
}

/** Asked before every batch, since instances and policies change. */
export type GrantSource = () => WriteGrant | ScopeRefusal;

export interface MetricWriterOptions {
  readonly engine: Pick<MetricEngine, "openBatch" | "laneOf">;
  readonly grant: GrantSource;
  readonly stats: SubscriptionStats;
  readonly log: SeldomLog;
  /** Aborted when the server stops. */
  readonly stopped: AbortSignal;
}

export class MetricWriter {
  readonly #options: MetricWriterOptions;

  constructor(options: MetricWriterOptions) {
    this.#options = options;
  }

  /** Messages with the same number are best stored in one batch. */
  laneOf(data: Uint8Array): number {
    const granted = this.#options.grant();
    return "refused" in granted
      ? 0
      : this.#options.engine.laneOf(granted, data);
  }

  /**
   * Stores the messages, again and again while the store cannot take them.
   * `false`: they are not stored, because it never will, or the server stops.
   * With `mark` only the latter ends it.
   */
  async write(
    messages: readonly MetricMessage[],
    mark?: StreamMark,
  ): Promise<boolean> {
    const { stats, stopped, log } = this.#options;
    const subject = messages[0]?.subject;
    for (let attempt = 1;; attempt++) {
      try {
        await this.#writeOnce(messages, mark);
        return true;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const passes = mark !== undefined ||
          PASSING_FOR_BATCHES.includes(error.code);
        log.warn(
          passes ? "samples wait for the store" : "samples are lost",
          { subject, messages: messages.length, reason: error.message },
        );
        if (!passes) {
          stats.failed += messages.length;
          return false;
        }
        stats.retries++;
      }
      await pause(pauseMs(attempt, FIRST_PAUSE_MS, MOST_PAUSE_MS), stopped);
      if (stopped.aborted) return false;
    }
  }

  async #writeOnce(
    messages: readonly MetricMessage[],
    mark: StreamMark | undefined,
  ): Promise<void> {
    const { engine, grant, stats, log } = this.#options;
    const granted = grant();
    if ("refused" in granted) {
      throw new ClientError("E_FORBIDDEN", granted.refused);
    }
    const { scope, defaultCluster, rate } = granted;
    rate?.admit();
    const report = await writeMessages(
      engine,
      { scope, defaultCluster, mark },
      messages,
    );
    rate?.charge(report.stored);
    stats.addReport(report);
    const [first] = report.errors;
    if (first === undefined) return;
    log.warn("lines refused", {
      subject: messages[0]?.subject,
      messages: messages.length,
      ...report.rejected,
      reason: first.message,
    });
  }
}
