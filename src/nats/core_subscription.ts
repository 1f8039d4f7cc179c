/**
 * A plain NATS subscription. Messages that begin with the same host are stored in the
 * order they come. A message that finds no room is dropped and counted, since no sender
 * repeats it. Main thread only.
 *
 * Messages go in lanes, one for each shard that could take them. In a lane one batch is
 * under way at a time; messages that arrive meanwhile are the next one. So batches are
 * small while there is little to do and grow with the load.
 */
import type {
  Msg,
  NatsConnection,
  Subscription,
} from "@nats-io/transport-node";
import type { Log } from "../base/log.ts";
import type { ByteBudget } from "./byte_budget.ts";
import {
  groupLength,
  type OwnedMessage,
  ownMessage,
  releaseMessages,
} from "./message_batch.ts";
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

interface Lane {
  readonly waiting: OwnedMessage[];
  isStoring: boolean;
  /** The loop that stores what waits. */
  storing: Promise<void>;
}

export class CoreSubscription {
  readonly #options: CoreSubscriptionOptions;
  readonly #lanes = new Map<number, Lane>();
  #subscription: Subscription | undefined;
  /** Count of dropped messages when room ran out; absent while there is room. */
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
    const lane = this.#laneOf(data);
    lane.waiting.push(ownMessage(message.subject, data));
    if (lane.isStoring) return;
    lane.isStoring = true;
    lane.storing = this.#store(lane);
  }

  #laneOf(data: Uint8Array): Lane {
    const number = this.#options.writer.laneOf(data);
    let lane = this.#lanes.get(number);
    if (lane === undefined) {
      lane = { waiting: [], isStoring: false, storing: Promise.resolve() };
      this.#lanes.set(number, lane);
    }
    return lane;
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

  async #store(lane: Lane): Promise<void> {
    const { budget, writer } = this.#options;
    const { waiting } = lane;
    while (waiting.length > 0) {
      const group = waiting.splice(0, groupLength(waiting));
      const bytes = group.reduce((sum, { data }) => sum + data.length, 0);
      // Where they are not stored, parts of them may still be on their way.
      if (await writer.write(group)) releaseMessages(group);
      budget.give(bytes);
    }
    lane.isStoring = false;
  }

  /** Takes nothing more; resolves when everything that was taken is stored. */
  async close(): Promise<void> {
    this.#subscription?.unsubscribe();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.storing));
  }
}
