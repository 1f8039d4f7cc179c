/**
 * Job events on their way to the job API: in order for each job, several jobs at a
 * time, and a stop that overtook its start waits a little for it. Main thread only.
 *
 * Bounded: an event that finds no room is dropped and counted, since no sender repeats
 * it. Events of a stream are bounded by the stream's reader and tried until they
 * succeed or fail for good. They come in order, so a stop without a start waits for
 * none.
 */
import { ClientError, type ErrorCode } from "../base/errors.ts";
import { jobFields } from "../base/refused_request.ts";
import type { ByteBudget } from "./byte_budget.ts";
import type { JobEventStats } from "./job_event_stats.ts";
import type { JobEvent } from "./job_events.ts";
import { PASSING, pause, pauseMs } from "./pauses.ts";
import type { SeldomLog } from "../base/seldom_log.ts";

/**
 * The calls of the job API that events lead to, with the rights of the role `api`
 * alone.
 */
export interface JobEventSink {
  /** The JSON of a request to start a job. Rejects with a `ClientError`. */
  startJob(json: string): Promise<void>;
  /** Rejects with `E_NOT_FOUND` where the job was not started (yet). */
  stopJob(json: string): Promise<void>;
  /** `timeSec`: when it was sent; absent: now. */
  nodeState(json: string, timeSec?: number): Promise<void>;
}

/** Delivery of a stream's event, and the call that settles it. */
export interface StreamDelivery {
  /** It came before, and may have been dealt with. */
  readonly isRepeated: boolean;
  /** When the broker took it, Unix seconds. */
  readonly timeSec: number;
  /** Called once: `false` if the server stops before the event is dealt with. */
  settled(isDone: boolean): void;
}

/** With these pauses about 12 seconds. */
const ATTEMPTS_MAX = 8;
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 5000;
/** Beside its text an event takes about so much. */
const EVENT_BYTES = 512;

export interface JobEventQueueOptions {
  readonly sink: JobEventSink;
  /** Keys handled at a time. */
  readonly concurrency: number;
  readonly budget: ByteBudget;
  readonly stats: JobEventStats;
  readonly log: SeldomLog;
  /** Aborted when the server stops: nothing waits for another attempt then. */
  readonly stopped: AbortSignal;
}

interface QueuedEvent extends JobEvent {
  readonly subject: string;
  /** Absent: it came by plain NATS. */
  readonly delivery: StreamDelivery | undefined;
  /** How often it came before its start. */
  early: number;
}

/** The events of one key. */
interface Lane {
  readonly waiting: QueuedEvent[];
  /** Somebody handles what waits, or is about to. */
  isActive: boolean;
  /** Stops whose start has not come; calling one tries it again. */
  readonly overtakers: Set<() => void>;
}

export class JobEventQueue {
  readonly #options: JobEventQueueOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Keys that have something to do and no one doing it. */
  readonly #ready: string[] = [];
  #running = 0;
  #unsettled = 0;
  readonly #idle: (() => void)[] = [];

  constructor(options: JobEventQueueOptions) {
    this.#options = options;
  }

  /** `false`: there is no room, the event is dropped; there is for those of streams. */
  add(event: JobEvent, subject: string, delivery?: StreamDelivery): boolean {
    const { budget, stats } = this.#options;
    if (delivery !== undefined) budget.take(bytesOf(event));
    else if (!budget.tryTake(bytesOf(event))) {
      stats.dropped++;
      return false;
    }
    this.#unsettled++;
    let lane = this.#lanes.get(event.key);
    if (lane === undefined) {
      lane = { waiting: [], isActive: false, overtakers: new Set() };
      this.#lanes.set(event.key, lane);
    }
    lane.waiting.push({ ...event, subject, delivery, early: 0 });
    this.#activate(event.key, lane);
    return true;
  }

  /** Resolves when every event that was added is dealt with. */
  settled(): Promise<void> {
    if (this.#unsettled === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #activate(key: string, lane: Lane): void {
    if (lane.isActive) return;
    lane.isActive = true;
    this.#ready.push(key);
    this.#schedule();
  }

  #schedule(): void {
    while (this.#running < this.#options.concurrency) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      this.#running++;
      void this.#run(key, this.#lanes.get(key)!).then(() => {
        this.#running--;
        this.#schedule();
      });
    }
  }

  async #run(key: string, lane: Lane): Promise<void> {
    for (;;) {
      const event = lane.waiting.shift();
      if (event === undefined) break;
      const outcome = await this.#handle(event);
      if (outcome === "early") {
        // Others of the job go before it: its start may be among them.
        void this.#park(event, key, lane);
        continue;
      }
      this.#settle(event);
      event.delivery?.settled(outcome === "done");
      if (event.kind === "start") {
        for (const retry of [...lane.overtakers]) retry();
      }
    }
    lane.isActive = false;
    if (lane.overtakers.size === 0) this.#lanes.delete(key);
  }

  /** Puts the event back after a pause, or when a start of its job was handled. */
  async #park(event: QueuedEvent, key: string, lane: Lane): Promise<void> {
    event.early++;
    this.#options.stats.retries++;
    const wake = new AbortController();
    const retry = () => wake.abort();
    lane.overtakers.add(retry);
    const signal = AbortSignal.any([this.#options.stopped, wake.signal]);
    await pause(pauseMs(event.early, FIRST_PAUSE_MS, MOST_PAUSE_MS), signal);
    lane.overtakers.delete(retry);
    lane.waiting.unshift(event);
    this.#activate(key, lane);
  }

  #settle(event: QueuedEvent): void {
    this.#options.budget.give(bytesOf(event));
    this.#unsettled--;
    if (this.#unsettled > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * `early`: a stop without its start, which may still come; `interrupted`: an event
   * of a stream that the server has no time for any more.
   */
  async #handle(event: QueuedEvent): Promise<"done" | "early" | "interrupted"> {
    const { stats, stopped } = this.#options;
    const isDurable = event.delivery !== undefined;
    for (let attempt = 1;; attempt++) {
      try {
        await this.#apply(event);
        stats.handled++;
        return "done";
      } catch (error) {
        const code = error instanceof ClientError ? error.code : "E_INTERNAL";
        const mayWait = !stopped.aborted;
        if (
          code === "E_NOT_FOUND" && event.kind === "stop" && mayWait &&
          !isDurable && event.early < ATTEMPTS_MAX
        ) return "early";
        const passes = PASSING.includes(code) &&
          (isDurable || attempt < ATTEMPTS_MAX);
        if (passes && isDurable && !mayWait) return "interrupted";
        if (!passes || !mayWait) {
          this.#fail(event, code, error);
          return "done";
        }
        stats.retries++;
        if (isDurable && error instanceof ClientError) {
          this.#tellOfWait(event, error);
        }
      }
      await pause(pauseMs(attempt, FIRST_PAUSE_MS, MOST_PAUSE_MS), stopped);
    }
  }

  #apply(event: QueuedEvent): Promise<void> {
    const { sink } = this.#options;
    switch (event.kind) {
      case "start":
        return sink.startJob(event.json);
      case "stop":
        return sink.stopJob(event.json);
      case "nodestate":
        return sink.nodeState(event.json, event.delivery?.timeSec);
    }
  }

  #tellOfWait({ json, kind, subject }: QueuedEvent, error: ClientError): void {
    this.#options.log.warn(
      "an event waits for the job API",
      () => ({ subject, kind, ...jobFields(json), reason: error.message }),
      `${kind} ${error.code} waits`,
    );
  }

  #fail(event: QueuedEvent, code: ErrorCode, error: unknown): void {
    const { stats, log } = this.#options;
    if (code === "E_UNPROCESSABLE") {
      stats.known++;
      // Events that come again after a kill were mostly dealt with before.
      if (event.delivery?.isRepeated) return;
    } else stats.failed++;
    const { json, kind, subject } = event;
    log.warn(
      "an event failed",
      () => ({ subject, kind, ...jobFields(json), reason: reasonOf(error) }),
      `${kind} ${code}`,
    );
  }
}

/** The sender's mistake is one line; a fault of ours keeps where it came from. */
function reasonOf(error: unknown): unknown {
  return error instanceof ClientError && error.code !== "E_INTERNAL"
    ? error.message
    : error;
}

function bytesOf({ json }: JobEvent): number {
  return json.length * 2 + EVENT_BYTES;
}
