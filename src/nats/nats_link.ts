/**
 * The connection to the broker. It is made in the background and renewed for as long as
 * the server runs. Main thread only.
 *
 * The client library keeps a connection alive over broken ones; where it gives up
 * all the same, and at the first time, the loop here begins anew.
 */
import {
  connect,
  type ConnectionOptions,
  type NatsConnection,
} from "@nats-io/transport-node";
import { errorText, type Log } from "../base/log.ts";
import { takeLostSocketErrors } from "./lost_sockets.ts";
import { pause, pauseMs } from "./pauses.ts";
import { guardSockets } from "./socket_guard.ts";

const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 5000;
/** A broker that does not answer that long is taken for gone after the second time. */
const PING_INTERVAL_MS = 20_000;
const CONNECT_MS = 10_000;
/** The stop waits no longer for the broker to take the last acknowledgements. */
const FLUSH_MS = 1000;

export type NatsState = "connecting" | "connected" | "closed";

export interface NatsLinkOptions {
  /** Called before each attempt; an error that it throws is a failed attempt. */
  readonly options: () => ConnectionOptions;
  /** Called with every new connection. */
  readonly attach: (connection: NatsConnection) => void;
  readonly log: Pick<Log, "info" | "warn" | "debug">;
  /** Aborted when the server stops. */
  readonly stopped: AbortSignal;
}

export class NatsLink {
  readonly #options: NatsLinkOptions;
  #state: NatsState = "connecting";
  #connection: NatsConnection | undefined;
  #connectsTotal = 0;
  #isDown = false;
  /** Aborted when there will be no socket any more. */
  readonly #isOver = new AbortController();
  readonly #ended: Promise<void>;

  constructor(options: NatsLinkOptions) {
    guardSockets();
    this.#options = options;
    takeLostSocketErrors(options.log, this.#isOver.signal);
    this.#ended = this.#run();
  }

  get state(): NatsState {
    return this.#state;
  }

  /** How often a connection was made. */
  get connectsTotal(): number {
    return this.#connectsTotal;
  }

  async #run(): Promise<void> {
    const { log, stopped } = this.#options;
    for (let attempt = 1; !stopped.aborted; attempt++) {
      try {
        const connection = await this.#connect();
        attempt = 0;
        const problem = await connection.closed();
        if (problem) log.warn("NATS connection ended", { reason: problem });
      } catch (error) {
        this.#noteDown(errorText(error));
        log.debug("no connection to NATS", { attempt, reason: error });
      }
      this.#connection = undefined;
      this.#state = "connecting";
      await pause(pauseMs(attempt, FIRST_PAUSE_MS, MOST_PAUSE_MS), stopped);
    }
    this.#state = "closed";
    this.#isOver.abort();
  }

  async #connect(): Promise<NatsConnection> {
    let attempt = 1;
    const connection = await connect({
      ...this.#options.options(),
      name: "ringstore",
      timeout: CONNECT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () =>
        pauseMs(attempt, FIRST_PAUSE_MS, MOST_PAUSE_MS),
    });
    this.#connection = connection;
    void this.#follow(connection, (failed) => attempt = failed);
    this.#noteUp(connection);
    if (this.#options.stopped.aborted) await connection.close();
    else this.#options.attach(connection);
    return connection;
  }

  /** `tell` is told which attempt to reconnect comes next. */
  async #follow(
    connection: NatsConnection,
    tell: (attempt: number) => void,
  ): Promise<void> {
    const { log } = this.#options;
    let attempt = 1;
    for await (const event of connection.status()) {
      switch (event.type) {
        case "disconnect":
          this.#noteDown("the connection broke");
          break;
        case "reconnecting":
          tell(++attempt);
          break;
        case "reconnect":
          attempt = 1;
          tell(attempt);
          this.#noteUp(connection);
          break;
        case "error":
          log.warn("NATS reports an error", { reason: event.error });
      }
    }
  }

  #noteUp(connection: NatsConnection): void {
    this.#state = "connected";
    this.#connectsTotal++;
    this.#isDown = false;
    this.#options.log.info("connected to NATS", {
      server: connection.getServer(),
    });
  }

  /** Told once until there is a connection again. */
  #noteDown(reason: string): void {
    if (this.#state === "connected") this.#state = "connecting";
    if (this.#isDown || this.#options.stopped.aborted) return;
    this.#isDown = true;
    this.#options.log.warn("no connection to NATS, trying on", { reason });
  }

  /** Ends the connection, after what was published before. */
  async close(): Promise<void> {
    const connection = this.#connection;
    if (connection !== undefined && !connection.isClosed()) {
      if (this.#state === "connected") {
        const late = new AbortController();
        await Promise.race([
          connection.flush().catch((error) =>
            this.#options.log.debug("NATS flush failed", { reason: error })
          ),
          pause(FLUSH_MS, late.signal),
        ]);
        late.abort();
      }
      await connection.close();
    }
    await this.#ended;
  }
}
