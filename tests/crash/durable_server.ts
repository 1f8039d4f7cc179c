/**
 * A ringstore process that can be ended in any way and started again over the
 * same files, with another configuration if need be. It runs with the flags of
 * the `start` task. The directory goes when the test is over.
 */
import { Child } from "../support/child.ts";
import { SAMPLE_PUBLIC_KEY, TestClient } from "../support/client.ts";
import {
  makeDirectory,
  type MetricEntry,
  programArguments,
  workDirectory,
} from "../support/server.ts";

/** Far above a start on a busy machine; only reached when something is broken. */
const START_MS = 60_000;

export interface StoreSettings {
  readonly metrics: Readonly<Record<string, MetricEntry>>;
  /** Merged over `main`. */
  readonly main?: Readonly<Record<string, unknown>>;
  /** Merged over `metric-store`. */
  readonly store?: Readonly<Record<string, unknown>>;
  /** Merged over `metric-store.checkpoints`. */
  readonly checkpoints?: Readonly<Record<string, unknown>>;
  /** Further top-level sections. */
  readonly sections?: Readonly<Record<string, unknown>>;
}

export class DurableServer implements AsyncDisposable {
  readonly directory: string;
  #running: { child: Child; url: string; client: TestClient } | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** A new directory; nothing runs yet. */
  static async create(): Promise<DurableServer> {
    return new DurableServer(await makeDirectory());
  }

  /** `checkpoints.directory`. */
  get checkpoints(): string {
    return `${this.directory}/checkpoints`;
  }

  /** The directory of a shard's log and snapshots. */
  shardDirectory(shards: number, shard: number): string {
    return `${this.checkpoints}/ringstore/shards-${shards}/${shard}`;
  }

  get child(): Child {
    return this.#process.child;
  }

  get url(): string {
    return this.#process.url;
  }

  /** One connection, new with every start. */
  get client(): TestClient {
    return this.#process.client;
  }

  get #process() {
    if (this.#running === undefined) throw new Error("the server is not up");
    return this.#running;
  }

  /** A process that has been started and nothing more: the address is not known. */
  async spawn(
    settings: StoreSettings,
    ...flags: readonly string[]
  ): Promise<Child> {
    const configFile = `${this.directory}/config.json`;
    const config = {
      main: {
        addr: "127.0.0.1:0",
        "jwt-public-key": SAMPLE_PUBLIC_KEY,
        db: `${this.directory}/job.db`,
        ...settings.main,
      },
      metrics: settings.metrics,
      "metric-store": {
        "retention-in-memory": "48h",
        "memory-cap": 1,
        "num-workers": 2,
        ...settings.store,
        checkpoints: { directory: this.checkpoints, ...settings.checkpoints },
      },
      ...settings.sections,
    };
    // Whole or not at all: another process may be reading it.
    const part = `${configFile}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(part, JSON.stringify(config));
    await Deno.rename(part, configFile);
    return new Child({
      command: Deno.execPath(),
      args: [...programArguments(), "-config", configFile, ...flags],
      cwd: workDirectory(),
    });
  }

  /** Resolves when it is ready: everything is restored. `meanwhile` runs before that. */
  async start(
    settings: StoreSettings,
    meanwhile?: (child: Child) => Promise<void>,
  ): Promise<void> {
    const child = await this.spawn(settings);
    try {
      await meanwhile?.(child);
      const url = await child.until(
        "the line with the address",
        START_MS,
        () => /listening on (http:\/\/\S+)\n/.exec(child.output)?.[1],
      );
      await child.untilAnswers(`${url}/ready`, 200, START_MS);
      this.#running = { child, url, client: new TestClient(url) };
    } catch (error) {
      await child.stop("SIGKILL");
      throw error;
    }
  }

  /** Ends it with SIGTERM; gives what it exited with and all it printed. */
  async stop(): Promise<{ code: number; output: string }> {
    const { child, client } = this.#process;
    this.#running = undefined;
    client.close();
    const { code } = await child.stop();
    return { code, output: child.output };
  }

  /** Ends it with SIGKILL, at once. */
  async kill(): Promise<void> {
    const { child, client } = this.#process;
    this.#running = undefined;
    await child.stop("SIGKILL");
    client.close();
  }

  async restart(settings: StoreSettings): Promise<void> {
    await this.stop();
    await this.start(settings);
  }

  /** Nothing runs any more, whatever did. */
  async end(): Promise<void> {
    if (this.#running !== undefined) await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.directory, { recursive: true });
  }
}
