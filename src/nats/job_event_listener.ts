/**
 * Subscriptions to job events and node states (`main.api-subjects`): every message
 * is read at once, its events go into queues. Main thread only.
 */
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Log } from "../log.ts";
import { ByteBudget } from "./byte_budget.ts";
import { JobEventQueue, type JobEventSink } from "./job_event_queue.ts";
import { JobEventStats } from "./job_event_stats.ts";
import { type EventSubject, parseEvents } from "./job_events.ts";
import { SeldomLog } from "../seldom_log.ts";

/** Bytes of events that wait; of each kind. */
const WAITING_BYTES = 64 << 20;

/** The keys of `main.api-subjects`. */
export interface ApiSubjects {
  readonly "subject-job-event": string;
  readonly "subject-node-state": string;
  readonly "job-concurrency": number;
  readonly "node-concurrency": number;
}

export interface JobEventListenerOptions {
  readonly subjects: ApiSubjects;
  readonly sink: JobEventSink;
  readonly log: Pick<Log, "warn">;
  readonly stopped: AbortSignal;
}

interface Source {
  readonly about: EventSubject;
  readonly subject: string;
  readonly queue: JobEventQueue;
  subscription?: Subscription;
  isDropping: boolean;
}

export class JobEventListener {
  readonly stats = new JobEventStats();
  readonly #log: Pick<Log, "warn">;
  readonly #seldom: SeldomLog;
  readonly #sources: readonly Source[];

  constructor(options: JobEventListenerOptions) {
    const { subjects, sink, log, stopped } = options;
    this.#log = log;
    this.#seldom = new SeldomLog(log);
    const source = (
      about: EventSubject,
      subject: string,
      concurrency: number,
    ): Source => ({
      about,
      subject,
      isDropping: false,
      queue: new JobEventQueue({
        sink,
        concurrency,
        budget: new ByteBudget(WAITING_BYTES),
        stats: this.stats,
        log: this.#seldom,
        stopped,
      }),
    });
    this.#sources = [
      source("job", subjects["subject-job-event"], subjects["job-concurrency"]),
      source(
        "nodestate",
        subjects["subject-node-state"],
        subjects["node-concurrency"],
      ),
    ];
  }

  attach(connection: NatsConnection): void {
    for (const source of this.#sources) {
      const { subject } = source;
      source.subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) this.take(source, message.subject, message.data);
          else this.#log.warn("subscription refused", { subject, error });
        },
      });
    }
  }

  /** Reads a message and queues its events. */
  take(source: Source, subject: string, data: Uint8Array): void {
    this.stats.messages++;
    const { events, problems } = parseEvents(data, source.about);
    for (const { problem, message } of problems) {
      this.stats.count(problem);
      this.#seldom.warn(
        "not an event",
        { subject, problem, reason: message },
        problem,
      );
    }
    for (const event of events) {
      const isQueued = source.queue.add(event, subject);
      if (isQueued === source.isDropping) this.#cross(source, !isQueued);
    }
  }

  #cross(source: Source, isDropping: boolean): void {
    source.isDropping = isDropping;
    this.#log.warn(
      isDropping
        ? "events are dropped: the job API is too slow"
        : "events are taken again",
      { subject: source.subject, dropped: this.stats.dropped },
    );
  }

  /** Takes nothing more; resolves when what was taken is dealt with. */
  async close(): Promise<void> {
    for (const { subscription } of this.#sources) subscription?.unsubscribe();
    await Promise.all(this.#sources.map(({ queue }) => queue.settled()));
  }
}
