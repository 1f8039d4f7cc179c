/**
 * Subscriptions to job events and node states (`main.api-subjects`): every message
 * is read at once, its events go into queues. Messages of a JetStream stream are
 * acknowledged when their events are dealt with: committed to the database, or
 * refused for good. Main thread only.
 */
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Log } from "../base/log.ts";
import { ByteBudget } from "./byte_budget.ts";
import {
  JobEventQueue,
  type JobEventSink,
  type StreamDelivery,
} from "./job_event_queue.ts";
import { JobEventStats } from "./job_event_stats.ts";
import { type EventSubject, type JobEvent, parseEvents } from "./job_events.ts";
import type { MetricMessage } from "./message_batch.ts";
import { SeldomLog } from "../base/seldom_log.ts";
import {
  type StreamedMessage,
  StreamSubscription,
} from "./stream_subscription.ts";
import { SubscriptionStats } from "./subscription_stats.ts";

/** Bytes of events that wait; of each kind. */
const WAITING_BYTES = 64 << 20;
/** Messages of a stream whose events are in the queue together, and their bytes. */
const GROUP_MESSAGES = 256;
const GROUP_BYTES = 1 << 20;

/** The keys of `main.api-subjects`. */
export interface ApiSubjects {
  readonly "subject-job-event": string;
  readonly "subject-node-state": string;
  /** `""`: plain NATS. */
  readonly "stream-job-event": string;
  readonly "durable-job-event": string;
  readonly "stream-node-state": string;
  readonly "durable-node-state": string;
  readonly "job-concurrency": number;
  readonly "node-concurrency": number;
}

export interface JobEventListenerOptions {
  readonly subjects: ApiSubjects;
  readonly sink: JobEventSink;
  readonly log: Pick<Log, "warn" | "info" | "err">;
  readonly stopped: AbortSignal;
}

interface Source {
  readonly about: EventSubject;
  readonly subject: string;
  readonly queue: JobEventQueue;
  readonly stream: StreamSubscription | undefined;
  subscription?: Subscription;
  isDropping: boolean;
}

export class JobEventListener {
  readonly stats = new JobEventStats();
  /** Counters of the messages of each stream. */
  readonly streams: readonly SubscriptionStats[];
  readonly #options: JobEventListenerOptions;
  readonly #seldom: SeldomLog;
  readonly #sources: readonly Source[];

  constructor(options: JobEventListenerOptions) {
    this.#options = options;
    this.#seldom = new SeldomLog(options.log);
    const streams: SubscriptionStats[] = [];
    this.#sources = [
      this.#source("job", "job-event", "job-concurrency", streams),
      this.#source("nodestate", "node-state", "node-concurrency", streams),
    ];
    this.streams = streams;
  }

  #source(
    about: EventSubject,
    of: "job-event" | "node-state",
    concurrency: "job-concurrency" | "node-concurrency",
    streams: SubscriptionStats[],
  ): Source {
    const { subjects, sink, log, stopped } = this.#options;
    const subject = subjects[`subject-${of}`];
    const stream = subjects[`stream-${of}`];
    const durable = subjects[`durable-${of}`];
    const queue = new JobEventQueue({
      sink,
      concurrency: subjects[concurrency],
      budget: new ByteBudget(WAITING_BYTES),
      stats: this.stats,
      log: this.#seldom,
      stopped,
    });
    const stats = new SubscriptionStats(subject, durable);
    if (stream !== "") streams.push(stats);
    return {
      ...{ about, subject, queue, isDropping: false },
      stream: stream === "" ? undefined : new StreamSubscription({
        ...{ subject, stream, durable, stats, log, stopped },
        budget: new ByteBudget(WAITING_BYTES),
        groupLength: eventGroupLength,
        writer: { write: (messages) => this.#apply(about, queue, messages) },
      }),
    };
  }

  attach(connection: NatsConnection): void {
    for (const source of this.#sources) {
      const { subject, stream } = source;
      if (stream !== undefined) {
        stream.attach(connection);
        continue;
      }
      source.subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) this.#take(source, message.subject, message.data);
          else {
            this.#options.log.warn("subscription refused", { subject, error });
          }
        },
      });
    }
  }

  /**
   * Reads a message of a plain subject, which is not sent again, and queues its events.
   */
  #take(source: Source, subject: string, data: Uint8Array): void {
    for (const event of this.#eventsOf(source.about, subject, data)) {
      const isQueued = source.queue.add(event, subject);
      if (isQueued === source.isDropping) this.#cross(source, !isQueued);
    }
  }

  /** `false`: the server stops, and some events were not dealt with. */
  async #apply(
    about: EventSubject,
    queue: JobEventQueue,
    messages: readonly StreamedMessage[],
  ): Promise<boolean> {
    const outcomes: Promise<boolean>[] = [];
    for (const { subject, data, message } of messages) {
      const { redelivered, info } = message;
      const timeSec = Math.floor(info.timestampNanos / 1e9);
      for (const event of this.#eventsOf(about, subject, data)) {
        outcomes.push(
          new Promise((settled) => {
            const delivery: StreamDelivery = {
              ...{ isRepeated: redelivered, timeSec, settled },
            };
            queue.add(event, subject, delivery);
          }),
        );
      }
    }
    return (await Promise.all(outcomes)).every((isDone) => isDone);
  }

  #eventsOf(
    about: EventSubject,
    subject: string,
    data: Uint8Array,
  ): readonly JobEvent[] {
    this.stats.messages++;
    const { events, problems } = parseEvents(data, about);
    for (const { problem, message } of problems) {
      this.stats.count(problem);
      const fields = { subject, problem, reason: message };
      this.#seldom.warn("not an event", fields, problem);
    }
    return events;
  }

  #cross(source: Source, isDropping: boolean): void {
    source.isDropping = isDropping;
    this.#options.log.warn(
      isDropping
        ? "events are dropped: the job API is too slow"
        : "events are taken again",
      { subject: source.subject, dropped: this.stats.dropped },
    );
  }

  /** Takes nothing more; resolves when what was taken is dealt with. */
  async close(): Promise<void> {
    for (const { subscription } of this.#sources) subscription?.unsubscribe();
    await Promise.all(
      this.#sources.map(async ({ queue, stream }) => {
        await stream?.close();
        await queue.settled();
      }),
    );
  }
}

function eventGroupLength(messages: readonly MetricMessage[]): number {
  let bytes = 0;
  let count = 0;
  for (const { data } of messages) {
    if (count > 0 && bytes + data.length > GROUP_BYTES) break;
    bytes += data.length;
    if (++count === GROUP_MESSAGES) break;
  }
  return count;
}
