/**
 * A subscription that reads a JetStream stream through a durable consumer: messages
 * are applied in stream order, and acknowledged once their writer cannot lose them:
 * metrics when every shard that owns a line has it in its log, and never twice
 * (docs/decisions/0006-stream-marks.md); job events when their transaction is
 * committed. Main thread only.
 *
 * Messages in flight are bounded: they are asked for only as far as the bytes in
 * flight allow, and the broker holds back beyond `max_ack_pending`.
 */
import {
  type Consumer,
  jetstream,
  jetstreamManager,
  type JsMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { monotonicMs } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ByteBudget } from "./byte_budget.ts";
import { type Durable, type DurableName, openDurable } from "./durable.ts";
import type { MetricMessage } from "./message_batch.ts";
import { pause, pauseMs } from "./pauses.ts";
import { type Delivery, StreamWindow } from "./stream_window.ts";
import type { StreamMark } from "../metricstore/engine/metric_engine.ts";
import type { SubscriptionStats } from "./subscription_stats.ts";

/** The shortest and longest wait for messages that the library and we want. */
const FETCH_SHORT_MS = 1000;
const FETCH_LONG_MS = 30_000;
const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 10_000;
/** Beyond the time after which the broker delivers again. */
const REDELIVERY_SLACK_MS = 250;
/** Interval of the notices that outstanding messages do not come. */
const COMPLAINT_MS = 60_000;

/** The part of a stream's message that its events or samples need. */
export interface StreamedMessage extends MetricMessage {
  readonly message: Pick<JsMsg, "redelivered" | "info">;
}

/** Applies the messages of a stream. */
export interface StreamWriter {
  /**
   * Applies messages that follow one another in the stream; resolves when nothing of
   * them can be lost any more. `false`: the server stops before that.
   */
  write(
    messages: readonly StreamedMessage[],
    mark: StreamMark,
  ): Promise<boolean>;
}

export interface StreamSubscriptionOptions extends DurableName {
  readonly writer: StreamWriter;
  /** How many of the first messages are applied together; at least one. */
  readonly groupLength: (messages: readonly MetricMessage[]) => number;
  readonly budget: ByteBudget;
  readonly stats: SubscriptionStats;
  readonly log: Pick<Log, "warn" | "info" | "err">;
  /** Aborted when the server stops. */
  readonly stopped: AbortSignal;
}

interface StreamMessage extends Delivery, MetricMessage {
  readonly message: JsMsg;
  /** When it was delivered, or the broker was last told that it is worked on. */
  touchedMs: number;
}

export class StreamSubscription {
  readonly #options: StreamSubscriptionOptions;
  #window = new StreamWindow<StreamMessage>();
  #durable: Durable | undefined;
  #storing: Promise<void> = Promise.resolve();
  #isStoring = false;
  #fetching: { stop(): void } | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Since when outstanding messages are waited for. */
  #doubtSinceMs = 0;
  #complainedMs = 0;
  #problem = "";

  constructor(options: StreamSubscriptionOptions) {
    this.#options = options;
    options.stopped.addEventListener("abort", () => this.#fetching?.stop());
  }

  /** Reads until the connection ends for good. */
  attach(connection: NatsConnection): void {
    // One connection after the other: the one before has ended.
    this.#running = this.#running.then(() => this.#run(connection));
  }

  /** After `stopped`: resolves when everything that was handed out is stored. */
  async close(): Promise<void> {
    await this.#running;
    await this.#storing;
  }

  async #run(connection: NatsConnection): Promise<void> {
    const { stopped } = this.#options;
    for (let attempt = 1; this.#isUsable(connection); attempt++) {
      try {
        await this.#read(connection, () => attempt = 0);
      } catch (error) {
        if (!this.#isUsable(connection)) return;
        this.#complain(error);
        await pause(pauseMs(attempt, FIRST_PAUSE_MS, MOST_PAUSE_MS), stopped);
      }
    }
  }

  #isUsable(connection: NatsConnection): boolean {
    return !connection.isClosed() && !this.#options.stopped.aborted;
  }

  /** The same problem is told once, until reading works again. */
  #complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text === this.#problem) return;
    this.#problem = text;
    const { log, stream, durable } = this.#options;
    log.warn("a stream cannot be read", { stream, durable, reason: text });
  }

  async #read(connection: NatsConnection, worked: () => void): Promise<void> {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const durable = await openDurable(manager, this.#options);
    if (durable.identity !== this.#durable?.identity) {
      await this.#begin(durable);
    }
    const { stream, durable: name } = this.#options;
    const consumer = await jetstream(connection)
      .consumers.get(stream, name);
    const timer = setInterval(() => this.#keepAlive(), durable.ackWaitMs / 3);
    try {
      while (this.#isUsable(connection)) {
        if (!this.#window.isWhole) await this.#complete(consumer, durable);
        else {
          await this.#options.budget.halfFree();
          await this.#fetch(consumer, this.#roomFor(connection), FETCH_LONG_MS);
        }
        this.#problem = "";
        worked();
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** Begins anew with another stream or consumer and forgets the one before. */
  async #begin(durable: Durable): Promise<void> {
    this.#release(this.#window.letGo());
    await this.#storing;
    this.#window = new StreamWindow();
    this.#window.doubt(durable.info.delivered.stream_seq);
    this.#durable = durable;
    this.#doubtSinceMs = monotonicMs();
  }

  /**
   * Waits for outstanding messages until none is missing. They are asked for only
   * when the broker is ready to deliver them again: it would send new ones before.
   */
  async #complete(consumer: Consumer, durable: Durable): Promise<void> {
    if (this.#doubtSinceMs === 0) this.#doubtSinceMs = monotonicMs();
    const info = await consumer.info();
    const missing = this.#window.confirm(
      info.num_ack_pending,
      info.delivered.consumer_seq,
    );
    if (this.#window.isWhole) {
      this.#doubtSinceMs = 0;
      this.#kick();
      return;
    }
    const { stopped, budget } = this.#options;
    const dueMs = this.#doubtSinceMs + durable.ackWaitMs + REDELIVERY_SLACK_MS;
    const waitMs = dueMs - monotonicMs();
    if (waitMs > 0) return await pause(Math.min(waitMs, 1000), stopped);
    this.#complainOfMissing(missing);
    if (budget.inUse >= budget.capacity) {
      // Newer messages took the room that the missing ones need.
      this.#release(this.#window.letGo());
      this.#doubtSinceMs = monotonicMs();
      return;
    }
    if (missing > 0) await this.#fetch(consumer, missing, FETCH_SHORT_MS);
  }

  #complainOfMissing(missing: number): void {
    const nowMs = monotonicMs();
    if (nowMs - this.#doubtSinceMs < COMPLAINT_MS) return;
    if (nowMs - this.#complainedMs < COMPLAINT_MS) return;
    this.#complainedMs = nowMs;
    const { log, stream, durable } = this.#options;
    log.err(
      "outstanding messages do not come; does somebody else read the durable?",
      { stream, durable, missing },
    );
  }

  /** How many messages surely fit into what is free. */
  #roomFor(connection: NatsConnection): number {
    const { budget } = this.#options;
    const largest = connection.info?.max_payload ?? 1 << 20;
    return Math.max(1, Math.floor((budget.capacity - budget.inUse) / largest));
  }

  async #fetch(
    consumer: Consumer,
    messages: number,
    expires: number,
  ): Promise<void> {
    const fetched = await consumer.fetch({ max_messages: messages, expires });
    this.#fetching = fetched;
    if (this.#options.stopped.aborted) fetched.stop();
    try {
      for await (const message of fetched) {
        this.#take(message);
        // A delivery is missing: nothing more until it is here.
        if (!this.#window.isWhole && expires === FETCH_LONG_MS) fetched.stop();
      }
    } finally {
      this.#fetching = undefined;
    }
  }

  #take(message: JsMsg): void {
    const { budget, stats } = this.#options;
    const { streamSequence, deliverySequence } = message.info;
    const { data } = message;
    const taken = this.#window.take({
      subject: message.subject,
      data,
      message,
      streamSequence,
      deliverySequence,
      touchedMs: monotonicMs(),
    });
    stats.messages++;
    stats.bytes += message.data.length;
    if (message.redelivered) stats.redelivered++;
    if (taken === "applied") acknowledge(message);
    if (taken !== "new") return;
    budget.take(data.length);
    this.#kick();
  }

  #kick(): void {
    if (this.#isStoring) return;
    this.#isStoring = true;
    this.#storing = this.#store();
  }

  async #store(): Promise<void> {
    for (;;) {
      const window = this.#window;
      const identity = this.#durable?.identity;
      const batch = window.next(this.#options.groupLength);
      const last = batch.at(-1);
      if (last === undefined || identity === undefined) break;
      const isStored = await this.#options.writer.write(batch, {
        stream: identity,
        sequence: last.streamSequence,
      });
      this.#release(batch);
      // Without an acknowledgement they come again after the next start.
      if (!isStored) break;
      window.settle(batch);
      for (const { message } of batch) acknowledge(message);
    }
    // No wait between the last look and this: the next message starts storing anew.
    this.#isStoring = false;
  }

  #release(messages: readonly StreamMessage[]): void {
    const bytes = messages.reduce((sum, { data }) => sum + data.length, 0);
    this.#options.budget.give(bytes);
  }

  /**
   * Tells the broker of messages that wait longer than its limit that work on them goes
   * on.
   */
  #keepAlive(): void {
    const nowMs = monotonicMs();
    const everyMs = (this.#durable?.ackWaitMs ?? Infinity) / 3;
    for (const held of this.#window.held()) {
      if (nowMs - held.touchedMs < everyMs) continue;
      held.touchedMs = nowMs;
      respond(() => held.message.working());
    }
  }
}

function acknowledge(message: JsMsg): void {
  respond(() => message.ack());
}

/** A closed connection takes no answer; the broker asks again by delivering again. */
function respond(answer: () => void): void {
  try {
    answer();
  } catch (error) {
    const isClosed = error instanceof Error &&
      error.name === "ClosedConnectionError";
    if (!isClosed) throw error;
  }
}
