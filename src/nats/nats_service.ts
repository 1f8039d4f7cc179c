/**
 * NATS as the server uses it: one connection, the configured subscriptions on it, and
 * their status. Main thread only.
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Config } from "../config/settings/mod.ts";
import { DEFAULT_SCOPE } from "../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../metricstore/engine/metric_engine.ts";
import type { Log } from "../base/log.ts";
import { ByteBudget } from "./byte_budget.ts";
import { connectOptions } from "./connect_options.ts";
import { CoreSubscription } from "./core_subscription.ts";
import { groupLength } from "./message_batch.ts";
import {
  MetricWriter,
  type ScopeRefusal,
  type WriteGrant,
} from "./metric_writer.ts";
import { type ApiSubjects, JobEventListener } from "./job_event_listener.ts";
import type { JobEventSink } from "./job_event_queue.ts";
import type { JobEventStats } from "./job_event_stats.ts";
import { NatsLink, type NatsState } from "./nats_link.ts";
import { SeldomLog } from "../base/seldom_log.ts";
import { StreamSubscription } from "./stream_subscription.ts";
import { SubscriptionStats } from "./subscription_stats.ts";

/** Status of NATS for the rest of the server. */
export interface NatsStatus {
  readonly state: NatsState;
  /** How often a connection was made. */
  readonly connectsTotal: number;
  /** Bytes of messages received and not yet stored. */
  readonly bytesInFlight: number;
  readonly subscriptions: readonly SubscriptionStats[];
  /** Absent if the server does not take job events. */
  readonly jobEvents?: JobEventStats | undefined;
}

/** Something that listens on every connection. */
interface NatsListener {
  attach(connection: NatsConnection): void;
  /** Takes nothing more; resolves when what was taken is dealt with. */
  close(): Promise<void>;
}

/**
 * Returns the write permission of a subscription with these names, `""` for the default
 * instance or no policy. Called before every batch, since both change while the server
 * runs.
 */
export type GrantResolver = (
  instance: string,
  accessPolicy: string,
) => WriteGrant | ScopeRefusal;

export interface NatsServiceOptions {
  readonly config: Pick<Config, "nats" | "metric-store">;
  readonly engine: Pick<MetricEngine, "openBatch" | "laneOf">;
  readonly log: Pick<Log, "debug" | "info" | "warn" | "err">;
  /** Not asked for subscriptions without instance and access policy. */
  readonly grantOf: GrantResolver;
  /** Receiver and subjects of job events and node states; absent if none are taken. */
  readonly jobEvents?:
    | { readonly subjects: ApiSubjects; readonly sink: JobEventSink }
    | undefined;
}

/** `undefined` where no broker is configured. */
export function startNats(
  options: NatsServiceOptions,
): NatsService | undefined {
  return options.config.nats.address === ""
    ? undefined
    : new NatsService(options);
}

export class NatsService implements NatsStatus {
  readonly subscriptions: readonly SubscriptionStats[];
  readonly jobEvents: JobEventStats | undefined;
  readonly #budget: ByteBudget;
  readonly #stopping = new AbortController();
  readonly #listeners: readonly NatsListener[];
  readonly #link: NatsLink;

  /** Connects in the background. Throws where a file of the configuration is unusable. */
  constructor(options: NatsServiceOptions) {
    const { nats, "metric-store": store } = options.config;
    // A fault in the files of the configuration stops the start; a lost connection at
    // night does not.
    connectOptions(nats);
    this.#budget = new ByteBudget(nats["max-in-flight"]);
    const made = store["nats-subscriptions"].map((one) =>
      this.#subscription(one, options)
    );
    const events = options.jobEvents && new JobEventListener({
      ...options.jobEvents,
      log: options.log,
      stopped: this.#stopping.signal,
    });
    this.subscriptions = [
      ...made.map(({ stats }) => stats),
      ...events?.streams ?? [],
    ];
    this.jobEvents = events?.stats;
    this.#listeners = [
      ...made.map(({ listener }) => listener),
      ...(events === undefined ? [] : [events]),
    ];
    this.#link = new NatsLink({
      options: () => connectOptions(nats),
      attach: (connection) => {
        for (const listener of this.#listeners) listener.attach(connection);
      },
      log: options.log,
      stopped: this.#stopping.signal,
    });
  }

  get state(): NatsState {
    return this.#link.state;
  }

  get connectsTotal(): number {
    return this.#link.connectsTotal;
  }

  get bytesInFlight(): number {
    return this.#budget.inUse;
  }

  #subscription(
    given: Config["metric-store"]["nats-subscriptions"][number],
    { engine, log, grantOf }: NatsServiceOptions,
  ): { listener: NatsListener; stats: SubscriptionStats } {
    const { stream, durable, instance } = given;
    const subject = given["subscribe-to"];
    const tag = given["cluster-tag"];
    const policy = given["access-policy"];
    const stats = new SubscriptionStats(subject, durable);
    const stopped = this.#stopping.signal;
    const writer = new MetricWriter({
      engine,
      grant: () => {
        if (instance === "" && policy === "") {
          return { scope: DEFAULT_SCOPE, defaultCluster: tag };
        }
        const granted = grantOf(instance, policy);
        return "refused" in granted || tag === ""
          ? granted
          : { ...granted, defaultCluster: tag };
      },
      stats,
      log: new SeldomLog(log),
      stopped,
    });
    const shared = { subject, writer, budget: this.#budget, stats, log };
    const listener = stream === ""
      ? new CoreSubscription({ ...shared, queueGroup: given["queue-group"] })
      : new StreamSubscription({
        ...{ ...shared, stream, durable, stopped, groupLength },
      });
    return { listener, stats };
  }

  /**
   * Takes no further message, waits for those taken, acknowledges them and disconnects.
   */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#link.close();
  }
}
