/**
 * A real NATS broker on a free port, with files of its own that vanish with it. It
 * can be ended and started again on the same port with the same files.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Child, freePort } from "./child.ts";
import { toolProgram } from "./tools.ts";

const START_MS = 20_000;

export interface BrokerOptions {
  readonly jetStream?: boolean;
  /** Further lines of its configuration file. */
  readonly settings?: string;
}

export class Broker implements AsyncDisposable {
  readonly port = freePort();
  readonly directory: string;
  readonly #configFile: string;
  #child: Child | undefined;

  private constructor(directory: string) {
    this.directory = directory;
    this.#configFile = `${directory}/nats.conf`;
  }

  /** Its files, and nothing runs yet. */
  static async create(options: BrokerOptions = {}): Promise<Broker> {
    const directory = await Deno.makeTempDir({ prefix: "ringstore-nats-" });
    const broker = new Broker(directory);
    const store = options.jetStream
      ? `jetstream { store_dir: "${directory}/js" }\n`
      : "";
    await Deno.writeTextFile(
      broker.#configFile,
      `listen: "127.0.0.1:${broker.port}"\n${store}${options.settings ?? ""}\n`,
    );
    return broker;
  }

  /** Resolves when it takes connections. */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const broker = await Broker.create(options);
    await broker.run();
    return broker;
  }

  /** Like `nats://127.0.0.1:41234`. */
  get address(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    const child = new Child({
      command: toolProgram("nats"),
      args: ["-c", this.#configFile],
    });
    this.#child = child;
    await child.until(
      "the broker",
      START_MS,
      () => child.output.includes("Server is ready") || undefined,
    );
  }

  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    await this.#child?.stop(signal);
    this.#child = undefined;
  }

  /** A client of the tests' own. */
  connect(options: Parameters<typeof connect>[0] = {}): Promise<
    NatsConnection
  > {
    return connect({
      servers: this.address,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.directory, { recursive: true });
  }
}
