/**
 * A plain NATS subscription: messages are stored in the order they come, and what
 * finds no room is dropped and counted, since nobody would send it again. Main
 * thread only.
 *
 * One batch is under way at a time; what arrives meanwhile is the next one. So
 * batches are small while there is little to do and grow with the load.
 */
import type {
  Msg,
  NatsConnection,
  Subscription,
} from "@nats-io/transport-node";
import type { Log } from "../log.ts";
import type { ByteBudget } from "./byte_budget.ts";
import { groupLength, type MetricMessage, ownBytes } from "./message_batch.ts";
import type { MetricWriter } from "./metric_writer.ts";
import type { SubscriptionStats } from "./subscription_stats.ts";

export interface CoreSubscriptionOptions {
  readonly subject: string;
  /** `""`: none. */
  readonly queueGroup: string;
  readonly writer: MetricWriter;
  readonly budget: ByteBudget;
  readonly stats: SubscriptionStats;
  readonly log: Pick<Log, "warn" | "info">;
}

export class CoreSubscription {
  readonly #options: CoreSubscriptionOptions;
  readonly #waiting: MetricMessage[] = [];
  #subscription: Subscription | undefined;
  /** The loop that stores what waits. */
  #storing: Promise<void> = Promise.resolve();
  #isStoring = false;
  /** What was dropped before there was no room; absent: there is room. */
  #droppedBefore: number | undefined;

  constructor(options: CoreSubscriptionOptions) {
    this.#options = options;
  }

  /** Subscribes; the library does it again after every broken connection. */
  attach(connection: NatsConnection): void {
    const { subject, queueGroup } = this.#options;
    this.#subscription = connection.subscribe(subject, {
      ...(queueGroup === "" ? {} : { queue: queueGroup }),
      callback: (error, message) => {
        if (error === null) this.#take(message);
        else this.#options.log.warn("subscription refused", { subject, error });
      },
    });
  }

  #take(message: Msg): void {
    const { budget, stats } = this.#options;
    const { data } = message;
    stats.messages++;
    stats.bytes += data.length;
    if (!budget.tryTake(data.length)) return this.#drop();
    if (this.#droppedBefore !== undefined && budget.isHalfFree) this.#recover();
    this.#waiting.push({ subject: message.subject, data: ownBytes(data) });
    if (this.#isStoring) return;
    this.#isStoring = true;
    this.#storing = this.#store();
  }

  #drop(): void {
    const { budget, log, stats, subject } = this.#options;
    if (this.#droppedBefore === undefined) {
      this.#droppedBefore = stats.dropped;
      log.warn("messages are dropped: the store is too slow", {
        subject,
        bytesInFlight: budget.inUse,
      });
    }
    stats.dropped++;
  }

  #recover(): void {
    const { log, stats, subject } = this.#options;
    log.warn("messages are taken again", {
      subject,
      dropped: stats.dropped - (this.#droppedBefore ?? 0),
    });
    this.#droppedBefore = undefined;
  }

  async #store(): Promise<void> {
    const { budget, writer } = this.#options;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupLength(this.#waiting));
      await writer.write(group);
      budget.give(group.reduce((sum, { data }) => sum + data.length, 0));
    }
    this.#isStoring = false;
  }

  /** Takes nothing more; resolves when everything that was taken is stored. */
  async close(): Promise<void> {
    this.#subscription?.unsubscribe();
    await this.#storing;
  }
}
